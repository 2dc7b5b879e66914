//! The house keeps its shape: layers know only those below them, files stay short, scenarios say what they teach.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. Layers in one row do not know each other.
const LAYERS: &[&[&str]] = &[
    &["base"],
    &["plan"],
    &["wire"],
    &["transport"],
    &["device", "agent", "endpoint", "scenario", "trace"],
    &["engine"],
    &["outcome"],
    &["matrix", "explain", "discover"],
    &["report"],
    &["suite", "lab"],
    &["cli"],
];

/// Arrows that may point the wrong way, each with its reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// The places that know an asynchronous runtime: sockets that look like the runtime's own, for code written for it, and the
/// one command that speaks to a real network.
const ASYNCHRONOUS: [&str; 2] = ["src/lab/sockets", "src/cli/discover/real.rs"];

const LONGEST_FILE: usize = 520;

#[test]
fn layers_know_only_those_below_them() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let Some(from) = layer_of(&file) else { continue };
        for (number, line) in read(&file).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for to in mentioned_layers(line) {
                let allowed = rank(&to) < rank(&from) || to == from;
                if !allowed && !EXCEPTIONS.iter().any(|(a, b, _)| *a == from && *b == to) {
                    wrong.push(format!("{}:{}: `{from}` must not know `{to}`", file.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_layer_has_a_place() {
    let mut known: Vec<_> = LAYERS.concat();
    known.extend(["lib", "main"]);
    for entry in fs::read_dir("src").expect("src") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(known.contains(&name.as_str()), "src/{name} is in no layer of tests/tidy.rs");
    }
}

#[test]
fn files_stay_short() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(rust_files);
    let long: Vec<_> = files
        .map(|file| (read(&file).lines().count(), file))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, file)| format!("{}: {lines} lines", file.display()))
        .collect();
    assert!(long.is_empty(), "files of more than {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn every_module_says_what_it_is() {
    for file in rust_files("src") {
        assert!(read(&file).starts_with("//!"), "{} does not begin with `//!`", file.display());
    }
}

#[test]
fn the_core_uses_no_async_runtime() {
    for file in rust_files("src") {
        let may = ASYNCHRONOUS.iter().any(|place| file.starts_with(place));
        assert!(may || !read(&file).contains("tokio::"), "{} uses tokio", file.display());
    }
}

#[test]
fn every_scenario_says_what_it_teaches_and_what_it_expects() {
    let mut count = 0;
    let folders = ["scenarios", "scenarios/cases"].map(|folder| fs::read_dir(folder).expect("a folder"));
    for entry in folders.into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue;
        }
        let text = read(&path);
        assert!(path.to_string_lossy().ends_with(".nat.yaml"), "{} is not a scenario", path.display());
        assert!(text.starts_with("# "), "{} does not begin with a comment", path.display());
        assert!(text.contains("\nexpect:"), "{} expects nothing", path.display());
        count += 1;
    }
    assert!(count >= 10, "only {count} scenarios");
}

#[test]
fn a_forbidden_arrow_would_be_seen() {
    assert_eq!(mentioned_layers("use crate::{device::nat, trace};"), ["device", "trace"]);
    assert_eq!(mentioned_layers("let x = crate::engine::run();"), ["engine"]);
    assert_eq!(layer_of(Path::new("src/device/nat/mod.rs")).as_deref(), Some("device"));
}

fn rank(layer: &str) -> usize {
    LAYERS.iter().position(|row| row.contains(&layer)).unwrap_or(usize::MAX)
}

/// `src/device/nat/mod.rs` and `src/device.rs` belong to `device`; `lib.rs` and `main.rs` to nobody.
fn layer_of(file: &Path) -> Option<String> {
    let first = file.components().nth(1)?.as_os_str().to_string_lossy().into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first);
    LAYERS.concat().contains(&name).then(|| name.to_owned())
}

/// The layers that a line's `crate::…` paths lead to.
fn mentioned_layers(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, prefix) in line.match_indices("crate::") {
        let rest = &line[start + prefix.len()..];
        let group = rest.strip_prefix('{').map(|inner| inner.split('}').next().unwrap_or(inner));
        let paths: Vec<&str> = match group {
            Some(group) => group.split(',').collect(),
            None => vec![rest],
        };
        for path in paths {
            let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
            let word: String = path.trim().chars().take_while(is_name).collect();
            if LAYERS.concat().contains(&word.as_str()) {
                found.push(word);
            }
        }
    }
    found
}

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a readable file")
}
