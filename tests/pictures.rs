//! The pictures under `docs/images/` are what the program draws.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::Command;

/// The file, and what `punchlab` draws it with.
const PICTURES: &[(&str, &[&str])] = &[
    ("symmetric-x-symmetric-graph.svg", &["graph", "scenarios/symmetric-x-symmetric.nat.yaml"]),
    (
        "hole-punching-ladder.svg",
        &["ladder", "scenarios/hole-punching.nat.yaml", "--format", "svg", "--until", "200ms"],
    ),
    (
        "lesson-1.svg",
        &[
            "ladder",
            "scenarios/lesson-1-a-packet-through-a-nat.nat.yaml",
            "--format",
            "svg",
            "--from",
            "0ms",
            "--until",
            "100ms",
        ],
    ),
    (
        "lesson-2.svg",
        &[
            "ladder",
            "scenarios/lesson-2-mapping-and-filtering.nat.yaml",
            "--format",
            "svg",
            "--from",
            "100ms",
            "--until",
            "150ms",
        ],
    ),
    (
        "lesson-3.svg",
        &[
            "ladder",
            "scenarios/lesson-3-what-stun-cannot-know.nat.yaml",
            "--format",
            "svg",
            "--from",
            "0ms",
            "--until",
            "150ms",
        ],
    ),
    (
        "lesson-4.svg",
        &[
            "ladder",
            "scenarios/lesson-4-hole-punching.nat.yaml",
            "--format",
            "svg",
            "--from",
            "250ms",
            "--until",
            "400ms",
        ],
    ),
    (
        "lesson-5.svg",
        &[
            "ladder",
            "scenarios/lesson-5-symmetric-nats.nat.yaml",
            "--format",
            "svg",
            "--from",
            "50ms",
            "--until",
            "150ms",
        ],
    ),
    (
        "lesson-6.svg",
        &[
            "ladder",
            "scenarios/lesson-6-what-a-relay-costs.nat.yaml",
            "--format",
            "svg",
            "--from",
            "660ms",
            "--until",
            "720ms",
        ],
    ),
];

#[test]
fn the_pictures_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    for (name, arguments) in PICTURES {
        let drawn = draw(arguments);
        let path = folder.join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&folder).expect("the folder");
            std::fs::write(&path, &drawn).expect("written");
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            found == drawn,
            "docs/images/{name} is stale\nrefresh it with: UPDATE_DOCS=1 cargo test --test pictures"
        );
    }
}

#[test]
fn every_picture_is_one_of_these() {
    let known: Vec<&str> = PICTURES.iter().map(|(name, _)| *name).collect();
    for entry in std::fs::read_dir("docs/images").expect("docs/images") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(known.contains(&name.as_str()), "docs/images/{name} is in no table of tests/pictures.rs");
    }
}

fn draw(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_punchlab")).args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
