//! What happens while a scenario runs: replayed in order of time, so that each change builds on those before it, and what
//! cannot happen then is refused.

mod addresses;
mod calls;
mod partition;
mod values;

use rustc_hash::FxHashMap;

use super::names::{Names, Section};
use super::{expect, mtu, peers};
use crate::base::{LinkId, NodeId, SimDuration, SimTime};
use crate::plan::{Action, Call, Element, Event, Topology};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File};
use crate::scenario::read::{At, Reader};
use crate::scenario::source::Source;
use addresses::Claims;
use partition::Cuts;

/// The events of the file, in order of time.
pub fn resolve(
    reader: &mut Reader<'_>,
    file: &File,
    names: &Names<'_>,
    topology: &Topology,
    calls: &[Call],
    source: &Source,
) -> Vec<Event> {
    if file.events.is_empty() {
        return Vec::new();
    }
    let mut order: Vec<&file::Event> = file.events.iter().collect();
    order.sort_by_key(|event| event.at.value);
    let claims = Claims::collect(topology, &file.events);
    let mut replay = Replay {
        file,
        names,
        calls,
        source,
        now: topology.clone(),
        claims,
        cuts: Cuts::default(),
        turned: FxHashMap::default(),
        ended: FxHashMap::default(),
    };
    let mut events = Vec::new();
    for event in order {
        check_time(reader, file, event);
        if let Some(action) = replay.action(reader, event) {
            let line = expect::line(source, event.action.span);
            let at = SimTime::ZERO + event.at.value;
            events.push(Event { at, action, text: event.text.clone(), line });
        }
    }
    events
}

/// An event after the end would never happen, and a change at the end would change nothing.
fn check_time(reader: &mut Reader<'_>, file: &File, event: &file::Event) {
    let at = &event.at;
    let looks = matches!(event.action.value, file::Action::Expect(_));
    let most = reader.limits.virtual_time;
    let is_late = |end: SimDuration| at.value > end || (at.value == end && !looks);
    if is_late(most) {
        reader.report(
            Diagnostic::new(Code::Limit, format!("a run may take {most}, and the event happens after that"))
                .at(at.span, "too late")
                .help("let it happen earlier, or raise the limit with `--limit virtual-time=SECONDS`"),
        );
    } else if let Some(duration) = file.duration.as_ref().filter(|duration| is_late(duration.value))
        && !duration.value.is_zero()
    {
        reader.report(
            Diagnostic::new(Code::Contradiction, "the event would happen after the run has ended")
                .at(at.span, "happens here")
                .see(duration.span, "the run ends here")
                .help(format!("write `at` below {}, or a longer `duration`", duration.value)),
        );
    }
}

/// The scenario at a moment of its course.
struct Replay<'f> {
    file: &'f File,
    names: &'f Names<'f>,
    calls: &'f [Call],
    source: &'f Source,
    now: Topology,
    claims: Claims,
    cuts: Cuts,
    /// Where servers and interfaces last came up or went down, and when.
    turned: FxHashMap<NodeId, At<SimDuration>>,
    /// Where calls were hung up, by their numbers, and when.
    ended: FxHashMap<usize, At<SimDuration>>,
}

