//! `ipv6:` of a NAT.

use ipnet::Ipv6Net;

use crate::base::SimDuration;
use crate::plan::FilteringBehavior;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::IPV6;
use crate::scenario::read::text::unusable_v6;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::Node;

/// The IPv6 side of a NAT as the file describes it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is the key of the same name")]
pub struct Ipv6 {
    pub prefix: At<Ipv6Net>,
    pub filtering: Option<At<FilteringBehavior>>,
    pub udp_timeout: Option<At<SimDuration>>,
    pub tcp_timeout: Option<At<SimDuration>>,
}

/// The longest prefix of a network with hosts.
const LONGEST: u8 = 64;
/// The shortest prefix that is a site's and not a registry's.
const SHORTEST: u8 = 16;

/// The map. `None`, after a report, if it has no prefix that can be used.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Ipv6> {
    let fields = reader.fields(node, &IPV6)?;
    let prefix = fields.get("prefix").map(|node| reader.leaf::<Ipv6Net>("prefix", node));
    let filtering = fields.get("filtering").and_then(|node| reader.word("filtering", node));
    let udp_timeout = fields.get("udp-timeout").and_then(|node| reader.lifetime("udp-timeout", node));
    let tcp_timeout = fields.get("tcp-timeout").and_then(|node| reader.lifetime("tcp-timeout", node));
    let Some(prefix) = prefix else {
        reader.report(
            Diagnostic::new(Code::MissingKey, "`ipv6` has no `prefix`")
                .at(node.span, "which network is behind it?")
                .help("write `ipv6: { prefix: 2001:db8:a::/64 }`"),
        );
        return None;
    };
    let prefix = prefix.filter(|prefix| check_prefix(reader, prefix))?;
    Some(Ipv6 { prefix, filtering, udp_timeout, tcp_timeout })
}

/// Says what is wrong with a prefix. True if nothing is.
fn check_prefix(reader: &mut Reader<'_>, prefix: &At<Ipv6Net>) -> bool {
    const EXAMPLE: &str = "write a network such as `2001:db8:a::/64`";
    let network = prefix.value;
    let (code, problem, help) = match () {
        () if network.prefix_len() > LONGEST && unusable_v6(network.network()).is_none() => {
            let wider = Ipv6Net::new(network.network(), LONGEST).unwrap_or(network).trunc();
            let problem = "leaves less than the 64 bits a network has for its hosts (RFC 4291 section 2.5.1)";
            (Code::OutOfRange, problem, format!("write `{wider}`"))
        }
        () if network.prefix_len() < SHORTEST => {
            (Code::OutOfRange, "is larger than any network one runs", EXAMPLE.to_owned())
        }
        () if network.network().is_unique_local() => {
            let problem = "is a unique local prefix, which the internet does not route (RFC 4193)";
            (Code::BadAddress, problem, EXAMPLE.to_owned())
        }
        () => match unusable_v6(network.network()) {
            Some(problem) => (Code::BadAddress, problem, EXAMPLE.to_owned()),
            None => return true,
        },
    };
    let label = if code == Code::OutOfRange { "out of range" } else { "not usable" };
    reader.report(
        Diagnostic::new(code, format!("`prefix: {network}` {problem}")).at(prefix.span, label).help(help),
    );
    false
}
