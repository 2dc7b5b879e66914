//! Real ICE stacks behind one sans-IO interface.
//!
//! An [`IceStack`] is one peer's agent for one call: it gathers candidates, talks to STUN and TURN servers,
//! checks pairs and selects one. It gets [`Input`]s with the time they happen at; after each, whoever drives it
//! drains [`IceStack::poll`] and asks [`IceStack::next_timeout`]. All of its datagrams leave from, and come to,
//! the UDP sockets it was given; streams of messages it opens as it wants.

mod clock;
mod connection;
#[cfg(test)]
mod contract;
mod conversation;
mod gatherer;
pub mod is_stack;
mod own;
mod port_mapping;
mod privacy;
mod retired;
#[cfg(feature = "rtc")]
pub mod rtc_stack;
mod seeded;
mod server_link;
mod stream;
mod stun_client;
mod transaction;
mod turn_client;
#[cfg(test)]
mod world;

use std::net::{IpAddr, SocketAddr};

pub use own::OwnStacks;
pub use stream::{Connect, Security, StreamEnd, StreamId};

use crate::base::{SimDuration, SimTime};
use crate::plan::{HostCandidates, IceServer, IceState, IceTransportPolicy, StackKind};
use crate::wire::signal::Description;
use crate::wire::{Candidate, MdnsName, SelectedPair, Signal};

/// RFC 8863 §4: an agent must not give up before checks could have been answered, 39.5 s after they could begin.
pub const PATIENCE: SimDuration = SimDuration::from_millis(39_500);

/// What an agent is built with.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The peer's name: the key of its random streams. Agents of one name and seed draw the same, so a peer that
    /// takes part in several calls needs a name for each.
    pub name: String,
    /// The run's seed.
    pub seed: u64,
    /// The addresses of its UDP sockets, in order of preference. All of them are open before it begins, and each is the
    /// base of candidates (RFC 8445 §5.1.1).
    pub sockets: Vec<SocketAddr>,
    /// True for the caller, which starts as controlling and sends the offer.
    pub caller: bool,
    /// Servers to gather from.
    pub ice_servers: Vec<IceServer>,
    /// For each address of its host whose sockets it asks a NAT to map: the address, and that NAT's address inside. What such
    /// a NAT tells everybody comes as to a socket [`ANNOUNCED_AT`](crate::wire::port_mapping::ANNOUNCED_AT).
    pub port_mapping: Vec<(IpAddr, IpAddr)>,
    /// Which candidates it may use.
    pub policy: IceTransportPolicy,
    /// True: candidates are signalled one by one as they are found.
    pub trickle: bool,
    /// True: a lite agent (RFC 8445 §2.5). It answers checks and sends none, is called, and has no servers to gather from.
    pub lite: bool,
    /// What it tells of its own addresses.
    pub host_candidates: HostCandidates,
    /// The mDNS names its host answers for, and the addresses they stand for; none unless it hides behind names.
    pub names: Vec<(IpAddr, MdnsName)>,
    /// How many candidates it may hold, its own and its peer's each.
    pub max_candidates: usize,
}

