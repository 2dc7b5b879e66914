//! ICE candidates and their SDP line (RFC 8839 §5.1), in one spelling for every stack.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::mdns::MdnsName;
use crate::plan::{CandidateType, Transport};

/// A UDP candidate of component 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Equal for candidates of the same type, base, server and transport (RFC 8445 §5.1.1.3).
    pub foundation: String,
    /// RFC 8445 §5.1.2.1.
    pub priority: u32,
    /// The transport address to send to. Of a candidate that was signalled with a name, the address is unspecified until
    /// the name has been asked for.
    pub address: SocketAddr,
    /// The mDNS name that is signalled instead of the address (draft-ietf-mmusic-mdns-ice-candidates).
    pub name: Option<MdnsName>,
    /// What kind of address it is.
    pub kind: CandidateType,
    /// `raddr`/`rport`: the base of a reflexive candidate, the mapped address of a relayed one.
    pub related: Option<SocketAddr>,
}

/// The pair an agent selected, in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedPair {
    /// Its own end.
    pub local: PairEnd,
    /// Its peer's end.
    pub remote: PairEnd,
}

/// One end of a [`SelectedPair`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairEnd {
    /// The candidate's type as the agent tells it. Agents differ: some report the base of a pair, some its mapped address.
    pub kind: CandidateType,
    /// The candidate's address as the agent tells it.
    pub address: SocketAddr,
    /// What the agent speaks to the TURN server of its own relayed candidate; `None` for every other end.
    pub relay: Option<Transport>,
}

/// A candidate line that does not follow RFC 8839, or is not UDP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a UDP candidate line: {0}")]
pub struct NotACandidate(String);

impl Candidate {
    /// RFC 8445 §5.1.2.1 for component 1.
    pub const fn priority_of(type_preference: u8, local_preference: u16) -> u32 {
        ((type_preference as u32) << 24) | ((local_preference as u32) << 8) | 255
    }

    /// What RFC 8445 §5.1.2.1 calls the local preference: which of the candidates of one type comes first.
    pub const fn local_preference(&self) -> u16 {
        (self.priority >> 8) as u16
    }

    /// True if it has a name whose address is not known.
    pub fn is_unresolved(&self) -> bool {
        self.name.is_some() && self.address.ip().is_unspecified()
    }

    /// The type preferences RFC 8445 §5.1.2.2 recommends.
    pub const fn type_preference(kind: CandidateType) -> u8 {
        match kind {
            CandidateType::Host => 126,
            CandidateType::PeerReflexive => 110,
            CandidateType::ServerReflexive => 100,
            CandidateType::Relayed => 0,
        }
    }
}

impl fmt::Display for Candidate {
    /// `candidate:1 1 udp 2130706431 10.0.1.2 50000 typ host`, with the name while the address is not known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, priority, address, kind, related, .. } = self;
        write!(f, "candidate:{foundation} 1 udp {priority} ")?;
        match &self.name {
            Some(name) if self.is_unresolved() => write!(f, "{name}")?,
            _ => write!(f, "{}", address.ip())?,
        }
        write!(f, " {} typ {kind}", address.port())?;
        match related {
            Some(related) => write!(f, " raddr {} rport {}", related.ip(), related.port()),
            None => Ok(()),
        }
    }
}

impl FromStr for Candidate {
    type Err = NotACandidate;

    /// Reads a line with or without `a=`, `candidate:` and extension attributes.
    fn from_str(line: &str) -> Result<Self, NotACandidate> {
        parse(line).ok_or_else(|| NotACandidate(line.to_owned()))
    }
}

fn parse(line: &str) -> Option<Candidate> {
    let line = line.trim();
    let line = line.strip_prefix("a=").unwrap_or(line);
    let mut words = line.strip_prefix("candidate:").unwrap_or(line).split_ascii_whitespace();
    let foundation = words.next()?.to_owned();
    let _component: u16 = words.next()?.parse().ok()?;
    if !words.next()?.eq_ignore_ascii_case("udp") {
        return None;
    }
    let priority = words.next()?.parse().ok()?;
    let host = words.next()?;
    let (ip, name) = match host.parse() {
        Ok(ip) => (ip, None),
        Err(_) => (Ipv4Addr::UNSPECIFIED.into(), Some(host.parse().ok()?)),
    };
    let address = SocketAddr::new(ip, words.next()?.parse().ok()?);
    if words.next()? != "typ" {
        return None;
    }
    let kind = CandidateType::from_word(words.next()?)?;
    let (mut ip, mut port) = (None::<IpAddr>, None::<u16>);
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        match key {
            "raddr" => ip = Some(value.parse().ok()?),
            "rport" => port = Some(value.parse().ok()?),
            _ => {}
        }
    }
    let related = ip.zip(port).map(SocketAddr::from);
    Some(Candidate { foundation, priority, address, name, kind, related })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        for line in [
            "candidate:1 1 udp 2130706431 10.0.1.2 50000 typ host",
            "candidate:2 1 udp 1694498815 203.0.113.1 40001 typ srflx raddr 10.0.1.2 rport 50000",
            "candidate:1 1 udp 2130706431 1f4712db-ea17-4bcf-a596-105139dfd8bf.local 50000 typ host",
            "candidate:3 1 udp 16777215 2001:db8::4 55000 typ relay raddr 2001:db8::1 rport 40002",
        ] {
            let read: Candidate = line.parse().expect("a candidate");
            assert_eq!(read.to_string(), line);
        }
    }

    #[test]
    fn other_spellings_of_the_same_line_are_understood() {
        let line = "a=candidate:7 1 UDP 1 10.0.1.2 5 typ host generation 0 ufrag abcd";
        assert_eq!(line.parse::<Candidate>().map(|c| c.foundation), Ok("7".into()));
    }

    #[test]
    fn what_is_not_a_udp_candidate_is_refused() {
        for line in [
            "",
            "candidate:",
            "candidate:1 1 tcp 1 10.0.1.2 9 typ host tcptype active",
            "candidate:1 1 udp 1 x.example 5 typ host",
        ] {
            assert!(line.parse::<Candidate>().is_err(), "{line}");
        }
    }

    #[test]
    fn priorities_are_those_of_the_rfc() {
        let priority = |kind| Candidate::priority_of(Candidate::type_preference(kind), 65_535);
        assert_eq!(priority(CandidateType::Host), 2_130_706_431);
        assert_eq!(priority(CandidateType::PeerReflexive), 1_862_270_975);
        assert_eq!(priority(CandidateType::ServerReflexive), 1_694_498_815);
        assert_eq!(priority(CandidateType::Relayed), 16_777_215);
    }
}
