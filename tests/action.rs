//! The GitHub Action uses the inputs it declares, and only as data.

use regex::Regex;

#[test]
fn inputs_are_declared_used_and_never_part_of_a_script() {
    let action = std::fs::read_to_string("action.yml").expect("the action");
    let (inputs, runs) = action.split_once("\nruns:").expect("inputs, then runs");
    let inputs = inputs.split_once("\ninputs:\n").expect("inputs").1;
    let declared: Vec<&str> = names(r"(?m)^  ([a-z-]+):$", inputs);
    assert!(declared.len() >= 2, "{declared:?}");
    let mut used = names(r"\$\{\{ inputs\.([a-z-]+) \}\}", runs);
    used.sort_unstable();
    used.dedup();
    let mut sorted = declared.clone();
    sorted.sort_unstable();
    assert_eq!(used, sorted);
    // An expression inside `run:` would make whoever writes an input write the script.
    for script in runs.split("run:").skip(1) {
        let script = script.split("\n    - ").next().unwrap_or_default();
        assert!(!script.contains("${{"), "{script}");
    }
}

fn names<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
    let pattern = Regex::new(pattern).expect("a pattern");
    pattern.captures_iter(text).filter_map(|found| Some(found.get(1)?.as_str())).collect()
}
