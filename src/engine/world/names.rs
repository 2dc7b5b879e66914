//! mDNS names: hosts ask everybody on their link for them, and answer for their own.

use std::net::SocketAddr;

use super::{World, WorldEvent};
use crate::agent::Input;
use crate::base::{NodeId, SessionId};
use crate::engine::RunError;
use crate::engine::mdns::{self, Next};
use crate::wire::mdns::{HOP_LIMIT, PORT, group};
use crate::wire::{Flow, MdnsMessage, MdnsName, Packet};

impl World<'_, '_> {
    /// A session wants to know the address of a name.
    pub(super) fn want_name(&mut self, session: SessionId, name: MdnsName) -> Result<(), RunError> {
        let node = self.sessions[session.index()].diary.node;
        let question = self.mdns.want(session, node, name);
        self.name_is_due(question)
    }

    /// It is time to ask for a name, once more, or to give up.
    pub(super) fn name_is_due(&mut self, question: usize) -> Result<(), RunError> {
        let next = self.mdns.next(question);
        let Some(asked) = self.mdns.question(question).cloned() else { return Ok(()) };
        match next {
            Next::Nothing => Ok(()),
            Next::GiveUp => self.input(asked.session, Input::Resolved { name: &asked.name, address: None }),
            Next::Ask => {
                for address in self.topology.node(asked.node).addresses.clone() {
                    let ipv4 = address.is_ipv4();
                    let message = MdnsMessage::Question { name: asked.name.clone(), ipv4 };
                    self.tell_the_link(asked.node, SocketAddr::new(address, PORT), &message)?;
                }
                self.queue.push(self.now + mdns::PATIENCE, WorldEvent::NameIsDue(question));
                Ok(())
            }
        }
    }

    /// A host hears what somebody on its link asks or answers.
    pub(super) fn hear_the_link(&mut self, node: NodeId, packet: &Packet) -> Result<(), RunError> {
        let ipv4 = packet.flow.destination.is_ipv4();
        match MdnsMessage::parse(packet.body.payload()) {
            None => {}
            Some(MdnsMessage::Question { name, .. }) => {
                if let Some(address) = self.mdns.address_of(node, &name, ipv4) {
                    let message = MdnsMessage::Answer { name, address };
                    self.tell_the_link(node, SocketAddr::new(address, PORT), &message)?;
                }
            }
            Some(MdnsMessage::Answer { name, address }) => {
                for session in self.mdns.heard(node, &name) {
                    self.input(session, Input::Resolved { name: &name, address: Some(address) })?;
                }
            }
        }
        Ok(())
    }

    fn tell_the_link(
        &mut self,
        node: NodeId,
        from: SocketAddr,
        message: &MdnsMessage,
    ) -> Result<(), RunError> {
        let flow = Flow::new(from, group(from.is_ipv4()));
        let mut packet = Packet::udp(flow, message.to_bytes());
        packet.hop_limit = HOP_LIMIT;
        Ok(self.network.send(self.now, node, packet)?)
    }
}
