//! Virtual sockets: they behave as tokio's do, under virtual time, and the same bytes come out each time.
#![cfg(feature = "tokio")]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use punchlab::base::SimTime;
use punchlab::endpoint::{Endpoint, Failure, Host, Input};
use punchlab::lab::sockets::UdpSocket;
use punchlab::lab::{Error, Finished, Scenario, Staged};
use punchlab::plan::{DropReason, Path};
use tokio::time::{Instant, sleep, timeout};

const NETWORK: &str = "
nats: { home: port-restricted-cone }
peers:
  server: { address: 192.0.2.9, link: { delay: 10250us } }
  alice: { behind: home, link: { delay: 0ms } }
";
const SERVER: &str = "192.0.2.9:7000";

fn network() -> Scenario {
    Scenario::text("network", NETWORK)
}

fn finished(staged: Staged<'_>) -> Finished {
    staged.run().unwrap_or_else(|error| panic!("{error}"))
}

/// What a future on `alice` comes to while `server` sends back what it gets.
fn with_echo<'e>(network: &Scenario, alice: impl Future<Output = Result<(), Failure>> + 'e) -> Finished {
    finished(network.with_service("server", echo()).with_future("alice", alice))
}

async fn echo() -> Result<(), Failure> {
    let socket = UdpSocket::bind(SERVER).await?;
    let mut buffer = [0; 2000];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        socket.send_to(&buffer[..length], from).await?;
    }
}

#[test]
fn time_is_virtual_and_starts_at_zero() {
    let mut slept = None;
    let run = finished(network().with_future("alice", async {
        let start = Instant::now();
        sleep(Duration::from_millis(40)).await;
        slept = Some(start.elapsed());
        Ok(())
    }));
    assert_eq!(slept, Some(Duration::from_millis(40)));
    assert_eq!(run.run().ended_at, SimTime::from_millis(40));
}

#[test]
fn packets_travel_exactly_and_futures_count_whole_milliseconds() {
    let mut took = Duration::ZERO;
    let run = with_echo(&network(), async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        let sent = Instant::now();
        socket.send_to(b"hello", SERVER).await?;
        socket.recv_from(&mut [0; 10]).await?;
        took = sent.elapsed();
        Ok(())
    });
    // There after 20.25 ms, seen and answered after 21 ms; back after 41.25 ms, seen after 42 ms.
    assert_eq!(took, Duration::from_millis(42));
    let trace = run.run().trace.as_ref().expect("a trace");
    assert!(trace.events.iter().any(|event| event.at == SimTime::from_nanos(20_250_000)));
    assert!(trace.events.iter().any(|event| event.at == SimTime::from_nanos(41_250_000)));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let run = with_echo(&network().seed(seed), async {
            let sockets = [UdpSocket::bind("0.0.0.0:0").await?, UdpSocket::bind("0.0.0.0:0").await?];
            for round in 0..5 {
                for socket in &sockets {
                    socket.send_to(&[round], SERVER).await?;
                }
                for socket in &sockets {
                    socket.recv_from(&mut [0]).await?;
                }
            }
            Ok(())
        });
        run.assert_done();
        (run.to_string(), run.jsonl(), run.capture())
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1).0, bytes(2).0);
}

#[test]
fn a_socket_is_the_peers_own_and_a_port_is_bound_once() {
    let run = network().with_future("alice", async {
        let socket = UdpSocket::bind("0.0.0.0:5000").await?;
        assert_eq!(socket.local_addr()?.to_string(), "10.0.1.2:5000");
        let kind = |result: std::io::Result<UdpSocket>| result.expect_err("an error").kind();
        assert_eq!(kind(UdpSocket::bind(("10.0.1.2", 5000)).await), ErrorKind::AddrInUse);
        assert_eq!(kind(UdpSocket::bind("10.9.9.9:5001").await), ErrorKind::AddrNotAvailable);
        assert_eq!(kind(UdpSocket::bind("localhost:5001").await), ErrorKind::InvalidInput);
        drop(socket);
        UdpSocket::bind(([10, 0, 1, 2], 5000)).await?;
        Ok(())
    });
    finished(run).assert_done();
}

#[test]
fn a_connected_socket_hears_its_peer_alone_and_long_datagrams_are_cut() {
    let run = with_echo(&network().set("peers.other", "{ address: 192.0.2.8 }"), async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        assert_eq!(socket.send(b"x").await.expect_err("an error").kind(), ErrorKind::NotConnected);
        assert_eq!(socket.recv(&mut [0]).await.expect_err("an error").kind(), ErrorKind::NotConnected);
        let nowhere = socket.connect("192.0.2.9:0").await;
        assert_eq!(nowhere.expect_err("an error").kind(), ErrorKind::InvalidInput);

        socket.send_to(b"before", SERVER).await?;
        sleep(Duration::from_millis(100)).await;
        socket.connect("192.0.2.8:7000").await?;
        let would_block = socket.try_recv_from(&mut [0]).expect_err("nothing from there");
        assert_eq!(would_block.kind(), ErrorKind::WouldBlock);

        socket.connect(SERVER).await?;
        socket.send(b"hello").await?;
        let mut buffer = [0; 2];
        assert_eq!(socket.recv(&mut buffer).await?, 2);
        assert_eq!(&buffer, b"he");
        Ok(())
    });
    run.assert_done();
}

#[test]
fn a_dropped_socket_is_closed() {
    let staged = network()
        .with_service("server", async {
            drop(UdpSocket::bind(SERVER).await?);
            Ok(())
        })
        .with_future("alice", async {
            let socket = UdpSocket::bind("0.0.0.0:0").await?;
            socket.send_to(b"hello", SERVER).await?;
            sleep(Duration::from_secs(1)).await;
            Ok(())
        });
    assert_eq!(finished(staged).outcome().drops[0].reason, DropReason::HostPortClosed);
}

