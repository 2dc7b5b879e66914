//! Who gets what arrives, and what is done of what they ask for.

use super::{World, WorldEvent};
use crate::agent::Input;
use crate::base::{NodeId, SessionId};
use crate::endpoint::{self, Request as Asked};
use crate::engine::RunError;
use crate::engine::session::Request;
use crate::plan::{Element, Peer};
use crate::trace::EventKind;
use crate::wire::port_mapping::ANNOUNCED_AT;
use crate::wire::{Flow, Packet, Signal};

/// Who gets what comes to a socket.
#[derive(Clone, Copy)]
pub(super) enum Receiver {
    Session(SessionId),
    /// The endpoint with this index.
    Seat(usize),
}

impl World<'_, '_> {
    /// Hands a packet that reached a host to whoever has the socket.
    pub(super) fn deliver(&mut self, node: NodeId, packet: Packet) -> Result<(), RunError> {
        let Flow { source, destination } = packet.flow;
        if destination == ANNOUNCED_AT {
            return self.announce(node, &packet);
        }
        if destination.ip().is_multicast() {
            return self.hear_the_link(node, &packet);
        }
        let payload = packet.body.payload();
        let id = match self.receivers.get(&(node, destination)) {
            None => return Ok(()),
            Some(&Receiver::Seat(seat)) => {
                let input = endpoint::Input::Datagram { socket: destination, from: source, payload };
                return self.seat(seat, input);
            }
            Some(&Receiver::Session(id)) => id,
        };
        let session = &mut self.sessions[id.index()];
        session.receive(self.now, destination, source, payload, packet.trail, &mut self.requests)?;
        self.fulfil(id)
    }

    /// Hands what a NAT tells everybody to all who asked it for mappings.
    fn announce(&mut self, node: NodeId, packet: &Packet) -> Result<(), RunError> {
        let Element::Peer(Peer { port_mapping: Some(_), .. }) = self.plan.topology.node(node).element else {
            return Ok(());
        };
        let interfaces = self.plan.topology.interfaces(node);
        let Flow { source, destination } = packet.flow;
        for id in (0..self.sessions.len() as u32).map(SessionId::new) {
            let session = &mut self.sessions[id.index()];
            if interfaces.contains(&session.diary.node) && session.diary.started_at.is_some() {
                let payload = packet.body.payload();
                session.receive(self.now, destination, source, payload, packet.trail, &mut self.requests)?;
                self.fulfil(id)?;
            }
        }
        Ok(())
    }

    /// Hands something to a session, and does what it asks for.
    pub(super) fn input(&mut self, session: SessionId, input: Input<'_>) -> Result<(), RunError> {
        self.sessions[session.index()].handle(self.now, input, &mut self.requests)?;
        self.fulfil(session)
    }

    /// Hands something to an endpoint, does what it asks for, and notes when it wants to be called next.
    pub(super) fn seat(&mut self, index: usize, input: endpoint::Input<'_>) -> Result<(), RunError> {
        let seat = &mut self.seats[index];
        let node = seat.diary.node;
        for asked in seat.handle(self.now, input)? {
            match asked {
                Asked::Open(socket) => {
                    seat.opened(socket);
                    self.network.open_socket(node, socket);
                    self.receivers.insert((node, socket), Receiver::Seat(index));
                }
                Asked::Close(socket) => {
                    self.network.close_socket(node, socket);
                    self.receivers.remove(&(node, socket));
                }
                Asked::Send { socket, to, payload } => {
                    self.network.send(self.now, node, Packet::udp(Flow::new(socket, to), payload))?;
                }
            }
        }
        let wanted = seat.next_timeout().map(|at| at.max(self.now));
        if wanted != seat.timer {
            seat.timer = wanted;
            if let Some(at) = wanted {
                self.queue.push(at, WorldEvent::EndpointTimer { seat: index, at });
            }
        }
        Ok(())
    }

    /// Does what a session asked for, and notes when it wants to be called next.
    pub(super) fn fulfil(&mut self, session: SessionId) -> Result<(), RunError> {
        let mut requests = std::mem::take(&mut self.requests);
        let mut names = Vec::new();
        for request in requests.drain(..) {
            match request {
                Request::Transmit(from, to, payload) => {
                    let diary = &self.sessions[session.index()].diary;
                    let node = diary.place_of(from).unwrap_or(diary.node);
                    // From a socket of an interface that is down nothing can be sent.
                    if !self.topology.is_up(node) {
                        continue;
                    }
                    self.network.send(self.now, node, Packet::udp(Flow::new(from, to), payload))?;
                }
                Request::Connect(connect) => self.connect(session, &connect)?,
                Request::Write(stream, message) => self.write(session, stream, message)?,
                Request::Close(stream) => self.close_stream(session, stream)?,
                Request::Signal(signal) => self.send_signal(session, signal),
                Request::CloseSocket(socket) => self.close(session, socket),
                Request::Resolve(name) => names.push(name),
                Request::Note(event) => {
                    self.network.recorder.event(self.now, || EventKind::Agent { session, event });
                }
            }
        }
        self.requests = requests;
        self.note_progress(session);
        self.schedule(session);
        names.into_iter().try_for_each(|name| self.want_name(session, name))
    }

    fn send_signal(&mut self, from: SessionId, signal: Signal) {
        let arrives = self.signalling.send(self.now, from);
        let recorded = signal.clone();
        self.network.recorder.event(self.now, || EventKind::Signalled { from, signal: recorded, arrives });
        if let Some(at) = arrives {
            let to = self.sessions[from.index()].counterpart();
            self.queue.push(at, WorldEvent::SignalArrives { to, signal });
        }
    }
}
