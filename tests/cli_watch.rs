//! `watch` on the command line: it runs at once, and again at each save.
#![cfg(feature = "watch")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use common::program::{Scratch, code, command, punchlab, stderr};

const SCENARIO: &str = "nats: { nat-a: symmetric }
servers: { stun: { stun: [3478/udp] }, turn: { turn: [3478/udp] } }
peers: { alice: { behind: nat-a }, bob: {} }
calls: [alice -> bob]
";

#[test]
fn a_save_runs_the_scenario_again_and_renews_its_page() {
    let folder = Scratch::new("watch");
    let (file, page) = (folder.path("call.nat.yaml"), folder.path("call.html"));
    std::fs::write(&file, SCENARIO).expect("written");
    let mut watching = Watching::start(&[&file, "--html", &page]);

    assert!(watching.next_verdict().starts_with("STUN "));
    let first = std::fs::read_to_string(format!("{page}.stamp.js")).expect("a stamp");
    assert!(std::fs::read_to_string(&page).expect("a page").contains("call.html.stamp.js"));

    // Editors write a new file and put it in the old one's place.
    let new = folder.path("call.nat.yaml.tmp");
    std::fs::write(&new, SCENARIO.replace("nat-a: symmetric", "nat-a: none")).expect("written");
    std::fs::rename(&new, &file).expect("renamed");

    assert!(watching.next_verdict().starts_with("DIRECT "));
    assert_ne!(std::fs::read_to_string(format!("{page}.stamp.js")).expect("a stamp"), first);
}

#[test]
fn what_cannot_be_watched_is_explained() {
    let output = punchlab(&["watch", "no-such-folder/call.nat.yaml"]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("cannot be watched"), "{}", stderr(&output));
    let file = "scenarios/same-lan.nat.yaml";
    assert_eq!(code(&punchlab(&["watch", file, "--html", file])), 2);
}

/// The program while it watches; it is ended with the test.
struct Watching {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Watching {
    fn start(arguments: &[&str]) -> Self {
        let mut child =
            command(&[&["watch"], arguments].concat()).stdout(Stdio::piped()).spawn().expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, output }
    }

    /// Reads until it watches again, and gives the line of the verdict.
    fn next_verdict(&mut self) -> String {
        let mut verdict = String::new();
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("its output") > 0, "it ended");
            if line.contains("alice → bob") {
                verdict = line;
            } else if line.starts_with("watching ") {
                return verdict;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
