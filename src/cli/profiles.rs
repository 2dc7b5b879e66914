//! `punchlab profiles`: what nicknames and profiles stand for.

use clap::Args;

use super::Exit;
use super::console::Console;
use crate::plan::NicknameMeaning;
use crate::scenario::{nearest, profiles};

/// `punchlab profiles [NAME]`
#[derive(Debug, Args)]
pub struct ProfilesArguments {
    /// A nickname or profile.
    name: Option<String>,
}

/// Lists all profiles, or prints one.
pub fn execute(arguments: &ProfilesArguments, console: &mut Console) -> Exit {
    match &arguments.name {
        None => {
            console.print(&list());
            Exit::Ok
        }
        Some(name) => match profiles::profile(name) {
            Some(text) => {
                console.print(&text);
                Exit::Ok
            }
            None => {
                console.complain(&unknown(name));
                Exit::NothingMatched
            }
        },
    }
}

fn list() -> String {
    let mut text = "Nicknames (`type:`):\n".to_owned();
    for (nickname, meaning) in profiles::nicknames() {
        let meaning = match meaning {
            NicknameMeaning::Router => "no box at all".to_owned(),
            NicknameMeaning::Firewall(filtering) => format!("no translation, {}", filtering.abbreviation()),
            NicknameMeaning::Nat(behavior) => {
                format!("{behavior}, port-assignment {}", behavior.ports.assignment)
            }
        };
        text += &format!("  {nickname:<22} {meaning}\n");
    }
    text += "\nProfiles (`profile:`):\n";
    for name in profiles::profile_names() {
        text += &format!("  {name}\n");
    }
    text + "\n`punchlab profiles NAME` prints every axis, and a profile's sources.\n"
}

fn unknown(name: &str) -> String {
    let known = profiles::nickname_words().into_iter().chain(profiles::profile_names());
    let hint = nearest(name, known).map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
    format!(
        "error: no nickname or profile is called `{}`{hint}\nhelp: `punchlab profiles` lists them all",
        name.escape_debug()
    )
}
