//! An order for what rtc's TURN client keeps in hash maps.
//!
//! Requests that are repeated or time out at one moment come in the order of a hash map of their transactions, and one
//! CreatePermission request refreshes all permissions in the order of another. Both differ from run to run.

use std::collections::VecDeque;

use rtc_stun::message::TransactionId as RtcId;
use rtc_turn::client::Event;

use crate::wire::stun::{Builder, Class, Key, Message, method, transaction_bytes};

/// How many requests are remembered: more than can be running, with a permission for each of 100 candidates.
const REMEMBERED: usize = 512;

/// Puts what one client wants and tells in the order of the requests it belongs to.
#[derive(Debug)]
pub(super) struct Order {
    username: String,
    password: String,
    /// Transactions of requests, the oldest first.
    requests: VecDeque<[u8; 12]>,
    /// How many requests came before these.
    forgotten: usize,
}

impl Order {
    /// For a client with these long-term credentials.
    pub(super) fn new(username: &str, password: &str) -> Self {
        let (username, password) = (username.to_owned(), password.to_owned());
        Self { username, password, requests: VecDeque::new(), forgotten: 0 }
    }

    /// Requests in the order in which they were first made, then everything else as it came.
    pub(super) fn sort(&mut self, datagrams: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut placed: Vec<_> =
            datagrams.into_iter().map(|datagram| (self.place_of_request(&datagram), datagram)).collect();
        placed.sort_by_key(|(place, _)| *place);
        let sorted = placed.into_iter().map(|(_, datagram)| datagram);
        sorted.map(|datagram| self.with_sorted_peers(&datagram).unwrap_or(datagram)).collect()
    }

    /// Time-outs in the order in which the requests were made, after everything else.
    pub(super) fn sort_events(&self, events: &mut [Event]) {
        events.sort_by_key(|event| match event {
            Event::TransactionTimeout(RtcId(id)) => self.place(id).map_or(usize::MAX, |place| place + 1),
            _ => 0,
        });
    }

    fn place(&self, id: &[u8; 12]) -> Option<usize> {
        self.requests.iter().position(|request| request == id).map(|index| self.forgotten + index)
    }

    /// A request's place among all requests: the last one if it is new.
    fn place_of_request(&mut self, datagram: &[u8]) -> usize {
        let request = Message::parse(datagram).filter(|message| message.class() == Class::Request);
        let Some(request) = request else { return usize::MAX };
        let id = transaction_bytes(request.transaction());
        self.place(&id).unwrap_or_else(|| {
            self.requests.push_back(id);
            if self.requests.len() > REMEMBERED {
                self.requests.pop_front();
                self.forgotten += 1;
            }
            self.forgotten + self.requests.len() - 1
        })
    }

    /// A CreatePermission request for several peers, with these in the order of their addresses, and signed again.
    fn with_sorted_peers(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(datagram)?;
        if (message.class(), message.method()) != (Class::Request, method::CREATE_PERMISSION) {
            return None;
        }
        let mut peers = message.peer_addresses().ok()?;
        if peers.len() < 2 {
            return None;
        }
        peers.sort_unstable();
        let (realm, nonce) = (message.realm().ok()??, message.nonce().ok()??);
        let request = Builder::request(method::CREATE_PERMISSION, message.transaction());
        let request = peers.into_iter().fold(request, Builder::xor_peer_address);
        let key = Key::long_term(&self.username, realm, &self.password);
        Some(request.username(&self.username).realm(realm).nonce(nonce).finish_with(Some(&key), true))
    }
}
