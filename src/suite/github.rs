//! Results as GitHub Actions' workflow commands: an annotation on each line that is wrong.

use super::result::CaseResult;

/// One `::error` for each problem.
pub fn annotations(results: &[CaseResult]) -> String {
    let mut out = String::new();
    for result in results.iter().filter(|result| !result.is_fine()) {
        for problem in &result.problems {
            let line = problem.line.map(|line| format!(",line={line}")).unwrap_or_default();
            let (file, title) = (property(&result.file), property(&result.id));
            out.push_str(&format!("::error file={file}{line},title={title}::{}\n", message(&problem.what)));
        }
    }
    out
}

/// What a command's text may not hold is written as the runner reads it back.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
