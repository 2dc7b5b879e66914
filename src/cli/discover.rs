//! `punchlab discover`: what a STUN client behind each NAT can find out about it, and which ways of asking go wrong.

use std::path::PathBuf;

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
pub struct DiscoverArguments {
    /// The scenario file. Its calls and servers take no part.
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    change: ChangeArguments,

    /// From behind this NAT or firewall only. Repeatable.
    #[arg(long, value_name = "NAME")]
    nat: Vec<String>,

    /// Find out how long mappings live too.
    #[arg(long)]
    lifetime: bool,

    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// What `discover` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and why what is wrong in it is wrong.
    Human,
    /// One JSON object.
    Json,
}

/// Puts a client behind each box in turn, on all cores, and prints what it finds out.
pub fn execute(arguments: &DiscoverArguments, console: &mut Console) -> Exit {
    let (overrides, limits) = (arguments.change.overrides(), arguments.change.limits());
    let plan = match load_with(&arguments.file, &overrides, &limits, console) {
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
            console.complain(&format!("error: {}: {error}", shown(&arguments.file)));
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
