//! What peers do while a scenario runs: their interfaces, ICE restarts, hanging up.

use super::Replay;
use super::file::{self, Side};
use crate::base::{NodeId, SimDuration, SimTime};
use crate::plan::{CallSide, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::read::{At, Reader, listed};
use crate::scenario::resolve::names::Section;

impl Replay<'_> {
    /// An interface that goes, or comes.
    pub fn interface(
        &mut self,
        reader: &mut Reader<'_>,
        event: &file::Event,
        name: &At<String>,
    ) -> Option<NodeId> {
        let (key, up) = match event.action.value {
            file::Action::InterfaceUp(_) => ("interface-up", true),
            _ => ("interface-down", false),
        };
        let node = self.interface_named(reader, key, name)?;
        let interface = self.now.node_mut(node).interface.as_mut()?;
        if interface.up == up {
            let is = if up { "up" } else { "down" };
            let before = if up { "let it go down before" } else { "let it come up before" };
            reader.report(self.already(node, name, is).help(format!("remove it, or {before}")));
            return None;
        }
        interface.up = up;
        let uplink = self.now.node(node).ports.first()?.link;
        self.now.link_mut(uplink).up = up;
        self.turned.insert(node, At::new(event.at.value, name.span));
        Some(node)
    }

    /// `alice.wlan0`, or `alice` if it has one interface.
    fn interface_named(&self, reader: &mut Reader<'_>, key: &str, name: &At<String>) -> Option<NodeId> {
        let Some(host) = self.now.find_host(&name.value) else {
            reader.report(self.no_interface(key, name));
            return None;
        };
        let place = self.names.find(&name.value)?;
        if !matches!(place.section, Section::Peer | Section::Interface) {
            let what = format!("`{key}` is for an interface of a peer, not for");
            self.names.expect(
                reader,
                name,
                &[Section::Interface, Section::Peer],
                &what,
                "write an interface such as `alice.wlan0`",
            )?;
        }
        if self.now.node(host).interface.is_none() {
            reader.report(
                Diagnostic::new(
                    Code::WrongNode,
                    format!("`{key}` is for one of several interfaces, and `{}` has one without a name", name.value),
                )
                .at(name.span, "has no `interfaces`")
                .see(place.span, "defined here")
                .help(format!(
                    "give it `interfaces: {{ wlan0: {{ … }} }}` and write `{}.wlan0`, or use `set-link: {{ {}: {{ up: false }} }}`",
                    name.value, name.value
                )),
            );
            return None;
        }
        super::super::peers::one_node(reader, &self.now, name, &format!("`{key}` is for one interface of"))
    }

    fn no_interface(&self, key: &str, name: &At<String>) -> Diagnostic {
        let owner = name.value.split_once('.').and_then(|(peer, own)| {
            let host = self.now.find_host(peer).filter(|_| self.names.find(peer).is_some())?;
            Some((peer, own, host))
        });
        let Some((peer, own, host)) = owner else {
            let what = format!("`{key}` is for an interface of a peer, not for");
            let allowed = [Section::Interface, Section::Peer];
            return self.names.unknown(name, &allowed, &what, "write an interface such as `alice.wlan0`");
        };
        let diagnostic = Diagnostic::new(Code::UnknownNode, format!("`{peer}` has no interface `{own}`"))
            .at(name.span, "no interface has this name");
        let diagnostic = match self.names.find(peer) {
            Some(place) => diagnostic.see(place.span, "the peer is defined here"),
            None => diagnostic,
        };
        match self.now.node(host).interface {
            Some(_) => {
                let interfaces = self.now.interfaces(host);
                let names = interfaces.iter().map(|node| self.now.node(*node).name.as_str());
                diagnostic.help(format!("it has {}", listed(names)))
            }
            None => diagnostic.help(format!("give `{peer}` an `interfaces: {{ {own}: {{ … }} }}`")),
        }
    }

    /// The sides of calls at which a peer does something: those whose calls have begun and are not over.
    pub fn call_sides(
        &self,
        reader: &mut Reader<'_>,
        event: &file::Event,
        key: &str,
        side: &Side,
    ) -> Option<Vec<CallSide>> {
        let peer = self.peer(reader, key, &side.peer)?;
        let other = match &side.with {
            Some(name) => Some(self.peer(reader, key, name)?),
            None => None,
        };
        let calls = self.calls.iter().enumerate();
        let sides = calls.filter_map(|(number, call)| {
            let (caller, counterpart) = match peer {
                own if own == call.from => (true, call.to),
                own if own == call.to => (false, call.from),
                _ => return None,
            };
            other.is_none_or(|other| other == counterpart).then_some(CallSide { call: number, caller })
        });
        let sides: Vec<CallSide> = sides.collect();
        if sides.is_empty() && !self.has_lost_calls() {
            reader.report(self.no_call(key, side));
            return None;
        }
        let at = SimTime::ZERO + event.at.value;
        let begun: Vec<CallSide> =
            sides.iter().filter(|side| self.calls[side.call].at < at).copied().collect();
        if begun.is_empty() {
            let first = sides.iter().map(|side| self.calls[side.call].at).min()?;
            reader.report(
                Diagnostic::new(
                    Code::Contradiction,
                    format!(
                        "`{key}` at {} is about a call that begins at {}",
                        event.at.value,
                        first.since(SimTime::ZERO)
                    ),
                )
                .at(event.at.span, "too early")
                .help("let it happen later, or the call begin earlier"),
            );
            return None;
        }
        let going_on: Vec<CallSide> =
            begun.iter().filter(|side| !self.ended.contains_key(&side.call)).copied().collect();
        if going_on.is_empty()
            && let Some(ended) = begun.first().and_then(|side| self.ended.get(&side.call))
        {
            reader.report(
                Diagnostic::new(
                    Code::Contradiction,
                    format!("`{key}` is about a call that is over since {}", ended.value),
                )
                .at(side.peer.span, "has hung up, or was hung up on")
                .see(ended.span, "by this event")
                .help("remove it, or let it happen before"),
            );
            return None;
        }
        Some(going_on)
    }

    /// Notes that calls are over.
    pub fn end_calls(&mut self, event: &file::Event, sides: &[CallSide]) {
        for side in sides {
            let ended: At<SimDuration> = At::new(event.at.value, event.action.span);
            self.ended.insert(side.call, ended);
        }
    }

    fn peer(&self, reader: &mut Reader<'_>, key: &str, name: &At<String>) -> Option<NodeId> {
        let what = format!("`{key}` is for a peer, not for");
        self.names.expect(reader, name, &[Section::Peer], &what, "write the name of a peer")?;
        self.now.find_host(&name.value)
    }

    /// True if a call of the file could not be read or resolved, so that one that is missing may be innocent.
    fn has_lost_calls(&self) -> bool {
        self.file.calls.as_ref().is_none_or(|calls| calls.len() != self.calls.len())
    }

    fn no_call(&self, key: &str, side: &Side) -> Diagnostic {
        let name = |node: NodeId| host_name(&self.now, node);
        let calls: Vec<String> =
            self.calls.iter().map(|call| format!("{} -> {}", name(call.from), name(call.to))).collect();
        let who = match &side.with {
            None => format!("`{}` takes part in no call", side.peer.value),
            Some(with) => format!("there is no call between `{}` and `{}`", side.peer.value, with.value),
        };
        Diagnostic::new(Code::Contradiction, format!("`{key}` is for one side of a call, and {who}"))
            .at(side.peer.span, "has no such call")
            .help(format!("there is {}", listed(calls.iter().map(String::as_str))))
    }
}

fn host_name(topology: &Topology, node: NodeId) -> &str {
    let node = topology.node(node);
    node.interface.as_ref().map_or(&node.name, |interface| &interface.host)
}
