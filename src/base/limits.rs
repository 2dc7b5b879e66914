//! Every bound of the program in one place. Reaching one ends the run with exit code 3, its name and its value.

use super::time::SimDuration;

/// The bounds of reading and running one scenario. The command line may raise them; a scenario file,
/// which is untrusted input, may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a scenario file: a thousand nodes need about 100 KiB.
    pub file_bytes: usize,
    /// Nested levels of YAML; the format itself needs six.
    pub yaml_depth: usize,
    /// Bytes of a name; names become host names and column heads.
    pub name_bytes: usize,
    /// Nodes of a scenario, of all kinds together.
    pub nodes: usize,
    /// Peers of a scenario.
    pub peers: usize,
    /// Calls of a scenario: a mesh of all its peers.
    pub calls: usize,
    /// Entries of any one list inside a scenario (outside addresses, ICE servers, expectations …).
    pub list_entries: usize,
    /// Cases of one file's matrix.
    pub cases: usize,
    /// Virtual time of a run.
    pub virtual_time: SimDuration,
    /// Events of a run: about a minute of real time.
    pub events: u64,
    /// Events at one instant of virtual time: more means that something runs in a circle.
    pub events_at_one_instant: u64,
    /// Packets on their way at one time.
    pub packets_in_flight: usize,
    /// Packets waiting on one link.
    pub queue_packets: usize,
    /// Mappings of one NAT: all ports of one address.
    pub mappings_per_nat: usize,
    /// Allocations of one TURN server.
    pub allocations_per_server: usize,
    /// TCP connections of one host or server; a SYN beyond them is refused with a RST.
    pub tcp_connections: usize,
    /// Candidates one agent may gather, and accept from its peer.
    pub candidates_per_agent: usize,
    /// Bytes of recorded packets and events; beyond it events are counted and no longer kept.
    pub trace_bytes: usize,
}

impl Limits {
    /// The bounds in force unless the command line raises them.
    pub const DEFAULT: Self = Self {
        file_bytes: 1 << 20,
        yaml_depth: 32,
        name_bytes: 63,
        nodes: 1_000,
        peers: 64,
        calls: 2_016,
        list_entries: 256,
        cases: 256,
        virtual_time: SimDuration::from_secs(24 * 3600),
        events: 10_000_000,
        events_at_one_instant: 10_000,
        packets_in_flight: 100_000,
        queue_packets: 1_000,
        mappings_per_nat: 65_536,
        allocations_per_server: 1_024,
        tcp_connections: 4_096,
        candidates_per_agent: 100,
        trace_bytes: 256 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A run that had to stop because it reached one of its [`Limits`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the run reached its limit of {value} {name}; raise it with `--limit {key}=N` if the scenario really needs more"
)]
pub struct LimitReached {
    /// The limit's field name with dashes, as `--limit` takes it.
    pub key: &'static str,
    /// What is limited, in words.
    pub name: &'static str,
    /// The bound that was reached.
    pub value: u64,
}
