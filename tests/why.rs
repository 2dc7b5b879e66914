//! Every sentence of `why` is held against the trace: each is of a known form, and what it claims is looked up in the JSON
//! Lines of the run, event by event, without the code that wrote the sentence. A sentence of no known form fails too.

mod common;

use std::net::SocketAddr;
use std::sync::LazyLock;

use common::{plan_of_file, plan_of_text, scenario_files};
use punchlab::engine::RunOptions;
use punchlab::matrix::{MatrixOptions, legacy_sites, scenario_of};
use punchlab::outcome::simulate;
use punchlab::plan::{Plan, StackKind};
use punchlab::report::{Report, jsonl};
use regex::{Captures, Regex};
use serde_json::Value;

#[test]
fn every_statement_about_every_scenario_is_backed_by_its_trace() {
    for file in scenario_files() {
        for seed in [1, 7] {
            let facts = Facts::of(&plan_of_file(&file, seed));
            facts.assert_supported(&format!("{}, seed {seed}", file.display()));
        }
    }
}

#[test]
fn every_statement_about_every_pair_of_nats_is_backed_by_its_trace() {
    for (caller, callee, turn) in [
        (StackKind::Is, StackKind::Is, true),
        (StackKind::Is, StackKind::Is, false),
        #[cfg(feature = "rtc")]
        (StackKind::Rtc, StackKind::Is, true),
        #[cfg(feature = "rtc")]
        (StackKind::Rtc, StackKind::Rtc, false),
    ] {
        let options = MatrixOptions { caller, callee, turn, ..MatrixOptions::default() };
        for row in legacy_sites() {
            for column in legacy_sites() {
                let text = scenario_of(&row, &column, &options);
                Facts::of(&plan_of_text(&text, 3)).assert_supported(&text);
            }
        }
    }
}

#[test]
fn what_the_trace_does_not_show_is_refused() {
    let plan = plan_of_file(std::path::Path::new("scenarios/port-restricted-x-symmetric.nat.yaml"), 1);
    let facts = Facts::of(&plan);
    let why = facts.whys[0].clone();
    for (from, to) in [
        ("died at nat-b", "died at nat-a"),
        ("nat-filtered", "nat-expired"),
        ("came from 203.0.113.1", "came from 203.0.113.9"),
        ("accepts only 192.0.2.2", "accepts only 192.0.2.9"),
        ("nat-b maps", "nat-a maps"),
        ("was told 198", "was told 199"),
        ("bob's relay", "alice's relay"),
        ("So the call goes", "Thus the call goes"),
    ] {
        let lie = why.replacen(from, to, 1);
        assert_ne!(lie, why, "{from} does not occur in {why}");
        let facts = Facts { whys: vec![lie], ..facts.clone() };
        assert!(!facts.unsupported().is_empty(), "{from} → {to}");
    }
}

/// What a run's JSON Lines say.
#[derive(Clone)]
struct Facts {
    events: Vec<Value>,
    outcome: Value,
    whys: Vec<String>,
}

