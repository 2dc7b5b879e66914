//! `lesson` on the command line.
#![cfg(feature = "cli")]

mod common;

use common::program::{code, punchlab, stderr, stdout};

const PARTS: [&str; 6] = ["The call", "Predict", "Run", "Why", "Exercise", "Answer"];

#[test]
fn lessons_are_listed() {
    let output = punchlab(&["lesson"]);
    assert_eq!(code(&output), 0);
    let listed = stdout(&output).lines().filter(|line| line.starts_with("Lesson ")).count();
    assert_eq!(listed, 6);
    let pages = std::fs::read_dir("docs/lessons").expect("the lessons").count();
    assert_eq!(pages, listed + 1, "every page but the index is a lesson");
}

/// Without a terminal nothing is asked; commands about the lesson's scenario are run.
#[test]
fn a_lesson_goes_through_its_parts_and_runs_its_call() {
    for number in 1..=6 {
        let output = punchlab(&["lesson", &number.to_string()]);
        assert_eq!((code(&output), stderr(&output)), (0, String::new()), "lesson {number}");
        let text = stdout(&output);
        let places: Vec<Option<usize>> =
            PARTS.iter().map(|part| text.find(&format!("\n{part}\n\n"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "lesson {number}: {places:?}");
        let run = text.split("\nRun\n").nth(1).expect("the run");
        assert!(run.contains(" alice → bob "), "lesson {number}: {text}");
        assert!(!text.contains("```") && !text.contains("]("), "lesson {number} shows Markdown");
    }
}

/// What a lesson runs here and now is what its page shows.
#[test]
fn a_run_in_a_lesson_is_the_one_on_its_page() {
    let text = stdout(&punchlab(&["lesson", "1"]));
    let page = std::fs::read_to_string("docs/lessons/01-a-packet-through-a-nat.md").expect("the page");
    let block =
        page.split("```console\n").nth(1).and_then(|rest| rest.split("\n```").next()).expect("a block");
    assert!(text.contains(block), "{block}");
}

#[test]
fn a_lessons_scenario_is_its_file() {
    let output = punchlab(&["lesson", "3", "--scenario"]);
    let file =
        std::fs::read_to_string("scenarios/lesson-3-what-stun-cannot-know.nat.yaml").expect("the file");
    assert_eq!(stdout(&output), file);
}

#[test]
fn a_lesson_that_does_not_exist_says_how_many_there_are() {
    for number in ["0", "7"] {
        let output = punchlab(&["lesson", number]);
        assert_eq!(code(&output), 4);
        assert!(stderr(&output).contains("there are 6 lessons"), "{}", stderr(&output));
    }
    assert_eq!(code(&punchlab(&["lesson", "one"])), 2);
    assert_eq!(code(&punchlab(&["lesson", "--scenario"])), 2);
}
