//! Events in the order of (time, sequence): what is scheduled first happens first at one instant.
//!
//! Most events are packets on a link, and a link keeps their order. Each direction of a link is therefore a *lane*, a
//! plain queue of which only the head takes part in the sorting, and the heap stays as small as the network however
//! many packets are on their way.

use std::cmp::Ordering;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use crate::base::SimTime;

/// A queue of future events.
#[derive(Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Entry<E>>,
    lanes: Vec<VecDeque<(Due, E)>>,
    sequence: u64,
}

/// When something happens, and below that its place among all that happens at that moment: one number, because
/// comparing these is most of what a queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u128);

#[derive(Debug)]
struct Entry<E> {
    due: Due,
    what: What<E>,
}

#[derive(Debug)]
enum What<E> {
    Event(E),
    /// The head of this lane.
    Lane(usize),
}

impl<E> EventQueue<E> {
    /// An empty queue with this many lanes, numbered from 0.
    pub fn with_lanes(lanes: usize) -> Self {
        Self { heap: BinaryHeap::new(), lanes: (0..lanes).map(|_| VecDeque::new()).collect(), sequence: 0 }
    }

    /// Adds an event that will happen at `at`, after all others already scheduled for that moment.
    pub fn push(&mut self, at: SimTime, event: E) {
        let due = self.next_due(at);
        self.heap.push(Entry { due, what: What::Event(event) });
    }

    /// Adds an event like [`EventQueue::push`], at less cost if it happens no earlier than all others of its lane.
    pub fn push_in_lane(&mut self, lane: usize, at: SimTime, event: E) {
        let due = self.next_due(at);
        let Some(queue) = self.lanes.get_mut(lane) else {
            return self.heap.push(Entry { due, what: What::Event(event) });
        };
        match queue.back() {
            Some((last, _)) if *last > due => self.heap.push(Entry { due, what: What::Event(event) }),
            Some(_) => queue.push_back((due, event)),
            None => {
                queue.push_back((due, event));
                self.heap.push(Entry { due, what: What::Lane(lane) });
            }
        }
    }

    /// When the next event happens.
    pub fn next_at(&self) -> Option<SimTime> {
        self.heap.peek().map(|entry| entry.due.at())
    }

    /// Takes the next event if it happens no later than `now`.
    pub fn pop_due(&mut self, now: SimTime) -> Option<E> {
        let mut first = self.heap.peek_mut()?;
        if first.due.at() > now {
            return None;
        }
        let What::Lane(lane) = first.what else {
            return match PeekMut::pop(first).what {
                What::Event(event) => Some(event),
                What::Lane(_) => None,
            };
        };
        let queue = self.lanes.get_mut(lane)?;
        let (_, event) = queue.pop_front()?;
        match queue.front() {
            // The lane's next event takes its place in the heap.
            Some((next, _)) => first.due = *next,
            None => {
                PeekMut::pop(first);
            }
        }
        Some(event)
    }

    fn next_due(&mut self, at: SimTime) -> Due {
        let due = Due(u128::from(at.as_nanos()) << 64 | u128::from(self.sequence));
        self.sequence += 1;
        due
    }
}

impl Due {
    fn at(self) -> SimTime {
        SimTime::from_nanos((self.0 >> 64) as u64)
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self::with_lanes(0)
    }
}

/// Reversed, because the standard heap gives the greatest first.
impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_millis(millis)
    }

    #[test]
    fn events_come_by_time_and_within_one_instant_in_the_order_they_were_scheduled() {
        let mut queue = EventQueue::default();
        for (time, name) in [(5, "b"), (1, "a"), (5, "c"), (5, "d")] {
            queue.push(at(time), name);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop_due(at(9))).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn the_future_stays_in_the_queue() {
        let mut queue = EventQueue::with_lanes(1);
        queue.push_in_lane(0, at(2), ());
        assert_eq!(queue.pop_due(at(1)), None);
        assert_eq!(queue.next_at(), Some(at(2)));
    }

    proptest! {
        /// Lanes are a matter of speed: the order is that of a plain sort, whatever goes where and when.
        #[test]
        fn lanes_change_no_order(steps in prop::collection::vec((0_usize..4, 0_u64..20, any::<bool>()), 1..200)) {
            let mut queue = EventQueue::with_lanes(3);
            let mut sorted: Vec<(u64, usize)> = Vec::new();
            for (index, (lane, time, take)) in steps.into_iter().enumerate() {
                match lane {
                    3 => queue.push(at(time), index),
                    lane => queue.push_in_lane(lane, at(time), index),
                }
                sorted.push((time, index));
                if take {
                    sorted.sort_unstable();
                    prop_assert_eq!(queue.pop_due(at(99)), Some(sorted.remove(0).1));
                }
            }
            sorted.sort_unstable();
            for (_, index) in sorted {
                prop_assert_eq!(queue.pop_due(at(99)), Some(index));
            }
            prop_assert_eq!(queue.next_at(), None);
        }
    }
}
