//! Mapping and filtering by RFC 5780.

use super::dialog::{Dialog, Known, Reply, Server};
use super::discovery::SocketId;
use super::findings::Behaviors;
use crate::plan::{FilteringBehavior, MappingBehavior};

/// Each test from a fresh socket, as §4.1 wants: what one has sent would open filters for the other.
pub(super) fn fresh(dialog: &mut Dialog<'_>, server: Server) -> Known<Behaviors> {
    let (first, second) = (dialog.socket(), dialog.socket());
    Ok(Behaviors { mapping: mapping(dialog, first, server)?, filtering: filtering(dialog, second, server)? })
}

/// Both tests from one socket, as clients do that do not know better.
pub(super) fn one_socket(dialog: &mut Dialog<'_>, server: Server) -> Known<Behaviors> {
    let socket = dialog.socket();
    Ok(Behaviors { mapping: mapping(dialog, socket, server)?, filtering: filtering(dialog, socket, server)? })
}

/// §4.3. Without a NAT all destinations see the same endpoint, and there is nothing more to ask.
fn mapping(dialog: &mut Dialog<'_>, socket: SocketId, server: Server) -> Known<Option<MappingBehavior>> {
    let Reply::Mapped { local, mapped: first, .. } = dialog.ask(socket, server.primary)? else {
        return Ok(None);
    };
    if first == local {
        return Ok(Some(MappingBehavior::EndpointIndependent));
    }
    let Some(second) = dialog.mapped(socket, server.other_address())? else { return Ok(None) };
    if second == first {
        return Ok(Some(MappingBehavior::EndpointIndependent));
    }
    let Some(third) = dialog.mapped(socket, server.alternate)? else { return Ok(None) };
    Ok(Some(if third == second {
        MappingBehavior::AddressDependent
    } else {
        MappingBehavior::AddressAndPortDependent
    }))
}

/// §4.4.
fn filtering(dialog: &mut Dialog<'_>, socket: SocketId, server: Server) -> Known<Option<FilteringBehavior>> {
    if dialog.mapped(socket, server.primary)?.is_none() {
        return Ok(None);
    }
    match dialog.lets_in_another_address(socket, server)? {
        Some(true) => return Ok(Some(FilteringBehavior::EndpointIndependent)),
        Some(false) => {}
        None => return Ok(None),
    }
    Ok(dialog.lets_in_another_port(socket, server)?.map(|let_in| {
        if let_in { FilteringBehavior::AddressDependent } else { FilteringBehavior::AddressAndPortDependent }
    }))
}
