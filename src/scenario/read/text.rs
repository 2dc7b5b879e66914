//! Names, titles, addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;

use super::{At, Fault, Leaf, Reader, shortened};
use crate::plan::Topology;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::source::Span;
use crate::scenario::tree::Node;

impl Leaf for Ipv4Addr {
    const KIND: &'static str = "an IPv4 address such as `203.0.113.10`";

    fn parse(text: &str) -> Result<Self, Fault> {
        if let Ok(address) = text.parse() {
            return Ok(address);
        }
        let unbracketed = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = unbracketed.parse::<Ipv6Addr>() {
            return Err(ipv6(address));
        }
        if let Some((address, _)) =
            text.split_once('/').filter(|(address, _)| address.parse::<Ipv4Addr>().is_ok())
        {
            return Err(Fault::new(
                Code::BadAddress,
                "is a network, not an address",
                format!("write `{address}`"),
            ));
        }
        Err(Fault::new(Code::BadAddress, "is not an address", format!("write {}", Self::KIND)))
    }
}

fn ipv6(address: Ipv6Addr) -> Fault {
    match address.to_ipv4_mapped() {
        Some(inner) => {
            Fault::new(Code::BadAddress, "is an IPv4-mapped IPv6 address", format!("write `{inner}`"))
        }
        None => Fault::new(
            Code::NotBuiltYet,
            "is an IPv6 address, which this version does not have yet",
            format!("write {}", Ipv4Addr::KIND),
        ),
    }
}

impl Leaf for Ipv4Net {
    const KIND: &'static str = "a network such as `192.168.1.0/24`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let Some((address, length)) = text.split_once('/') else {
            let help = format!("write {}", Self::KIND);
            return Err(Fault::new(Code::BadAddress, "has no prefix length", help));
        };
        if let Ok(address) = address.parse::<Ipv6Addr>() {
            return Err(ipv6(address));
        }
        let malformed = || Fault::new(Code::BadAddress, "is not a network", format!("write {}", Self::KIND));
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        let decimal =
            !length.is_empty() && length.len() <= 2 && length.bytes().all(|byte| byte.is_ascii_digit());
        let length: u8 = length.parse().ok().filter(|_| decimal).ok_or_else(malformed)?;
        let network = Self::new(address, length).map_err(|_| malformed())?;
        if network.addr() != network.network() {
            // No `inside` may be larger, so the truncated one would be refused as well.
            let help = match length {
                0..8 => "write a network such as `192.168.1.0/24`".to_owned(),
                _ => format!("write `{}`", network.trunc()),
            };
            return Err(Fault::new(Code::BadAddress, "has bits set beyond its prefix", help));
        }
        Ok(network)
    }
}

/// Why no host can have this address on any network; `None` if one can.
pub fn unusable(address: Ipv4Addr) -> Option<&'static str> {
    let first = address.octets()[0];
    match () {
        () if address.is_unspecified() => Some("is the unspecified address"),
        () if first == 0 => Some("means \"this network\" and belongs to no host"),
        () if address.is_loopback() => Some("is a loopback address"),
        () if address.is_link_local() => Some("is a link-local address, which no router forwards"),
        () if address.is_multicast() => Some("is a multicast address"),
        () if address.is_broadcast() => Some("is the broadcast address"),
        () if first >= 240 => Some("is reserved"),
        () => None,
    }
}

