//! The media of a call: packets of the lab's own at the rate of each flow, sent through the agents as applications do.
//!
//! A flow begins when its sender's agent selects its first pair, and keeps its rhythm until the run ends: what is due
//! while the agent has no pair it would use is lost at the sender, as what an encoder makes then.

mod arrivals;
mod delays;
mod pace;

use std::collections::VecDeque;

pub use arrivals::Arrivals;
use pace::Pace;

use crate::base::SimTime;
use crate::plan::{MediaFlow, MediaKind};
use crate::transport::framing::Framing;
use crate::transport::tls::sealed_len;

/// The largest payload.
const MOST_BYTES: u64 = 1_200;

/// How many of the packets sent last have their times remembered, to tell the lost ones from those on their way.
const REMEMBERED: usize = 8_192;

/// One flow of a call as one side knows it: what it sent, and what came from its peer.
#[derive(Debug, Clone)]
pub struct FlowRun {
    /// The flow.
    pub flow: MediaFlow,
    /// What this side sent.
    pub sent: Departures,
    /// What came from the other side.
    pub received: Arrivals,
    /// What passed between this side and its own relay, both ways.
    pub relay_leg: Leg,
}

/// What one side sent of a flow.
#[derive(Debug, Clone)]
pub struct Departures {
    /// When it began; `None`: never.
    pub started_at: Option<SimTime>,
    /// How many packets were sent.
    pub sent: u64,
    /// How many were due while the agent would not send.
    pub unsent: u64,
    /// True once the call is over.
    has_ended: bool,
    pace: Pace,
    ticks: u64,
    /// What is still to be sent of the present tick, and in how many packets.
    left: (u64, u64),
    /// When the last packets were sent.
    recent: VecDeque<SimTime>,
}

/// Bytes of IP packets between a client and its relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leg {
    /// How many there were.
    pub bytes: u64,
    /// How many the same payloads would have been without the relay, over UDP.
    pub bare_bytes: u64,
}

/// The flows of a call before it begins, as one side knows them.
pub fn flows(media: &[MediaFlow]) -> Vec<FlowRun> {
    let flow = |flow: &MediaFlow| FlowRun {
        flow: *flow,
        sent: Departures::new(*flow),
        received: Arrivals::default(),
        relay_leg: Leg::default(),
    };
    media.iter().map(flow).collect()
}

impl FlowRun {
    /// The next packet that is due at `now`, if there is one.
    pub fn next_packet(&mut self, now: SimTime) -> Option<Vec<u8>> {
        let bytes = self.sent.next_size(now)?;
        Some(Header { kind: self.flow.kind, number: self.sent.sent, sent_at: now }.padded(bytes))
    }

    /// A packet was handed to the agent, which sent it in this message; `None`: it did not.
    pub fn note_sent(&mut self, now: SimTime, payload: &[u8], message: Option<Message>) {
        let Some(message) = message else {
            self.sent.unsent += 1;
            return;
        };
        self.sent.note_sent(now);
        self.relay_leg.note(message, payload.len());
    }

    fn take(&mut self, now: SimTime, header: Header, payload: usize, message: Message) {
        self.received.take(now, header.number, header.sent_at, payload);
        self.relay_leg.note(message, payload);
    }
}

/// Takes a packet that arrived in `message`. False: it is no media.
pub fn take(flows: &mut [FlowRun], now: SimTime, payload: &[u8], message: Message) -> bool {
    if flows.is_empty() {
        return false;
    }
    let Some(header) = Header::parse(payload) else { return false };
    let flow = flows.iter_mut().find(|flow| flow.flow.kind == header.kind);
    flow.map(|flow| flow.take(now, header, payload.len(), message)).is_some()
}

/// What a packet of media travelled in between an agent and the next one on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Bytes of the message: more than the media's if it is wrapped for a relay.
    len: usize,
    /// Bytes of IP packet that it took.
    on_wire: usize,
    /// False: IPv6.
    is_ipv4: bool,
}

impl Message {
    /// One in a datagram of its own.
    pub const fn datagram(is_ipv4: bool, len: usize) -> Self {
        Self { len, on_wire: ip_header(is_ipv4) + UDP_HEADER + len, is_ipv4 }
    }

    /// One in a stream, counted as if it had a segment for itself. Some share one, some are cut in two; acknowledgments that
    /// ride on no data come on top.
    pub fn in_stream(is_ipv4: bool, is_tls: bool, framing: Framing, message: &[u8]) -> Self {
        let framed = framing.framed_len(message);
        let stream = if is_tls { sealed_len(framed) } else { framed };
        Self { len: message.len(), on_wire: ip_header(is_ipv4) + TCP_HEADER + stream, is_ipv4 }
    }
}

const fn ip_header(is_ipv4: bool) -> usize {
    if is_ipv4 { 20 } else { 40 }
}

const UDP_HEADER: usize = 8;
/// Segments with data have no options.
const TCP_HEADER: usize = 20;

