//! The documentation is true: every command it shows is run, and its output is what stands there.
#![cfg(feature = "cli")]

use std::path::PathBuf;

#[test]
fn what_the_documentation_shows_is_what_the_program_prints() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .case("README.md")
        .case("docs/*.md")
        .case("docs/lessons/*.md");
}

/// Commands that stand in the text, in tables or in indented blocks, with file names that are only examples, are ones that
/// the program understands.
#[test]
fn every_command_that_is_mentioned_exists() {
    let mut commands = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a readable page");
        for command in mentioned(&text) {
            let understood = understood(&command);
            assert!(understood.is_ok(), "{}: `{command}`: {}", page.display(), understood.unwrap_err());
            commands += 1;
        }
    }
    assert!(commands > 40, "only {commands} commands were found");
}

/// What stands between backticks or alone on an indented line and begins with the program's name.
fn mentioned(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if fenced {
            continue;
        }
        if let Some(command) = line.strip_prefix("    ").filter(|rest| rest.starts_with("punchlab ")) {
            // A remark may follow.
            found.push(
                command
                    .split("   ")
                    .next()
                    .unwrap_or_default()
                    .split(" #")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        found.extend(
            line.split('`')
                .skip(1)
                .step_by(2)
                .filter(|span| span.starts_with("punchlab "))
                .map(str::to_owned),
        );
    }
    found.retain(|command| !command.contains('…') || command.trim_end_matches('…').ends_with("FILE"));
    found
}

fn understood(command: &str) -> Result<(), clap::Error> {
    let words = command.replace('…', "").replace(" N", " 1").replace(['[', ']'], "");
    let words: Vec<String> =
        words.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect();
    match punchlab::cli::command().try_get_matches_from(words) {
        // A command may be named without all it needs.
        Err(error) if error.kind() != clap::error::ErrorKind::MissingRequiredArgument => Err(error),
        _ => Ok(()),
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec!["README.md".into(), "CONTRIBUTING.md".into(), "CHANGELOG.md".into()];
    for folder in ["docs", "docs/lessons"] {
        let entries = std::fs::read_dir(folder).expect("a folder");
        pages.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    pages.retain(|page: &PathBuf| page.extension().is_some_and(|extension| extension == "md"));
    pages
}

/// Every link of the documentation to a file of the repository leads somewhere.
#[test]
fn no_link_leads_nowhere() {
    let mut links = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a readable page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(link, _)| link)) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || link.contains("://") {
                continue;
            }
            let target = page.parent().expect("a folder").join(file);
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            links += 1;
        }
    }
    assert!(links > 30, "only {links} links were found");
}

/// The table of JSON Lines events stands twice: for users, and beside the code that writes them.
#[test]
fn the_table_of_events_is_the_one_beside_the_code() {
    let read = |path| std::fs::read_to_string(path).expect("a readable file");
    let table = |text: &str, prefix: &str| -> Vec<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix(prefix));
        rows.filter(|row| row.starts_with("| ")).map(str::to_owned).collect()
    };
    let beside_the_code = table(&read("src/report/jsonl/mod.rs"), "//! ");
    assert!(beside_the_code.len() > 20);
    assert_eq!(table(&read("docs/output.md"), ""), beside_the_code);
}
