//! Which peers a relay lets through, and what waits for that.

use std::net::SocketAddr;

use rtc_stun::message::TransactionId as RtcId;

/// How many datagrams wait for one permission. rtc repeats its checks each 200 ms; more are of no use.
const HELD: usize = 8;

/// The permissions of one allocation.
#[derive(Debug, Default)]
pub(super) struct Permissions(Vec<Permission>);

#[derive(Debug)]
struct Permission {
    peer: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    Asked { id: Option<RtcId>, stale_nonces: u8, held: Vec<Vec<u8>> },
    Granted,
    Refused,
}

/// A permission that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) peer: SocketAddr,
    pub(super) stale_nonces: u8,
}

/// What becomes of data for a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// They may be sent.
    Pass,
    /// They wait, or are lost.
    Keep,
}

impl Permissions {
    /// True if `peer` is new and has to be asked for.
    pub(super) fn want(&mut self, peer: SocketAddr) -> bool {
        let is_new = self.find(peer).is_none();
        if is_new {
            let state = State::Asked { id: None, stale_nonces: 0, held: Vec::new() };
            self.0.push(Permission { peer, state });
        }
        is_new
    }

    /// The server has been asked to let `peer` through.
    pub(super) fn asked(&mut self, peer: SocketAddr, with: RtcId, stale: u8) {
        if let Some(State::Asked { id, stale_nonces, .. }) = self.find(peer) {
            (*id, *stale_nonces) = (Some(with), stale);
        }
    }

    /// The permission that was asked for with this transaction.
    pub(super) fn asked_with(&self, with: RtcId) -> Option<Asked> {
        self.0.iter().find_map(|permission| match permission.state {
            State::Asked { id, stale_nonces, .. } if id == Some(with) => {
                Some(Asked { peer: permission.peer, stale_nonces })
            }
            _ => None,
        })
    }

    /// The server lets `peer` through; these data waited for it.
    pub(super) fn granted(&mut self, peer: SocketAddr) -> Vec<Vec<u8>> {
        match self.find(peer).map(|state| std::mem::replace(state, State::Granted)) {
            Some(State::Asked { held, .. }) => held,
            _ => Vec::new(),
        }
    }

    /// The server will not let `peer` through.
    pub(super) fn refused(&mut self, peer: SocketAddr) {
        if let Some(state) = self.find(peer) {
            *state = State::Refused;
        }
    }

    /// The server did not answer: the next data for `peer` ask again.
    pub(super) fn forget(&mut self, peer: SocketAddr) {
        self.0.retain(|permission| permission.peer != peer);
    }

    /// Whether `data` may be sent to `peer`; if not yet, they are kept until they may.
    pub(super) fn hold_or_pass(&mut self, peer: SocketAddr, data: &[u8]) -> Grant {
        match self.find(peer) {
            Some(State::Granted) => return Grant::Pass,
            Some(State::Asked { held, .. }) if held.len() < HELD => held.push(data.to_vec()),
            _ => {}
        }
        Grant::Keep
    }

    fn find(&mut self, peer: SocketAddr) -> Option<&mut State> {
        self.0.iter_mut().find(|permission| permission.peer == peer).map(|permission| &mut permission.state)
    }
}
