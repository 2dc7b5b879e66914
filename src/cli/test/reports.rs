//! What is written about the results.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::artifacts::{Artifacts, page_name};
use crate::cli::Exit;
use crate::cli::console::Console;
use crate::cli::load::shown;
use crate::suite::{CaseResult, Status, github, human, index, json, junit, markdown, tap};

/// Reports beside the one on standard output; `-` writes one there instead. Existing files are replaced.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// JUnit XML, as Jenkins and GitLab read it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// TAP 13.
    #[arg(long, value_name = "FILE")]
    tap: Option<PathBuf>,

    /// One JSON object.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// One JSON object a line, the count last.
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,

    /// Markdown, for summaries and comments.
    #[arg(long, value_name = "FILE")]
    md: Option<PathBuf>,

    /// A folder with a page for each case and an index.
    #[arg(long, value_name = "DIR")]
    html: Option<PathBuf>,

    /// A folder with a capture of each case.
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
}

/// What a report says.
type Writer = fn(&[CaseResult]) -> String;

impl ReportArguments {
    /// The reports that were asked for: option, where it goes, what it says.
    fn texts(&self) -> impl Iterator<Item = (&'static str, &Path, Writer)> {
        let texts: [(_, &Option<PathBuf>, Writer); 5] = [
            ("--junit", &self.junit, junit::write),
            ("--tap", &self.tap, tap::write),
            ("--json", &self.json, json::write),
            ("--jsonl", &self.jsonl, json::write_lines),
            ("--md", &self.md, markdown::write),
        ];
        texts.into_iter().filter_map(|(option, path, text)| Some((option, path.as_deref()?, text)))
    }

    /// What makes no sense about where the reports go.
    pub fn mistake(&self) -> Option<String> {
        for (option, folder, what) in [("--html", &self.html, "pages"), ("--pcap", &self.pcap, "captures")] {
            if folder.as_deref().is_some_and(is_standard_output) {
                return Some(format!(
                    "{option} makes a folder of {what}, which standard output cannot hold; name one: `{option} {what}`"
                ));
            }
        }
        let texts: Vec<_> = self.texts().collect();
        texts.iter().enumerate().find_map(|(index, (option, path, _))| {
            let (earlier, ..) = texts[..index].iter().find(|(_, other, _)| other == path)?;
            let place = if is_standard_output(path) {
                "standard output".into()
            } else {
                format!("`{}`", shown(path))
            };
            Some(format!("{earlier} and {option} would both write to {place}; give each a file of its own"))
        })
    }

    /// What each case leaves.
    pub fn artifacts(&self) -> Artifacts {
        Artifacts { html: self.html.clone(), pcap: self.pcap.clone() }
    }

    /// Writes every report that was asked for, and the one to read unless another took its place.
    pub fn write(&self, results: &[CaseResult], verbose: bool, console: &mut Console) -> Exit {
        let mut exit = Exit::Ok;
        let mut taken = false;
        for (_, path, text) in self.texts() {
            if is_standard_output(path) {
                taken = true;
                console.print(&text(results));
            } else {
                exit = exit.and(save(path, &text(results), console));
            }
        }
        if let Some(folder) = &self.html {
            exit = exit.and(save(&folder.join("index.html"), &index(results), console));
        }
        if !taken {
            console.print(&human::write(results, verbose, console.style()));
        }
        on_github(results, console, taken);
        exit
    }
}

fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn index(results: &[CaseResult]) -> String {
    index::write(results, |number| {
        let result = results.get(number)?;
        matches!(result.status, Status::Passed | Status::Failed).then(|| page_name(number, &result.id))
    })
}

fn save(path: &Path, text: &str, console: &mut Console) -> Exit {
    match fs::write(path, text) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            console.complain(&format!("error: {}: {error}", path.display()));
            Exit::CouldNotRun
        }
    }
}

/// Inside GitHub Actions: annotations, and the step's summary.
fn on_github(results: &[CaseResult], console: &mut Console, taken: bool) {
    if std::env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
        return;
    }
    if !taken {
        console.print(&github::annotations(results));
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") {
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(markdown::write(results).as_bytes()));
        if let Err(error) = written {
            console.complain(&format!("warning: the step's summary could not be written: {error}"));
        }
    }
}