/// Something that happens to an agent.
#[derive(Debug)]
pub enum Input<'a> {
    /// The call begins for this side: gather, and if it is the caller, make an offer.
    Start,
    /// A message from the peer. An offer also starts the callee.
    Signal(&'a Signal),
    /// A datagram came to one of its sockets.
    Datagram {
        /// The socket.
        socket: SocketAddr,
        /// Who sent it, as its headers say.
        from: SocketAddr,
        /// What it carried.
        payload: &'a [u8],
    },
    /// A stream it asked for is open: for a secured one, the handshake is over too.
    Opened {
        /// The stream.
        stream: StreamId,
        /// The transport address of our end.
        local: SocketAddr,
    },
    /// A message came whole over a stream.
    Read {
        /// The stream.
        stream: StreamId,
        /// The message, without its framing.
        message: &'a [u8],
    },
    /// A stream is gone, or could not be opened. Its id means nothing any more.
    Closed {
        /// The stream.
        stream: StreamId,
        /// What became of it.
        why: StreamEnd,
    },
    /// The time it asked for has come.
    Timeout,
    /// What came of [`Output::Resolve`].
    Resolved {
        /// The name that was asked for.
        name: &'a MdnsName,
        /// Its address; `None`: nobody on the host's link has it.
        address: Option<IpAddr>,
    },
    /// Send application data over the selected pair. Ignored while there is none, or while it is silent.
    Send(&'a [u8]),
    /// One of its sockets is gone, because its interface went down: nothing comes in or leaves by it any more.
    /// Streams that left from it are gone as well, without [`Input::Closed`].
    BaseLost(SocketAddr),
    /// Restart ICE (RFC 8445 §9): gather anew from sockets of now, and keep the old pair for data until there is a new one.
    Restart {
        /// Open sockets that it had no use of before, in order of preference; it gets more when it restarts again. Those
        /// it has go out of use, and are closed with [`Output::CloseSocket`] when they are of no use any more.
        sockets: &'a [SocketAddr],
        /// The peer's offer, if the peer has restarted; `None`: this side's application wants it.
        offer: Option<&'a Description>,
    },
    /// The call is over: give back what servers have allocated, and be [`IceState::Closed`]. The peer is told with
    /// [`Signal::Bye`], which ends the call at its side too.
    HangUp,
}

/// Something an agent wants or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram.
    Transmit {
        /// From which of its sockets.
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// What.
        payload: Vec<u8>,
    },
    /// Open a stream of messages.
    Connect(Connect),
    /// Send a message over a stream; over one that is not open yet, as soon as it is.
    Write {
        /// The stream.
        stream: StreamId,
        /// One message, without framing.
        message: Vec<u8>,
    },
    /// Close a stream, after what was written to it has been sent; one that is not open yet at once. Nothing more is heard of
    /// it.
    Close(StreamId),
    /// Tell the peer.
    Signal(Signal),
    /// A local candidate was found. It is signalled separately, if the policy allows.
    Gathered(Candidate),
    /// The state changed. Connected states follow the selection of a pair. After [`IceState::Failed`] the agent sends
    /// nothing any more unless it is restarted.
    State(IceState),
    /// Ask the host's link for the address of this name, which stands for a candidate of the peer.
    Resolve(MdnsName),
    /// A pair was selected, or another one than before.
    Selected(SelectedPair),
    /// Close one of its sockets: it has no use for it any more.
    CloseSocket(SocketAddr),
    /// Application data came in over the peer's selected pair.
    Data {
        /// Where it came from: the peer's candidate; through our own relay if `relayed`.
        from: SocketAddr,
        /// True if it came through our own TURN allocation.
        relayed: bool,
        /// The application's bytes.
        payload: Vec<u8>,
    },
    /// The agent met something it could not deal with: an ICE server that refused it, for instance.
    Trouble(String),
}

/// A stack that cannot go on; the run ends with exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the `{stack}` agent of `{peer}` failed: {what}")]
pub struct StackError {
    /// The stack's name.
    pub stack: &'static str,
    /// The peer's name.
    pub peer: String,
    /// What happened.
    pub what: String,
}

/// One peer's ICE agent for one call.
pub trait IceStack {
    /// The stack's name, as `agent:` and `--agent` take it.
    fn name(&self) -> &'static str;

    /// Something happens. Drain [`IceStack::poll`] afterwards.
    fn handle(&mut self, now: SimTime, input: Input<'_>) -> Result<(), StackError>;

    /// The next thing the agent wants or tells; `None` when there is nothing more for now.
    fn poll(&mut self) -> Option<Output>;

    /// When it wants [`Input::Timeout`]; `None`: never. A time in the past means at once.
    fn next_timeout(&mut self) -> Option<SimTime>;
}

/// Where a stack departs from an RFC. Comparisons with what the RFCs demand take deviations by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// Its name.
    pub id: &'static str,
    /// The section it departs from.
    pub rfc: &'static str,
    /// What the stack does.
    pub what: &'static str,
    /// What comes of it.
    pub effect: &'static str,
}

/// The first byte of application data the lab sends over a selected pair: outside of the ranges RFC 7983 gives to
/// STUN (0–3) and TURN channels (64–79).
pub const DATA_FIRST_BYTE: std::ops::RangeInclusive<u8> = 80..=127;

/// Builds the agent of the given kind; `None` if this build does not have the stack.
pub fn build(kind: StackKind, config: AgentConfig) -> Option<Box<dyn IceStack>> {
    match kind {
        StackKind::Is => Some(Box::new(is_stack::IsStack::new(config))),
        #[cfg(feature = "rtc")]
        StackKind::Rtc => Some(Box::new(rtc_stack::RtcStack::new(config).ok()?)),
        #[cfg(not(feature = "rtc"))]
        StackKind::Rtc => None,
    }
}
