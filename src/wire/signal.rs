//! What peers tell each other over signalling: the parts of SDP that ICE needs.

use super::candidate::Candidate;

/// A signalling message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The caller's credentials, and its candidates if it does not trickle; later those of the side that restarts ICE.
    Offer(Description),
    /// The other side's.
    Answer(Description),
    /// A trickled candidate (RFC 8838).
    Candidate {
        /// The candidate.
        candidate: Candidate,
        /// The user name fragment it belongs to: after an ICE restart, those of the old one are no longer of use.
        ufrag: String,
    },
    /// There are no more candidates.
    EndOfCandidates,
    /// The call is over.
    Bye,
}

/// An ICE agent's description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// User name fragment.
    pub ufrag: String,
    /// Password.
    pub password: String,
    /// The candidates known when it was sent.
    pub candidates: Vec<Candidate>,
    /// True if more candidates may follow.
    pub trickle: bool,
    /// How many ICE restarts the sender knows of, this one included. An answer has the number of its offer.
    pub generation: u32,
    /// True if the agent is a lite one: `a=ice-lite` (RFC 8839 §5.3).
    pub lite: bool,
}

impl Signal {
    /// The message's name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Candidate { .. } => "candidate",
            Self::EndOfCandidates => "end-of-candidates",
            Self::Bye => "bye",
        }
    }
}
