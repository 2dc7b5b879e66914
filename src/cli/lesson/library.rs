//! The lessons, as the program carries them: the pages of `docs/lessons/` and their scenarios.

use crate::scenario::Source;

/// A lesson.
#[derive(Debug)]
pub struct Lesson {
    /// Its page.
    text: &'static str,
    /// The path of its scenario, as the page's commands name it.
    pub scenario_path: &'static str,
    scenario: &'static str,
}

macro_rules! lessons {
    ($($page:literal => $scenario:literal),+ $(,)?) => {
        &[$(Lesson {
            text: include_str!(concat!("../../../docs/lessons/", $page, ".md")),
            scenario_path: concat!("scenarios/", $scenario, ".nat.yaml"),
            scenario: include_str!(concat!("../../../scenarios/", $scenario, ".nat.yaml")),
        }),+]
    };
}

/// All lessons, in order; lesson 1 is the first.
pub static LESSONS: &[Lesson] = lessons![
    "01-a-packet-through-a-nat" => "lesson-1-a-packet-through-a-nat",
    "02-mapping-and-filtering" => "lesson-2-mapping-and-filtering",
    "03-what-stun-cannot-know" => "lesson-3-what-stun-cannot-know",
    "04-hole-punching" => "lesson-4-hole-punching",
    "05-symmetric-nats" => "lesson-5-symmetric-nats",
    "06-what-a-relay-costs" => "lesson-6-what-a-relay-costs",
];

/// A part of a lesson, under a heading of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The heading.
    pub heading: &'a str,
    /// What stands under it.
    pub text: &'a str,
}

impl Lesson {
    /// `Lesson 1: a packet through a NAT`.
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// Its scenario.
    pub fn source(&self) -> Source {
        Source::new(self.scenario_path, self.scenario)
    }

    /// Its parts, in order.
    pub fn parts(&self) -> Vec<Part<'static>> {
        let mut parts = self.text.split("\n## ");
        // Before the first heading stands the title.
        parts.next();
        parts
            .map(|part| {
                let (heading, text) = part.split_once('\n').unwrap_or((part, ""));
                Part { heading, text: text.trim() }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lesson_has_the_same_parts_and_shows_its_scenario_as_it_is() {
        for (number, lesson) in (1..).zip(LESSONS) {
            assert!(lesson.title().starts_with(&format!("Lesson {number}: ")), "{}", lesson.title());
            let parts = lesson.parts();
            let headings: Vec<&str> = parts.iter().map(|part| part.heading).collect();
            assert_eq!(
                headings,
                ["The call", "Predict", "Run", "Why", "Exercise", "Answer"],
                "lesson {number}"
            );
            assert!(
                parts[0].text.contains(lesson.scenario.trim_end()),
                "lesson {number} shows another scenario"
            );
            assert!(parts[2].text.contains(lesson.scenario_path), "lesson {number} runs another scenario");
        }
    }
}
