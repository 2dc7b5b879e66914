//! Names, titles, addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{At, Fault, Leaf, Reader, shortened};
use crate::plan::Topology;
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::source::Span;
use crate::scenario::tree::Node;

impl Leaf for IpAddr {
    const KIND: &'static str = "an address such as `203.0.113.10` or `2001:db8::10`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let bad = |problem, help| Err(Fault::new(Code::BadAddress, problem, help));
        match text.parse() {
            Ok(Self::V6(address)) => match address.to_ipv4_mapped() {
                Some(inner) => bad("is an IPv4-mapped IPv6 address", format!("write `{inner}`")),
                None => Ok(address.into()),
            },
            Ok(address) => Ok(address),
            Err(_) => {
                let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
                if bare.parse::<Ipv6Addr>().is_ok() {
                    return bad("has brackets, which only URIs need", format!("write `{bare}`"));
                }
                match text.split_once('/').filter(|(address, _)| address.parse::<Self>().is_ok()) {
                    Some((address, _)) => bad("is a network, not an address", format!("write `{address}`")),
                    None => bad("is not an address", format!("write {}", Self::KIND)),
                }
            }
        }
    }
}

impl Leaf for Ipv4Net {
    const KIND: &'static str = "a network such as `192.168.1.0/24`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let Some((address, length)) = text.split_once('/') else {
            let help = format!("write {}", Self::KIND);
            return Err(Fault::new(Code::BadAddress, "has no prefix length", help));
        };
        if address.parse::<Ipv6Addr>().is_ok() {
            let help =
                "write a network such as `192.168.1.0/24`; a NAT's IPv6 network is `ipv6: { prefix: … }`";
            return Err(Fault::new(
                Code::BadAddress,
                "is an IPv6 network, and this key takes IPv4",
                help.into(),
            ));
        }
        let malformed = || Fault::new(Code::BadAddress, "is not a network", format!("write {}", Self::KIND));
        let address: Ipv4Addr = address.parse().map_err(|_| malformed())?;
        let length = prefix_length(length, 2).ok_or_else(malformed)?;
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

impl Leaf for Ipv6Net {
    const KIND: &'static str = "an IPv6 network such as `2001:db8:a::/64`";

    fn parse(text: &str) -> Result<Self, Fault> {
        let help = || format!("write {}", Self::KIND);
        let Some((address, length)) = text.split_once('/') else {
            return Err(Fault::new(Code::BadAddress, "has no prefix length", help()));
        };
        if address.parse::<Ipv4Addr>().is_ok() {
            let problem = "is an IPv4 network, and this key takes IPv6";
            return Err(Fault::new(Code::BadAddress, problem, help()));
        }
        let malformed = || Fault::new(Code::BadAddress, "is not a network", help());
        let address: Ipv6Addr = address.parse().map_err(|_| malformed())?;
        let length = prefix_length(length, 3).ok_or_else(malformed)?;
        let network = Self::new(address, length).map_err(|_| malformed())?;
        if network.addr() != network.network() {
            let help = format!("write `{}`", network.trunc());
            return Err(Fault::new(Code::BadAddress, "has bits set beyond its prefix", help));
        }
        Ok(network)
    }
}

/// A decimal number of at most so many digits.
fn prefix_length(text: &str, most_digits: usize) -> Option<u8> {
    let decimal = (1..=most_digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| decimal)
}

/// Why no host can have this address on any network; `None` if one can.
pub fn unusable(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => unusable_v4(address),
        IpAddr::V6(address) => unusable_v6(address),
    }
}

/// Why no host can have this IPv6 address; `None` if one can.
pub fn unusable_v6(address: Ipv6Addr) -> Option<&'static str> {
    let first = address.segments()[0];
    match () {
        () if address.is_unspecified() => Some("is the unspecified address"),
        () if address.is_loopback() => Some("is the loopback address"),
        () if address.is_multicast() => Some("is a multicast address"),
        () if address.is_unicast_link_local() => Some("is a link-local address, which no router forwards"),
        () if first & 0xffc0 == 0xfec0 => Some("is a site-local address, which RFC 3879 deprecates"),
        () if address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            Some("stands for an IPv4 address behind a NAT64 (RFC 6052)")
        }
        () if address.segments()[..5] == [0; 5] => Some("is reserved"),
        () => None,
    }
}

/// Why no host can have this IPv4 address; `None` if one can.
pub fn unusable_v4(address: Ipv4Addr) -> Option<&'static str> {
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
        let address = self.leaf::<IpAddr>(key, node)?;
        if let Some(problem) = unusable(address.value) {
            let message = format!("`{key}: {}` {problem}", address.value);
            let help = match address.value {
                IpAddr::V4(_) => "take one that is meant for examples, such as `203.0.113.10`",
                IpAddr::V6(_) => "take one that is meant for examples, such as `2001:db8::10`",
            };
            self.report(
                Diagnostic::new(Code::BadAddress, message).at(address.span, "no host can have it").help(help),
            );
            return None;
        }
        Some(address)
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
