//! All tests, one after the other.

use std::net::{IpAddr, SocketAddr};

use super::behavior;
use super::classic::classic;
use super::dialog::{Dialog, Known, Reply, Server};
use super::discovery::Options;
use super::findings::{Behaviors, Classic, Findings};
use super::more;
use crate::plan::MappingBehavior;

/// Everything that can be found out with the help of the server at `primary`.
pub(super) fn findings(dialog: &mut Dialog<'_>, primary: SocketAddr, options: &Options) -> Known<Findings> {
    let socket = dialog.socket();
    let (local, mapped, other) = match dialog.ask(socket, primary)? {
        Reply::Mapped { local, mapped, other } => (local, mapped, other),
        Reply::Silence => {
            let classic = Some(Classic::Blocked);
            let nothing = Findings::nothing("the server did not answer");
            return Ok(Findings { classic, classic_again: classic, ..nothing });
        }
        Reply::Refused(code) => {
            let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
            return Ok(Findings::nothing(&format!("the server refused a plain request{code}")));
        }
        Reply::Unchanged => return Ok(Findings::nothing("the server did not say what it saw")),
    };
    let translated = local != mapped;
    let mut found = Findings {
        local: Some(local),
        mapped: Some(mapped),
        translated: Some(translated),
        notes: Vec::new(),
        ..Findings::nothing("")
    };
    let server = alternate(primary, other);
    match server {
        Ok(server) => with_alternates(dialog, server, &mut found)?,
        Err(why) => {
            let mapping = (!translated).then_some(MappingBehavior::EndpointIndependent);
            found.fresh = Behaviors { mapping, filtering: None };
            found.one_socket = found.fresh;
            found.notes.push(why.into());
        }
    }
    if translated {
        found.port_assignment = more::port_assignment(dialog, primary)?;
    }
    if options.lifetime
        && translated
        && let Ok(server) = server
    {
        match more::lifetime(dialog, server)? {
            Ok(lifetime) => found.lifetime = Some(lifetime),
            Err(why) => found.notes.push(why.into()),
        }
    }
    Ok(found)
}

fn with_alternates(dialog: &mut Dialog<'_>, server: Server, found: &mut Findings) -> Known<()> {
    found.fresh = behavior::fresh(dialog, server)?;
    found.one_socket = behavior::one_socket(dialog, server)?;
    let socket = dialog.socket();
    found.classic = classic(dialog, socket, server)?;
    found.classic_again = classic(dialog, socket, server)?;
    if found.fresh.mapping.is_none() {
        found.notes.push("the mapping cannot be told: not every address of the server answered".into());
    }
    if found.fresh.filtering.is_none() {
        found
            .notes
            .push("the filtering cannot be told: the server did not answer from its other addresses".into());
    }
    if found.translated == Some(true) {
        found.hairpinning = more::hairpinning(dialog, server, found.fresh.mapping)?;
        if found.hairpinning.is_none() && found.fresh.mapping.is_some() {
            found.notes.push(
                "hairpinning cannot be told: the mapping depends on the destination, so a filter may hide it"
                    .into(),
            );
        }
    }
    Ok(())
}

/// The server's other address and port, if it names one that it may name: what it says decides where packets go next, so
/// one on the internet cannot send the client into its own network.
fn alternate(primary: SocketAddr, other: Option<SocketAddr>) -> Result<Server, &'static str> {
    let Some(alternate) = other else {
        return Err(
            "the server has one address (no OTHER-ADDRESS): mapping and filtering cannot be told with it",
        );
    };
    if alternate.ip() == primary.ip() || alternate.port() == primary.port() {
        return Err("the server's OTHER-ADDRESS is not another address and another port, so it is of no use");
    }
    if alternate.is_ipv4() != primary.is_ipv4() || alternate.port() == 0 {
        return Err("the server's OTHER-ADDRESS cannot be sent to");
    }
    if is_local(alternate.ip()) && !is_local(primary.ip()) {
        return Err("the server's OTHER-ADDRESS is a private address, to which nothing was sent");
    }
    Ok(Server { primary, alternate })
}

/// True for addresses that mean something else in every network.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_unspecified()
                || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4_mapped().is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_go_to_the_other_address_of_the_server_only_if_it_may_be_one() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let use_it = |primary, other| alternate(address(primary), Some(address(other))).is_ok();
        assert!(use_it("198.51.100.1:3478", "198.51.100.2:3479"));
        assert!(use_it("127.0.0.1:3478", "127.0.0.2:3479"));
        assert!(use_it("10.0.0.1:3478", "10.0.0.2:3479"));
        for other in [
            "198.51.100.1:3479",
            "198.51.100.2:3478",
            "198.51.100.2:0",
            "[2001:db8::1]:3479",
            "10.0.0.2:3479",
            "127.0.0.1:3479",
            "100.64.0.1:3479",
            "169.254.1.1:3479",
            "255.255.255.255:3479",
            "224.0.0.1:3479",
        ] {
            assert!(!use_it("198.51.100.1:3478", other), "{other}");
        }
        assert!(alternate(address("198.51.100.1:3478"), None).is_err());
    }
}