impl Leg {
    /// A packet with `bare` bytes of media passed in `message`.
    fn note(&mut self, message: Message, bare: usize) {
        if message.len > bare {
            self.bytes += message.on_wire as u64;
            self.bare_bytes += Message::datagram(message.is_ipv4, bare).on_wire as u64;
        }
    }
}

impl Departures {
    fn new(flow: MediaFlow) -> Self {
        Self {
            started_at: None,
            sent: 0,
            unsent: 0,
            has_ended: false,
            pace: Pace::of(flow),
            ticks: 0,
            left: (0, 0),
            recent: VecDeque::new(),
        }
    }

    /// The sender has a pair.
    pub fn start(&mut self, now: SimTime) {
        self.started_at.get_or_insert(now);
    }

    /// The call is over.
    pub fn stop(&mut self) {
        self.has_ended = true;
    }

    /// When the next packet is due; `None`: not before there is a pair, or never again.
    pub fn due(&self) -> Option<SimTime> {
        let started_at = self.started_at.filter(|_| !self.has_ended)?;
        Some(started_at + self.pace.time_of(self.ticks))
    }

    fn next_size(&mut self, now: SimTime) -> Option<u64> {
        if self.left.1 == 0 {
            if self.due()? > now {
                return None;
            }
            let bytes = self.pace.bytes_of(self.ticks);
            self.left = (bytes, bytes.div_ceil(MOST_BYTES));
            self.ticks += 1;
        }
        let (bytes, packets) = self.left;
        let size = bytes.div_ceil(packets);
        self.left = (bytes - size, packets - 1);
        Some(size)
    }

    fn note_sent(&mut self, now: SimTime) {
        self.sent += 1;
        self.recent.push_back(now);
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    /// How many packets may still be on their way at `now`: they were sent after the last one that arrived, and no longer
    /// ago than the slowest one took.
    pub fn underway(&self, now: SimTime, arrivals: &Arrivals) -> u64 {
        let (Some(highest), Some(slowest)) = (arrivals.highest, arrivals.delays.longest()) else { return 0 };
        let first = self.sent - self.recent.len() as u64;
        let numbered = (first..).zip(&self.recent);
        let count = numbered.filter(|(number, at)| *number > highest && **at + slowest > now).count();
        count as u64
    }
}

/// What a packet begins with, in ASCII, so that a capture can be read: `audio 1234 567890123 `, the kind, the number of
/// the packet and the nanosecond at which it was sent. Dots follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    kind: MediaKind,
    number: u64,
    sent_at: SimTime,
}

impl Header {
    fn padded(self, bytes: u64) -> Vec<u8> {
        let Self { kind, number, sent_at } = self;
        let mut payload = format!("{kind} {number} {} ", sent_at.as_nanos()).into_bytes();
        payload.resize(payload.len().max(bytes as usize), b'.');
        payload
    }

    fn parse(payload: &[u8]) -> Option<Self> {
        let mut words = payload.splitn(4, |byte| *byte == b' ').map(|word| std::str::from_utf8(word).ok());
        let mut word = || words.next().flatten();
        let kind = MediaKind::from_word(word()?)?;
        let number = word()?.parse().ok()?;
        let sent_at = SimTime::from_nanos(word()?.parse().ok()?);
        Some(Self { kind, number, sent_at })
    }
}

/// True if a message holds this packet of media, as it is or wrapped for a relay.
pub fn carries(message: &[u8], packet: &[u8]) -> bool {
    /// What a Send indication may have before the data, with room to spare.
    const MOST_BEFORE: usize = 100;
    let header = &packet[..packet.len().min(MIN_BYTES as usize)];
    let beginning = &message[..message.len().min(MOST_BEFORE + header.len())];
    beginning.windows(header.len()).any(|part| part == header)
}

