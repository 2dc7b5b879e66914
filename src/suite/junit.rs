//! Results as JUnit XML, in the dialect Jenkins reads.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::result::{CaseResult, Status};
use crate::report::text::printable;

/// One test suite a folder, one test case a case. Nothing in it depends on the clock.
pub fn write(results: &[CaseResult]) -> String {
    let mut report = Report::new("punchlab");
    let mut folders: Vec<(String, Vec<&CaseResult>)> = Vec::new();
    for result in results {
        let folder = folder_of(&result.file);
        match folders.iter_mut().find(|(known, _)| *known == folder) {
            Some((_, cases)) => cases.push(result),
            None => folders.push((folder, vec![result])),
        }
    }
    for (folder, cases) in folders {
        let mut suite = TestSuite::new(folder.clone());
        suite.add_test_cases(cases.into_iter().map(|result| case(&folder, result)));
        report.add_test_suite(suite);
    }
    // Writing to memory does not fail.
    for_jenkins(&report.to_string().unwrap_or_default())
}

/// Jenkins' schema (junit-10.xsd) knows `skipped` of a suite, but not of all suites together.
fn for_jenkins(xml: &str) -> String {
    let Some((before, rest)) = xml.split_once("<testsuites") else { return xml.to_owned() };
    let Some((attributes, after)) = rest.split_once('>') else { return xml.to_owned() };
    let kept: Vec<&str> =
        attributes.split(' ').filter(|attribute| !attribute.starts_with("skipped=")).collect();
    format!("{before}<testsuites{}>{after}", kept.join(" "))
}

fn folder_of(file: &str) -> String {
    let folder = file.rsplit_once(['/', '\\']).map_or(".", |(folder, _)| folder);
    printable(folder).into_owned()
}

fn case(folder: &str, result: &CaseResult) -> TestCase {
    let status = match result.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => TestCaseStatus::skipped(),
        Status::Failed => bad(NonSuccessKind::Failure, result),
        Status::Rejected | Status::Broken => bad(NonSuccessKind::Error, result),
    };
    let id = printable(&result.id);
    let name = id.strip_prefix(&format!("{folder}/")).unwrap_or(&id).to_owned();
    let mut case = TestCase::new(name, status);
    case.set_classname(folder.to_owned());
    if !result.calls.is_empty() {
        case.set_system_out(format!("path: {}", result.paths()));
    }
    case
}

fn bad(kind: NonSuccessKind, result: &CaseResult) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let first = result.problems.first();
    let message = first.and_then(|problem| problem.what.lines().next()).unwrap_or_default();
    status.set_message(message.to_owned());
    status.set_type(first.map_or("failed", |problem| problem.kind.word()).to_owned());
    let mut description: String =
        result.problems.iter().map(|problem| format!("{}\n", problem.what)).collect();
    description.push_str(&result.details);
    if !result.reproduce.is_empty() {
        description.push_str(&format!("again: {}\n", result.reproduce));
    }
    status.set_description(description);
    status
}
