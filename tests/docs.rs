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

/// Every link of the documentation to a file of the repository leads somewhere.
#[test]
fn no_link_leads_nowhere() {
    let mut pages = vec!["README.md".into(), "CONTRIBUTING.md".into()];
    for folder in ["docs", "docs/lessons"] {
        let entries = std::fs::read_dir(folder).expect("a folder");
        pages.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    let mut links = 0;
    for page in pages.into_iter().filter(|page: &PathBuf| page.extension().is_some_and(|e| e == "md")) {
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
