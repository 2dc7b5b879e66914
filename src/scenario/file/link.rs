//! `link:`.

use crate::base::{Bandwidth, Probability, SimDuration};
use crate::plan::Link;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::LINK;
use crate::scenario::links;
use crate::scenario::read::words::unknown_word;
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Span;
use crate::scenario::tree::{Node, Value};

/// A link as the file describes it.
#[derive(Debug, Default)]
pub struct LinkSpec {
    named: Option<Link>,
    delay: Option<At<SimDuration>>,
    jitter: Option<At<SimDuration>>,
    loss: Option<At<Probability>>,
    duplicate: Option<At<Probability>>,
    reorder: Option<At<Probability>>,
    rate: Option<At<Bandwidth>>,
    queue: Option<At<u64>>,
    mtu: Option<At<u64>>,
    up: Option<At<bool>>,
    /// Where `queue` stands if `rate` is not beside it.
    queue_alone: Option<Span>,
    span: Span,
}

/// A named link or a map.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<LinkSpec> {
    let link = read_change(reader, node)?;
    if let Some(queue) = link.queue_alone {
        reader.report(queue_without_rate(queue));
    }
    Some(link)
}

/// What changes about a link: the same, but the link as it was may have what a key needs beside it.
pub fn read_change(reader: &mut Reader<'_>, node: &Node) -> Option<LinkSpec> {
    if let Value::Scalar(_) = node.value {
        let named = named(reader, "link", node)?;
        return Some(LinkSpec { named: Some(named), span: node.span, ..LinkSpec::default() });
    }
    let fields = reader.fields(node, &LINK)?;
    Some(LinkSpec {
        named: fields.get("type").and_then(|node| named(reader, "type", node)),
        delay: fields.get("delay").and_then(|node| reader.leaf("delay", node)),
        jitter: fields.get("jitter").and_then(|node| reader.leaf("jitter", node)),
        loss: fields.get("loss").and_then(|node| reader.leaf("loss", node)),
        duplicate: fields.get("duplicate").and_then(|node| reader.leaf("duplicate", node)),
        reorder: fields.get("reorder").and_then(|node| reader.leaf("reorder", node)),
        rate: fields.get("rate").and_then(|node| reader.leaf("rate", node)),
        queue: fields.integer(reader, "queue"),
        mtu: fields.integer(reader, "mtu"),
        up: fields.get("up").and_then(|node| reader.truth("up", node)),
        queue_alone: match (fields.entry("queue"), fields.entry("rate")) {
            (Some(queue), None) => Some(queue.key_span),
            _ => None,
        },
        span: node.span,
    })
}

fn queue_without_rate(queue: Span) -> Diagnostic {
    Diagnostic::new(Code::MeaninglessKey, "`queue` has no effect without `rate`")
        .at(queue, "packets leave at once, so none waits")
        .help("add `rate: 20Mbps`, or remove `queue`")
}

fn named(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<Link> {
    let text = reader.text(key, node, "a named link such as `wifi`")?;
    let link = links::find(text.value);
    if link.is_none() {
        let diagnostic = unknown_word(key, text.value, &links::names());
        reader.report(diagnostic.at(text.span, "no link is called that"));
    }
    link
}

impl LinkSpec {
    /// `mtu`.
    pub const fn mtu(&self) -> Option<&At<u64>> {
        self.mtu.as_ref()
    }

    /// The link after a change, where what the file leaves open is as it is `now`.
    pub fn change(&self, now: &Link, reader: &mut Reader<'_>) -> Link {
        let link = self.resolve(now, reader);
        if let Some(queue) = self.queue_alone.filter(|_| link.rate.is_none()) {
            reader.report(queue_without_rate(queue));
        }
        link
    }

    /// The link, where what the file leaves open is taken from `default`.
    pub fn resolve(&self, default: &Link, reader: &mut Reader<'_>) -> Link {
        let mut link = self.named.as_ref().unwrap_or(default).clone();
        let unchanged = link.clone();
        fn set<T: Copy>(from: Option<&At<T>>, to: &mut T) {
            if let Some(at) = from {
                *to = at.value;
            }
        }
        set(self.delay.as_ref(), &mut link.delay);
        set(self.jitter.as_ref(), &mut link.jitter);
        set(self.loss.as_ref(), &mut link.loss);
        set(self.duplicate.as_ref(), &mut link.duplicate);
        set(self.reorder.as_ref(), &mut link.reorder);
        set(self.up.as_ref(), &mut link.up);
        link.rate = self.rate.as_ref().map(|at| at.value).or(link.rate);
        if let Some(queue) = &self.queue {
            link.queue = u32::try_from(queue.value).unwrap_or(u32::MAX);
        }
        if let Some(mtu) = &self.mtu {
            link.mtu = u16::try_from(mtu.value).unwrap_or(u16::MAX);
        }
        if link != unchanged {
            link.label = None;
        }
        if let Some(reorder) =
            self.reorder.as_ref().filter(|reorder| !reorder.value.is_zero() && link.delay.is_zero())
        {
            reader.report(
                Diagnostic::new(
                    Code::Contradiction,
                    "packets cannot overtake each other on a link without delay",
                )
                .at(reorder.span, "nothing to overtake")
                .see(self.delay.as_ref().map_or(self.span, |delay| delay.span), "no delay")
                .help("give the link a `delay`, or remove `reorder`"),
            );
        }
        link
    }
}
