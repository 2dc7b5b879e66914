//! What is changed about a file before it is read.

use super::set::spelled;
use crate::base::shell::quoted;
use crate::plan::StackKind;

/// What the command line changes about a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--set PATH=VALUE`, in order: `("peers.alice.link.delay", "20ms")`. Steps of the path are keys, or numbers of
    /// list entries counted from 0; the value is YAML. What is not there is added.
    pub set: Vec<(String, String)>,
    /// `--agent STACK`: the stack of every peer.
    pub agent: Option<StackKind>,
    /// `--agent PEER=STACK`: the stack of one peer, whatever that of the others is.
    pub peer_agents: Vec<(String, StackKind)>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// Peers that run a program of the user's own, from [`crate::lab`].
    pub own: Vec<(String, Own)>,
    /// The values chosen from the file's matrix; for names that are not here the only value there is.
    pub matrix: Vec<(String, String)>,
}

/// A program of the user's own on a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// An [`Endpoint`](crate::endpoint::Endpoint). The peer takes part in no call, and the file may do without any.
    Endpoint,
    /// An ICE stack. The peer takes part in a call.
    Stack,
}

impl Overrides {
    /// The options of `punchlab run` that change the same, as a shell takes them, each after a space:
    /// ` --set nats.home=symmetric --seed 7`. Programs of the user's own have none.
    pub fn options(&self) -> String {
        let set =
            self.set.iter().map(|(path, value)| format!("--set {}", quoted(&format!("{path}={value}"))));
        let matrix = self.matrix.iter().map(|(name, value)| {
            let choice = format!("matrix.{name}={}", spelled(value));
            format!("--set {}", quoted(&choice))
        });
        let agent = self.agent.map(|stack| format!("--agent {stack}"));
        let of_peers = self
            .peer_agents
            .iter()
            .map(|(peer, stack)| format!("--agent {}", quoted(&format!("{peer}={stack}"))));
        let seed = self.seed.map(|seed| format!("--seed {seed}"));
        let options = set.chain(matrix).chain(agent).chain(of_peers).chain(seed);
        options.map(|option| format!(" {option}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_told_as_a_shell_takes_them() {
        let overrides = Overrides {
            set: vec![("servers.turn.turn".into(), "[3478/udp, 53/udp]".into())],
            agent: Some(StackKind::Is),
            peer_agents: vec![("bob".into(), StackKind::Rtc)],
            seed: Some(7),
            matrix: vec![("wait".into(), "5s".into()), ("title".into(), "~".into())],
            ..Overrides::default()
        };
        assert_eq!(
            overrides.options(),
            " --set 'servers.turn.turn=[3478/udp, 53/udp]' --set matrix.wait=5s --set 'matrix.title=\"~\"' \
             --agent is --agent bob=rtc --seed 7"
        );
        assert_eq!(Overrides::default().options(), "");
    }
}
