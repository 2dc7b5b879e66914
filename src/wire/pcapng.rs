//! Writes capture files in the pcapng format (draft-ietf-opsawg-pcapng), for Wireshark and its kin.
//!
//! The writer knows bytes and blocks: a section, its interfaces, names of addresses, packets with comments. All
//! packets are raw IP, without a link layer, and times are nanoseconds. The file is little-endian everywhere.

use std::io;
use std::net::IpAddr;

/// LINKTYPE_RAW: packets begin with the IP header.
const LINK_TYPE_RAW: u16 = 101;
/// `if_tsresol`: ten to the power of minus nine.
const NANOSECONDS: u8 = 9;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;

/// Option codes. The first two have the same meaning in every block.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SECTION_APPLICATION: u16 = 4;
    pub(super) const INTERFACE_NAME: u16 = 2;
    pub(super) const INTERFACE_DESCRIPTION: u16 = 3;
    pub(super) const INTERFACE_TIME_RESOLUTION: u16 = 9;
    pub(super) const PACKET_FLAGS: u16 = 2;
}

/// Record types of a name resolution block.
mod record {
    pub(super) const END: u16 = 0;
    pub(super) const IPV4: u16 = 1;
    pub(super) const IPV6: u16 = 2;
}

/// Writes one section to `out`. It writes small pieces: give it something buffered.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    interfaces: u32,
}

/// An interface of the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface(u32);

/// Which way a packet passed an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The interface's owner received it.
    Inbound,
    /// The interface's owner sent it.
    Outbound,
}

/// A packet at an interface.
#[derive(Debug, Clone, Copy)]
pub struct Captured<'a> {
    /// Where it was seen.
    pub interface: Interface,
    /// When, in nanoseconds since 1970-01-01T00:00:00Z.
    pub at_ns: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The packet, from its IP header on.
    pub bytes: &'a [u8],
    /// A note about it.
    pub comment: Option<&'a str>,
}

impl<W: io::Write> Writer<W> {
    /// Begins a section written by `application`, with a `comment` about it all.
    ///
    /// # Errors
    /// Those of `out`, as everywhere here.
    pub fn new(out: W, application: &str, comment: &str) -> io::Result<Self> {
        let mut block = Block::new(SECTION_HEADER);
        block.u32(0x1A2B_3C4D).u16(1).u16(0).u64(u64::MAX);
        block.text(option::COMMENT, comment).text(option::SECTION_APPLICATION, application).end_options();
        let mut writer = Self { out, interfaces: 0 };
        writer.block(block)?;
        Ok(writer)
    }

    /// Adds an interface. All interfaces must be added before the first packet that passes them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn interface(&mut self, name: &str, description: &str) -> io::Result<Interface> {
        let mut block = Block::new(INTERFACE_DESCRIPTION);
        // No limit to how much of a packet is kept.
        block.u16(LINK_TYPE_RAW).u16(0).u32(0);
        block.text(option::INTERFACE_NAME, name).text(option::INTERFACE_DESCRIPTION, description);
        block.option(option::INTERFACE_TIME_RESOLUTION, &[NANOSECONDS]).end_options();
        self.block(block)?;
        let interface = Interface(self.interfaces);
        self.interfaces += 1;
        Ok(interface)
    }

    /// Says what addresses are called.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn names<'n>(&mut self, names: impl IntoIterator<Item = (IpAddr, &'n str)>) -> io::Result<()> {
        let mut block = Block::new(NAME_RESOLUTION);
        for (address, name) in names {
            let (kind, mut value) = match address {
                IpAddr::V4(address) => (record::IPV4, address.octets().to_vec()),
                IpAddr::V6(address) => (record::IPV6, address.octets().to_vec()),
            };
            value.extend_from_slice(name.as_bytes());
            value.push(0);
            block.option(kind, &value);
        }
        block.option(record::END, &[]);
        self.block(block)
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn packet(&mut self, packet: &Captured<'_>) -> io::Result<()> {
        let length = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
        let mut block = Block::new(ENHANCED_PACKET);
        block.u32(packet.interface.0);
        block.u32((packet.at_ns >> 32) as u32).u32(packet.at_ns as u32);
        block.u32(length).u32(length).padded(packet.bytes);
        let flags: u32 = match packet.direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        };
        if let Some(comment) = packet.comment {
            block.text(option::COMMENT, comment);
        }
        block.option(option::PACKET_FLAGS, &flags.to_le_bytes()).end_options();
        self.block(block)
    }

    /// Ends the file and gives back what it was written to.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// A block is its type, its total length, its body, and its total length again.
    fn block(&mut self, block: Block) -> io::Result<()> {
        let total = u32::try_from(block.body.len() + 12).map_err(io::Error::other)?;
        for part in [&block.kind.to_le_bytes()[..], &total.to_le_bytes(), &block.body, &total.to_le_bytes()] {
            self.out.write_all(part)?;
        }
        Ok(())
    }
}

