//! Results as an HTML index: a grid of cases, each with a link to its page.

use super::result::{CaseResult, Summary};
use crate::report::svg::escape;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:light-dark(#dce2e9,#2b3440);--quiet:light-dark(#5a6675,#97a3b3);\
--good:light-dark(#00765a,#36c79c);--bad:light-dark(#be3f00,#ff8b55)}\
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:0 auto;padding:24px 16px}\
h1{font-size:1.35rem;margin:0 0 16px}ul{list-style:none;margin:0;padding:0}\
li{border-top:1px solid var(--line);padding:8px 0;display:grid;grid-template-columns:5.5rem 1fr auto;gap:2px 12px}\
.passed b{color:var(--good)}.failed b,.rejected b,.broken b{color:var(--bad)}.skipped b{color:var(--quiet)}\
small{color:var(--quiet)}p{grid-column:2/-1;margin:0;color:var(--bad);overflow-wrap:anywhere}a,span{overflow-wrap:anywhere}";

/// The index. `page` gives the file of a case's page, if it has one.
pub fn write(results: &[CaseResult], page: impl Fn(usize) -> Option<String>) -> String {
    let summary = Summary::of(results);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>punchlab: {summary}</title>\n\
         <style>{STYLE}</style>\n<h1>{summary}</h1>\n<ul>\n"
    );
    for (index, result) in results.iter().enumerate() {
        out.push_str(&row(result, page(index).as_deref()));
    }
    out.push_str("</ul>\n</html>\n");
    out
}

fn row(result: &CaseResult, page: Option<&str>) -> String {
    let name = format!("<bdi>{}</bdi>", escape(&result.id));
    let name = match page {
        Some(page) => format!("<a href=\"{}\">{name}</a>", link(page)),
        None => format!("<span>{name}</span>"),
    };
    let problems: String = result
        .problems
        .iter()
        .map(|problem| format!("<p>{}</p>", escape(problem.what.lines().next().unwrap_or_default())))
        .collect();
    let (status, paths) = (result.status, escape(&result.paths()));
    format!("<li class=\"{status}\"><b>{status}</b>{name}<small>{paths}</small>{problems}</li>\n")
}

/// A file name as a relative link.
fn link(file: &str) -> String {
    let mut link = String::new();
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            link.push(byte as char);
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    link
}
