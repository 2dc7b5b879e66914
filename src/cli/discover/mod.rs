//! `punchlab discover`: what a STUN client behind each NAT can find out about it, and which ways of asking go wrong; or
//! what one finds out about the network this program runs in.

#[cfg(feature = "discover")]
mod real;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::Exit;
use super::console::Console;
use super::load::{load_with, shown};
use super::overrides::ChangeArguments;
use crate::base::NodeId;
use crate::discover::lab::{self, BoxDiscovery, Discoveries, Error};
use crate::plan::Plan;
use crate::report::discovery;
use crate::report::human::Options;
use crate::report::json::{self, Layout};
use crate::scenario::nearest;

/// `punchlab discover FILE`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiscoverArguments {
    /// The scenario file. Its calls, servers and events take no part.
    #[arg(value_name = "FILE")]
    #[cfg_attr(feature = "discover", arg(required_unless_present = "server"))]
    #[cfg_attr(not(feature = "discover"), arg(required = true))]
    file: Option<PathBuf>,

    #[cfg(feature = "discover")]
    #[command(flatten)]
    real: real::RealArguments,

    #[command(flatten)]
    change: ChangeArguments,

    /// From behind this NAT or firewall only. Repeatable.
    #[arg(long, value_name = "NAME")]
    nat: Vec<String>,

    /// Find out how long mappings live too. In a real network that takes minutes, at worst an hour.
    #[arg(long)]
    lifetime: bool,

    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[cfg(feature = "discover")]
const EXAMPLES: &str = "\
Examples:
  punchlab discover scenarios/discovery-nine-nats.nat.yaml
  punchlab discover call.nat.yaml --nat nat-a --lifetime
  punchlab discover --server stun.example.org
  punchlab discover --server 198.51.100.1:3478 --profile";
#[cfg(not(feature = "discover"))]
const EXAMPLES: &str = "\
Examples:
  punchlab discover scenarios/discovery-nine-nats.nat.yaml
  punchlab discover call.nat.yaml --nat nat-a --lifetime";

/// What `discover` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and why what is wrong in it is wrong.
    Human,
    /// One JSON object.
    Json,
}

/// Asks in the networks of a scenario, or in this one.
pub fn execute(arguments: &DiscoverArguments, console: &mut Console) -> Exit {
    match &arguments.file {
        Some(file) => in_scenario(file, arguments, console),
        #[cfg(feature = "discover")]
        None => real::execute(&arguments.real, arguments.lifetime, arguments.format, console),
        #[cfg(not(feature = "discover"))]
        None => Exit::Rejected,
    }
}

/// Puts a client behind each box in turn, on all cores, and prints what it finds out.
fn in_scenario(file: &Path, arguments: &DiscoverArguments, console: &mut Console) -> Exit {
    let (overrides, limits) = (arguments.change.overrides(), arguments.change.limits());
    let plan = match load_with(file, &overrides, &limits, console) {
        Ok((_, plan)) => plan,
        Err(exit) => return exit,
    };
    let boxes = match chosen(&plan, &arguments.nat) {
        Ok(boxes) => boxes,
        Err(complaint) => {
            console.complain(&complaint);
            return Exit::NothingMatched;
        }
    };
    let found: Result<Vec<BoxDiscovery>, Error> =
        boxes.par_iter().map(|node| lab::discover(&plan, *node, arguments.lifetime, &limits)).collect();
    match found {
        Ok(boxes) => {
            let discoveries = Discoveries::new(&plan, boxes);
            let options = Options { style: console.style(), ..Options::default() };
            match arguments.format {
                Format::Human => console.print(&discovery::write(&discoveries, options)),
                Format::Json => console.print(&json::text(&discoveries, Layout::Pretty)),
            }
            if discoveries.ok { Exit::Ok } else { Exit::ExpectationFailed }
        }
        Err(error) => {
            console.complain(&format!("error: {}: {error}", shown(file)));
            Exit::CouldNotRun
        }
    }
}

/// All boxes, or those with these names, each once and in the order of the plan.
fn chosen(plan: &Plan, names: &[String]) -> Result<Vec<NodeId>, String> {
    let mut boxes = lab::boxes(plan);
    for name in names {
        if !boxes.iter().any(|node| plan.name_of(*node) == name) {
            return Err(no_box(plan, &boxes, name));
        }
    }
    boxes.retain(|node| names.is_empty() || names.iter().any(|name| name == plan.name_of(*node)));
    Ok(boxes)
}

fn no_box(plan: &Plan, boxes: &[NodeId], name: &str) -> String {
    let escaped = name.escape_debug();
    if let Some(node) = plan.topology.find(name) {
        let kind = plan.topology.node(node).element.kind();
        return format!("error: `{escaped}` is no NAT or firewall but a {kind}; nobody is behind it");
    }
    let known = boxes.iter().map(|node| plan.name_of(*node));
    let hint = nearest(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("error: no NAT or firewall is called `{escaped}`{hint}")
}
