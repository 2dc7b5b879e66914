//! Command lines to be copied.

/// A word as a POSIX shell takes it: in quotes where it would read something else.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/%=@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("calls/a-1.nat.yaml"), "calls/a-1.nat.yaml");
        assert_eq!(quoted("nats.a.udp-timeout=300s"), "nats.a.udp-timeout=300s");
        assert_eq!(quoted("turn=[3478/udp, 53/udp]"), "'turn=[3478/udp, 53/udp]'");
        assert_eq!(quoted("bob's call.nat.yaml"), r"'bob'\''s call.nat.yaml'");
        assert_eq!(quoted("$HOME;*"), "'$HOME;*'");
        assert_eq!(quoted(""), "''");
    }
}