#[test]
fn local_tasks_belong_to_their_peer_and_other_tasks_use_what_they_are_given() {
    let run = with_echo(&network(), async {
        let own = tokio::task::spawn_local(async { UdpSocket::bind("0.0.0.0:0").await });
        let socket = Arc::new(own.await??);
        assert_eq!(socket.local_addr()?.ip().to_string(), "10.0.1.2");

        let foreign = tokio::spawn(async { UdpSocket::bind("0.0.0.0:0").await }).await?;
        assert!(foreign.expect_err("no peer").to_string().contains("belongs to no peer"));

        let given = Arc::clone(&socket);
        let reader = tokio::spawn(async move { given.recv_from(&mut [0; 9]).await });
        socket.send_to(b"hello", SERVER).await?;
        assert_eq!(reader.await??.0, 5);
        Ok(())
    });
    run.assert_done();
}

#[test]
fn a_future_that_fails_ends_the_run_with_its_own_words() {
    let error = network().with_future("alice", async { Err("the dog ate it".into()) }).run().expect_err("it");
    assert_eq!(error.to_string(), "the endpoint of `alice` failed: the dog ate it");
}

#[test]
fn a_future_that_waits_for_ever_is_waited_for_a_minute() {
    let run = finished(network().with_future("alice", async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        socket.recv_from(&mut [0]).await?;
        Ok(())
    }));
    assert_eq!(run.run().endpoints[0].done_at, None);
}

#[test]
fn endpoints_futures_and_calls_share_a_network() {
    /// Sends one datagram to the server.
    struct Knock;
    impl Endpoint for Knock {
        fn handle(&mut self, _now: SimTime, input: Input<'_>, host: &mut Host) -> Result<(), Failure> {
            if input == Input::Start {
                let socket = host.bind(7001)?;
                host.send(socket, SocketAddr::from(([192, 0, 2, 9], 7000)), "knock")?;
            }
            Ok(())
        }
        fn next_timeout(&self) -> Option<SimTime> {
            None
        }
        fn is_done(&self) -> bool {
            true
        }
    }
    let busy = network()
        .set("peers.knock", "{}")
        .set("peers.bob", "{ behind: home }")
        .set("peers.carol", "{}")
        .set("servers", "{ stun: { stun: [3478/udp] } }")
        .set("calls", "[bob -> carol]");
    let mut seen = 0;
    let mut knock = Knock;
    let run = finished(
        busy.with_future("alice", async {
            sleep(Duration::from_secs(2)).await;
            Ok(())
        })
        .with_endpoint("knock", &mut knock)
        .with_service("server", async {
            let socket = UdpSocket::bind(SERVER).await?;
            loop {
                let (length, _) = socket.recv_from(&mut [0; 9]).await?;
                seen += length;
            }
        }),
    );
    run.assert_done();
    run.assert_path("bob -> carol", Path::Stun);
    let names = run.run().endpoints.iter().map(|endpoint| run.plan().name_of(endpoint.node));
    assert_eq!(names.collect::<Vec<_>>(), ["alice", "knock", "server"]);
    assert!(run.run().ended_at >= SimTime::from_millis(2_000));
    assert_eq!(seen, 5);
}

#[test]
fn timeouts_end_waiting() {
    let run = network().with_future("alice", async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        let waited = timeout(Duration::from_secs(3), socket.recv_from(&mut [0])).await;
        assert!(waited.is_err());
        Ok(())
    });
    assert_eq!(finished(run).run().endpoints[0].done_at, Some(SimTime::from_millis(3_000)));
}

#[test]
fn a_future_that_sends_without_end_meets_a_limit() {
    let error = network().with_future("alice", async {
        let socket = UdpSocket::bind("0.0.0.0:0").await?;
        loop {
            socket.send_to(b"again", SERVER).await?;
            tokio::task::yield_now().await;
        }
    });
    let told = error.run().expect_err("a limit").to_string();
    assert!(told.contains("limit"), "{told}");
}

#[test]
fn the_lab_does_not_run_inside_another_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let result = runtime.block_on(async { network().with_future("alice", async { Ok(()) }).run() });
    assert!(matches!(result, Err(Error::InsideRuntime)));
}

#[test]
fn a_peer_with_ipv6_only_has_ipv6_sockets() {
    let text = "
nats: { home: { type: symmetric, ipv6: { prefix: \"2001:db8:a::/64\" } } }
peers:
  server: { families: [ipv6], address: \"2001:db8::9\" }
  alice: { behind: home, families: [ipv6] }
";
    let server = async {
        let socket = UdpSocket::bind("[::]:7000").await?;
        let (length, from) = socket.recv_from(&mut [0; 100]).await?;
        socket.send_to(&[length as u8], from).await?;
        Ok(())
    };
    let mut local = None;
    let alice = async {
        let wrong = UdpSocket::bind("0.0.0.0:0").await.expect_err("there is no IPv4");
        assert_eq!(wrong.to_string(), "0.0.0.0 is no address of this peer; bind :: or 2001:db8:a::10");
        let socket = UdpSocket::bind("[::]:5000").await?;
        local = Some(socket.local_addr()?);
        socket.send_to(b"hello", "[2001:db8::9]:7000").await?;
        let mut answer = [0; 100];
        assert_eq!(socket.recv_from(&mut answer).await?, (1, "[2001:db8::9]:7000".parse::<SocketAddr>()?));
        Ok(())
    };
    let network = Scenario::text("ipv6", text);
    finished(network.with_future("server", server).with_future("alice", alice)).assert_done();
    assert_eq!(local, Some("[2001:db8:a::10]:5000".parse().expect("an address")));
}
