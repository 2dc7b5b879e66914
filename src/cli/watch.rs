//! `punchlab watch`: runs a scenario again whenever it is saved, and keeps an open page fresh.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::Args;
use notify::{Event, EventKind, RecursiveMode, Watcher};

use super::Exit;
use super::console::Console;
use super::load::{Detail, Ran, load_source, ran, shown};
use super::output::file_path;
use super::overrides::OverrideArguments;
use super::report::single_flips;
use crate::plan::Plan;
use crate::report::html::{self, Watch};
use crate::report::human::{self, Options, Part};
use crate::scenario::Source;

/// `punchlab watch FILE`
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// The scenario file.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    overrides: OverrideArguments,

    /// Also write the run as an HTML page at each save; a page that is open in a browser loads the new one by itself. A
    /// small script beside it, OUT.stamp.js, tells it when. Existing files are replaced.
    #[arg(long, value_name = "OUT", value_parser = file_path)]
    html: Option<PathBuf>,
}

/// What is printed at each save.
const PARTS: [Part; 4] = [Part::Title, Part::Verdict, Part::Drops, Part::Expectations];
/// Editors save in several steps; what follows within this time belongs to the same save.
const ONE_SAVE: Duration = Duration::from_millis(60);

/// Runs now and after every save, until it is interrupted.
pub fn execute(arguments: &WatchArguments, console: &mut Console) -> Exit {
    if arguments.html.as_deref().is_some_and(|page| super::output::is_same(page, &arguments.file)) {
        console.complain("error: --html would replace the scenario itself; name another file");
        return Exit::Rejected;
    }
    let (watcher, saves) = match watching(&arguments.file) {
        Ok(watching) => watching,
        Err(error) => {
            console.complain(&format!("error: {} cannot be watched: {error}", shown(&arguments.file)));
            return Exit::CouldNotRun;
        }
    };
    let mut version = 0_u64;
    loop {
        version += 1;
        let exit = once(arguments, version, console);
        if exit == Exit::CouldNotRun && !arguments.file.exists() {
            return exit;
        }
        console.print(&format!("\nwatching {}; save it to run it again\n\n", shown(&arguments.file)));
        console.flush();
        if !next_save(&saves) {
            drop(watcher);
            return Exit::CouldNotRun;
        }
    }
}

/// A watcher of the file's folder, since editors replace files instead of changing them, and the saves of the file.
fn watching(file: &Path) -> notify::Result<(impl Watcher, Receiver<()>)> {
    let (sender, saves) = channel();
    let name: Option<OsString> = file.file_name().map(OsString::from);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let Ok(event) = event else { return };
        let is_change = matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_));
        let is_ours = event.paths.iter().any(|path| path.file_name() == name.as_deref());
        if is_change && is_ours {
            // Nobody listens any more when the program ends.
            let _ = sender.send(());
        }
    })?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok((watcher, saves))
}

/// Waits for a save and for the end of it; false if there will be none.
fn next_save(saves: &Receiver<()>) -> bool {
    if saves.recv().is_err() {
        return false;
    }
    loop {
        match saves.recv_timeout(ONE_SAVE) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn once(arguments: &WatchArguments, version: u64, console: &mut Console) -> Exit {
    let WatchArguments { file, overrides, html } = arguments;
    let (source, plan) = match load_source(file, overrides, console) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let ran = match ran(file, &plan, Detail::Story, overrides, console) {
        Ok(ran) => ran,
        Err(exit) => return exit,
    };
    let options = Options { style: console.style(), ..Options::default() };
    console.print(&human::write_parts(ran.report(&plan), &PARTS, options));
    match html {
        Some(page) => refresh(page, arguments, version, (&source, &plan, &ran), console).and(ran.exit()),
        None => ran.exit(),
    }
}

/// Writes the page, then the script that tells an open one of it.
fn refresh(
    page: &Path,
    arguments: &WatchArguments,
    version: u64,
    (source, plan, ran): (&Source, &Plan, &Ran),
    console: &mut Console,
) -> Exit {
    let flips = match single_flips(&arguments.file, source, plan, &arguments.overrides, console) {
        Ok(flips) => flips,
        Err(exit) => return exit,
    };
    let mut script = page.as_os_str().to_owned();
    script.push(".stamp.js");
    let script = PathBuf::from(script);
    let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Another process may have written the page that is open, so its number alone does not tell versions apart.
    let stamp = format!("{}-{version}", std::process::id());
    let text = html::write_watched(
        ran.report(plan),
        source,
        Some(&flips),
        Watch { script: name, stamp: stamp.clone() },
    );
    let written =
        std::fs::write(page, text).and_then(|()| std::fs::write(&script, html::stamp_script(&stamp)));
    match written {
        Ok(()) => Exit::Ok,
        Err(error) => {
            console.complain(&format!("error: cannot write {}: {error}", shown(page)));
            Exit::CouldNotRun
        }
    }
}
