//! What `punchlab run` prints for one scenario: verdict and cause first, then the packets, then the tables.
//!
//! Each part has a file and a function of its own, so that a caller may choose.

mod assumptions;
mod calls;
mod candidates;
mod drops;
mod events;
mod expectations;
mod ladder;
mod nat_tables;
pub(super) mod table;
mod verdict;

#[cfg(test)]
mod tests;

use super::Report;
use super::ladder::Ladder;
use super::text::{Role, Style, Text, length, milliseconds};

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// With or without colours.
    pub style: Style,
    /// How many columns lines should keep to; 100 fits two peers, two NATs and two servers side by side.
    pub width: usize,
    /// True: every packet and every table row. False: repetitions are counted and long lists are cut, and a line
    /// says so.
    pub full: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { style: Style::Plain, width: 100, full: false }
    }
}

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The scenario's name, its seed, and how long it took.
    Title,
    /// How each call went, and why.
    Verdict,
    /// What changed while it ran.
    Events,
    /// The packets between the nodes, in time.
    Ladder,
    /// What each agent gathered and selected.
    Candidates,
    /// What each NAT remembered at the end.
    NatTables,
    /// Where packets died, and by which rule.
    Drops,
    /// What the scenario expects and what came of it.
    Expectations,
    /// What the scenario left open.
    Assumptions,
}

impl Part {
    /// Every part, in the order in which they are printed.
    pub const ALL: &'static [Self] = &[
        Self::Title,
        Self::Verdict,
        Self::Events,
        Self::Ladder,
        Self::Candidates,
        Self::NatTables,
        Self::Drops,
        Self::Expectations,
        Self::Assumptions,
    ];
}

/// The whole report.
pub fn write(report: Report<'_>, options: Options) -> String {
    write_parts(report, Part::ALL, options)
}

/// The chosen parts of the report, in the order given.
pub fn write_parts(report: Report<'_>, parts: &[Part], options: Options) -> String {
    let mut text = Text::new(options.style);
    for part in parts {
        match part {
            Part::Title => title(&mut text, report, options),
            Part::Verdict => verdict::write(&mut text, report, options),
            Part::Events => events::write(&mut text, report, options),
            Part::Ladder => ladder::write(&mut text, report, options),
            Part::Candidates => candidates::write(&mut text, report, options),
            Part::NatTables => nat_tables::write(&mut text, report, options),
            Part::Drops => drops::write(&mut text, report, options),
            Part::Expectations => expectations::write(&mut text, report),
            Part::Assumptions => assumptions::write(&mut text, report, options),
        }
    }
    text.finish()
}

/// The ladder of one call alone.
pub fn write_ladder(ladder: &Ladder<'_>, options: Options) -> String {
    let mut text = Text::new(options.style);
    ladder::one(&mut text, ladder, options);
    text.finish()
}

/// What the scenario left open, in lines: `peers.{alice, bob}: { agent: is, link: lan }`.
pub fn assumed(plan: &crate::plan::Plan) -> Vec<String> {
    assumptions::lines(plan, true)
}

fn title(text: &mut Text, report: Report<'_>, options: Options) {
    let outcome = report.outcome;
    text.paint(Role::Strong, &outcome.scenario);
    let took = milliseconds(outcome.virtual_ms);
    let facts = format!("  seed {}, {took} of virtual time, {} packets", outcome.seed, report.run.packets);
    if length(&outcome.scenario) + length(&facts) > options.width {
        text.end_line();
    }
    text.paint(Role::Dim, &facts);
    text.end_line();
}
