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
