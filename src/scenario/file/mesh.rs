//! Entries of `calls` in which everybody calls everybody: `mesh: [alice, bob, carol]`.

use super::calls::Call;
use super::media;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::MESH;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::Node;

/// A call of every pair, in the order of the list: each peer calls those after it. `None` if any of it could not be read.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Call>> {
    let fields = reader.fields(node, &MESH)?;
    let at = fields.get("at").and_then(|node| reader.leaf("at", node));
    let media = fields.get("media").map(|node| (media::flows(reader, node), node.span));
    let (media, media_at) = media.unzip();
    let mesh = fields.entry("mesh")?;
    let peers = peers(reader, &mesh.value)?;
    if let Some(extra) = too_many(reader, &peers) {
        reader.report(extra);
        return None;
    }
    let pairs = peers
        .iter()
        .enumerate()
        .flat_map(|(index, from)| peers[index + 1..].iter().map(move |to| (from, to)));
    let call = |(from, to): (&At<String>, &At<String>)| Call {
        from: from.clone(),
        to: to.clone(),
        at: at.clone(),
        media: media.clone().unwrap_or_default(),
        media_at,
        span: mesh.key_span,
        is_of_mesh: true,
    };
    Some(pairs.map(call).collect())
}

/// Two peers or more, each once.
fn peers(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<At<String>>> {
    let items = reader.list("mesh", node, "`[alice, bob, carol]`")?;
    if items.len() < 2 {
        reader.report(
            Diagnostic::new(Code::BadValue, "a mesh is between two peers at least")
                .at(node.span, if items.is_empty() { "nobody in it" } else { "one alone" })
                .help("write `mesh: [alice, bob, carol]`, with everybody who calls and is called"),
        );
        return None;
    }
    let names: Vec<_> = items.iter().filter_map(|item| reader.node_name("mesh", item)).collect();
    if names.len() < items.len() {
        return None;
    }
    for (index, name) in names.iter().enumerate() {
        if let Some(first) = names[..index].iter().find(|other| other.value == name.value) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`mesh` has `{}` twice", name.value))
                    .at(name.span, "again here")
                    .see(first.span, "first here")
                    .help("remove one of them"),
            );
            return None;
        }
    }
    Some(names)
}

/// A few names make many calls.
fn too_many(reader: &Reader<'_>, peers: &[At<String>]) -> Option<Diagnostic> {
    let calls = peers.len() * (peers.len() - 1) / 2;
    let most = reader.limits.calls;
    let last = peers.last().filter(|_| calls > most)?;
    Some(
        Diagnostic::new(
            Code::Limit,
            format!("a mesh of {} peers is {calls} calls; at most {most} are allowed", peers.len()),
        )
        .at(last.span, "up to here")
        .help("raise the limit with `--limit calls=N` if it is really needed"),
    )
}