impl Replay<'_> {
    fn action(&mut self, reader: &mut Reader<'_>, event: &file::Event) -> Option<Action> {
        Some(match &event.action.value {
            file::Action::SetLink(links) => {
                let set = |(name, spec): &(_, file::LinkSpec)| {
                    let id = self.link(reader, name)?;
                    mtu::check_link(reader, &self.now, name, spec);
                    let link = spec.change(self.now.link(id), reader);
                    *self.now.link_mut(id) = link.clone();
                    Some((id, link))
                };
                Action::SetLink(links.iter().filter_map(set).collect())
            }
            file::Action::SetNat(nats) => {
                let mut set = |(name, change): &(_, file::Nat)| {
                    let node = self.nat(reader, "set-nat", name)?;
                    let Element::Nat(nat) = &mut self.now.node_mut(node).element else { return None };
                    nat.behavior = values::nat(reader, name, change, (&nat.behavior, nat.nat64.is_some()))?;
                    Some((node, nat.behavior.clone()))
                };
                Action::SetNat(nats.iter().filter_map(&mut set).collect())
            }
            file::Action::SetFirewall(firewalls) => {
                let mut set = |(name, change): &(_, file::Firewall)| {
                    let node = self.firewall(reader, name)?;
                    let Element::Firewall(rules) = &mut self.now.node_mut(node).element else { return None };
                    *rules = values::firewall(reader, change, rules);
                    Some((node, rules.clone()))
                };
                Action::SetFirewall(firewalls.iter().filter_map(&mut set).collect())
            }
            file::Action::NatReboot(name) => Action::NatReboot(self.nat(reader, "nat-reboot", name)?),
            file::Action::Renumber(nats) => {
                let mut renumbered = Vec::new();
                for (name, addresses) in nats {
                    let Some(node) = self.nat(reader, "renumber", name) else { continue };
                    let addresses =
                        self.claims.addresses(reader, &self.now, node, name, addresses.as_deref());
                    renumbered.extend(addresses.map(|addresses| (node, addresses)));
                }
                for (node, addresses) in &renumbered {
                    self.now.node_mut(*node).addresses.clone_from(addresses);
                }
                Action::Renumber(renumbered)
            }
            file::Action::ServerDown(name) => Action::ServerDown(self.server(reader, event, name)?),
            file::Action::ServerUp(name) => Action::ServerUp(self.server(reader, event, name)?),
            file::Action::ServerRestart(name) => Action::ServerRestart(self.server(reader, event, name)?),
            file::Action::Partition(sides) => {
                Action::Partition(self.cuts.cut(reader, self.names, &self.now, event, sides)?)
            }
            file::Action::Heal(sides) => {
                Action::Heal(self.cuts.heal(reader, self.names, &self.now, event, sides.as_ref())?)
            }
            file::Action::InterfaceDown(name) => Action::InterfaceDown(self.interface(reader, event, name)?),
            file::Action::InterfaceUp(name) => Action::InterfaceUp(self.interface(reader, event, name)?),
            file::Action::IceRestart(side) => {
                Action::IceRestart(self.call_sides(reader, event, "ice-restart", side)?)
            }
            file::Action::HangUp(side) => {
                let sides = self.call_sides(reader, event, "hang-up", side)?;
                self.end_calls(event, &sides);
                Action::HangUp(sides)
            }
            file::Action::Expect(expected) => Action::Expect(expect::resolve(
                reader,
                self.file,
                expected,
                self.names,
                (&self.now, self.calls),
                self.source,
            )),
        })
    }

    /// The uplink of a node.
    fn link(&self, reader: &mut Reader<'_>, name: &At<String>) -> Option<LinkId> {
        if name.value == Topology::INTERNET {
            reader.report(
                Diagnostic::new(
                    Code::WrongNode,
                    "`set-link` changes the uplink of a node, and `internet` has none",
                )
                .at(name.span, "everything else hangs on it")
                .help("write the name of the node at the other end of the link"),
            );
            return None;
        }
        let any = [Section::Nat, Section::Firewall, Section::Server, Section::Peer, Section::Interface];
        self.names.expect(
            reader,
            name,
            &any,
            "`set-link` changes the uplink of",
            "write the name of a node",
        )?;
        let what = "`set-link` changes the uplink of";
        let node = peers::one_node(reader, &self.now, name, what)?;
        // A host's translator is part of it.
        let clat =
            self.now.parent(node).filter(|above| matches!(self.now.node(*above).element, Element::Clat(_)));
        let uplink = self.now.node(clat.unwrap_or(node)).ports.first()?;
        Some(uplink.link)
    }

    fn nat(&self, reader: &mut Reader<'_>, key: &str, name: &At<String>) -> Option<NodeId> {
        let place = self.names.find(&name.value);
        if key == "renumber" && place.is_some_and(|place| place.section == Section::Peer) {
            reader.report(
                Diagnostic::new(
                    Code::NotBuiltYet,
                    "this version of punchlab does not have `renumber` for peers yet",
                )
                .at(name.span, "not built yet")
                .help("renumber the NAT it is behind, or put it behind one"),
            );
            return None;
        }
        let what = format!("`{key}` is for a NAT, not for");
        self.names.expect(reader, name, &[Section::Nat], &what, "write the name of a NAT")?;
        let node = self.now.find(&name.value)?;
        if let Element::Nat(_) = self.now.node(node).element {
            return Some(node);
        }
        let span = place.map_or(name.span, |place| place.span);
        reader.report(
            Diagnostic::new(Code::WrongNode, format!("{what} `{}`, which translates nothing", name.value))
                .at(name.span, "has no mappings and no outside addresses")
                .see(span, "defined here")
                .help("write the name of a NAT that translates"),
        );
        None
    }

    fn firewall(&self, reader: &mut Reader<'_>, name: &At<String>) -> Option<NodeId> {
        let what = "`set-firewall` is for a firewall, not for";
        let node = self.now.find(&name.value);
        let filters = node.filter(|node| matches!(self.now.node(*node).element, Element::Firewall(_)));
        // A NAT of type `symmetric-firewall` is one too.
        if filters.is_none() {
            self.names.expect(reader, name, &[Section::Firewall], what, "write the name of a firewall")?;
        }
        filters
    }

    /// Says that a server or interface is up or down already.
    fn already(&self, node: NodeId, name: &At<String>, is: &str) -> Diagnostic {
        let diagnostic = Diagnostic::new(Code::Contradiction, format!("`{}` is {is} already", name.value));
        match self.turned.get(&node) {
            Some(since) => diagnostic
                .at(name.span, format!("{is} since {}", since.value))
                .see(since.span, format!("it goes {is} here")),
            None => diagnostic.at(name.span, format!("{is} from the beginning")),
        }
    }

    /// A server that can do what the event wants of it.
    fn server(&mut self, reader: &mut Reader<'_>, event: &file::Event, name: &At<String>) -> Option<NodeId> {
        let (key, wants_up, will_be_up) = match event.action.value {
            file::Action::ServerUp(_) => ("server-up", false, true),
            file::Action::ServerRestart(_) => ("server-restart", true, true),
            _ => ("server-down", true, false),
        };
        let what = format!("`{key}` is for a server, not for");
        self.names.expect(reader, name, &[Section::Server], &what, "write the name of a server")?;
        let node = self.now.find(&name.value)?;
        let Element::Server(server) = &mut self.now.node_mut(node).element else { return None };
        if server.up != wants_up {
            let (is, help) = match (key, server.up) {
                ("server-restart", _) => ("down", "write `server-up` instead"),
                (_, true) => ("up", "remove it, or let it go down before"),
                (_, false) => ("down", "remove it, or let it come up before"),
            };
            reader.report(self.already(node, name, is).help(help));
            return None;
        }
        server.up = will_be_up;
        self.turned.insert(node, At::new(event.at.value, name.span));
        Some(node)
    }
}
