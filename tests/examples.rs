//! Every example does what it says it does: they assert it themselves.

#[cfg(feature = "tokio")]
#[path = "../examples/async_echo.rs"]
mod async_echo;
#[path = "../examples/hole_punching.rs"]
mod hole_punching;
#[path = "../examples/own_ice_stack.rs"]
mod own_ice_stack;
#[path = "../examples/stun_client.rs"]
mod stun_client;

#[test]
fn hole_punching() {
    hole_punching::main().expect("a run");
}

#[test]
fn stun_client() {
    stun_client::main().expect("a run");
}

#[test]
fn own_ice_stack() {
    own_ice_stack::main().expect("a run");
}

#[cfg(feature = "tokio")]
#[test]
fn async_echo() {
    async_echo::main().expect("a run");
}