/// The smallest payload: a header and a few dots.
const MIN_BYTES: u64 = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Bandwidth;

    fn flow(kind: MediaKind, bits: u64) -> FlowRun {
        let rate = Bandwidth::from_bits_per_second(bits).expect("a rate");
        flows(&[MediaFlow { kind, rate }]).remove(0)
    }

    /// When each packet of the first `milliseconds` was sent, and its size.
    fn packets(kind: MediaKind, bits: u64, milliseconds: u64) -> Vec<(SimTime, usize)> {
        let mut flow = flow(kind, bits);
        flow.sent.start(SimTime::ZERO);
        let mut packets = Vec::new();
        while let Some(due) = flow.sent.due().filter(|due| *due < SimTime::from_millis(milliseconds)) {
            while let Some(packet) = flow.next_packet(due) {
                packets.push((due, packet.len()));
            }
        }
        packets
    }

    fn bytes(packets: &[(SimTime, usize)]) -> usize {
        packets.iter().map(|(_, bytes)| bytes).sum()
    }

    #[test]
    fn audio_is_a_packet_every_twenty_milliseconds() {
        let packets = packets(MediaKind::Audio, 40_000, 1_000);
        assert_eq!(packets.len(), 50);
        assert!(packets.iter().all(|(_, bytes)| *bytes == 100));
        assert_eq!(packets[3].0, SimTime::from_millis(60));
    }

    #[test]
    fn video_is_thirty_frames_a_second_each_in_as_many_packets_as_it_needs() {
        let packets = packets(MediaKind::Video, 1_200_000, 1_000);
        assert_eq!(packets.len(), 30 * 5, "frames of 5000 bytes");
        assert!(packets.iter().all(|(_, bytes)| *bytes == 1_000));
        assert_eq!(packets[..5].iter().map(|(at, _)| *at).max(), Some(SimTime::ZERO));
    }

    #[test]
    fn data_are_packets_of_1200_bytes_but_ten_a_second_at_least() {
        let fast = packets(MediaKind::Data, 960_000, 1_000);
        assert_eq!((fast.len(), fast[0].1), (100, 1_200));
        let slow = packets(MediaKind::Data, 40_000, 1_000);
        assert_eq!((slow.len(), slow[0].1), (10, 500));
    }

    #[test]
    fn the_rate_is_exact_and_no_packet_is_smaller_than_its_header() {
        for kind in MediaKind::ALL {
            for bits in [1_000, 7_777, 64_000, 1_234_567, 20_000_000] {
                let packets = packets(*kind, bits, 64_000);
                let (wanted, got) = (bits * 8, bytes(&packets) as u64);
                assert!(got.abs_diff(wanted) <= wanted / 50 + 40, "{kind} {bits}: {got} of {wanted}");
                assert!(packets.iter().all(|(_, bytes)| (40..=1_200).contains(bytes)), "{kind} {bits}");
            }
        }
    }

    #[test]
    fn a_header_reads_back_and_begins_as_application_data_must() {
        for kind in MediaKind::ALL {
            let header = Header { kind: *kind, number: 1_234, sent_at: SimTime::from_millis(99) };
            let payload = header.padded(40);
            assert_eq!(Header::parse(&payload), Some(header));
            assert!(crate::agent::DATA_FIRST_BYTE.contains(&payload[0]));
            assert_eq!(payload.len(), 40);
        }
        for other in ["", "audio", "audio 1", "audio x 1 ", "ping 1", "audio -1 1 "] {
            assert_eq!(Header::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn what_is_due_while_the_agent_does_not_send_is_counted_and_has_no_number() {
        let mut flow = flow(MediaKind::Audio, 40_000);
        flow.sent.start(SimTime::ZERO);
        for millis in [0, 20, 40] {
            let now = SimTime::from_millis(millis);
            let packet = flow.next_packet(now).expect("due");
            let message = Message::datagram(true, packet.len());
            flow.note_sent(now, &packet, (millis != 20).then_some(message));
        }
        assert_eq!((flow.sent.sent, flow.sent.unsent), (2, 1));
        assert_eq!(flow.relay_leg, Leg::default(), "no relay");
    }

    #[test]
    fn a_relay_costs_what_stands_around_the_media_on_the_way_to_it() {
        // ChannelData with 101 bytes of media: 4 before them; in a stream 3 behind.
        let wrapped = [&[0x40, 0, 0, 101][..], &[b'.'; 101]].concat();
        let (datagram, bare) = (Message::datagram(true, wrapped.len()), 20 + 8 + 101);
        let stream = |is_ipv4, is_tls| Message::in_stream(is_ipv4, is_tls, Framing::Stun, &wrapped);
        for (message, bytes, bare_bytes) in [
            (datagram, 20 + 8 + 105, bare),
            (stream(true, false), 20 + 20 + 108, bare),
            (stream(true, true), 20 + 20 + 108 + 22, bare),
            (stream(false, true), 40 + 20 + 108 + 22, bare + 20),
            (Message::datagram(true, 101), 0, 0),
        ] {
            let mut leg = Leg::default();
            leg.note(message, 101);
            assert_eq!(leg, Leg { bytes, bare_bytes }, "{message:?}");
        }
    }

    #[test]
    fn what_was_sent_last_may_be_on_its_way() {
        let mut flow = flow(MediaKind::Audio, 40_000);
        flow.sent.start(SimTime::ZERO);
        let mut arrivals = Arrivals::default();
        for millis in (0..200).step_by(20) {
            let now = SimTime::from_millis(millis);
            let packet = flow.next_packet(now).expect("due");
            flow.note_sent(now, &packet, Some(Message::datagram(true, packet.len())));
        }
        let now = SimTime::from_millis(200);
        assert_eq!(flow.sent.underway(now, &arrivals), 0, "nothing ever arrives");
        arrivals.take(SimTime::from_millis(130), 4, SimTime::from_millis(80), 100);
        // Sent at 160 and 180 ms; those of 100 to 140 ms should be there.
        assert_eq!(flow.sent.underway(now, &arrivals), 2);
    }
}
