//! Tunnels through an HTTP proxy: the CONNECT method of HTTP/1.1 (RFC 9110 §9.3.6), on both sides.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

use super::Piece;

/// The most that a head may have, in bytes.
const MAX_HEAD: usize = 8_192;

/// The client's side: it has asked for a tunnel.
#[derive(Debug, Default)]
pub struct Tunnel {
    head: Head,
    answer: Option<Answer>,
}

/// The proxy's side: it waits to be asked for a tunnel.
#[derive(Debug, Default)]
pub struct Door {
    head: Head,
}

/// What a proxy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// 200: from here on the stream is that of the target.
    Established,
    /// 400: this was no request for a tunnel.
    BadRequest,
    /// 403: the proxy lets nobody go there.
    Forbidden,
    /// 502: the target did not answer, or refused.
    BadGateway,
    /// Any other status. 0 stands for an answer that is not HTTP.
    Other(u16),
}

/// Where a tunnel is to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name, or an address; one of IPv6 without its brackets.
    pub host: String,
    /// A TCP port.
    pub port: u16,
}

impl Target {
    /// The request for a tunnel to here.
    pub fn request(&self) -> String {
        let Self { host, port } = self;
        let authority =
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
    }

    fn of(request: &str) -> Option<Self> {
        let mut words = request.lines().next()?.split(' ');
        let (method, authority, version) = (words.next()?, words.next()?, words.next()?);
        let is_connect = method == "CONNECT" && version.starts_with("HTTP/1.") && words.next().is_none();
        let (host, port) = authority.rsplit_once(':').filter(|_| is_connect)?;
        let bracketed = host.strip_prefix('[').map(|host| host.strip_suffix(']'));
        let host = bracketed.unwrap_or(Some(host)).filter(|host| !host.is_empty())?;
        Some(Self { host: host.to_owned(), port: port.parse().ok().filter(|port| *port != 0)? })
    }
}

impl Answer {
    /// The answer as it is sent.
    pub fn to_text(self) -> String {
        let reason = match self {
            Self::Established => "Connection established",
            Self::BadRequest => "Bad Request",
            Self::Forbidden => "Forbidden",
            Self::BadGateway => "Bad Gateway",
            Self::Other(_) => "",
        };
        let mut text = format!("HTTP/1.1 {} {reason}\r\n", self.status());
        // RFC 9110 §9.3.6: a success has no content at all.
        if self != Self::Established {
            text.write_str("Content-Length: 0\r\nConnection: close\r\n").ok();
        }
        text + "\r\n"
    }

    /// Its status code.
    pub const fn status(self) -> u16 {
        match self {
            Self::Established => 200,
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::BadGateway => 502,
            Self::Other(status) => status,
        }
    }

    fn of(head: &str) -> Self {
        let status = head
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|status| status.trim().parse().ok())
            .unwrap_or(0);
        match status {
            200..=299 => Self::Established,
            400 => Self::BadRequest,
            403 => Self::Forbidden,
            502 => Self::BadGateway,
            other => Self::Other(other),
        }
    }
}

impl Tunnel {
    /// Takes bytes of the stream to the proxy; says what the proxy answered, as soon as that is known.
    pub fn receive(&mut self, piece: &Piece) -> Option<Answer> {
        if let Some(head) = self.head.receive(piece) {
            self.answer = Some(Answer::of(&head.unwrap_or_default()));
        }
        self.answer
    }

    /// The next bytes of the target.
    pub fn read(&mut self) -> Option<Piece> {
        self.head.rest.take()
    }
}

impl Door {
    /// Takes bytes of a client's stream. Says where it wants to go once, as soon as that is known; what it wants instead of
    /// a tunnel is an [`Answer::BadRequest`].
    pub fn receive(&mut self, piece: &Piece) -> Option<Result<Target, Answer>> {
        let head = self.head.receive(piece)?;
        Some(head.as_deref().and_then(Target::of).ok_or(Answer::BadRequest))
    }

    /// The next bytes for the target.
    pub fn read(&mut self) -> Option<Piece> {
        self.head.rest.take()
    }
}

