//! A link: delay, jitter, loss, duplication, reordering, rate and queue, one direction at a time.

use std::collections::VecDeque;

use crate::base::{Probability, Random, SimDuration, SimTime};
use crate::plan::{self, DropReason};

/// One direction of a link.
#[derive(Debug, Clone)]
pub struct Channel {
    link: plan::Link,
    /// True if all it does to a packet that fits is to take its time.
    only_delays: bool,
    random: Random,
    /// When the last packet accepted will have left.
    busy_until: SimTime,
    /// When each packet that still waits will begin to leave.
    waiting: VecDeque<SimTime>,
    /// The latest arrival among packets that were not held back.
    last_arrival: SimTime,
}

/// What becomes of a packet on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It arrives at this time.
    Arrives(SimTime),
    /// It arrives at the first time, and a copy of it at the second.
    Twice(SimTime, SimTime),
    /// It is lost.
    Lost(DropReason),
}

impl Channel {
    /// One direction of `link`, with a stream of randomness of its own.
    pub fn new(link: &plan::Link, random: Random) -> Self {
        Self {
            link: link.clone(),
            only_delays: only_delays(link),
            random,
            busy_until: SimTime::ZERO,
            waiting: VecDeque::new(),
            last_arrival: SimTime::ZERO,
        }
    }

    /// The link is like this from now on. What is on its way arrives as it would have, and nothing sent later overtakes
    /// it.
    pub fn set(&mut self, now: SimTime, link: &plan::Link) {
        if self.only_delays {
            self.last_arrival = now + self.link.delay;
        }
        self.only_delays = only_delays(link) && now + link.delay >= self.last_arrival;
        self.link = link.clone();
    }

    /// Sends an IP packet of this many bytes. Calls must not go back in time.
    pub fn admit(&mut self, now: SimTime, bytes: usize) -> Passage {
        if !self.link.up {
            return Passage::Lost(DropReason::LinkDown);
        }
        if bytes > usize::from(self.link.mtu) {
            return Passage::Lost(DropReason::MtuExceeded);
        }
        if self.only_delays {
            return Passage::Arrives(now + self.link.delay);
        }
        let Some(sent) = self.transmit(now, bytes) else {
            return Passage::Lost(DropReason::QueueFull);
        };
        if self.random.chance(self.link.loss) {
            return Passage::Lost(DropReason::LinkLoss);
        }
        let copied = self.random.chance(self.link.duplicate);
        let arrival = self.arrival(sent);
        if copied { Passage::Twice(arrival, self.arrival(sent)) } else { Passage::Arrives(arrival) }
    }

    /// When the packet's last bit has left, after those before it; `None` if the queue is full.
    fn transmit(&mut self, now: SimTime, bytes: usize) -> Option<SimTime> {
        let Some(rate) = self.link.rate else { return Some(now) };
        while self.waiting.front().is_some_and(|start| *start <= now) {
            self.waiting.pop_front();
        }
        let start = self.busy_until.max(now);
        if start > now {
            if self.waiting.len() >= self.link.queue as usize {
                return None;
            }
            self.waiting.push_back(start);
        }
        self.busy_until = start + rate.time_to_send(bytes);
        Some(self.busy_until)
    }

    /// Jitter keeps the order; only a packet that is held back is overtaken.
    fn arrival(&mut self, sent: SimTime) -> SimTime {
        let held_back = self.random.chance(self.link.reorder);
        let arrival = (sent + self.link.delay + self.jitter()).max(self.last_arrival);
        if held_back {
            return arrival + plan::Link::REORDER_HOLD;
        }
        self.last_arrival = arrival;
        arrival
    }

    fn jitter(&mut self) -> SimDuration {
        match self.link.jitter.as_nanos() {
            0 => SimDuration::ZERO,
            most => SimDuration::from_nanos(self.random.below(most.saturating_add(1))),
        }
    }
}

