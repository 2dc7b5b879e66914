//! Files that are written: an existing one is somebody's, and only `--force` replaces it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::console::Console;
use super::load::shown;
use crate::report::text::Style;

/// Where the commands that make one text put it.
#[derive(Debug, Args)]
pub struct OutputArguments {
    /// Write to this file instead of standard output. It must not exist yet.
    #[arg(long, short, value_name = "OUT", value_parser = file_path)]
    output: Option<PathBuf>,

    /// Overwrite the file if it exists.
    #[arg(long, requires = "output")]
    force: bool,
}

impl OutputArguments {
    /// Complains if the output would replace the file it is made from.
    pub fn check(&self, scenario: &Path, console: &mut Console) -> Result<(), Exit> {
        match &self.output {
            Some(output) if is_same(scenario, output) => {
                console.complain("error: --output would replace the scenario itself; name another file");
                Err(Exit::Rejected)
            }
            _ => Ok(()),
        }
    }

    /// The file, as it may be shown.
    pub fn name(&self) -> Option<String> {
        self.output.as_deref().map(shown)
    }

    /// How the text is coloured: a file is not a terminal.
    pub const fn style(&self, console: &Console) -> Style {
        match self.output {
            Some(_) => Style::Plain,
            None => console.style(),
        }
    }

    /// Puts `text` where it was asked to be.
    pub fn deliver(&self, text: &str, console: &mut Console) -> Exit {
        match &self.output {
            None => {
                console.print(text);
                Exit::Ok
            }
            Some(path) => save(path, self.force, console, |file| file.write_all(text.as_bytes())),
        }
    }
}

/// The path of a file to write. `-`, which elsewhere stands for standard output, would become a file of that name.
pub fn file_path(text: &str) -> Result<PathBuf, String> {
    if text == "-" {
        return Err("a file is wanted here; `./-` is one of that name".into());
    }
    Ok(PathBuf::from(text))
}

/// Writes a file with `write`; what goes wrong is told.
pub fn save(
    path: &Path,
    force: bool,
    console: &mut Console,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Exit {
    let written = create(path, force).and_then(|mut file| {
        write(&mut file)?;
        file.flush()
    });
    match written {
        Ok(()) => Exit::Ok,
        Err(error) => {
            console.complain(&format!("error: cannot write {}: {}", shown(path), plain_words(&error, path)));
            Exit::CouldNotRun
        }
    }
}

/// True if both paths lead to the same file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let (one, other) = (one.canonicalize(), other.canonicalize());
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

fn create(path: &Path, force: bool) -> io::Result<BufWriter<File>> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map(BufWriter::new)
}

/// Why a file could not be written, and what helps.
fn plain_words(error: &io::Error, path: &Path) -> String {
    match error.kind() {
        _ if path.is_dir() => "it is a directory".into(),
        ErrorKind::AlreadyExists => "it exists already; `--force` replaces it".into(),
        ErrorKind::NotFound => "its folder does not exist".into(),
        _ => error.to_string(),
    }
}
