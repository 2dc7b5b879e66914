//! The cable between a connection and `smoltcp`, which takes and gives packets as bytes.
//!
//! Every connection has a cable of its own, and sits at one and the same address of it: which connection a segment belongs
//! to is known before it gets here, and addresses that NATs rewrite are none of a state machine's business.

use std::collections::VecDeque;

use bytes::Bytes;
use smoltcp::iface::{Config, Interface};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{
    HardwareAddress, IpAddress, IpCidr, IpProtocol, Ipv4Address, Ipv4Packet, Ipv4Repr, TcpPacket,
    TcpSeqNumber,
};

use crate::base::SimTime;
use crate::wire::{TcpFlags, TcpSegment};

const NEAR: Ipv4Address = Ipv4Address::new(192, 0, 2, 1);
const FAR: Ipv4Address = Ipv4Address::new(192, 0, 2, 2);
/// Where the connection is, on its cable.
pub(super) const NEAR_PORT: u16 = 1;
/// Where the other side is.
pub(super) const FAR_PORT: u16 = 2;

const IP_HEADER: usize = smoltcp::wire::IPV4_HEADER_LEN;
const TCP_HEADER: usize = smoltcp::wire::TCP_HEADER_LEN;
const MAX_OPTIONS: usize = 40;

/// The far end's address and port.
pub(super) const fn far() -> (IpAddress, u16) {
    (IpAddress::Ipv4(FAR), FAR_PORT)
}

/// A moment in `smoltcp`'s microseconds, rounded down.
pub(super) fn instant(time: SimTime) -> Instant {
    Instant::from_micros(i64::try_from(time.as_nanos() / 1_000).unwrap_or(i64::MAX))
}

/// A moment of `smoltcp`'s; never earlier than the one it was rounded from.
pub(super) fn sim_time(instant: Instant) -> SimTime {
    SimTime::from_nanos(u64::try_from(instant.total_micros()).unwrap_or(0).saturating_mul(1_000))
}

#[derive(Debug)]
pub(super) struct Cable {
    arriving: Option<Vec<u8>>,
    leaving: VecDeque<Vec<u8>>,
    max_segment: u16,
}

impl Cable {
    pub(super) const fn new(max_segment: u16) -> Self {
        Self { arriving: None, leaving: VecDeque::new(), max_segment }
    }

    /// The network interface at this cable's near end.
    pub(super) fn interface(&mut self, seed: u64, now: SimTime) -> Interface {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, self, instant(now));
        interface.update_ip_addrs(|addresses| {
            // There is room for one.
            addresses.push(IpCidr::new(IpAddress::Ipv4(NEAR), 24)).ok();
        });
        interface
    }

    /// Puts a segment of the other side on the cable.
    pub(super) fn arrive(&mut self, segment: &TcpSegment) {
        self.arriving = Some(frame(segment));
    }

    /// The next segment that leaves.
    pub(super) fn leave(&mut self) -> Option<TcpSegment> {
        self.leaving.pop_front().map(segment)
    }
}

fn frame(segment: &TcpSegment) -> Vec<u8> {
    let options = match segment.options.len() {
        len if len <= MAX_OPTIONS && len % 4 == 0 => &segment.options[..],
        _ => &[],
    };
    let header = TCP_HEADER + options.len();
    let mut frame = vec![0; IP_HEADER + header + segment.payload.len()];
    let ip = Ipv4Repr {
        src_addr: FAR,
        dst_addr: NEAR,
        next_header: IpProtocol::Tcp,
        payload_len: header + segment.payload.len(),
        hop_limit: 64,
    };
    ip.emit(&mut Ipv4Packet::new_unchecked(&mut frame[..]), &ChecksumCapabilities::ignored());
    let mut tcp = TcpPacket::new_unchecked(&mut frame[IP_HEADER..]);
    tcp.set_src_port(FAR_PORT);
    tcp.set_dst_port(NEAR_PORT);
    tcp.set_seq_number(TcpSeqNumber(segment.sequence.cast_signed()));
    tcp.set_ack_number(TcpSeqNumber(segment.acknowledgment.cast_signed()));
    tcp.clear_flags();
    tcp.set_syn(segment.flags.syn);
    tcp.set_ack(segment.flags.ack);
    tcp.set_fin(segment.flags.fin);
    tcp.set_rst(segment.flags.rst);
    tcp.set_psh(segment.flags.psh);
    tcp.set_window_len(segment.window);
    tcp.set_header_len(header as u8);
    tcp.options_mut().copy_from_slice(options);
    tcp.payload_mut().copy_from_slice(&segment.payload);
    frame
}

fn segment(frame: Vec<u8>) -> TcpSegment {
    let tcp = TcpPacket::new_unchecked(&frame[IP_HEADER..]);
    let mut segment = TcpSegment {
        sequence: tcp.seq_number().0.cast_unsigned(),
        acknowledgment: tcp.ack_number().0.cast_unsigned(),
        window: tcp.window_len(),
        flags: TcpFlags { syn: tcp.syn(), ack: tcp.ack(), fin: tcp.fin(), rst: tcp.rst(), psh: tcp.psh() },
        options: tcp.options().into(),
        ..TcpSegment::default()
    };
    let header = IP_HEADER + usize::from(tcp.header_len());
    segment.payload = Bytes::from(frame).slice(header..);
    segment
}

impl Device for Cable {
    type RxToken<'a> = Arriving;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let frame = self.arriving.take()?;
        Some((Arriving(frame), Leaving(&mut self.leaving)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Self::TxToken<'_>> {
        Some(Leaving(&mut self.leaving))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = usize::from(self.max_segment) + IP_HEADER + TCP_HEADER;
        capabilities.checksum = ChecksumCapabilities::ignored();
        capabilities
    }
}

#[derive(Debug)]
pub(super) struct Arriving(Vec<u8>);

#[derive(Debug)]
pub(super) struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>);

impl RxToken for Arriving {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = vec![0; len];
        let result = write(&mut frame);
        self.0.push_back(frame);
        result
    }
}
