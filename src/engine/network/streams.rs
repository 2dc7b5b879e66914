//! Streams of messages on hosts, as whoever drives the network asks for them.

use super::{Delivery, Machine, Network};
use crate::agent::Connect;
use crate::base::{LimitReached, NodeId, SimTime};
use crate::engine::host::Host;
use crate::engine::streams::HostStreams;
use crate::plan::{Action, Plan};
use crate::transport::tcp::ConnectionId;

impl Network {
    /// Opens a stream on a host, of which deliveries will tell; `None` if the host has no room for another.
    ///
    /// # Errors
    /// When a limit of the run is reached.
    pub fn connect(
        &mut self,
        now: SimTime,
        node: NodeId,
        connect: &Connect,
    ) -> Result<Option<ConnectionId>, LimitReached> {
        let Machine::Host(host) = &mut self.nodes[node.index()].machine else { return Ok(None) };
        let proxy = host.proxy();
        let streams = host.streams_or(|| HostStreams::new(&self.names[node.index()], self.tcp, proxy));
        let connection = streams.connect(now, connect);
        self.settle_streams(now, node)?;
        Ok(connection)
    }

    /// Writes a message to a stream, which waits until it is open and has room. False if the stream's framing cannot hold it.
    ///
    /// # Errors
    /// When a limit of the run is reached.
    pub fn write(
        &mut self,
        now: SimTime,
        node: NodeId,
        connection: ConnectionId,
        message: Vec<u8>,
    ) -> Result<bool, LimitReached> {
        let streams = self.host(node).and_then(Host::streams);
        let fits = streams.is_none_or(|streams| streams.write(connection, message));
        self.settle_streams(now, node)?;
        Ok(fits)
    }

    /// Closes a stream, after what was written to it has been sent; one that is not open yet at once. Nothing more is heard
    /// of it.
    ///
    /// # Errors
    /// When a limit of the run is reached.
    pub fn close_stream(
        &mut self,
        now: SimTime,
        node: NodeId,
        connection: ConnectionId,
    ) -> Result<(), LimitReached> {
        if let Some(streams) = self.host(node).and_then(Host::streams) {
            streams.close(connection);
        }
        self.settle_streams(now, node)
    }

    /// Sends what streams have to send.
    fn settle_streams(&mut self, now: SimTime, node: NodeId) -> Result<(), LimitReached> {
        if let Machine::Host(host) = &mut self.nodes[node.index()].machine
            && let Some(streams) = host.streams()
        {
            streams.settle(now, &mut self.outbox);
            self.take_news(node);
        }
        self.follow_up(now, node)
    }

    /// Makes deliveries of what a host's streams tell.
    pub(super) fn take_news(&mut self, node: NodeId) {
        let Machine::Host(host) = &mut self.nodes[node.index()].machine else { return };
        let news = std::iter::from_fn(|| host.poll_stream());
        self.deliveries.extend(news.map(|news| Delivery::Stream { node, news }));
    }

    fn host(&mut self, node: NodeId) -> Option<&mut Host> {
        match &mut self.nodes[node.index()].machine {
            Machine::Host(host) => Some(host),
            _ => None,
        }
    }
}

/// The least that any link of the plan carries, in bytes of IP packet, events included.
pub(super) fn least_mtu(plan: &Plan) -> u16 {
    let links = plan.topology.link_ids().map(|id| plan.topology.link(id));
    let changed = plan.events.iter().flat_map(|event| match &event.action {
        Action::SetLink(links) => links.as_slice(),
        _ => &[],
    });
    links.chain(changed.map(|(_, link)| link)).map(|link| link.mtu).min().unwrap_or(u16::MAX)
}
