//! `punchlab lesson`: short lessons that ask for a prediction before they run anything.

mod library;
mod page;

use std::io::{BufRead, IsTerminal};

use clap::{Args, Parser};

use self::library::{LESSONS, Lesson, Part};
use self::page::{Piece, pieces};
use super::console::Console;
use super::{Arguments, Command, Exit, run};
use crate::report::text::{Role, Text, counted};

/// `punchlab lesson [N]`
#[derive(Debug, Args)]
pub struct LessonArguments {
    /// Which lesson; without it they are listed.
    #[arg(value_name = "N")]
    number: Option<usize>,

    /// Print the lesson's scenario, to save it and change it.
    #[arg(long, requires = "number")]
    scenario: bool,

    /// Do not stop for predictions, as if the output were no terminal.
    #[arg(long, requires = "number")]
    no_stop: bool,
}

/// The parts before which the reader is asked, and what is asked.
const STOPS: [(&str, &str); 2] = [
    ("Run", "Your prediction, then Enter: "),
    ("Answer", "Your prediction for the changed call, then Enter: "),
];

/// Lists the lessons, or takes the reader through one.
pub fn execute(arguments: &LessonArguments, console: &mut Console) -> Exit {
    let Some(number) = arguments.number else {
        list(console);
        return Exit::Ok;
    };
    let Some(lesson) = number.checked_sub(1).and_then(|index| LESSONS.get(index)) else {
        let lessons = counted(LESSONS.len() as u64, "lesson");
        console.complain(&format!("error: there is no lesson {number}; there are {lessons}, from 1 on"));
        return Exit::NothingMatched;
    };
    if arguments.scenario {
        console.print(&lesson.source().text);
        return Exit::Ok;
    }
    let stops = !arguments.no_stop && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    teach(number, lesson, stops, console);
    Exit::Ok
}

fn list(console: &mut Console) {
    let mut text = Text::new(console.style());
    for lesson in LESSONS {
        let title = lesson.title();
        let (number, about) = title.split_once(": ").unwrap_or((title, ""));
        text.paint(Role::Strong, number).push(&format!("  {about}"));
        text.end_line();
    }
    text.end_line();
    text.push("Take one with `punchlab lesson 1`. Each asks what you think will happen, then runs it.");
    text.end_line();
    console.print(&text.finish());
}

fn teach(number: usize, lesson: &Lesson, stops: bool, console: &mut Console) {
    let mut text = Text::new(console.style());
    text.paint(Role::Strong, lesson.title());
    text.end_line();
    text.end_line();
    console.print(&text.finish());
    for part in lesson.parts() {
        let question = STOPS.iter().find(|(heading, _)| *heading == part.heading);
        if let Some((_, question)) = question.filter(|_| stops) {
            ask(question, console);
        }
        show(&part, lesson, console);
    }
    let next = match LESSONS.get(number) {
        Some(_) => format!("Next: punchlab lesson {}", number + 1),
        None => "That was the last lesson.".to_owned(),
    };
    console.print(&format!(
        "To look closer: punchlab lesson {number} --scenario > lesson-{number}.nat.yaml, then\n\
         punchlab report lesson-{number}.nat.yaml -o lesson-{number}.html\n{next}\n"
    ));
}

/// Waits for a line; what it says is between the reader and what follows.
fn ask(question: &str, console: &mut Console) {
    console.print(question);
    console.flush();
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    console.print("\n");
}

fn show(part: &Part<'_>, lesson: &Lesson, console: &mut Console) {
    let mut text = Text::new(console.style());
    text.paint(Role::Strong, part.heading);
    text.end_line();
    text.end_line();
    console.print(&text.finish());
    let mut pieces = pieces(part.text).into_iter().peekable();
    while let Some(piece) = pieces.next() {
        if let Piece::Command { line, output } = &piece {
            command(line, output, lesson, console);
            continue;
        }
        let mut text = Text::new(console.style());
        page::write(&mut text, &piece);
        let ends_list =
            matches!(piece, Piece::Entry { .. }) && !matches!(pieces.peek(), Some(Piece::Entry { .. }));
        if ends_list {
            text.end_line();
        }
        console.print(&text.finish());
    }
}

/// Shows a command and what it prints. The lesson's own scenario is run here and now; what the page shows in part only, or
/// of other commands, is shown as it stands there, which a test holds to the truth.
fn command(line: &str, output: &[&str], lesson: &Lesson, console: &mut Console) {
    let mut text = Text::new(console.style());
    text.paint(Role::Strong, &format!("$ {line}"));
    text.end_line();
    console.print(&text.finish());
    let is_whole = !output.contains(&"...");
    match Arguments::try_parse_from(line.split_whitespace()).map(|arguments| arguments.command) {
        Ok(Command::Run(arguments)) if is_whole && arguments.is_about(lesson.scenario_path) => {
            run::execute_source(&arguments, &lesson.source(), console);
        }
        _ => output.iter().for_each(|line| console.print(&format!("{line}\n"))),
    }
    console.print("\n");
}
