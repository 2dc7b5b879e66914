//! `punchlab profiles`: what nicknames and profiles stand for.

use clap::Args;

use super::Exit;
use super::console::Console;
use crate::plan::NicknameMeaning;
use crate::scenario::nearest;
use crate::scenario::profiles::{self, Group, ProfileKind, Summary};

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
    for (kind, title) in [
        (ProfileKind::Nat, "Profiles of NATs (`nats: { NAME: { profile: … } }`)"),
        (
            ProfileKind::Firewall,
            "Profiles of firewalls (`firewalls: { NAME: { profile: … } }`), which let out",
        ),
    ] {
        text += &format!("\n{title}:\n");
        for group in Group::ALL {
            text += &group_lines(kind, group);
        }
    }
    text + "\n? is known from memory only. `punchlab profiles NAME` prints every axis, and a profile's sources.\n"
}

fn group_lines(kind: ProfileKind, group: Group) -> String {
    let mut text = String::new();
    for profile in profiles::of_kind(kind).filter(|profile| profile.group == group) {
        if text.is_empty() {
            text = format!("  {}\n", group.title());
        }
        text += &match (profile.alias, profile.summary()) {
            (Some(alias), _) => format!("    {:<29} = {}\n", profile.name, alias.of),
            (None, Some(Summary { what, how, timers })) if kind == ProfileKind::Nat => {
                format!("    {:<29} {what:<11} {how:<14} {timers}\n", profile.name)
            }
            (None, Some(Summary { what, how, timers })) => {
                format!("    {:<29} {what}; {how}, {timers}\n", profile.name)
            }
            (None, None) => format!("    {}\n", profile.name),
        };
    }
    text
}

fn unknown(name: &str) -> String {
    let known = profiles::nickname_words().into_iter().chain(profiles::profile_names());
    let hint = nearest(name, known).map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default();
    format!(
        "error: no nickname or profile is called `{}`{hint}\nhelp: `punchlab profiles` lists them all",
        name.escape_debug()
    )
}