type Test = fn(&Facts, &Captures<'_>) -> bool;

/// The forms a sentence may have, each with what must be true of the trace.
static FORMS: LazyLock<Vec<(Regex, Test)>> = LazyLock::new(|| {
    let forms: &[(&str, Test)] = &[
        (
            r"(\S+) and (\S+) share the network behind \S+, so they reach each other at their own addresses, (\S+) and (\S+)",
            |f, c| f.goes_untouched(&c[1], &c[3], &c[4]) && f.goes_untouched(&c[2], &c[4], &c[3]),
        ),
        (
            r"No NAT stands between (\S+) and (\S+): they reach each other at their own addresses, (\S+) and (\S+)",
            |f, c| f.goes_untouched(&c[1], &c[3], &c[4]) && f.goes_untouched(&c[2], &c[4], &c[3]),
        ),
        (
            r"IPv6 is not translated between (\S+) and (\S+): they reach each other at their own addresses, (\S+) and (\S+)",
            |f, c| f.goes_untouched(&c[1], &c[3], &c[4]) && f.goes_untouched(&c[2], &c[4], &c[3]),
        ),
        (
            r"(\S+) has (IPv\d) candidates only and (\S+) (IPv\d) ones only, and those are never paired",
            |f, c| c[2] != c[4] && f.has_only(&c[1], &c[2]) && f.has_only(&c[3], &c[4]),
        ),
        (
            r"(\S+) sends to (\S+)'s ([a-zA-Z0-9 -]+) (\S+) and (\S+) sends to (\S+)'s ([a-zA-Z0-9 -]+) (\S+); (.+) rewrites? the addresses on the way",
            |f, c| {
                f.sends_data(&c[1], &c[4])
                    && f.sends_data(&c[5], &c[8])
                    && f.is_kind(&c[2], &c[3], &c[4])
                    && f.is_kind(&c[6], &c[7], &c[8])
                    && names(&c[9]).iter().all(|nat| f.rewrote_data(nat))
            },
        ),
        (r"What (\S+) sent opened (.+) for (\S+)", |f, c| {
            names(&c[2]).iter().all(|node| f.opened_for(node, &c[1]))
        }),
        (
            r"(\S+) has no IPv4 address of its own: it can check none of (\S+)'s addresses, so nothing it sends opens a NAT for them",
            |f, c| {
                !f.gathered(&c[1], "host").any(|own| !own.starts_with('['))
                    && f.gathered(&c[1], "srflx").any(|seen| !seen.starts_with('['))
                    && f.has_only(&c[2], "IPv4")
            },
        ),
        (r"(\S+) sees (\S+)'s relay (\S+) as (\S+) and takes that for an address of (\S+)'s own", |f, c| {
            c[2] == c[5]
                && f.gathered(&c[2], "relay").any(|relay| relay == c[3])
                && f.remote_of(&c[1]).is_some_and(|remote| remote == c[4])
                && f.is_seen_as(&c[3], &c[4])
        }),
        (
            r"(\S+) sends to (\S+)'s ([a-zA-Z ]+) (\S+), seen as (\S+) and (\S+) sends to (\S+)'s ([a-zA-Z ]+) (\S+); (.+) rewrites? the addresses on the way",
            |f, c| {
                f.sends_data(&c[1], &c[5])
                    && f.sends_data(&c[6], &c[9])
                    && f.is_seen_as(&c[4], &c[5])
                    && f.is_kind(&c[2], &c[3], &c[4])
                    && f.is_kind(&c[7], &c[8], &c[9])
                    && names(&c[10]).iter().all(|nat| f.rewrote_data(nat))
            },
        ),
        (r"In front of \S+, (.+) lets anybody in \(filtering: endpoint-independent\)", |f, c| {
            names(&c[1]).iter().all(|node| f.lets_anybody_in(node))
        }),
        (r"In front of \S+, (\S+) lets anybody in through the mapping that (\S+) asked it for", |f, c| {
            f.named("mapping-granted").any(|e| e["node"] == c[1])
                && f.packets().any(|p| p["origin"] == c[2] && text(p, "label").to_lowercase().contains("map"))
        }),
        (
            r"It would have worked without STUN as well: one side can be reached at an address it knows",
            |f, _| f.outcome["calls"].as_array().expect("calls").iter().any(|call| call["needs"] == "none"),
        ),
        (
            r"(\S+)'s first check died at (.+) \((\S+)\), but on its way out it had told \S+'s own side to let \S+ in",
            |f, c| f.check_died(&c[1], &c[2], &c[3], "", "", ""),
        ),
        (
            r"(\S+)'s (check|answer to a check) to (\S+)'s ([a-zA-Z0-9 -]+) (\S+) died at (.+?) \((\S+)\), where it came from (\[\S+\]:\d+|[^\s:]+:\d+)(?:: (.+))?",
            |f, c| {
                f.check_died(&c[1], &c[6], &c[7], &c[5], &c[8], c.get(9).map_or("", |m| m.as_str()))
                    && f.is_kind(&c[3], &c[4], &c[5])
            },
        ),
        (r"(\S+)'s connection to (\S+) died at (.+) \((firewall-inspect)\): (.+)", |f, c| {
            f.died(&c[1], &c[3], &c[4]).any(|(packet, death)| packet["to"] == c[2] && death["rule"] == c[5])
                && f.gathered(&c[1], "relay").next().is_none()
        }),
        (
            r"(\S+) maps per destination \(mapping: (\S+)\): (\S+) was told (\S+), but the check came from (\S+)",
            |f, c| f.maps_twice(&c[1], &c[4], &c[5]),
        ),
        (r"(\S+) may use relayed candidates only \(ice-transport-policy: relay\)", |f, c| {
            f.tells_relays_only(&c[1])
        }),
        (r"So the call goes through (.+)", |f, c| f.data_goes_through(&c[1])),
        (r"Neither side has a TURN server to fall back on", |f, _| {
            !f.packets().any(|p| text(p, "label").starts_with("Allocate"))
        }),
        (r"(\S+) got no relay: its packet to (\S+) died at (.+) \((\S+)\)", |f, c| {
            f.died(&c[1], &c[3], &c[4]).any(|(packet, _)| packet["to"] == c[2])
                && f.gathered(&c[1], "relay").next().is_none()
        }),
        (r"(\S+) got no relay from its TURN server", |f, c| {
            f.lacks_a_relay(&c[1])
                && f.packets().any(|p| p["origin"] == c[1] && text(p, "label") == "Allocate request")
        }),
        (
            r"(\S+)'s own addresses stood behind mDNS names, which resolve only on its own link, and (\S+) is not on it",
            |f, c| {
                f.named("candidate-gathered").any(|e| e["node"] == c[1] && e["name"].is_string())
                    && f.named("name-asked").any(|e| e["node"] == c[2] && e["address"].is_null())
            },
        ),
        (r"(\S+) told (\S+) none of its own addresses \(host-candidates: hidden\)", |f, c| {
            let told = |e: &Value| {
                e["candidates"].as_array().is_some_and(|all| {
                    all.iter().any(|one| one.as_str().is_some_and(|line| line.contains(" typ host")))
                })
            };
            f.named("signalled").any(|e| e["node"] == c[1] && e["to"] == c[2])
                && !f.named("signalled").any(|e| e["node"] == c[1] && told(e))
        }),
        (r"Signalling lost the (offer|answer) of (\S+)", |f, c| {
            f.named("signalled")
                .any(|e| e["node"] == c[2] && e["message"] == c[1] && e["arrives_ms"].is_null())
        }),
        (r"The run ended (.+), after (\S+) of virtual time", |f, c| f.ended_before(&c[1])),
        (r"(\S+) selected a pair, but (\S+) never did", |f, c| f.selected(&c[1]) && !f.selected(&c[2])),
        (r"No check ever got an answer", |f, _| !f.named("pair-selected").any(|_| true)),
        (r"Contact was lost at (\S+), after `(.+)` at (\S+)", |f, c| {
            f.is_last_change(&c[2], &c[3], &c[1]) && f.any_state(&c[1], &["disconnected", "failed"])
        }),
        (r"It was found again at (\S+), after `(.+)` at (\S+)", |f, c| {
            f.is_last_change(&c[2], &c[3], &c[1]) && f.any_state(&c[1], &["connected", "completed"])
        }),
        (r"The pair changed at (\S+), after `(.+)` at (\S+)", |f, c| {
            f.is_last_change(&c[2], &c[3], &c[1]) && f.named("pair-selected").any(|e| is_at(e, &c[1]))
        }),
        (r"(\S+) hung up at (\S+)", |f, c| {
            f.named("ice-state").any(|e| e["node"] == c[1] && e["state"] == "closed" && is_at(e, &c[2]))
        }),
        (r"(\S+): (.+)", |f, c| f.named("trouble").any(|e| e["node"] == c[1] && e["text"] == c[2])),
    ];
    let whole = |form: &str| Regex::new(&format!("^{form}$")).expect("a form");
    forms.iter().map(|(form, test)| (whole(form), *test)).collect()
});

/// The line with the names of peers in the place of those of their interfaces.
fn of_hosts(plan: &Plan, mut line: Value) -> Value {
    let interfaces = plan.topology.nodes().filter(|(_, node)| node.interface.is_some());
    let hosts: Vec<(&str, &str)> = interfaces.map(|(id, _)| (plan.name_of(id), plan.host_of(id))).collect();
    for key in ["node", "origin", "from", "to"] {
        let host = hosts.iter().find(|(interface, _)| line[key] == *interface).map(|(_, host)| *host);
        if let Some(host) = host {
            line[key] = host.into();
        }
    }
    line
}

impl Facts {
    fn of(plan: &Plan) -> Self {
        let options = RunOptions { record: true, ..RunOptions::default() };
        let (run, outcome) = simulate(plan, &options).expect("a run");
        let mut bytes = Vec::new();
        jsonl::write(&mut bytes, Report { plan, run: &run, outcome: &outcome }).expect("memory");
        let lines = std::str::from_utf8(&bytes).expect("UTF-8").lines();
        let events = lines.map(|line| of_hosts(plan, serde_json::from_str(line).expect("JSON"))).collect();
        let whys = outcome.calls.iter().map(|call| call.why.clone()).collect();
        Self { events, outcome: serde_json::to_value(&outcome).expect("JSON"), whys }
    }

    fn assert_supported(&self, what: &str) {
        assert!(self.whys.iter().all(|why| !why.is_empty()), "{what}: no cause is given");
        let unsupported = self.unsupported();
        assert!(unsupported.is_empty(), "{what}\nnot backed by the trace: {unsupported:#?}");
    }

    fn unsupported(&self) -> Vec<String> {
        let sentences = self.whys.iter().flat_map(|why| why.trim_end_matches('.').split(". "));
        sentences.filter(|sentence| !self.supports(sentence)).map(str::to_owned).collect()
    }

    fn supports(&self, sentence: &str) -> bool {
        let matching = FORMS.iter().find_map(|(form, test)| Some((form.captures(sentence)?, test)));
        matching.is_some_and(|(captures, test)| test(self, &captures))
    }

    fn named(&self, event: &'static str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |line| line["event"] == event)
    }

    fn packets(&self) -> impl Iterator<Item = &Value> {
        self.named("packet")
    }

    fn of_packet(&self, packet: &Value) -> impl Iterator<Item = &Value> {
        let id = packet["packet"].clone();
        self.events.iter().filter(move |line| line["event"] != "packet" && line["packet"] == id)
    }

    fn is_delivered(&self, packet: &Value) -> bool {
        self.of_packet(packet).any(|event| event["event"] == "delivered")
    }

    fn data(&self) -> impl Iterator<Item = &Value> {
        let is_data = |packet: &&Value| text(packet, "label").starts_with("data");
        self.packets().filter(is_data).filter(|packet| self.is_delivered(packet))
    }

    /// Data from one socket to the other arrived with the addresses it left with.
    fn goes_untouched(&self, origin: &str, from: &str, to: &str) -> bool {
        self.data().any(|packet| {
            packet["origin"] == *origin
                && packet["from"] == *from
                && packet["to"] == *to
                && self
                    .of_packet(packet)
                    .filter(|hop| hop["from"].is_string())
                    .all(|hop| hop["from"] == *from && hop["to"] == *to)
        })
    }

    /// A translator turned the one destination into the other.
    fn is_seen_as(&self, ipv4: &str, ipv6: &str) -> bool {
        let parse = |text: &str| text.parse::<SocketAddr>().expect("a transport address");
        let (SocketAddr::V4(ipv4), SocketAddr::V6(ipv6)) = (parse(ipv4), parse(ipv6)) else { return false };
        ipv4.port() == ipv6.port() && ipv6.ip().octets()[12..] == ipv4.ip().octets()
    }

    fn sends_data(&self, origin: &str, to: &str) -> bool {
        self.data().any(|packet| packet["origin"] == *origin && packet["to"] == *to)
    }

    fn rewrote_data(&self, nat: &str) -> bool {
        self.data().any(|packet| {
            let hops: Vec<&Value> =
                self.of_packet(packet).filter(|hop| hop["node"] == *nat && hop["from"].is_string()).collect();
            hops.windows(2).any(|two| two[0]["from"] != two[1]["from"] || two[0]["to"] != two[1]["to"])
        })
    }

    fn gathered<'a>(&'a self, node: &'a str, kind: &'a str) -> impl Iterator<Item = String> + 'a {
        self.named("candidate-gathered").filter(move |event| event["node"] == *node).filter_map(
            move |event| {
                let words: Vec<&str> = text(event, "candidate").split(' ').collect();
                let of_kind = kind.is_empty() || words.get(7) == Some(&kind);
                of_kind.then(|| match words[4].contains(':') {
                    true => format!("[{}]:{}", words[4], words[5]),
                    false => format!("{}:{}", words[4], words[5]),
                })
            },
        )
    }

    /// There is a call in which the peer gathered something, but no relay.
    fn lacks_a_relay(&self, node: &str) -> bool {
        let gathered = || self.named("candidate-gathered").filter(|event| event["node"] == *node);
        let is_relay = |event: &Value| text(event, "candidate").contains(" typ relay");
        gathered().any(|event| !gathered().any(|other| other["call"] == event["call"] && is_relay(other)))
    }

    /// All candidates of the peer are of this family, and there are some.
    fn has_only(&self, node: &str, family: &str) -> bool {
        let of_family = |address: String| address.starts_with('[') == (family == "IPv6");
        self.gathered(node, "").next().is_some() && self.gathered(node, "").all(of_family)
    }

    fn is_kind(&self, owner: &str, words: &str, address: &str) -> bool {
        if let Some(nat) = words.strip_prefix("address as ").and_then(|rest| rest.strip_suffix(" granted it"))
        {
            return self.named("mapping-granted").any(|e| e["node"] == *nat && e["outside"] == *address);
        }
        let has = |kind: &str| self.gathered(owner, kind).any(|known| known == address);
        match words {
            "own address" => has("host"),
            "address as STUN saw it" => has("srflx"),
            "relayed address" => has("relay"),
            "address as a check revealed it" => !has("host") && !has("srflx") && !has("relay"),
            _ => false,
        }
    }

    /// Where the peer's last selected pair sends to.
    fn remote_of(&self, node: &str) -> Option<String> {
        let selected = self.named("pair-selected").filter(|event| event["node"] == *node).last()?;
        Some(text(&selected["remote"], "address").to_owned())
    }

    fn opened_for(&self, node: &str, sender: &str) -> bool {
        let Some(remote) = self.remote_of(sender) else { return false };
        let ip = remote.rsplit_once(':').map_or("", |(ip, _)| ip.trim_matches(['[', ']'])).to_owned();
        let admits = |known: &str| known == remote || known == ip;
        self.named("filter-opened").any(|e| e["node"] == *node && admits(text(e, "remote")))
            || self.named("mapping-created").any(|e| {
                let accepts = e["accepts"].as_array();
                e["node"] == *node
                    && accepts
                        .is_some_and(|list| list.iter().any(|known| admits(known.as_str().unwrap_or(""))))
            })
    }

    /// It passed packets, made mappings that accept anybody, and filtered nothing. IPv6 has no mappings.
    fn lets_anybody_in(&self, node: &str) -> bool {
        let is_ipv6 = |packet: &Value| text(packet, "from").starts_with('[');
        if self.data().all(is_ipv6) {
            return !self.named("dropped").any(|e| e["by"] == *node && e["reason"] == "firewall-inbound");
        }
        let mappings: Vec<&Value> = self.named("mapping-created").filter(|e| e["node"] == *node).collect();
        mappings.iter().all(|mapping| mapping["accepts"].is_null())
            && self.named("departed").any(|hop| hop["node"] == *node)
            && !self.named("dropped").any(|e| e["by"] == *node && e["reason"] == "nat-filtered")
    }

    /// The packets of `origin` that died at a place, each with its death.
    fn died<'a>(
        &'a self,
        origin: &'a str,
        place: &'a str,
        reason: &'a str,
    ) -> impl Iterator<Item = (&'a Value, &'a Value)> {
        let uplink = place.strip_prefix("the uplink of ");
        let (by, on) = uplink.map_or((place, "node"), |node| (node, "link"));
        let died = move |e: &&Value| e["by"] == *by && e["on"] == *on && e["reason"] == *reason;
        self.named("dropped").filter(died).filter_map(move |death| {
            let packet = self.packets().find(|packet| packet["packet"] == death["packet"])?;
            is_of(origin, text(packet, "origin")).then_some((packet, death))
        })
    }

    /// Empty strings stand for anything.
    fn check_died(&self, origin: &str, place: &str, reason: &str, to: &str, from: &str, rule: &str) -> bool {
        self.died(origin, place, reason).any(|(packet, death)| {
            let label = text(packet, "label");
            (label.starts_with("Binding request (check") || label.starts_with("Binding success"))
                && (to.is_empty() || packet["to"] == *to)
                && (from.is_empty() || death["from"] == *from)
                && (rule.is_empty() || death["rule"] == *rule)
        })
    }

    /// The NAT gave one internal endpoint both external ones.
    fn maps_twice(&self, nat: &str, told: &str, came: &str) -> bool {
        let insides = |outside: &str| -> Vec<String> {
            let made =
                self.named("mapping-created").filter(|e| e["node"] == *nat && e["outside"] == *outside);
            made.map(|e| text(e, "inside").to_owned()).collect()
        };
        let also = insides(came);
        insides(told).iter().any(|inside| also.contains(inside)) && told != came
    }

    fn tells_relays_only(&self, node: &str) -> bool {
        let told = self.named("signalled").filter(|event| event["node"] == *node);
        told.flat_map(|event| event["candidates"].as_array().into_iter().flatten())
            .all(|candidate| candidate.as_str().is_some_and(|line| line.contains(" typ relay")))
    }

    /// `alice's relay A`, several of them: each is an allocation of that peer, and data left from it.
    fn data_goes_through(&self, relays: &str) -> bool {
        static RELAY: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(\S+)'s relay (\S+?)(?:,|$| and)").expect("a form"));
        let found: Vec<Captures<'_>> = RELAY.captures_iter(relays).collect();
        !found.is_empty()
            && found.iter().all(|relay| {
                self.gathered(&relay[1], "relay").any(|known| known == relay[2])
                    && self.packets().any(|packet| {
                        let label = text(packet, "label");
                        let carries = packet["from"] == relay[2]
                            || packet["to"] == relay[2]
                            || label.contains(&relay[2]);
                        carries && (label.starts_with("data") || label.contains("bytes]"))
                    })
            })
    }

    fn selected(&self, node: &str) -> bool {
        self.named("pair-selected").any(|event| event["node"] == *node)
    }

    /// True if this change of the scenario, made then, is the last one until some moment.
    fn is_last_change(&self, what: &str, at: &str, until: &str) -> bool {
        // An interface that comes up does nothing to a call by itself.
        let is_change = |e: &&Value| e["action"] != "expect" && e["action"] != "interface-up";
        let changes = self.named("scripted").filter(is_change);
        let last = changes.filter(|e| e["at_ms"].as_f64() <= Some(millis(until))).last();
        last.is_some_and(|e| e["text"] == *what && is_at(e, at))
    }

    fn any_state(&self, at: &str, states: &[&str]) -> bool {
        self.named("ice-state").any(|e| is_at(e, at) && states.contains(&text(e, "state")))
    }

    fn ended_before(&self, what: &str) -> bool {
        let none = |event| self.named(event).next().is_none();
        let started = |node: &str| self.named("agent-started").any(|event| event["node"] == *node);
        match what {
            "before the call began" => none("agent-started"),
            "before the first check" => !self.packets().any(|p| text(p, "label").contains("(check")),
            "while checks were still going on" => none("pair-selected"),
            other => other
                .strip_prefix("before ")
                .and_then(|rest| rest.strip_suffix(" heard of the call"))
                .is_some_and(|node| !started(node)),
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
fn names(list: &str) -> Vec<&str> {
    list.split(", ").flat_map(|part| part.split(" and ")).collect()
}

/// True if a node is this peer, or one of its interfaces.
fn is_of(peer: &str, node: &str) -> bool {
    node.strip_prefix(peer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_at(event: &Value, at: &str) -> bool {
    event["at_ms"].as_f64() == Some(millis(at))
}

/// `23.314s` or `450ms` in milliseconds.
fn millis(time: &str) -> f64 {
    let (number, factor) = match time.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (time.trim_end_matches('s'), 1_000.0),
    };
    let milliseconds = number.parse::<f64>().expect("a time") * factor;
    (milliseconds * 1e6).round() / 1e6
}