/// The lines before the first empty one, and the bytes after it.
#[derive(Debug, Default)]
struct Head {
    waiting: BytesMut,
    is_over: bool,
    rest: Option<Piece>,
}

impl Head {
    /// The head, once, when it is whole; inside it `None` if it is none, or too long.
    fn receive(&mut self, piece: &Piece) -> Option<Option<String>> {
        if self.is_over {
            self.rest = Some(piece.clone()).filter(|rest| !rest.bytes.is_empty());
            return None;
        }
        self.waiting.extend_from_slice(&piece.bytes);
        let end = self.waiting.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if end.is_none() && self.waiting.len() <= MAX_HEAD {
            return None;
        }
        self.is_over = true;
        let all = std::mem::take(&mut self.waiting).freeze();
        let Some(end) = end else { return Some(None) };
        let rest: Bytes = all.slice(end + 4..);
        // What ends with the piece ends with the rest of it.
        self.rest = Some(Piece { bytes: rest, ..piece.clone() }).filter(|rest| !rest.bytes.is_empty());
        Some(String::from_utf8(all[..end].to_vec()).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(bytes: &[u8]) -> Piece {
        Piece { bytes: Bytes::copy_from_slice(bytes), ..Piece::default() }
    }

    fn target(host: &str, port: u16) -> Target {
        Target { host: host.to_owned(), port }
    }

    #[test]
    fn a_proxy_reads_what_a_client_asks_for_wherever_it_is_cut() {
        for target in [target("turn.example.org", 443), target("192.0.2.3", 1), target("2001:db8::3", 65_535)]
        {
            let request = target.request();
            for at in 0..request.len() {
                let mut door = Door::default();
                let (before, after) = request.as_bytes().split_at(at);
                assert_eq!(door.receive(&piece(before)), None);
                assert_eq!(door.receive(&piece(after)), Some(Ok(target.clone())));
                assert_eq!(door.read(), None);
            }
        }
    }

    #[test]
    fn a_client_learns_what_a_proxy_answers() {
        use Answer::{BadGateway, BadRequest, Established, Forbidden, Other};
        for answer in [Established, BadRequest, Forbidden, BadGateway, Other(407)] {
            assert_eq!(Tunnel::default().receive(&piece(answer.to_text().as_bytes())), Some(answer));
        }
        assert_eq!(Tunnel::default().receive(&piece(b"SSH-2.0\r\n\r\n")), Some(Other(0)));
    }

    #[test]
    fn what_follows_the_answer_is_the_targets() {
        let mut tunnel = Tunnel::default();
        let text = Answer::Established.to_text() + "first";

        assert_eq!(tunnel.receive(&piece(text.as_bytes())), Some(Answer::Established));
        assert_eq!(tunnel.read(), Some(piece(b"first")));
        assert_eq!(tunnel.receive(&piece(b"second")), Some(Answer::Established));
        assert_eq!(tunnel.read(), Some(piece(b"second")));
        assert_eq!(tunnel.read(), None);
    }

    #[test]
    fn what_is_no_request_for_a_tunnel_is_refused() {
        let requests = [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT turn HTTP/1.1\r\n\r\n",
            "CONNECT turn:0 HTTP/1.1\r\n\r\n",
            "CONNECT turn:70000 HTTP/1.1\r\n\r\n",
            "CONNECT :443 HTTP/1.1\r\n\r\n",
            "CONNECT [::1:443 HTTP/1.1\r\n\r\n",
            "CONNECT turn:443 HTTP/2\r\n\r\n",
            "CONNECT turn:443\r\n\r\n",
            "\r\n\r\n",
        ];
        for request in requests {
            let answer = Door::default().receive(&piece(request.as_bytes()));
            assert_eq!(answer, Some(Err(Answer::BadRequest)), "{request:?}");
        }
        assert_eq!(Door::default().receive(&piece(b"\xff\xff\r\n\r\n")), Some(Err(Answer::BadRequest)));
        let endless = vec![b'x'; MAX_HEAD + 1];
        assert_eq!(Door::default().receive(&piece(&endless)), Some(Err(Answer::BadRequest)));
    }
}
