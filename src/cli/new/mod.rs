//! `punchlab new`: scenarios to begin with.

use std::fmt;

use clap::{Args, ValueEnum};

use super::Exit;
use super::console::Console;
use super::output::OutputArguments;

/// `punchlab new [TEMPLATE]`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArguments {
    /// What to begin with.
    #[arg(value_enum, default_value_t = Template::Call)]
    template: Template,

    #[command(flatten)]
    output: OutputArguments,
}

const EXAMPLES: &str = "\
Examples:
  punchlab new -o call.nat.yaml
  punchlab new cases -o pairs.nat.yaml

`punchlab test` finds files whose names end in `.nat.yaml`.";

/// A scenario to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// A call between two homes, every line explained.
    Call,
    /// Two customers behind one carrier's NAT.
    Carrier,
    /// An office whose firewall lets out little.
    Office,
    /// Every pair of three NATs, in one file.
    Cases,
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Self::Call => include_str!("call.nat.yaml"),
            Self::Carrier => include_str!("carrier.nat.yaml"),
            Self::Office => include_str!("office.nat.yaml"),
            Self::Cases => include_str!("cases.nat.yaml"),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| formatter.write_str(value.get_name()))
    }
}

/// Prints the template or writes it to a file, with the file's name in its comments.
pub fn execute(arguments: &NewArguments, console: &mut Console) -> Exit {
    let name = arguments.output.name().unwrap_or_else(|| format!("{}.nat.yaml", arguments.template));
    arguments.output.deliver(&arguments.template.text().replace("FILE", &name), console)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::engine::RunOptions;
    use crate::outcome::simulate;
    use crate::scenario::{Overrides, Source, cases, load};

    #[test]
    fn every_template_is_a_scenario_that_comes_to_what_it_says() {
        for template in Template::value_variants() {
            let source = Source::new(template.to_string(), template.text());
            let cases = cases(&source, &Overrides::default(), &Limits::DEFAULT).expect("cases");
            assert!(!cases.is_empty());
            for case in cases {
                let plan = load(&source, &case.overrides, &Limits::DEFAULT)
                    .unwrap_or_else(|rejection| panic!("{rejection}"));
                let (_, outcome) = simulate(&plan, &RunOptions::default()).expect("a finished run");
                assert!(outcome.ok, "{template}: {:#?}", outcome.calls);
            }
        }
    }
}