impl Reader<'_> {
    /// An address a host can have.
    pub fn address(&mut self, key: &str, node: &Node) -> Option<At<IpAddr>> {
        let address = self.leaf::<Ipv4Addr>(key, node)?;
        if let Some(problem) = unusable(address.value) {
            let message = format!("`{key}: {}` {problem}", address.value);
            let help = "take one that is meant for examples, such as `203.0.113.10`";
            self.report(
                Diagnostic::new(Code::BadAddress, message).at(address.span, "no host can have it").help(help),
            );
            return None;
        }
        Some(At::new(IpAddr::V4(address.value), address.span))
    }

    /// Says why `name` cannot be a node's name, if it cannot.
    pub fn check_name(&mut self, name: &At<String>) {
        let text = name.value.as_str();
        let problem = match () {
            () if text.is_empty() => "is empty",
            () if text.len() > self.limits.name_bytes => "is too long",
            () if text == Topology::INTERNET => "is reserved for the internet itself",
            () if text.starts_with('-') => "begins with a dash",
            () if !text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') =>
            {
                "has characters a name cannot have"
            }
            () => return,
        };
        let code = if text.len() > self.limits.name_bytes { Code::Limit } else { Code::BadName };
        let most = self.limits.name_bytes;
        self.report(
            Diagnostic::new(code, format!("the name `{}` {problem}", shortened(text)))
                .at(name.span, "not a name")
                .help(if code == Code::Limit { "write a shorter name".into() } else { suggested(text, most) })
                .help(format!("names are made of `a-z`, `0-9` and `-`, begin with a letter or digit and have at most {most} characters")),
        );
    }

    /// A line of text for people, such as the scenario's name.
    pub fn title(&mut self, key: &str, node: &Node) -> Option<At<String>> {
        const MOST: usize = 200;
        let text = self.text(key, node, "a line of text")?;
        let problem = match () {
            () if text.value.trim().is_empty() => "is empty",
            () if text.value.contains(['\n', '\t']) => "is more than one line",
            () if text.value.chars().count() > MOST => "is longer than 200 characters",
            () => return Some(At::new(text.value.to_owned(), text.span)),
        };
        self.report(
            Diagnostic::new(Code::BadValue, format!("`{key}` {problem}"))
                .at(text.span, "not a title")
                .help("write one line of text"),
        );
        None
    }

    /// A user name, password or realm: what OpaqueString (RFC 8265) leaves unchanged.
    pub fn credential(&mut self, what: &str, text: &str, span: Span) -> Option<At<String>> {
        const MOST: usize = 128;
        let problem = match () {
            () if text.is_empty() => "is empty",
            () if text.len() > MOST => "is longer than 128 bytes",
            () if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                "has characters beyond printable ASCII"
            }
            () => return Some(At::new(text.to_owned(), span)),
        };
        let message = format!("the {what} `{}` {problem}", shortened(text));
        self.report(
            Diagnostic::new(Code::BadCredentials, message).at(span, "not usable").help("write a short word"),
        );
        None
    }
}

fn suggested(text: &str, most: usize) -> String {
    let mut name = String::new();
    for c in text.chars().take(most) {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => name.push(c),
            _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
            _ => {}
        }
    }
    match name.trim_end_matches('-') {
        "" => "write a name such as `alice`".into(),
        Topology::INTERNET => "write another name, such as `isp`".into(),
        name => format!("write `{name}`"),
    }
}

impl Reader<'_> {
    /// The name of another node. Whether there is one is looked at later.
    pub fn node_name(&mut self, key: &str, node: &Node) -> Option<At<String>> {
        let text = self.text(key, node, "the name of a node")?;
        Some(At::new(text.value.to_owned(), text.span))
    }

    /// One or more addresses, none of them twice.
    pub fn addresses(&mut self, key: &str, node: &Node) -> Option<Vec<At<IpAddr>>> {
        let items = self.list(key, node, "addresses such as `203.0.113.10`")?;
        if items.is_empty() {
            self.report(
                Diagnostic::new(Code::BadValue, format!("`{key}` is an empty list"))
                    .at(node.span, "nothing in it")
                    .help(format!("write an address into it, or remove `{key}` to get one assigned")),
            );
            return None;
        }
        let mut addresses: Vec<At<IpAddr>> = Vec::new();
        for item in items {
            let address = self.address(key, item)?;
            if let Some(first) = addresses.iter().find(|other| other.value == address.value) {
                self.report(
                    Diagnostic::new(Code::DuplicateAddress, format!("`{key}` has {} twice", address.value))
                        .at(address.span, "again here")
                        .see(first.span, "first here")
                        .help("remove one of them"),
                );
                return None;
            }
            addresses.push(address);
        }
        Some(addresses)
    }

    /// A lifetime: a duration that is not zero.
    pub fn lifetime(&mut self, key: &str, node: &Node) -> Option<At<crate::base::SimDuration>> {
        let duration = self.leaf::<crate::base::SimDuration>(key, node)?;
        if duration.value.is_zero() {
            self.report(
                Diagnostic::new(Code::OutOfRange, format!("`{key}` is zero, so nothing would live at all"))
                    .at(duration.span, "no time at all")
                    .help("write a lifetime such as `30s`"),
            );
            return None;
        }
        Some(duration)
    }
}
