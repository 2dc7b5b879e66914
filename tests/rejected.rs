//! Every scenario that has to be rejected is, with a message that shows where and says what to write instead.
//!
//! Each file under `tests/rejected` says in its first comment what is wrong with it; the message is a snapshot.

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use punchlab::base::Limits;
use punchlab::scenario::{Code, Overrides, Rejection, Source, cases, load};

#[test]
fn every_file_is_rejected_with_a_message_that_teaches() {
    insta::glob!("rejected/*.nat.yaml", |path| {
        let rejection = load(&named(path), &Overrides::default(), &Limits::DEFAULT).expect_err("a mistake");
        assert_teaches(&rejection);
        insta::assert_snapshot!(rejection.to_string());
    });
}

#[test]
fn every_file_says_first_what_is_wrong_with_it() {
    let files = files();
    assert!(files.len() >= 80, "{} files", files.len());
    for file in files {
        let text = &named(&file).text;
        assert!(
            text.starts_with("# ") && text.lines().next().is_some_and(|line| line.ends_with('.')),
            "{file:?}"
        );
    }
}

#[test]
fn every_kind_of_mistake_has_a_file() {
    // These come from what is no text, from limits, and from `--set`.
    let elsewhere = [Code::Unreadable, Code::BadOverride];
    let mut seen = Vec::new();
    for file in files() {
        let rejection = load(&named(&file), &Overrides::default(), &Limits::DEFAULT).expect_err("a mistake");
        seen.extend(rejection.diagnostics.iter().map(|diagnostic| diagnostic.code));
    }
    let missing: Vec<_> =
        Code::ALL.iter().filter(|code| !seen.contains(code) && !elsewhere.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_file_is_read_only_if_it_is_a_regular_one() {
    let missing = rejected_path(Path::new("tests/rejected/there-is-no-such-file.nat.yaml"));
    let directory = rejected_path(Path::new("tests/rejected"));
    insta::assert_snapshot!(format!("{missing}\n\n{directory}"));
    #[cfg(unix)]
    assert!(rejected_path(Path::new("/dev/zero")).to_string().contains("not a regular file"));
}

#[cfg(unix)]
#[test]
fn a_fifo_blocks_nobody() {
    let folder = tempfolder("fifo");
    let fifo = folder.join("scenario.nat.yaml");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
    assert!(made.success());
    assert!(rejected_path(&fifo).to_string().contains("not a regular file"));
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfolder("bytes");
    let mut messages = Vec::new();
    for (name, bytes) in [
        ("utf-8", b"peers:\n  alice: {}\n  b\xff\xfeb: {}\n".as_slice()),
        ("nul", b"peers:\n  al\0ice: {}\n"),
        ("utf-16", &"peers: {}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        ("escape", b"name: \x1b[31mred\n"),
    ] {
        let path = folder.join(format!("{name}.nat.yaml"));
        std::fs::write(&path, bytes).expect("written");
        let rejection = match Source::read(&path, &Limits::DEFAULT) {
            Ok(source) => {
                let source = Source::new(format!("{name}.nat.yaml"), source.text);
                load(&source, &Overrides::default(), &Limits::DEFAULT).expect_err("a mistake")
            }
            Err(rejection) => rejection,
        };
        assert_eq!(rejection.diagnostics[0].code, Code::BadText, "{name}");
        messages.push(rejection.to_string().replace(&*folder.to_string_lossy(), "FOLDER"));
    }
    std::fs::remove_dir_all(folder).expect("removed");
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn a_byte_order_mark_at_the_start_is_no_mistake() {
    let text = "\u{feff}peers: { a: {}, b: {} }\ncalls: [a -> b]\n";
    load(&Source::new("bom.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT).expect("a plan");
    let rejection = rejection_of("\u{feff}peers: { a: {}, b: {} }\ncalls: [a -> c]\n");
    let position = rejection.position(&rejection.diagnostics[0]).expect("a place");
    assert_eq!((position.1, position.2), (2, 14));
}

#[test]
fn lines_may_end_as_on_windows() {
    let rejection = rejection_of("peers: { a: {}, b: {} }\r\ncalls: [a -> c]\r\n");
    let position = rejection.position(&rejection.diagnostics[0]).expect("a place");
    assert_eq!((position.1, position.2), (2, 14));
}

#[test]
fn file_bytes_are_limited() {
    let limits = Limits { file_bytes: 100, ..Limits::DEFAULT };
    let text = format!("peers: {{ a: {{}}, b: {{}} }}\ncalls: [a -> b]\n# {}", "x".repeat(100));
    assert_limit(&text, &limits, "larger than 100 bytes");
    let folder = tempfolder("large");
    let path = folder.join("large.nat.yaml");
    std::fs::write(&path, "#".repeat(2_000_000)).expect("written");
    assert!(rejected_path(&path).to_string().contains("larger than 1048576 bytes"));
    std::fs::remove_dir_all(folder).expect("removed");
}

#[test]
fn yaml_depth_is_limited() {
    for nested in [
        format!("peers: {}{}", "[".repeat(40), "]".repeat(40)),
        format!("peers: {}{}", "{a: ".repeat(40), "}".repeat(40)),
        (0..40).map(|level| format!("{}a:\n", " ".repeat(level))).collect(),
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
    ] {
        assert_limit(&nested, &Limits::DEFAULT, "32 levels deep");
    }
}

#[test]
fn name_bytes_are_limited() {
    let limits = Limits { name_bytes: 8, ..Limits::DEFAULT };
    assert_limit(
        "peers: { alice-the-caller: {}, bob: {} }\ncalls: [bob -> alice-the-caller]",
        &limits,
        "too long",
    );
}

#[test]
fn nodes_are_limited() {
    let nats: String = (0..1_000).map(|n| format!("  n{n}: symmetric\n")).collect();
    let text = format!("nats:\n{nats}peers: {{ a: {{}}, b: {{}} }}\ncalls: [a -> b]");
    assert_limit(&text, &Limits::DEFAULT, "1003 nodes");
    let many: String = (0..1_001).map(|n| format!("  n{n}: symmetric\n")).collect();
    assert_limit(&format!("nats:\n{many}"), &Limits::DEFAULT, "1001 entries");
    let huge: String = (0..60_000).map(|n| format!("  n{n}: x\n")).collect();
    assert_limit(&format!("nats:\n{huge}"), &Limits::DEFAULT, "more than 50000 values");
}

#[test]
fn peers_are_limited() {
    let peers: String = (0..65).map(|n| format!("  p{n}: {{}}\n")).collect();
    assert_limit(&format!("peers:\n{peers}calls: [p0 -> p1]"), &Limits::DEFAULT, "65 peers");
}

#[test]
fn list_entries_are_limited() {
    let limits = Limits { list_entries: 3, ..Limits::DEFAULT };
    let base = "peers: { a: {}, b: {}, c: {} }\n";
    for text in [
        format!("{base}calls: [a -> b, a -> c, b -> a, b -> c]"),
        format!("nats: {{ n: {{ type: symmetric, outside: [203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4] }} }}\n{base}calls: [a -> b]"),
        format!("servers: {{ s: {{ stun: [1/udp, 2/udp, 3/udp, 4/udp] }} }}\n{base}calls: [a -> b]"),
        format!("servers: {{ s: {{ turn: 1/udp, users: {{ a: x, b: x, c: x, d: x }} }} }}\n{base}calls: [a -> b]"),
        format!("{base}calls: [a -> b]\nexpect: {{ path: [direct, stun, relay, failed] }}"),
        format!("{base}calls: [a -> b]\nexpect: {{ drops: [{{by: a}}, {{by: a}}, {{by: a}}, {{by: a}}] }}"),
        format!("firewalls: {{ f: {{ outbound: {{ allow: [1/udp, 2/udp, 3/udp, 4/udp] }} }} }}\n{base}calls: [a -> b]"),
        "servers: { s: { stun: [1/udp, 2/udp] } }\npeers: { a: { ice-servers: [{ urls: [stun:s:1, stun:s:2] }, { urls: [stun:s:1, stun:s:2] }] }, b: {} }\ncalls: [a -> b]".into(),
    ] {
        assert_limit(&text, &limits, "at most 3 are allowed");
    }
}

#[test]
fn virtual_time_is_limited() {
    assert_limit(
        "duration: 25h\npeers: { a: {}, b: {} }\ncalls: [a -> b]",
        &Limits::DEFAULT,
        "limit of 86400s",
    );
}

#[test]
fn alias_bombs_are_refused_at_once() {
    let laughs: String = (1..30)
        .map(|n| format!("l{n}: &l{n} [*l{}, *l{}, *l{}]\n", n - 1, n - 1, n - 1))
        .fold("l0: &l0 [lol]\n".into(), |text, line| text + &line);
    let quadratic = format!("nats: &n [{}]\npeers: [{}]\n", "x, ".repeat(5_000), "*n, ".repeat(5_000));
    for bomb in [laughs, quadratic] {
        let started = clock();
        let rejection = rejection_of(&bomb);
        let took = started.elapsed();
        assert_eq!(rejection.diagnostics[0].code, Code::YamlFeature);
        assert!(took < Duration::from_millis(100), "{took:?}");
    }
}

#[test]
fn a_file_full_of_mistakes_gives_a_message_of_bounded_length() {
    let nats: String = (0..900).map(|n| format!("  n{n}: {{ type: nonsense-{n}, colour: red }}\n")).collect();
    let text = rejection_of(&format!("nats:\n{nats}")).to_string();
    assert!(text.len() < 40_000, "{} bytes", text.len());
    assert!(text.contains("more mistakes"), "{text}");
    let long = format!("name: [{}]\npeers: {{ a: {{}}, b: {{}} }}\ncalls: [a -> b]", "x, ".repeat(200_000));
    let text = load(
        &Source::new("long.nat.yaml", long),
        &Overrides::default(),
        &Limits { nodes: 100_000, ..Limits::DEFAULT },
    );
    assert!(text.expect_err("a mistake").to_string().len() < 2_000);
}

#[test]
fn colour_adds_nothing_but_colour() {
    let rejection = rejection_of("peers: { a: {}, b: {} }\ncalls: [a -> c]");
    let (plain, colored) = (rejection.render(false), rejection.render(true));
    assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
    assert!(colored.len() > plain.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_reading_panic(text in "\\PC{0,300}") {
        read_and_render(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_reading_panic(text in "(peers|nats|servers|calls|expect|[a-c]|[0-9]{1,3}|[ \\n:{}\\[\\],'\"|>&*!?#~.%-]|ms|/udp|->){0,60}") {
        read_and_render(&text);
    }

    #[test]
    fn no_mutation_of_a_scenario_makes_reading_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ -~\\n]{0,4}"), 1..4),
        file in any::<prop::sample::Index>(),
    ) {
        let files = files();
        let mut text: Vec<char> = named(&files[file.index(files.len())]).text.chars().collect();
        for (start, length, insert) in cuts {
            let start = start.index(text.len().max(1)).min(text.len());
            let end = (start + length.index(12)).min(text.len());
            text.splice(start..end, insert.chars());
        }
        read_and_render(&text.into_iter().collect::<String>());
    }

    #[test]
    fn no_override_makes_reading_panic(path in "[a-z0-9.-]{0,20}|(nats|peers|calls|expect)\\.[a-z0-9]{1,5}(\\.link)?(\\.delay)?", value in "\\PC{0,20}") {
        let text = "nats: { home: symmetric }\npeers: { a: { behind: home, link: wifi }, b: {} }\ncalls: [a -> b]\n";
        let overrides = Overrides { set: vec![(path, value)], ..Overrides::default() };
        if let Err(rejection) = load(&Source::new("f.nat.yaml", text), &overrides, &Limits::DEFAULT) {
            assert_teaches(&rejection);
        }
    }
}

fn read_and_render(text: &str) {
    let source = Source::new("f.nat.yaml", text);
    if let Err(rejection) = load(&source, &Overrides::default(), &Limits::DEFAULT) {
        assert_teaches(&rejection);
    }
    let cases = cases(&source, &Overrides::default(), &Limits::DEFAULT);
    if let Err(rejection) = &cases {
        assert_teaches(rejection);
    }
    for case in cases.iter().flatten().take(3) {
        if let Err(rejection) = load(&source, &case.overrides, &Limits::DEFAULT) {
            assert_teaches(&rejection);
            assert!(rejection.diagnostics.iter().all(|diagnostic| diagnostic.code != Code::ManyCases));
        }
    }
}

/// Every mistake has a place and advice, and shows the line.
fn assert_teaches(rejection: &Rejection) {
    assert!(!rejection.diagnostics.is_empty());
    let text = rejection.to_string();
    for diagnostic in &rejection.diagnostics {
        assert!(rejection.position(diagnostic).is_some(), "no place: {text}");
        assert!(!diagnostic.help.is_empty(), "no advice: {text}");
    }
    assert!(text.contains(" --> "), "{text}");
}

fn assert_limit(text: &str, limits: &Limits, words: &str) {
    let rejection =
        load(&Source::new("limit.nat.yaml", text), &Overrides::default(), limits).expect_err("a limit");
    let message = rejection.to_string();
    assert!(rejection.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::Limit), "{message}");
    assert!(message.contains(words), "{message}");
}

fn rejection_of(text: &str) -> Rejection {
    load(&Source::new("f.nat.yaml", text), &Overrides::default(), &Limits::DEFAULT).expect_err("a mistake")
}

fn rejected_path(path: &Path) -> Rejection {
    Source::read(path, &Limits::DEFAULT).expect_err("not readable")
}

/// A source that is named by its file's name alone, so that snapshots do not depend on where the tests run.
fn named(path: &Path) -> Source {
    let name = path.file_name().expect("a file name").to_string_lossy().into_owned();
    Source::new(name, Source::read(path, &Limits::DEFAULT).expect("readable").text)
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejected");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn tempfolder(purpose: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("punchlab-{purpose}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// How long reading a bomb takes is the one thing here that the wall clock must tell.
#[expect(clippy::disallowed_methods, reason = "measures the reader itself")]
fn clock() -> Instant {
    Instant::now()
}
