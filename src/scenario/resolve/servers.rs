//! STUN and TURN servers.

use std::net::IpAddr;

use super::addresses::Addresses;
use super::assumed::{Assumed, one_or_list};
use super::link::link;
use crate::base::{NodeId, PortRange, SimDuration};
use crate::plan::{Credentials, Element, Link, Listen, Server, Topology, Transport, Turn};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::file::{self, File, Named};
use crate::scenario::read::{At, Reader};

/// A server that is part of the topology.
#[derive(Debug)]
pub struct Placed {
    /// Its id.
    pub node: NodeId,
    /// All its addresses. Its name stands for the first of each family in URIs.
    pub addresses: Vec<IpAddr>,
    /// Who may use its TURN.
    pub users: Vec<Credentials>,
}

/// Adds the servers to the topology.
pub fn build(
    reader: &mut Reader<'_>,
    file: &File,
    addresses: &Addresses,
    topology: &mut Topology,
    assumed: &mut Assumed,
) -> Vec<Placed> {
    check_hosts(reader, file);
    let mut placed = Vec::new();
    for (index, server) in file.servers.iter().enumerate() {
        let key = format!("servers.{}", server.name.value);
        let own = addresses.servers[index].clone();
        if server.body.addresses.as_ref().map_or(0, Vec::len) < own.len() {
            assumed.note(&key, if own.len() == 1 { "address" } else { "addresses" }, one_or_list(&own));
        }
        let default = Link::with_delay(SimDuration::from_millis(5));
        let link = link(reader, server.body.link.as_ref(), default, &key, assumed);
        let turn = (!server.body.turn.is_empty()).then(|| turn(reader, file, server, &key, assumed));
        let users = turn.as_ref().map(|turn| turn.users.clone()).unwrap_or_default();
        let element = Element::Server(Server {
            stun: server.body.stun.iter().map(|at| at.value).collect(),
            turn,
            up: server.body.up.as_ref().is_none_or(|up| up.value),
        });
        let node = topology.add(NodeId::new(0), &server.name.value, element, own, link);
        placed.push(Placed { node, addresses: addresses.servers[index].clone(), users });
    }
    placed
}

fn turn(
    reader: &mut Reader<'_>,
    file: &File,
    server: &Named<file::Server>,
    key: &str,
    assumed: &mut Assumed,
) -> Turn {
    let body = &server.body;
    let users = body.users.clone().unwrap_or_else(|| {
        let users: Vec<Credentials> = file.peers.iter().map(|peer| generated(&peer.name.value)).collect();
        let texts: Vec<String> =
            users.iter().map(|user| format!("{}: {}", user.username, user.password)).collect();
        assumed.note(key, "users", format!("{{ {} }}", texts.join(", ")));
        users
    });
    let secs = SimDuration::from_secs;
    let mut or = |name: &str, given: Option<&At<SimDuration>>, default: SimDuration| {
        given.map(|at| at.value).unwrap_or_else(|| {
            assumed.note(key, name, default);
            default
        })
    };
    let max_allocation_lifetime =
        or("max-allocation-lifetime", body.max_allocation_lifetime.as_ref(), secs(3_600));
    let turn = Turn {
        listen: body.turn.iter().map(|at| at.value).collect(),
        realm: body.realm.as_ref().map_or_else(|| "punchlab.test".into(), |realm| realm.value.clone()),
        users,
        relay_ports: body.relay_port_range.as_ref().map_or(PortRange::DYNAMIC, |range| range.value),
        quota_per_user: body.quota_per_user.as_ref().map_or(10, |quota| quota.value as u32),
        allocation_lifetime: or(
            "allocation-lifetime",
            body.allocation_lifetime.as_ref(),
            secs(600).min(max_allocation_lifetime),
        ),
        max_allocation_lifetime,
        permission_lifetime: or("permission-lifetime", body.permission_lifetime.as_ref(), secs(300)),
        channel_lifetime: or("channel-lifetime", body.channel_lifetime.as_ref(), secs(600)),
        channel_cooldown: or("channel-cooldown", body.channel_cooldown.as_ref(), secs(300)),
        nonce_lifetime: or("nonce-lifetime", body.nonce_lifetime.as_ref(), secs(3_600)),
    };
    for (name, given, value) in [
        ("realm", body.realm.is_some(), turn.realm.clone()),
        ("quota-per-user", body.quota_per_user.is_some(), turn.quota_per_user.to_string()),
        ("relay-port-range", body.relay_port_range.is_some(), turn.relay_ports.to_string()),
    ] {
        if !given {
            assumed.note(key, name, value);
        }
    }
    check(reader, body, &turn);
    turn
}

/// The user a peer gets on servers that name none.
pub fn generated(peer: &str) -> Credentials {
    Credentials { username: peer.into(), password: format!("{peer}-secret") }
}

fn check(reader: &mut Reader<'_>, body: &file::Server, turn: &Turn) {
    if let Some(lifetime) =
        body.allocation_lifetime.as_ref().filter(|at| at.value > turn.max_allocation_lifetime)
    {
        let mut diagnostic = Diagnostic::new(
            Code::Contradiction,
            "allocations would live longer by default than the server ever grants",
        )
        .at(lifetime.span, format!("more than `max-allocation-lifetime: {}`", turn.max_allocation_lifetime));
        if let Some(most) = &body.max_allocation_lifetime {
            diagnostic = diagnostic.see(most.span, "the most it grants");
        }
        reader.report(
            diagnostic.help(format!("write `allocation-lifetime: {}` or less", turn.max_allocation_lifetime)),
        );
    }
    let is_relayed_from =
        |listen: &Listen| listen.transport == Transport::Udp && turn.relay_ports.contains(listen.port);
    let listening = body.turn.iter().chain(&body.stun).find(|at| is_relayed_from(&at.value));
    if let Some(listen) = listening {
        let mut diagnostic = Diagnostic::new(
            Code::Contradiction,
            format!("the server would relay from port {}, on which it listens", listen.value.port),
        )
        .at(listen.span, format!("lies in {}, the ports it relays from", turn.relay_ports));
        if let Some(range) = &body.relay_port_range {
            diagnostic = diagnostic.see(range.span, "the ports it relays from");
        }
        reader.report(diagnostic.help("listen on `3478/udp`, or write another `relay-port-range`"));
    }
}

/// A DNS name stands for one server.
fn check_hosts(reader: &mut Reader<'_>, file: &File) {
    for (index, server) in file.servers.iter().enumerate() {
        let Some(host) = &server.body.host else { continue };
        let same_host = file.servers[..index]
            .iter()
            .filter_map(|other| other.body.host.as_ref())
            .find(|other| other.value == host.value);
        let same_name = file
            .servers
            .iter()
            .map(|other| &other.name)
            .find(|name| name.value == host.value && name.value != server.name.value);
        if let Some(other) = same_host.or(same_name) {
            reader.report(
                Diagnostic::new(Code::DuplicateKey, format!("`{}` would stand for two servers", host.value))
                    .at(host.span, "here")
                    .see(other.span, "and here")
                    .help("write another `host`"),
            );
        }
    }
}
