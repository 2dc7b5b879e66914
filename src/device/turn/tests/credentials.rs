//! RFC 8489 §9.2.4: the order of checks, and nonces.

use super::*;
use crate::wire::stun::attribute;

/// A signed Allocate request without one of its three attributes.
fn without(missing: &str, nonce: &str) -> Vec<u8> {
    let mut request = Builder::request(method::ALLOCATE, 7_u128.into()).requested_transport(TRANSPORT_UDP);
    if missing != "username" {
        request = request.username("demo");
    }
    if missing != "realm" {
        request = request.realm(REALM);
    }
    if missing != "nonce" {
        request = request.nonce(nonce);
    }
    request.finish_with(Some(&key_of("demo")), false)
}

#[test]
fn a_request_without_integrity_is_challenged_with_realm_and_nonce() {
    let mut bench = Bench::new();
    let answer = bench.ask(CLIENT, Builder::request(method::ALLOCATE, 7_u128.into()).finish());
    let message = answer.message();
    assert_eq!(answer.code(), Some(401));
    assert_eq!(message.transaction(), 7_u128.into());
    assert_eq!(message.realm(), Ok(Some(REALM)));
    assert!(message.nonce().expect("well-formed").is_some());
    assert!(!message.has(attribute::MESSAGE_INTEGRITY));
}

#[test]
fn integrity_without_username_realm_or_nonce_is_a_bad_request() {
    let mut bench = Bench::new();
    let nonce = bench.fresh_nonce(CLIENT);
    for missing in ["username", "realm", "nonce"] {
        let answer = bench.ask(CLIENT, without(missing, &nonce));
        assert_eq!(answer.code(), Some(400), "{missing}");
        assert!(!answer.message().has(attribute::NONCE));
    }
}

#[test]
fn an_unknown_user_is_unauthorized() {
    let mut bench = Bench::new();
    let request = bench.allocate_request();
    assert_eq!(bench.request_as("nobody", CLIENT, request).code(), Some(401));
}

#[test]
fn a_foreign_realm_is_unauthorized() {
    let mut bench = Bench::new();
    let nonce = bench.fresh_nonce(CLIENT);
    let request = bench.allocate_request().username("demo").realm("other.org").nonce(&nonce);
    assert_eq!(bench.ask(CLIENT, request.finish_with(Some(&key_of("demo")), false)).code(), Some(401));
}

#[test]
fn a_wrong_password_is_unauthorized_even_with_a_stale_nonce() {
    let mut bench = Bench::new();
    let wrong = Key::long_term("demo", REALM, "guess");
    for nonce in [bench.fresh_nonce(CLIENT), "stale".to_owned()] {
        let request = bench.allocate_request().username("demo").realm(REALM).nonce(&nonce);
        let answer = bench.ask(CLIENT, request.finish_with(Some(&wrong), false));
        assert_eq!(answer.code(), Some(401));
    }
    assert!(bench.changes.is_empty());
}

#[test]
fn a_nonce_is_good_until_its_lifetime_ends() {
    let mut bench = Bench::new();
    bench.now = seconds(5);
    let nonce = bench.fresh_nonce(CLIENT);
    bench.now = SimTime::from_nanos(seconds(605).as_nanos() - 1);
    let request = sign(bench.allocate_request(), "demo", &nonce);
    assert!(bench.ask(CLIENT, request).is_success());
    bench.refresh(CLIENT, 0);

    bench.now = seconds(605);
    let request = sign(bench.allocate_request(), "demo", &nonce);
    let answer = bench.ask(CLIENT, request);
    assert_eq!(answer.code(), Some(438));
    let retried = sign(bench.allocate_request(), "demo", &answer.nonce());
    assert!(bench.ask(CLIENT, retried).is_success());
}

#[test]
fn two_requests_have_the_same_nonce_only_from_the_same_source_address_and_port() {
    let mut bench = Bench::new();
    let nonce = bench.fresh_nonce(CLIENT);
    assert_eq!(bench.fresh_nonce(CLIENT), nonce, "at the same moment");
    for other in ["203.0.113.1:40002", "203.0.113.2:40001"] {
        assert_ne!(bench.fresh_nonce(other), nonce);
        let request = sign(bench.allocate_request(), "demo", &nonce);
        assert_eq!(bench.ask(other, request).code(), Some(438));
    }
}

#[test]
fn a_nonce_begins_with_the_nonce_cookie_of_a_server_without_security_features() {
    assert!(Bench::new().fresh_nonce(CLIENT).starts_with("obMatJos2AAAA"));
}

#[test]
fn a_nonce_the_server_did_not_give_out_is_stale() {
    let mut bench = Bench::new();
    let nonce = bench.fresh_nonce(CLIENT);
    let (cookie, issued_and_proof) = nonce.split_at(13);
    let later = format!("{cookie}{:016x}{}", 1, &issued_and_proof[16..]);
    let signs = format!("{cookie}+000000000000000+000000000000000");
    for forged in ["", "nonce", cookie, issued_and_proof, &signs, &later, &format!("{nonce}0")] {
        let request = sign(bench.allocate_request(), "demo", forged);
        assert_eq!(bench.ask(CLIENT, request).code(), Some(438), "{forged}");
    }
}

#[test]
fn answers_after_authentication_are_signed() {
    let mut bench = Bench::new();
    let request = bench.allocate_request();
    let success = bench.request(CLIENT, request);
    assert!(success.is_success() && success.message().verify(&key_of("demo")));
    let request = bench.allocate_request();
    let mismatch = bench.request_as("other", CLIENT, request);
    assert_eq!(mismatch.code(), Some(437));
    assert!(mismatch.message().verify(&key_of("other")));
}

#[test]
fn unknown_attributes_are_named_only_after_authentication() {
    let mut bench = Bench::new();
    let request = |bench: &mut Bench| bench.allocate_request().raw(0x7001.into(), &[]);
    let unsigned = request(&mut bench).finish();
    assert_eq!(bench.ask(CLIENT, unsigned).code(), Some(401));
    let signed = request(&mut bench);
    let answer = bench.request(CLIENT, signed);
    assert_eq!(answer.code(), Some(420));
    assert!(answer.message().rejects(0x7001.into()));
}

#[test]
fn methods_without_a_meaning_here_are_discarded() {
    let mut bench = Bench::new();
    let outcome = bench.deliver(
        CLIENT,
        address(SERVER),
        Builder::request(crate::wire::stun::Method::new(0x00a), 7_u128.into()).finish(),
    );
    assert_eq!(outcome.verdict, Verdict::Deliver);
    assert!(outcome.packets.is_empty());
}
