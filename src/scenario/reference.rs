//! The reference of the scenario file, generated from the tables that readers use.

use std::fmt::Write as _;

use super::diagnostic::Code;
use super::keys::{Key, SECTIONS, Section};
use super::links::NAMED_LINKS;
use super::profiles::{self, ProfileKind, Summary};
use crate::base::{Limits, Probability};
use crate::plan::{DropReason, NicknameMeaning};

/// The reference as Markdown: sections and keys, kinds of values, nicknames, profiles, named links, drop reasons,
/// limits and the codes of diagnostics.
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    for section in SECTIONS {
        write_section(&mut text, section);
    }
    text.push_str(VALUES);
    write_addresses(&mut text);
    write_nicknames(&mut text);
    write_links(&mut text);
    write_drop_reasons(&mut text);
    write_limits(&mut text);
    write_codes(&mut text);
    text
}

const HEAD: &str = "\
# Scenario file reference

<!-- Generated from the tables in src/scenario. To refresh: UPDATE_DOCS=1 cargo test --test scenario_reference -->

A scenario is a YAML file whose name ends in `.nat.yaml`. The shortest one that runs:

```yaml
peers: { alice: {}, bob: {} }
calls: [alice -> bob]
```

Everything that is not given has a default; reports list what was assumed. Every key that is not listed here is
refused, and so is everything marked *not built yet*. Names of nodes are made of `a-z`, `0-9` and `-`.
`--set PATH=VALUE` changes any of these keys from the command line: `--set nats.home.udp-timeout=20s`.
";

const VALUES: &str = "
## Values

| Kind | Written as |
|---|---|
| duration | a number and `ns`, `us`, `ms`, `s`, `m` or `h`, or several from large to small: `20ms`, `1.5s`, `2h4m` |
| percentage | `1%`, `0.5%`, up to seven decimals |
| bandwidth | a number and `bps`, `kbps`, `Mbps` or `Gbps`: `40kbps`, `1.2Mbps` |
| port range | `1024-65535`, both ends included |
| port | `3478/udp`; a list may be written without brackets if it has one entry |
| address | `203.0.113.10`, or `2001:db8::10`; in a URI `[2001:db8::10]` |
| network | an IPv4 address with the length of its prefix: `192.168.1.0/24` |
| IPv6 network | the same of IPv6: `2001:db8:a::/64` |

Numbers are decimal. Bare numbers are refused where a value has a unit, and so is everything of YAML that a scenario
does without: anchors and aliases, merge keys, tags, a second document.
";

fn write_section(text: &mut String, section: &Section) {
    let title =
        if section.name.contains(' ') { "The file".to_owned() } else { format!("`{}`", section.name) };
    let _ = write!(text, "\n## {title}\n\n{}\n\n", section.about);
    text.push_str("| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
    for key in section.keys.iter() {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            spellings(key),
            key.kind.describe().replace('|', "\\|"),
            key.default,
            key.about
        );
    }
}

fn spellings(key: &Key) -> String {
    let mut text = format!("`{}`", key.name);
    for alias in key.aliases {
        let _ = write!(text, ", `{alias}`");
    }
    text
}

fn write_addresses(text: &mut String) {
    text.push_str(
        "
## Addresses nobody gave

Explicit addresses are taken first. Then, in the order of the file:

- servers get 192.0.2.1, 192.0.2.2 and so on;
- NATs and peers on the internet take turns: 203.0.113.1, 198.51.100.1, 203.0.113.2 and so on;
- both go on in 198.18.0.0/15 when those are used up;
- the inside of the Nth entry of `nats` is 10.0.N.0/24 (10.(N/256).(N%256).0/24 from 256 on), or 192.168.N.0/24 or
  172.16.N.0/24 where the file names an overlapping network above or below it. The NAT itself has the first address, what
  is behind it the next ones.

What is behind a firewall, or behind a `none` or `symmetric-firewall`, is in the same network as that box.

Of IPv6, who has it gets:

- servers 2001:db8:5::1, 2001:db8:5::2 and so on;
- peers on the internet 2001:db8:0:1::1 and so on;
- what is behind a NAT the addresses ::10, ::11 and so on of its `prefix`. The NAT itself has ::1.

Where a NAT's prefix holds 2001:db8:5:: or 2001:db8:0:1::, 3fff:5:: and 3fff:1:: take their place.
",
    );
}

