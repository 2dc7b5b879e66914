//! The algorithm of RFC 3489 §10.1, which RFC 5389 §2 found not to work: kept to show where and why.

use super::dialog::{Dialog, Known, Reply, Server};
use super::discovery::SocketId;
use super::findings::Classic;

/// What the algorithm calls the network; `None` if the server does not do what it needs.
pub(super) fn classic(dialog: &mut Dialog<'_>, socket: SocketId, server: Server) -> Known<Option<Classic>> {
    let (local, first) = match dialog.ask(socket, server.primary)? {
        Reply::Mapped { local, mapped, .. } => (local, mapped),
        Reply::Silence => return Ok(Some(Classic::Blocked)),
        Reply::Unchanged | Reply::Refused(_) => return Ok(None),
    };
    let Some(let_in) = dialog.lets_in_another_address(socket, server)? else { return Ok(None) };
    if first == local {
        return Ok(Some(if let_in { Classic::Open } else { Classic::SymmetricFirewall }));
    }
    if let_in {
        return Ok(Some(Classic::FullCone));
    }
    let Some(second) = dialog.mapped(socket, server.alternate)? else { return Ok(None) };
    if second != first {
        return Ok(Some(Classic::Symmetric));
    }
    let let_in = dialog.lets_in_another_port(socket, server)?;
    Ok(let_in.map(|let_in| if let_in { Classic::Restricted } else { Classic::PortRestricted }))
}