fn only_delays(link: &plan::Link) -> bool {
    let never = [link.loss, link.duplicate, link.reorder].into_iter().all(Probability::is_zero);
    never && link.rate.is_none() && link.jitter == SimDuration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Bandwidth;
    use crate::plan::Link;

    fn ms(milliseconds: u64) -> SimTime {
        SimTime::from_millis(milliseconds)
    }

    fn channel(change: impl FnOnce(&mut Link)) -> Channel {
        let mut link = Link::with_delay(SimDuration::from_millis(10));
        change(&mut link);
        Channel::new(&link, Random::stream(1, "link", "up"))
    }

    /// A megabit a second: 125 bytes take a millisecond.
    fn megabit() -> Option<Bandwidth> {
        Bandwidth::from_bits_per_second(1_000_000)
    }

    fn arrival(passage: Passage) -> SimTime {
        match passage {
            Passage::Arrives(at) => at,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_packet_arrives_after_the_delay() {
        assert_eq!(channel(|_| ()).admit(ms(5), 100), Passage::Arrives(ms(15)));
    }

    #[test]
    fn a_link_that_is_down_loses_everything() {
        assert_eq!(channel(|link| link.up = false).admit(ms(0), 1), Passage::Lost(DropReason::LinkDown));
    }

    #[test]
    fn packets_larger_than_the_mtu_are_lost() {
        let mut channel = channel(|link| link.mtu = 1_280);
        assert_eq!(channel.admit(ms(0), 1_280), Passage::Arrives(ms(10)));
        assert_eq!(channel.admit(ms(0), 1_281), Passage::Lost(DropReason::MtuExceeded));
    }

    #[test]
    fn jitter_lengthens_the_delay_within_its_bound_and_keeps_the_order() {
        let mut channel = channel(|link| link.jitter = SimDuration::from_millis(50));
        let mut last = SimTime::ZERO;
        let mut delays = Vec::new();
        for sent in (0..200).map(ms) {
            let at = arrival(channel.admit(sent, 100));
            assert!(at >= last, "order");
            last = at;
            delays.push(at.since(sent));
        }
        assert!(delays.iter().all(|delay| (10..=60).contains(&(delay.as_nanos() / 1_000_000))));
        assert!(delays.iter().min() != delays.iter().max(), "some jitter");
    }

    #[test]
    fn loss_and_duplication_follow_their_chances() {
        let mut lossy = channel(|link| link.loss = Probability::from_percent(30));
        let lost = (0..1_000).filter(|n| lossy.admit(ms(*n), 1) == Passage::Lost(DropReason::LinkLoss));
        assert!((250..350).contains(&lost.count()));
        let mut copying = channel(|link| link.duplicate = Probability::from_percent(30));
        let twice = (0..1_000).filter(|n| matches!(copying.admit(ms(*n), 1), Passage::Twice(..)));
        assert!((250..350).contains(&twice.count()));
        let mut always = channel(|link| link.loss = Probability::ONE);
        assert_eq!(always.admit(ms(0), 1), Passage::Lost(DropReason::LinkLoss));
    }

    #[test]
    fn a_packet_that_is_held_back_is_overtaken() {
        let mut channel = channel(|link| link.reorder = Probability::from_percent(50));
        let arrivals: Vec<_> = (0..100).map(|n| (n, arrival(channel.admit(ms(n), 1)))).collect();
        for (sent, at) in &arrivals {
            let held = at.since(ms(*sent)) == SimDuration::from_millis(10) + Link::REORDER_HOLD;
            assert!(held || at.since(ms(*sent)) == SimDuration::from_millis(10));
        }
        assert!(arrivals.windows(2).any(|pair| pair[0].1 > pair[1].1), "nothing was overtaken");
    }

    #[test]
    fn packets_leave_one_after_the_other_at_the_rate() {
        let mut channel = channel(|link| link.rate = megabit());
        let arrivals = [ms(0), ms(0), ms(0), ms(9)].map(|now| arrival(channel.admit(now, 125)));
        assert_eq!(arrivals, [ms(11), ms(12), ms(13), ms(20)]);
    }

    #[test]
    fn on_a_link_that_gets_faster_nothing_overtakes_what_is_on_its_way() {
        let mut channel = channel(|_| ());
        channel.admit(ms(0), 100);
        channel.set(ms(0), &Link::with_delay(SimDuration::from_millis(1)));

        let arrivals = [ms(0), ms(5), ms(20)].map(|now| arrival(channel.admit(now, 100)));

        assert_eq!(arrivals, [ms(10), ms(10), ms(21)]);
    }

    #[test]
    fn a_link_that_goes_down_loses_what_is_sent_from_then_on() {
        let mut channel = channel(|_| ());
        channel.set(ms(5), &Link { up: false, ..channel.link.clone() });

        assert_eq!(channel.admit(ms(5), 100), Passage::Lost(DropReason::LinkDown));
    }

    #[test]
    fn as_many_packets_wait_as_the_queue_holds() {
        let mut channel = channel(|link| (link.rate, link.queue) = (megabit(), 2));
        let full = Passage::Lost(DropReason::QueueFull);
        let got = [ms(0); 4].map(|now| channel.admit(now, 125));
        assert_eq!(got, [Passage::Arrives(ms(11)), Passage::Arrives(ms(12)), Passage::Arrives(ms(13)), full]);
        assert_eq!(channel.admit(ms(1), 125), Passage::Arrives(ms(14)), "one has begun to leave");
        assert_eq!(channel.admit(ms(1), 125), full);
    }

    #[test]
    fn a_packet_lost_on_the_way_has_taken_its_time_on_the_link() {
        let mut channel = channel(|link| (link.rate, link.loss) = (megabit(), Probability::ONE));
        channel.admit(ms(0), 125);
        channel.link.loss = Probability::ZERO;
        assert_eq!(channel.admit(ms(0), 125), Passage::Arrives(ms(12)));
    }
}
