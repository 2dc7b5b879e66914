//! `proxy:` of a firewall.

use std::collections::BTreeMap;

use super::firewall::services;
use crate::plan::{Inspect, Proxy, ServiceProtocol};
use crate::scenario::diagnostic::{Code, Diagnostic};
use crate::scenario::keys::PROXY;
use crate::scenario::read::{At, Reader};
use crate::scenario::tree::{Node, Value};

/// The map, or the port alone. What it resolves is not known yet.
pub fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Proxy> {
    let mut proxy = Proxy { port: Proxy::PORT, allow: vec![Inspect::TLS_PORT], names: BTreeMap::new() };
    match &node.value {
        Value::Scalar(_) => proxy.port = port(reader.integer("proxy", node, 1, u64::from(u16::MAX))?),
        Value::Null | Value::Map(_) => {
            let fields = reader.fields(node, &PROXY)?;
            let given = fields.integer(reader, "port");
            let allow = fields.get("allow");
            proxy.port = given.map_or(Proxy::PORT, port);
            if let Some(node) = allow {
                proxy.allow = services(reader, node);
                check_services(reader, node, &proxy);
            }
        }
        Value::List(_) => {
            reader.wrong_kind(
                "proxy",
                node,
                "a port such as `3128`, or a map such as `{ port: 3128, allow: [443/tcp] }`",
            );
            return None;
        }
    }
    Some(proxy)
}

/// Bounds have been checked.
fn port(number: At<u64>) -> u16 {
    u16::try_from(number.value).unwrap_or(Proxy::PORT)
}

/// Tunnels are TCP, and a proxy that opens none is none.
fn check_services(reader: &mut Reader<'_>, node: &Node, proxy: &Proxy) {
    let udp = proxy.allow.iter().find(|service| service.protocol == ServiceProtocol::Udp);
    if let Some(service) = udp {
        let is_it =
            |item: &&Node| matches!(&item.value, Value::Scalar(scalar) if scalar.text == service.to_string());
        let place = match &node.value {
            Value::List(items) => items.iter().find(is_it).unwrap_or(node),
            _ => node,
        };
        reader.report(
            Diagnostic::new(Code::WrongKind, format!("a proxy opens TCP connections, and {service} is none"))
                .at(place.span, "not a TCP port")
                .help(format!("write `{}/tcp`", service.port)),
        );
    } else if matches!(&node.value, Value::List(items) if items.is_empty()) {
        reader.report(
            Diagnostic::new(Code::BadValue, "this proxy opens no tunnel at all")
                .at(node.span, "nothing in it")
                .help("write `allow: [443/tcp]`, or remove `proxy`"),
        );
    }
}
