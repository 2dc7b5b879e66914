//! The documentation is true: every command it shows is run, and its output is what stands there.
#![cfg(feature = "cli")]

#[test]
fn what_the_documentation_shows_is_what_the_program_prints() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .case("README.md")
        .case("docs/*.md")
        .case("docs/lessons/*.md");
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
