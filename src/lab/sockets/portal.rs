//! Between a future and the network: what its sockets ask for, and what comes to them.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::endpoint::{BindError, Failure, Host};

thread_local! {
    /// The portal of the peer whose future runs at this moment.
    static CURRENT: RefCell<Option<Portal>> = const { RefCell::new(None) };
}

/// One peer's way into the network.
#[derive(Clone)]
pub struct Portal {
    state: Arc<Mutex<State>>,
    /// Tells the driver that something was asked for.
    asked: Arc<Notify>,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Ask>,
    inboxes: BTreeMap<SocketAddr, Arc<Inbox>>,
    /// What became of the peer's future.
    finished: Option<Result<(), Failure>>,
    is_done: bool,
}

/// What a socket asks for.
pub enum Ask {
    /// To be opened.
    Bind(u16, oneshot::Sender<io::Result<(SocketAddr, Arc<Inbox>)>>),
    /// To be closed.
    Close(SocketAddr),
    /// To send: from, to, what.
    Send(SocketAddr, SocketAddr, Vec<u8>),
}

/// Datagrams that wait to be received. There is room for all of them.
#[derive(Default)]
pub struct Inbox {
    waiting: Mutex<VecDeque<(SocketAddr, Vec<u8>)>>,
    /// Tells whoever receives that something came.
    pub came: Notify,
}

impl Portal {
    /// A portal that tells `asked` when it is asked for something.
    pub fn new(asked: Arc<Notify>) -> Self {
        Self { state: Arc::default(), asked }
    }

    /// The portal of the peer whose future runs at this moment.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Does something as this peer.
    pub fn within<T>(&self, doing: impl FnOnce() -> T) -> T {
        let before = CURRENT.replace(Some(self.clone()));
        let restore = Restore(before);
        let done = doing();
        drop(restore);
        done
    }

    /// Asks for something, which happens at this moment of virtual time.
    pub fn ask(&self, ask: Ask) {
        self.state().requests.push_back(ask);
        self.asked.notify_one();
    }

    /// The peer's future has finished.
    pub fn finish(&self, result: Result<(), Failure>) {
        let mut state = self.state();
        state.is_done = true;
        state.finished = Some(result);
        drop(state);
        self.asked.notify_one();
    }

    /// True if something was asked for, or the future has finished, since the last [`Portal::carry_out`].
    pub fn wants_to_act(&self) -> bool {
        let state = self.state();
        !state.requests.is_empty() || state.finished.is_some()
    }

    /// True once the peer's future has finished.
    pub fn is_done(&self) -> bool {
        self.state().is_done
    }

    /// Does what was asked for.
    ///
    /// # Errors
    /// The peer's future has failed.
    pub fn carry_out(&self, host: &mut Host) -> Result<(), Failure> {
        loop {
            let next = self.state().requests.pop_front();
            match next {
                None => break,
                Some(Ask::Bind(port, answer)) => {
                    let opened = host.bind(port).map_err(refused).map(|socket| self.open(socket));
                    // If nobody waits for the socket any more, it is not opened after all.
                    if let Err(Ok((socket, _))) = answer.send(opened) {
                        self.close(socket, host);
                    }
                }
                Some(Ask::Close(socket)) => self.close(socket, host),
                Some(Ask::Send(socket, to, payload)) => host.send(socket, to, payload)?,
            }
        }
        let finished = self.state().finished.take();
        finished.unwrap_or(Ok(()))
    }

    /// A datagram came.
    pub fn deliver(&self, socket: SocketAddr, from: SocketAddr, payload: &[u8]) {
        let inbox = self.state().inboxes.get(&socket).cloned();
        if let Some(inbox) = inbox {
            inbox.waiting().push_back((from, payload.to_vec()));
            inbox.came.notify_one();
        }
    }

    fn open(&self, socket: SocketAddr) -> (SocketAddr, Arc<Inbox>) {
        let inbox = Arc::<Inbox>::default();
        self.state().inboxes.insert(socket, Arc::clone(&inbox));
        (socket, inbox)
    }

    fn close(&self, socket: SocketAddr, host: &mut Host) {
        self.state().inboxes.remove(&socket);
        host.close(socket);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// The oldest datagram that `wanted` takes; those it does not take are lost.
    pub fn take(&self, wanted: impl Fn(SocketAddr) -> bool) -> Option<(SocketAddr, Vec<u8>)> {
        let mut waiting = self.waiting();
        loop {
            let (from, payload) = waiting.pop_front()?;
            if wanted(from) {
                return Some((from, payload));
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(SocketAddr, Vec<u8>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the portal back that was current before, even if the future panics.
struct Restore(Option<Portal>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

fn refused(error: BindError) -> io::Error {
    let kind = match error {
        BindError::InUse(_) => io::ErrorKind::AddrInUse,
        BindError::NoneLeft => io::ErrorKind::AddrNotAvailable,
    };
    io::Error::new(kind, error)
}
