//! A ladder as an SVG picture: lifelines under the nodes, arrows for packets, time from top to bottom.

mod arrow;
mod page;
mod place;

use page::Page;
use place::{Columns, placed};

use super::Ladder;
use crate::report::svg::{Anchor, Picture};
use crate::report::text::{shorten, wrap};

/// Left and right of everything.
const MARGIN: f64 = 20.0;
/// Where the first line of the title stands.
const TITLE: f64 = 32.0;
/// From one line of the title to the next.
const TITLE_LINE: f64 = 22.0;
/// From the last line of the title to the line under it.
const SUBTITLE: f64 = 20.0;
/// How wide a character of the title is, at most.
const TITLE_CHARACTER: f64 = 10.0;
/// Ladders longer than this have the names below the lifelines too.
const LONG: f64 = 700.0;

const LEGEND: &str = "time in ms · ring: addresses rewritten · cross: died · dotted: signalling";

/// The picture of a ladder. With `full` every row is drawn, otherwise repetitions are counted and long ladders are cut.
pub fn write(ladder: &Ladder<'_>, full: bool) -> String {
    let columns = Columns::new(ladder);
    let room = ((columns.width() - 2.0 * MARGIN) / TITLE_CHARACTER) as usize;
    let heading = format!("{}: {}", ladder.title(), ladder.report.plan.name);
    let title: Vec<String> = wrap(&heading, room).iter().map(|line| shorten(line, room)).collect();
    let subtitle = TITLE + TITLE_LINE * (title.len() as f64 - 1.0) + SUBTITLE;
    let top = subtitle + 16.0 + columns.head_height();
    let lines = ladder.lines(usize::MAX, full);
    let (rows, bottom) = placed(ladder, &columns, &lines, top + 14.0);
    let is_long = bottom - top > LONG;
    let height = bottom + if is_long { 16.0 + columns.foot_height() } else { 0.0 } + MARGIN;
    let mut picture = Picture::new(columns.width(), height, &heading, &description(ladder));
    for (index, line) in title.iter().enumerate() {
        let y = TITLE + TITLE_LINE * index as f64;
        picture.text("title", [MARGIN, y], Anchor::Start, line);
    }
    picture.text("sub", [MARGIN, subtitle], Anchor::Start, LEGEND);
    let mut page = Page { ladder, columns: &columns, picture };
    page.lifelines(top, bottom + 6.0);
    page.head(top);
    if is_long {
        page.foot(bottom + 6.0);
    }
    for row in &rows {
        page.row(row);
    }
    page.picture.finish()
}

/// What the picture shows, for those who cannot see it; `--format text` says all of it.
fn description(ladder: &Ladder<'_>) -> String {
    let names: Vec<&str> = ladder.columns.iter().map(|node| ladder.report.plan.name_of(*node)).collect();
    format!(
        "What happened between {} in the call {}: {} packets and events, from top to bottom in time.",
        names.join(", "),
        ladder.title(),
        ladder.rows.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SimTime;
    use crate::report::fixture::Fixture;
    use crate::report::journey::journeys;

    #[test]
    fn a_few_rows_of_a_call() {
        let fixture = Fixture::relay();
        let journeys = journeys(fixture.report());
        let ladder = Ladder::new(fixture.report(), &journeys, 0).expect("a ladder");

        insta::assert_snapshot!(write(&ladder.between(SimTime::ZERO, SimTime::from_millis(100)), false));
    }

    #[test]
    fn the_words_of_a_scenario_stay_text() {
        let mut fixture = Fixture::cgn();
        fixture.plan.name = "</title><script>alert(1)</script>".into();
        let journeys = journeys(fixture.report());
        let ladder = Ladder::new(fixture.report(), &journeys, 0).expect("a ladder");

        let picture = write(&ladder, true);

        assert!(picture.contains("in trouble") && !picture.contains("<script"), "{picture}");
        assert!(!picture.contains('\u{202e}') && !picture.contains('\u{1b}'), "{picture}");
    }
}
