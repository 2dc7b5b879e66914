//! A matrix is several cases, and what is chosen or changed about it is neither ignored nor told twice.

use super::*;
use crate::scenario::set::spelled;

const PAIRS: &str = "\
matrix: { a: [none, symmetric], b: [symmetric, full-cone], wait: [5s] }
nats: { nat-a: \"${{ matrix.a }}\", nat-b: { type: \"${{ matrix.b }}\", udp-timeout: \"${{ matrix.wait }}\" } }
peers: { alice: { behind: nat-a }, bob: { behind: nat-b } }
calls: [alice -> bob]
";

fn set(path: &str, value: &str) -> Overrides {
    Overrides { set: vec![(path.into(), value.into())], ..Overrides::default() }
}

fn chosen(name: &str, value: &str) -> Overrides {
    Overrides { matrix: vec![(name.into(), value.into())], ..Overrides::default() }
}

fn labels(text: &str, overrides: &Overrides) -> Vec<String> {
    let cases = cases(&Source::new("a.nat.yaml", text), overrides, &Limits::DEFAULT).expect("cases");
    cases.into_iter().map(|case| case.label).collect()
}

fn mistakes(text: &str, overrides: &Overrides) -> String {
    cases(&Source::new("a.nat.yaml", text), overrides, &Limits::DEFAULT).expect_err("a mistake").to_string()
}

#[test]
fn the_first_name_varies_slowest() {
    assert_eq!(
        labels(PAIRS, &Overrides::default()),
        [
            "a=none,b=symmetric,wait=5s",
            "a=none,b=full-cone,wait=5s",
            "a=symmetric,b=symmetric,wait=5s",
            "a=symmetric,b=full-cone,wait=5s"
        ]
    );
    assert_eq!(labels("peers: {}", &Overrides::default()), [""]);
}

#[test]
fn a_name_with_a_chosen_value_has_no_other() {
    let wanted = ["a=symmetric,b=symmetric,wait=5s", "a=symmetric,b=full-cone,wait=5s"];
    assert_eq!(labels(PAIRS, &chosen("a", "symmetric")), wanted);
    assert_eq!(labels(PAIRS, &set("matrix.a", "symmetric")), wanted);
}

#[test]
fn choosing_for_a_name_that_is_not_there_is_a_mistake() {
    let text = mistakes(PAIRS, &chosen("wiat", "6s"));
    assert!(text.contains("did you mean `wait`?"), "{text}");
    let text = mistakes("peers: {}", &chosen("a", "none"));
    assert!(text.contains("the file has no `matrix`"), "{text}");
    let text = mistakes(PAIRS, &set("matrix.wiat", "6s"));
    assert!(text.contains("did you mean `matrix.wait`?"), "{text}");
}

#[test]
fn a_mistake_in_an_expression_is_told_before_there_are_cases() {
    let text = mistakes(&PAIRS.replace("matrix.wait", "matrix.wiat"), &Overrides::default());
    assert_eq!(text.matches("error[").count(), 1, "{text}");
}

#[test]
fn a_change_may_take_the_place_of_an_expression() {
    let source = Source::new("a.nat.yaml", PAIRS);
    let change = set("nats.nat-b.udp-timeout", "6s");
    let cases = cases(&source, &change, &Limits::DEFAULT).expect("cases");
    assert_eq!(cases.len(), 4);
    for case in &cases {
        load(&source, &case.overrides, &Limits::DEFAULT).expect("a plan");
    }
}

#[test]
fn a_file_has_no_more_cases_than_the_limit() {
    let count = |cases| Limits { cases, ..Limits::DEFAULT };
    let source = Source::new("a.nat.yaml", PAIRS);
    assert!(cases(&source, &Overrides::default(), &count(4)).is_ok());
    assert!(cases(&source, &Overrides::default(), &count(3)).is_err());
}

#[test]
fn the_choice_that_is_proposed_can_be_copied_into_a_shell() {
    let text = "matrix: { title: [a b, x] }\nname: \"${{ matrix.title }}\"\npeers: {}\ncalls: []";
    let rejection =
        load(&Source::new("a", text), &Overrides::default(), &Limits::DEFAULT).expect_err("two cases");
    let told = rejection.to_string();
    assert!(told.contains(r#"with `--set 'matrix.title="a b"'`"#), "{told}");
}

#[test]
fn a_spelled_text_is_read_back_as_it_was() {
    let text = "matrix: { title: [x] }\nname: \"${{ matrix.title }}\"\npeers: { alice: {}, bob: {} }\ncalls: [alice -> bob]";
    for value in
        ["5s", "10.0.0.0/24", "a: b", "[1]", "# x", "it's", "say \"x\"", "null", "~", "- x", "007", "a:", "ü"]
    {
        let plan = load(&Source::new("a", text), &set("matrix.title", &spelled(value)), &Limits::DEFAULT);
        let plan = plan.unwrap_or_else(|rejection| panic!("{value}: {rejection}"));
        assert_eq!(plan.name, format!("{value}[title={value}]"));
    }
    assert_eq!(spelled("port-restricted-cone"), "port-restricted-cone");
    assert_eq!(spelled(""), "\"\"");
}
