//! Where output goes: results to standard output, diagnostics to standard error, colour only where it is wanted.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ColorChoice};

use super::Exit;
use crate::report::text::Style;

/// The options every command has.
#[derive(Debug, Args)]
pub struct ConsoleArguments {
    /// When to colour output. `auto`: on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// Log what agents do, to standard error, stamped with virtual time: `debug`, `is=trace` …
    #[arg(long, global = true, value_name = "FILTER", value_parser = parse_filter)]
    log: Option<String>,
}

/// The program's outputs.
pub struct Console {
    out: io::BufWriter<io::StdoutLock<'static>>,
    out_style: Style,
    err_style: Style,
    broken: Option<io::Error>,
}

impl ConsoleArguments {
    /// Opens the console, and the log if it was asked for.
    pub fn open(&self) -> Console {
        if let Some(filter) = &self.log {
            // Virtual time stands in each agent's span; the wall clock has no meaning here.
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .without_time()
                .with_writer(io::stderr)
                .with_ansi(self.style(io::stderr().is_terminal()) == Style::Ansi)
                .init();
        }
        Console {
            out: io::BufWriter::new(io::stdout().lock()),
            out_style: self.style(io::stdout().is_terminal()),
            err_style: self.style(io::stderr().is_terminal()),
            broken: None,
        }
    }

    fn style(&self, terminal: bool) -> Style {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colored = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto => {
                terminal || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0")
            }
        };
        if colored { Style::Ansi } else { Style::Plain }
    }
}

/// Reads a filter; one that is not understood would silently let nothing through.
fn parse_filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("write a level such as `debug`, or TARGET=LEVEL, for instance is=trace".into()),
    }
}

impl Console {
    /// How standard output is coloured.
    pub const fn style(&self) -> Style {
        self.out_style
    }

    /// How standard error is coloured.
    pub const fn error_style(&self) -> Style {
        self.err_style
    }

    /// Writes a result.
    pub fn print(&mut self, text: &str) {
        self.print_bytes(text.as_bytes());
    }

    /// Writes a result that is not text.
    pub fn print_bytes(&mut self, bytes: &[u8]) {
        if self.broken.is_none()
            && let Err(error) = self.out.write_all(bytes)
        {
            self.broken = Some(error);
        }
    }

    /// Shows what was written so far.
    pub fn flush(&mut self) {
        if let Err(error) = self.out.flush() {
            self.broken.get_or_insert(error);
        }
    }

    /// Writes a diagnostic.
    pub fn complain(&mut self, text: &str) {
        // Results that belong before the diagnostic are shown before it.
        let _ = self.out.flush();
        let mut text = text.to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Flushes, and turns an output that could not be written into a failure. A reader that has had enough
    /// (`| head`) is none.
    pub fn finish(mut self, exit: Exit) -> Exit {
        let flushed = self.out.flush().err();
        match self.broken.take().or(flushed) {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.complain(&format!("error: cannot write the output: {error}"));
                exit.and(Exit::CouldNotRun)
            }
            _ => exit,
        }
    }
}
