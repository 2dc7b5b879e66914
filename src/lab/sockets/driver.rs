//! Futures and network under one clock: tokio's, paused, which jumps to whatever comes next while nothing is to be done.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout_at};

use super::portal::Portal;
use crate::base::{NodeId, SimTime};
use crate::endpoint::{Endpoint, Failure, Host, Input};
use crate::engine::{Guest, Run, RunError, RunOptions, World};
use crate::lab::Error;
use crate::plan::Plan;

/// A future as a peer's program.
pub struct Task<'e> {
    future: Pin<Box<dyn Future<Output = Result<(), Failure>> + 'e>>,
    is_service: bool,
}

impl<'e> Task<'e> {
    /// A program that the run waits for, unless it is a service.
    pub fn new(future: impl Future<Output = Result<(), Failure>> + 'e, is_service: bool) -> Self {
        Self { future: Box::pin(future), is_service }
    }
}

/// The network's end of a portal.
struct Door {
    portal: Portal,
    is_service: bool,
}

impl Endpoint for Door {
    fn handle(&mut self, _now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
        if let Input::Datagram { socket, from, payload } = input {
            self.portal.deliver(socket, from, payload);
        }
        self.portal.carry_out(host)
    }

    /// tokio's clock wakes futures, and [`drive`] lets them act.
    fn next_timeout(&self) -> Option<SimTime> {
        None
    }

    fn is_done(&self) -> bool {
        self.is_service || self.portal.is_done()
    }
}

/// Runs the plan with futures beside the other guests. Each task has its place in the order of both.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    mut guests: Vec<Guest<'_>>,
    tasks: Vec<(usize, NodeId, Task<'_>)>,
) -> Result<Run, Error> {
    if Handle::try_current().is_ok() {
        return Err(Error::InsideRuntime);
    }
    let runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().map_err(Error::Runtime)?;
    let asked = Arc::new(Notify::new());
    let portals: Vec<(usize, Portal)> =
        tasks.iter().map(|(seat, ..)| (*seat, Portal::new(Arc::clone(&asked)))).collect();
    let mut doors: Vec<Door> = portals
        .iter()
        .zip(&tasks)
        .map(|((_, portal), (.., task))| Door { portal: portal.clone(), is_service: task.is_service })
        .collect();
    // A shorter borrow, so that the doors may stand among them.
    let mut guests: Vec<Guest<'_>> =
        guests.iter_mut().map(|guest| Guest { node: guest.node, endpoint: &mut *guest.endpoint }).collect();
    for (door, (seat, node, _)) in doors.iter_mut().zip(&tasks) {
        guests.insert(*seat, Guest { node: *node, endpoint: door });
    }
    let mut world = World::new(plan, options, guests)?;
    let futures = portals.iter().zip(tasks).map(|((_, portal), (.., task))| (portal, program(portal, task)));
    runtime.block_on(together(futures.collect(), drive(&mut world, &portals, &asked)))?;
    Ok(world.finish())
}

/// A peer's future with what it starts on its own thread.
async fn program(portal: &Portal, task: Task<'_>) {
    let local = LocalSet::new();
    let result = local.run_until(task.future).await;
    portal.finish(result);
    local.await;
}

/// Runs the programs until the driver has finished.
async fn together<P: Future<Output = ()>>(
    programs: Vec<(&Portal, P)>,
    driver: impl Future<Output = Result<(), RunError>>,
) -> Result<(), RunError> {
    let mut driver = pin!(driver);
    let mut running: Vec<_> =
        programs.into_iter().map(|(portal, program)| (portal, Box::pin(program))).collect();
    poll_fn(|context| {
        running.retain_mut(|(portal, program)| {
            portal.within(|| program.as_mut().poll(context)) == Poll::Pending
        });
        driver.as_mut().poll(context)
    })
    .await
}

/// Lets the network go on whenever tokio's clock reaches what happens next in it, and whenever a future asks for
/// something, until the run is over.
async fn drive(
    world: &mut World<'_, '_>,
    portals: &[(usize, Portal)],
    asked: &Notify,
) -> Result<(), RunError> {
    let start = Instant::now();
    let end = world.end();
    loop {
        let now = SimTime::ZERO + start.elapsed().into();
        world.run_until(now)?;
        let waiting: Vec<usize> =
            portals.iter().filter(|(_, portal)| portal.wants_to_act()).map(|(seat, _)| *seat).collect();
        for seat in &waiting {
            world.wake(*seat, now)?;
        }
        if !waiting.is_empty() {
            continue;
        }
        let next = world.next_event_at().unwrap_or(SimTime::MAX);
        if now >= end || world.is_over_before(next) {
            return Ok(());
        }
        let until = start + next.min(end).since(SimTime::ZERO).into();
        // Whichever comes first; both mean to look again.
        let _ = timeout_at(until, asked.notified()).await;
    }
}