fn write_nicknames(text: &mut String) {
    text.push_str("\n## Nicknames\n\n`punchlab profiles NAME` prints any of them with all axes.\n\n");
    text.push_str("| `type` | Mapping and filtering | Ports |\n|---|---|---|\n");
    for (nickname, meaning) in profiles::nicknames() {
        let (what, ports) = match &meaning {
            NicknameMeaning::Router => ("no box at all: a router".to_owned(), "-".to_owned()),
            NicknameMeaning::Firewall(filtering) => {
                (format!("no translation, {}", filtering.abbreviation()), "-".to_owned())
            }
            NicknameMeaning::Nat(behavior) => (behavior.to_string(), behavior.ports.assignment.to_string()),
        };
        let _ = writeln!(text, "| `{nickname}` | {what} | {ports} |");
    }
    text.push_str("\n`address-restricted-cone` is another name for `restricted-cone`.\n\n## Profiles\n\n");
    text.push_str(PROFILES);
    for (kind, head) in [
        (ProfileKind::Nat, "| In `nats` | Mapping and filtering | Ports | UDP timers | From memory |\n"),
        (ProfileKind::Firewall, "| In `firewalls` | Lets out | Filtering | UDP timer | From memory |\n"),
    ] {
        let _ = write!(text, "\n{head}|---|---|---|---|---|\n");
        for profile in profiles::of_kind(kind) {
            let Some(Summary { what, how, timers }) = profile.summary() else { continue };
            let _ = match profile.alias {
                Some(alias) => writeln!(text, "| `{}` | as `{}` | | | |", profile.name, alias.of),
                None => {
                    let memory = profile.unverified().join(", ");
                    writeln!(text, "| `{}` | {what} | {how} | {timers} | {memory} |", profile.name)
                }
            };
        }
    }
}

const PROFILES: &str = "
`punchlab profiles NAME` prints a profile's file: every axis, the sources of them, what is simplified and left out, and
which values nobody but memory vouches for. Those are marked with `?` here and have a column of their own. A profile says
what a device does with the settings its first line names; measure yours before you rely on it. `filter-scope` and
`reply-mapping` are those of connection trackers in all of them: hardly any source speaks of these two.
";

fn write_links(text: &mut String) {
    text.push_str("\n## Named links\n\nRound values for teaching, not measurements. Delays are one way.\n\n");
    text.push_str("| `type` | Delay | Jitter | Loss | Stands for |\n|---|---|---|---|---|\n");
    for named in NAMED_LINKS {
        let loss = Probability::from_parts_per_billion(named.loss).unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{}` | {} ms | {} ms | {loss} | {} |",
            named.name, named.delay_ms, named.jitter_ms, named.about
        );
    }
}

fn write_drop_reasons(text: &mut String) {
    text.push_str("\n## Drop reasons\n\n");
    let words: Vec<String> = DropReason::ALL.iter().map(|reason| format!("`{reason}`")).collect();
    for line in words.chunks(5) {
        text.push_str(&line.join(" "));
        text.push('\n');
    }
}

fn write_limits(text: &mut String) {
    let Limits {
        file_bytes,
        yaml_depth,
        name_bytes,
        nodes,
        peers,
        calls,
        list_entries,
        cases,
        virtual_time,
        ..
    } = Limits::DEFAULT;
    let _ = write!(
        text,
        "
## Limits of a file

The command line can raise these, a file cannot. Two are fixed: YAML may be nested {yaml_depth} levels deep, and a name
may have {name_bytes} characters.

| `--limit` | Default |
|---|---|
| `file-bytes` | {file_bytes} |
| `nodes` | {nodes}, the internet included |
| `peers` | {peers} |
| `calls` | {calls} |
| `list-entries` | {list_entries} |
| `cases` | {cases} |
| `virtual-time` | {}, in seconds |
",
        virtual_time.as_nanos() / 1_000_000_000
    );
}

fn write_codes(text: &mut String) {
    text.push_str("\n## Codes of diagnostics\n\n| `error[…]` | Meaning |\n|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(text, "| `{code}` | {} |", code.meaning());
    }
}
