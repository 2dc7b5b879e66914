//! An ICE stack of one's own on one side of a call. This one is the lab's, made to withhold its server-reflexive
//! candidates: what would become of calls if we stopped to signal them?
//!
//! Run it with `cargo run --example own_ice_stack`.
#![allow(clippy::print_stdout)]

use punchlab::agent::is_stack::IsStack;
use punchlab::agent::{AgentConfig, IceStack, Input, Output, StackError};
use punchlab::base::SimTime;
use punchlab::lab::{Error, Scenario};
use punchlab::plan::{CandidateType, Path};
use punchlab::wire::Signal;

const CALL: &str = "
nats: { home: port-restricted-cone, office: full-cone }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
peers: { alice: { behind: home }, bob: { behind: office } }
calls: [alice -> bob]
";

/// An `is` agent that keeps its server-reflexive candidates to itself.
struct Discreet(IsStack);

impl IceStack for Discreet {
    fn name(&self) -> &'static str {
        "discreet"
    }

    fn handle(&mut self, now: SimTime, input: Input<'_>) -> Result<(), StackError> {
        self.0.handle(now, input)
    }

    fn poll(&mut self) -> Option<Output> {
        loop {
            match self.0.poll()? {
                Output::Signal(Signal::Candidate { candidate, .. })
                    if candidate.kind == CandidateType::ServerReflexive => {}
                other => return Some(other),
            }
        }
    }

    fn next_timeout(&mut self) -> Option<SimTime> {
        self.0.next_timeout()
    }
}

fn discreet(config: AgentConfig) -> Box<dyn IceStack> {
    Box::new(Discreet(IsStack::new(config)))
}

/// With one discreet side the call still punches its hole, with two it needs the relay.
pub fn main() -> Result<(), Error> {
    let call = Scenario::text("discreet", CALL);

    let one = call.clone().with_stack("alice", discreet).run()?;
    println!("{one}");
    one.assert_path("alice -> bob", Path::Stun);
    assert_eq!(one.call("alice -> bob").agents["alice"], "discreet");

    let both = call.with_stack("alice", discreet).with_stack("bob", discreet).run()?;
    println!("{both}");
    both.assert_path("alice -> bob", Path::Relay);
    Ok(())
}
