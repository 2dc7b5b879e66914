//! A page of the documentation, as a terminal shows it. It knows the little Markdown that the lessons use.

use crate::report::text::{Role, Text, wrap};

/// How many columns prose keeps to.
const WIDTH: usize = 88;

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A paragraph, as one line.
    Prose(String),
    /// An entry of a list; `mark` is what stands before it.
    Entry {
        /// `-`, `a)`, `1.`.
        mark: &'a str,
        /// Its text, as one line.
        text: String,
    },
    /// Lines that stay as they are: a table, or a fenced block that holds no commands.
    Lines(Vec<&'a str>),
    /// A command and what it prints.
    Command {
        /// What follows `$ `.
        line: &'a str,
        /// What it prints.
        output: Vec<&'a str>,
    },
    /// A picture; a terminal shows what it says.
    Picture(&'a str),
}

/// The pieces of `text`, in order.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(fence) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            match fence {
                "console" => pieces.extend(commands(&block)),
                _ => pieces.push(Piece::Lines(block)),
            }
        } else if line.starts_with('|') {
            let mut table = vec![line];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                table.push(row);
            }
            pieces.push(Piece::Lines(table));
        } else if let Some(picture) = line.strip_prefix("![") {
            pieces.push(Piece::Picture(picture.split("](").next().unwrap_or_default()));
        } else if !line.trim().is_empty() {
            let (mark, first) = marked(line);
            let mut words = first.trim().to_owned();
            while let Some(more) = lines.next_if(|line| goes_on(line)) {
                words.push(' ');
                words.push_str(more.trim());
            }
            pieces.push(match mark {
                "" => Piece::Prose(words),
                mark => Piece::Entry { mark, text: words },
            });
        }
    }
    pieces
}

/// The mark of a list's entry, and the rest of its line.
fn marked(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    let Some((mark, rest)) = line.split_once(' ') else { return ("", line) };
    let is_mark = match mark.strip_suffix([')', '.']) {
        Some(number) => {
            number.len() <= 2 && number.chars().all(|c| c.is_ascii_alphanumeric()) && !number.is_empty()
        }
        None => mark == "-" || mark == "*",
    };
    if is_mark { (mark, rest) } else { ("", line) }
}

/// True if a line belongs to the paragraph before it.
fn goes_on(line: &str) -> bool {
    !line.trim().is_empty()
        && !line.starts_with("```")
        && !line.starts_with('|')
        && !line.starts_with("![")
        && marked(line).0.is_empty()
}

/// The commands of a block, each with its output. trycmd's `? 1` names an exit code and is not output.
fn commands<'a>(block: &[&'a str]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    for line in block {
        match (line.strip_prefix("$ "), pieces.last_mut()) {
            (Some(command), _) => pieces.push(Piece::Command { line: command, output: Vec::new() }),
            (None, Some(Piece::Command { output, .. })) if !line.starts_with("? ") => output.push(*line),
            _ => {}
        }
    }
    pieces
}

/// Writes a piece that is no command.
pub fn write(text: &mut Text, piece: &Piece<'_>) {
    match piece {
        Piece::Prose(prose) => {
            for line in wrap(&plain(prose), WIDTH) {
                text.push(&line);
                text.end_line();
            }
        }
        Piece::Entry { mark, text: entry } => {
            for (number, line) in wrap(&plain(entry), WIDTH - 5).iter().enumerate() {
                let before = if number == 0 { format!("  {mark:<3}") } else { " ".repeat(5) };
                text.paint(Role::Strong, &before).push(line);
                text.end_line();
            }
            return;
        }
        Piece::Lines(lines) => {
            for line in lines {
                text.push("    ").paint(Role::Dim, line);
                text.end_line();
            }
        }
        Piece::Picture(what) => {
            for line in wrap(&format!("[picture: {what}]"), WIDTH) {
                text.paint(Role::Dim, &line);
                text.end_line();
            }
        }
        Piece::Command { .. } => {}
    }
    text.end_line();
}

/// Prose without the marks of links and emphasis; code keeps its backticks.
fn plain(prose: &str) -> String {
    let mut plain = String::with_capacity(prose.len());
    let mut rest = prose.replace("**", "");
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        match after.split_once("](").and_then(|(words, link)| Some((words, link.split_once(')')?))) {
            Some((words, (_, after))) => {
                plain.push_str(words);
                rest = after.to_owned();
            }
            None => {
                plain.push('[');
                rest = after.to_owned();
            }
        }
    }
    plain + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_lists_tables_code_commands_and_pictures_are_told_apart() {
        let text = "One\nparagraph.\n\n- first\n  goes on\n- second\n\na) yes\nb) no\n\n| a | b |\n|---|---|\n\n```yaml\nnats: {}\n```\n\n```console\n$ punchlab run x\n? 1\nFAILED\n$ punchlab matrix\n```\n![A ladder](../x.svg)";

        assert_eq!(
            pieces(text),
            [
                Piece::Prose("One paragraph.".into()),
                Piece::Entry { mark: "-", text: "first goes on".into() },
                Piece::Entry { mark: "-", text: "second".into() },
                Piece::Entry { mark: "a)", text: "yes".into() },
                Piece::Entry { mark: "b)", text: "no".into() },
                Piece::Lines(vec!["| a | b |", "|---|---|"]),
                Piece::Lines(vec!["nats: {}"]),
                Piece::Command { line: "punchlab run x", output: vec!["FAILED"] },
                Piece::Command { line: "punchlab matrix", output: vec![] },
                Piece::Picture("A ladder"),
            ]
        );
    }

    #[test]
    fn links_and_emphasis_lose_their_marks() {
        assert_eq!(plain("See **this** [page](x.md) and `[a]`."), "See this page and `[a]`.");
    }
}
