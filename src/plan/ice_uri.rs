//! `stun:` and `turn:` URIs (RFC 7064, RFC 7065).

use super::element::{IceServer, IceServerKind, Transport};

/// The port of a URI that names none: 5349 over TLS, else 3478.
pub const fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 3_478,
        Transport::Tls => 5_349,
    }
}

/// The URI of what `host` offers, as short as it can be: `stun:HOST`, `turn:HOST:PORT?transport=tcp`, `turns:HOST`.
/// STUN is spoken over UDP.
pub fn ice_uri(kind: IceServerKind, transport: Transport, host: &str, port: u16) -> String {
    let (scheme, query) = match (kind, transport) {
        (IceServerKind::Stun, _) => ("stun", ""),
        (IceServerKind::Turn, Transport::Udp) => ("turn", ""),
        (IceServerKind::Turn, Transport::Tcp) => ("turn", "?transport=tcp"),
        (IceServerKind::Turn, Transport::Tls) => ("turns", ""),
    };
    if port == default_port(transport) {
        format!("{scheme}:{host}{query}")
    } else {
        format!("{scheme}:{host}:{port}{query}")
    }
}

impl IceServer {
    /// Its URI, where `host` is its name.
    pub fn uri(&self, host: &str) -> String {
        ice_uri(self.kind, self.transport, host, self.address.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_no_port_and_no_transport_that_go_without_saying() {
        let turn = |transport, port| ice_uri(IceServerKind::Turn, transport, "relay", port);
        assert_eq!(turn(Transport::Udp, 3_478), "turn:relay");
        assert_eq!(turn(Transport::Udp, 443), "turn:relay:443");
        assert_eq!(turn(Transport::Tcp, 3_478), "turn:relay?transport=tcp");
        assert_eq!(turn(Transport::Tcp, 443), "turn:relay:443?transport=tcp");
        assert_eq!(turn(Transport::Tls, 5_349), "turns:relay");
        assert_eq!(turn(Transport::Tls, 443), "turns:relay:443");
        assert_eq!(ice_uri(IceServerKind::Stun, Transport::Udp, "stun", 3_478), "stun:stun");
    }
}