struct Block {
    kind: u32,
    body: Vec<u8>,
}

impl Block {
    const fn new(kind: u32) -> Self {
        Self { kind, body: Vec::new() }
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.body.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.body.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.body.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Bytes, and zeros up to a multiple of four.
    fn padded(&mut self, bytes: &[u8]) -> &mut Self {
        self.body.extend_from_slice(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
        self
    }

    /// An option, or a record of names: a code, a length, and at most 65,535 bytes.
    fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.u16(code).u16(length).padded(&value[..usize::from(length)])
    }

    fn text(&mut self, code: u16, text: &str) -> &mut Self {
        let mut end = text.len().min(usize::from(u16::MAX));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.option(code, &text.as_bytes()[..end])
    }

    fn end_options(&mut self) {
        self.option(option::END, &[]);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use pcap_file::DataLink;
    use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
    use pcap_file::pcapng::blocks::name_resolution::Record;
    use pcap_file::pcapng::{Block as Read, PcapNgReader};

    use super::*;

    fn blocks(bytes: &[u8]) -> Vec<Read<'static>> {
        let mut reader = PcapNgReader::new(bytes).expect("a section header");
        let mut blocks = vec![Read::SectionHeader(reader.section().clone())];
        while let Some(block) = reader.next_block() {
            blocks.push(block.expect("a block").into_owned());
        }
        blocks
    }

    #[test]
    fn an_interface_is_raw_ip_and_counts_nanoseconds() {
        let mut writer = Writer::new(Vec::new(), "punchlab", "").expect("memory");
        writer.interface("alice:0", "towards nat-a").expect("memory");

        let blocks = blocks(&writer.finish().expect("memory"));

        let Read::InterfaceDescription(interface) = &blocks[1] else { panic!("{blocks:?}") };
        assert_eq!((interface.linktype, interface.snaplen), (DataLink::RAW, 0));
        insta::assert_debug_snapshot!(interface.options, @r#"
        [
            IfName(
                "alice:0",
            ),
            IfDescription(
                "towards nat-a",
            ),
            IfTsResol(
                9,
            ),
        ]
        "#);
    }

    #[test]
    fn a_packet_keeps_its_bytes_time_direction_and_comment_whatever_its_length() {
        for length in 0..=9 {
            let bytes = vec![0xAB; length];
            let mut writer = Writer::new(Vec::new(), "punchlab", "").expect("memory");
            let interface = writer.interface("alice:0", "").expect("memory");
            let direction = Direction::Outbound;
            let at_ns = 946_684_800_000_000_007;
            let packet = Captured { interface, at_ns, direction, bytes: &bytes, comment: Some("died") };
            writer.packet(&packet).expect("memory");

            let blocks = blocks(&writer.finish().expect("memory"));

            let Read::EnhancedPacket(read) = &blocks[2] else { panic!("{blocks:?}") };
            assert_eq!((read.interface_id, read.original_len), (0, length as u32));
            assert_eq!(read.timestamp.as_nanos(), u128::from(at_ns));
            assert_eq!(read.data, bytes);
            assert_eq!(
                read.options,
                [EnhancedPacketOption::Comment(Cow::Borrowed("died")), EnhancedPacketOption::Flags(2)]
            );
        }
    }

    #[test]
    fn addresses_of_both_families_get_names() {
        let mut writer = Writer::new(Vec::new(), "punchlab", "").expect("memory");
        let names = [("192.0.2.3", "stun"), ("2001:db8::4", "turn")];
        let names = names.map(|(address, name)| (address.parse().expect("an address"), name));
        writer.names(names).expect("memory");

        let blocks = blocks(&writer.finish().expect("memory"));

        let Read::NameResolution(read) = &blocks[1] else { panic!("{blocks:?}") };
        let [Record::Ipv4(stun), Record::Ipv6(turn)] = &read.records[..] else {
            panic!("{:?}", read.records)
        };
        assert_eq!((&*stun.ip_addr, &stun.names[..]), (&[192, 0, 2, 3][..], &[Cow::Borrowed("stun")][..]));
        assert_eq!(turn.names, ["turn"]);
    }

    #[test]
    fn a_comment_too_long_for_an_option_is_cut_between_characters() {
        let comment = "→".repeat(30_000);

        let writer = Writer::new(Vec::new(), "punchlab", &comment).expect("memory");

        let blocks = blocks(&writer.finish().expect("memory"));
        let Read::SectionHeader(section) = &blocks[0] else { panic!("{blocks:?}") };
        let text = format!("{:?}", section.options);
        assert_eq!(text.matches('→').count(), 21_845);
    }
}
