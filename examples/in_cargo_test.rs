//! How scenarios look inside `cargo test`: each test is one rule about one call.
//!
//! Run it with `cargo test --example in_cargo_test`.
#![allow(clippy::print_stdout)]

/// Only as a test there is something to see.
fn main() {
    println!("cargo test --example in_cargo_test");
}

#[cfg(test)]
mod tests {
    use punchlab::lab::{Error, Scenario};
    use punchlab::plan::{Needs, Path};

    const CALL: &str = "
    nats: { home: port-restricted-cone, office: symmetric }
    servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
    peers: { alice: { behind: home }, bob: { behind: office } }
    calls: [alice -> bob]
    expect: { path: relay, needs: turn }
    ";

    fn call() -> Scenario {
        Scenario::text("home to office", CALL)
    }

    #[test]
    fn the_office_needs_a_relay() -> Result<(), Error> {
        call().run()?.assert_expected();
        Ok(())
    }

    #[test]
    fn an_open_filter_at_the_office_spares_the_relay() -> Result<(), Error> {
        let run = call().set("nats.office.filtering", "endpoint-independent").run()?;
        run.assert_path("alice -> bob", Path::Stun);
        assert_eq!(run.call("alice -> bob").needs, Some(Needs::Stun));
        Ok(())
    }

    #[test]
    fn the_seed_changes_ports_and_not_the_path() -> Result<(), Error> {
        for seed in 1..=5 {
            call().seed(seed).run()?.assert_path("alice -> bob", Path::Relay);
        }
        Ok(())
    }
}
