//! What the program's exit code says.

use std::process::ExitCode;

/// The exit codes, from best to worst: of several files the worst result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All expectations hold.
    Ok = 0,
    /// An expectation failed.
    ExpectationFailed = 1,
    /// Nothing matched.
    NothingMatched = 4,
    /// A run could not be finished.
    CouldNotRun = 3,
    /// Wrong usage, or a scenario was rejected.
    Rejected = 2,
}

impl Exit {
    /// The worse of two results.
    pub fn and(self, other: Self) -> Self {
        let badness = |exit: Self| match exit {
            Self::Ok => 0,
            Self::ExpectationFailed => 1,
            Self::NothingMatched => 2,
            Self::CouldNotRun => 3,
            Self::Rejected => 4,
        };
        if badness(other) > badness(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_worst_result_counts() {
        assert_eq!(Exit::Ok.and(Exit::ExpectationFailed), Exit::ExpectationFailed);
        assert_eq!(Exit::Rejected.and(Exit::CouldNotRun), Exit::Rejected);
    }
}
