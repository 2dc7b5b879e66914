//! The contract of an agent: rules that every stack keeps. What only one stack promises is tested beside it.

mod bases;
mod call;
mod gathering;
mod lite;
mod relaying;
mod robustness;
mod streams;

use super::world::calls::*;
use super::world::{ALICE, BOB, Datagram, World, address, config, socket, stun_server, turn_server};
use super::*;
use crate::plan::CandidateType;
use crate::wire::signal::Description;

/// A stack, and the numbers in which stacks may differ.
struct Stack {
    kind: StackKind,
    deviations: &'static [Deviation],
    /// When it has its relayed candidate if a server is 20 ms there and back, in milliseconds after its start.
    allocated_at: u64,
    /// When it repeats a request to a server, in milliseconds.
    rto: u64,
    /// What it says if a server answers with 403 instead of letting `10.0.0.2:5000` through.
    permission_refused: &'static str,
}

const IS: Stack = Stack {
    kind: StackKind::Is,
    deviations: is_stack::DEVIATIONS,
    // Servers are asked one each Ta, and a TURN server asks for credentials first.
    allocated_at: 90,
    rto: 500,
    permission_refused: "CreatePermission for 10.0.0.2 failed: 403",
};

#[cfg(feature = "rtc")]
const RTC: Stack = Stack {
    kind: StackKind::Rtc,
    deviations: rtc_stack::DEVIATIONS,
    allocated_at: 40,
    rto: 200,
    permission_refused: "CreatePermission for 10.0.0.2:5000 failed",
};

const STACKS: &[Stack] = &[
    IS,
    #[cfg(feature = "rtc")]
    RTC,
];

/// Makes each rule a test of each stack.
macro_rules! every_stack_keeps {
    ($($rule:ident),* $(,)?) => {
        mod is {
            $(#[test] fn $rule() { super::$rule(&super::IS); })*
        }
        #[cfg(feature = "rtc")]
        mod rtc {
            $(#[test] fn $rule() { super::$rule(&super::RTC); })*
        }
    };
}
use every_stack_keeps;
