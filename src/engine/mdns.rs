//! Multicast DNS on hosts: the names they answer for, and the names they ask for.

use std::net::IpAddr;

use crate::base::{NodeId, Random, SessionId, SimDuration};
use crate::plan::{Element, HostCandidates, Plan};
use crate::wire::MdnsName;

/// How long a question waits for its answer.
pub const PATIENCE: SimDuration = SimDuration::from_secs(1);
/// How often a name is asked for.
const TRIES: u8 = 3;

/// The names of all hosts, and what is being asked.
#[derive(Debug, Default)]
pub struct Mdns {
    names: Vec<Own>,
    asked: Vec<Asked>,
}

/// A name that a host answers for.
#[derive(Debug)]
struct Own {
    node: NodeId,
    address: IpAddr,
    name: MdnsName,
}

/// A name that a session wants to know the address of.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who asks.
    pub session: SessionId,
    /// On which host.
    pub node: NodeId,
    /// For what.
    pub name: MdnsName,
    tries: u8,
    is_open: bool,
}

/// What comes next of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// It is asked, for the first time or again.
    Ask,
    /// Nobody answered.
    GiveUp,
    /// It was answered.
    Nothing,
}

impl Mdns {
    /// Gives every host that hides behind names one for each of its addresses.
    pub fn new(plan: &Plan, seed: u64) -> Self {
        let mut names = Vec::new();
        for (node, place) in plan.topology.nodes() {
            let Element::Peer(peer) = &place.element else { continue };
            if peer.host_candidates != HostCandidates::Mdns {
                continue;
            }
            let mut random = Random::stream(seed, &place.name, "mdns");
            let named = place.addresses.iter().map(|address| (*address, MdnsName::random(&mut random)));
            names.extend(named.map(|(address, name)| Own { node, address, name }));
        }
        Self { names, asked: Vec::new() }
    }

    /// The names of a host's addresses.
    pub fn names_of(&self, node: NodeId) -> Vec<(IpAddr, MdnsName)> {
        let own = self.names.iter().filter(|own| own.node == node);
        own.map(|own| (own.address, own.name.clone())).collect()
    }

    /// A host's own address of this family with this name.
    pub fn address_of(&self, node: NodeId, name: &MdnsName, ipv4: bool) -> Option<IpAddr> {
        let own = self.names.iter().find(|own| own.node == node && own.name == *name)?;
        (own.address.is_ipv4() == ipv4).then_some(own.address)
    }

    /// A session wants to know a name's address. Gives the question's number.
    pub fn want(&mut self, session: SessionId, node: NodeId, name: MdnsName) -> usize {
        self.asked.push(Asked { session, node, name, tries: 0, is_open: true });
        self.asked.len() - 1
    }

    /// The question with this number.
    pub fn question(&self, number: usize) -> Option<&Asked> {
        self.asked.get(number)
    }

    /// What comes of the question with this number, now that it is its time again.
    pub fn next(&mut self, number: usize) -> Next {
        let Some(asked) = self.asked.get_mut(number).filter(|asked| asked.is_open) else {
            return Next::Nothing;
        };
        if asked.tries == TRIES {
            asked.is_open = false;
            return Next::GiveUp;
        }
        asked.tries += 1;
        Next::Ask
    }

    /// A host heard the address of a name: the sessions on it that wanted to know it.
    pub fn heard(&mut self, node: NodeId, name: &MdnsName) -> Vec<SessionId> {
        let waiting =
            self.asked.iter_mut().filter(|asked| asked.is_open && asked.node == node && asked.name == *name);
        let told = waiting.map(|asked| {
            asked.is_open = false;
            asked.session
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> MdnsName {
        "x.local".parse().expect("a name")
    }

    #[test]
    fn a_name_is_asked_for_three_times_and_then_given_up() {
        let mut mdns = Mdns::default();
        let number = mdns.want(SessionId::new(0), NodeId::new(1), name());
        let next: Vec<Next> = (0..5).map(|_| mdns.next(number)).collect();
        assert_eq!(next, [Next::Ask, Next::Ask, Next::Ask, Next::GiveUp, Next::Nothing]);
    }

    #[test]
    fn an_answer_is_for_those_on_the_host_who_asked_for_the_name_and_only_once() {
        let mut mdns = Mdns::default();
        for (session, node) in [(0, 1), (2, 1), (1, 2)] {
            let number = mdns.want(SessionId::new(session), NodeId::new(node), name());
            mdns.next(number);
        }
        let other = "y.local".parse().expect("a name");
        assert_eq!(mdns.heard(NodeId::new(1), &other), []);
        assert_eq!(mdns.heard(NodeId::new(1), &name()), [SessionId::new(0), SessionId::new(2)]);
        assert_eq!(mdns.heard(NodeId::new(1), &name()), []);
        assert_eq!(mdns.next(0), Next::Nothing);
    }
}
