//! The packets that a trace has kept, by their ids.

use super::PacketRecord;
use crate::base::PacketId;

/// Packets in the order of their ids. A trace that keeps only what matters has gaps between them.
#[derive(Debug, Clone, Default)]
pub struct Packets {
    records: Vec<PacketRecord>,
    stretches: Vec<Stretch>,
}

/// Packets with ids that follow each other.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u64,
    /// Where the first of them is among the records.
    position: usize,
}

impl Packets {
    /// Keeps a packet. Ids must grow from call to call.
    pub fn keep(&mut self, id: PacketId, record: PacketRecord) {
        let position = self.records.len();
        let goes_on = self.stretches.last().is_some_and(|last| last.id_at(position) == id);
        if !goes_on {
            self.stretches.push(Stretch { first: id.index() as u64, position });
        }
        self.records.push(record);
    }

    /// The packet with this id; `None` if it was not kept.
    pub fn get(&self, id: PacketId) -> Option<&PacketRecord> {
        self.records.get(self.position(id)?)
    }

    /// How many packets were kept before this one; `None` if it was not kept itself.
    pub fn position(&self, id: PacketId) -> Option<usize> {
        let later = self.stretches.partition_point(|stretch| stretch.first <= id.index() as u64);
        let end = self.stretches.get(later).map_or(self.records.len(), |stretch| stretch.position);
        let stretch = self.stretches.get(later.checked_sub(1)?)?;
        let position = stretch.position + (id.index() - stretch.first as usize);
        (position < end).then_some(position)
    }

    /// All of them, with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (PacketId, &PacketRecord)> {
        self.stretches.iter().enumerate().flat_map(|(number, stretch)| {
            let end = self.stretches.get(number + 1).map_or(self.records.len(), |next| next.position);
            let numbered = self.records[stretch.position..end].iter().enumerate();
            numbered.map(|(offset, record)| (stretch.id_at(stretch.position + offset), record))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl Stretch {
    const fn id_at(self, position: usize) -> PacketId {
        PacketId::new(self.first + (position - self.position) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::NodeId;
    use crate::wire::{Flow, Packet};

    fn kept(ids: &[u64]) -> Packets {
        let mut packets = Packets::default();
        for &id in ids {
            let flow = Flow::new(([10, 0, 1, 2], id as u16).into(), ([192, 0, 2, 3], 443).into());
            let Packet { flow, body, .. } = Packet::udp(flow, Vec::new());
            let record = PacketRecord { origin: NodeId::new(1), cause: None, flow, body, len: 28 };
            packets.keep(PacketId::new(id), record);
        }
        packets
    }

    #[test]
    fn a_packet_is_found_by_its_id_and_others_are_not() {
        let packets = kept(&[0, 1, 5, 6, 7, 100]);

        for id in 0..=101 {
            let found = packets.get(PacketId::new(id)).map(|record| u64::from(record.flow.source.port()));
            assert_eq!(found, [0, 1, 5, 6, 7, 100].contains(&id).then_some(id));
        }
        assert_eq!(packets.position(PacketId::new(6)), Some(3));
        assert_eq!(kept(&[]).get(PacketId::new(0)).map(|record| record.len), None);
        assert_eq!(kept(&[4]).get(PacketId::new(3)).map(|record| record.len), None);
    }

    #[test]
    fn all_of_them_come_with_their_ids() {
        let packets = kept(&[2, 3, 9]);

        let ids: Vec<_> =
            packets.iter().map(|(id, record)| (id.index(), record.flow.source.port())).collect();

        assert_eq!(ids, [(2, 2), (3, 3), (9, 9)]);
        assert_eq!((packets.len(), packets.is_empty()), (3, false));
    }
}
