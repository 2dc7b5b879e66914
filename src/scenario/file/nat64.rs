//! `nat64:` of a NAT.

use ipnet::Ipv6Net;

use crate::plan::Nat64Prefix;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::NAT64;
use crate::scenario::read::text::unusable_v6;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::Node;

/// The map. `None`, after a report, if it has no prefix that can be used.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<At<Nat64Prefix>> {
    let fields = reader.fields(node, &NAT64)?;
    let Some(prefix) = fields.get("prefix").map(|node| reader.leaf::<Ipv6Net>("prefix", node)) else {
        reader.report(
            Diagnostic::new(Code::MissingKey, "`nat64` has no `prefix`")
                .at(node.span, "what do IPv4 addresses begin with?")
                .help(format!("write `nat64: {{ prefix: \"{}\" }}`", Nat64Prefix::WELL_KNOWN)),
        );
        return None;
    };
    let At { value: network, span } = prefix?;
    if let Some(prefix) = Nat64Prefix::new(network) {
        let problem = unusable_v6(network.network()).filter(|_| prefix != Nat64Prefix::WELL_KNOWN);
        let Some(problem) = problem else { return Some(At::new(prefix, span)) };
        reader.report(
            Diagnostic::new(Code::BadAddress, format!("`prefix: {network}` {problem}"))
                .at(span, "not usable")
                .help(format!("write `\"{}\"`, or a /96 of one's own", Nat64Prefix::WELL_KNOWN)),
        );
        return None;
    }
    let of_96 = Ipv6Net::new(network.network(), Nat64Prefix::LENGTH).unwrap_or(network).trunc();
    let message = format!("`prefix: {network}` is not a /{}", Nat64Prefix::LENGTH);
    reader.report(
        Diagnostic::new(Code::OutOfRange, message)
            .at(span, "the IPv4 address is the last 32 bits")
            .help(format!("write `\"{of_96}\"`; the other lengths of RFC 6052 are not simulated")),
    );
    None
}
