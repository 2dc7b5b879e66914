//! Calls that live through change: interfaces that go and come, ICE restarts, and hanging up.

use std::net::SocketAddr;

use super::calls::free_socket;
use super::deliver::Receiver;
use super::{CallSide, World};
use crate::agent::Input;
use crate::base::{NodeId, SessionId};
use crate::engine::RunError;
use crate::plan::Action;
use crate::wire::signal::Description;

impl World<'_, '_> {
    /// Tells agents of what happens to them, after the network has changed.
    pub(super) fn tell_agents(&mut self, action: &Action) -> Result<(), RunError> {
        match action {
            Action::InterfaceDown(node) => self.lose_interface(*node),
            Action::IceRestart(sides) => {
                sides.iter().try_for_each(|side| self.restart(session_of(*side), None))
            }
            Action::HangUp(sides) => {
                sides.iter().try_for_each(|side| self.input(session_of(*side), Input::HangUp))
            }
            _ => Ok(()),
        }
    }

    fn lose_interface(&mut self, node: NodeId) -> Result<(), RunError> {
        self.streams.forget(node);
        for id in (0..self.sessions.len() as u32).map(SessionId::new) {
            let diary = &self.sessions[id.index()].diary;
            let on_it = diary.sockets.iter().filter(|socket| diary.place_of(**socket) == Some(node));
            let lost: Vec<SocketAddr> =
                on_it.filter(|socket| self.receivers.contains_key(&(node, **socket))).copied().collect();
            for socket in lost {
                self.close(id, socket);
                self.input(id, Input::BaseLost(socket))?;
            }
        }
        Ok(())
    }

    /// Restarts ICE at one side of a call, from new sockets on every interface that is up. Nothing happens before the side
    /// has heard of the call, or after its end.
    pub(super) fn restart(&mut self, id: SessionId, offer: Option<&Description>) -> Result<(), RunError> {
        let diary = &self.sessions[id.index()].diary;
        if diary.started_at.is_none() || diary.ended_at.is_some() {
            return Ok(());
        }
        let sockets = self.open_sockets(id);
        self.input(id, Input::Restart { sockets: &sockets, offer })
    }

    fn open_sockets(&mut self, id: SessionId) -> Vec<SocketAddr> {
        let node = self.sessions[id.index()].diary.node;
        let interfaces = self.topology.interfaces(node);
        let of_host = self.sessions.iter().filter(|session| session.diary.node == node);
        let mut taken: Vec<SocketAddr> =
            of_host.flat_map(|session| session.diary.sockets.iter().copied()).collect();
        let mut opened = Vec::new();
        let diary = &mut self.sessions[id.index()].diary;
        diary.retired = diary.sockets.len();
        for place in interfaces.into_iter().filter(|node| self.topology.is_up(*node)) {
            for address in &self.topology.node(place).addresses {
                let session = &mut self.sessions[id.index()];
                let socket = free_socket(*address, &taken, &mut session.ports);
                session.diary.sockets.push(socket);
                session.diary.places.push(place);
                self.network.open_socket(place, socket);
                self.receivers.insert((place, socket), Receiver::Session(id));
                taken.push(socket);
                opened.push(socket);
            }
        }
        opened
    }

    /// Closes a socket of a session.
    pub(super) fn close(&mut self, id: SessionId, socket: SocketAddr) {
        if let Some(place) = self.sessions[id.index()].diary.place_of(socket) {
            self.network.close_socket(place, socket);
            self.receivers.remove(&(place, socket));
        }
    }
}

fn session_of(side: CallSide) -> SessionId {
    SessionId::new(2 * side.call as u32 + u32::from(!side.caller))
}
