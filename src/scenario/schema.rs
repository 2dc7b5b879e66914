//! A JSON schema of the scenario file, for editors, generated from the tables that readers use.
//!
//! It helps while one types; [`load`](super::load) remains the judge. Draft 7, which yaml-language-server reads.

use serde_json::{Map, Value, json};

use super::keys::{
    EVENT, FILE, ICE_SERVER, Key, Kind, LINK, MEDIA, MEDIA_GAP, MESH, PROXY, SECTIONS, Section, VERSION,
};
use super::links;
use super::profiles;
use crate::base::Limits;
use crate::plan::{MediaKind, Topology};
use crate::scenario::word::Word;

/// The schema.
pub fn schema() -> Value {
    let definitions: Map<String, Value> = SECTIONS
        .iter()
        .filter(|section| !std::ptr::eq(**section, &FILE))
        .map(|section| (definition_name(section), object(section)))
        .collect();
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "punchlab scenario",
        "required": ["peers", "calls"],
    });
    if let (Value::Object(schema), Value::Object(file)) = (&mut schema, object(&FILE)) {
        schema.extend(file);
        schema.insert("definitions".into(), Value::Object(definitions));
    }
    schema
}

/// `nats.NAME` is `nats` among the definitions.
fn definition_name(section: &Section) -> String {
    section.name.trim_end_matches(".NAME").to_owned()
}

fn object(section: &Section) -> Value {
    let mut value = map(section);
    if std::ptr::eq(section, &EVENT) {
        // One action beside the time.
        value["required"] = json!(["at"]);
        (value["minProperties"], value["maxProperties"]) = (json!(2), json!(2));
    }
    if std::ptr::eq(section, &MESH) {
        value["required"] = json!(["mesh"]);
        value["type"] = json!("object");
    }
    value
}

fn map(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in section.keys.iter() {
        for spelling in [key.name].iter().chain(key.aliases) {
            properties.insert((*spelling).to_owned(), property(key));
        }
    }
    json!({
        "type": ["object", "null"],
        "description": section.about,
        "properties": properties,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut value = of_kind(key.name, key.kind);
    if let Value::Object(value) = &mut value {
        value.insert("description".into(), json!(format!("{} Default: {}.", key.about, key.default)));
    }
    value
}

/// Spellings that are understood beside the words readers list.
fn other_spellings(key: &str, words: &[&str]) -> &'static [&'static str] {
    match key {
        "mapping" => &["eim", "adm", "apdm"],
        "filtering" => &["eif", "adf", "apdf"],
        "type" if words.contains(&"symmetric") => &["address-restricted-cone"],
        _ => &[],
    }
}

fn of_kind(key: &str, kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::NodeName => json!({ "type": "string" }),
        Kind::Truth => or_expression(json!({ "type": "boolean" })),
        Kind::Version => or_expression(json!({ "const": VERSION })),
        Kind::Integer(least, most) => {
            or_expression(json!({ "type": "integer", "minimum": least, "maximum": most }))
        }
        Kind::Duration => pattern(r"^([0-9]+(\.[0-9]+)?\s*(ns|us|ms|s|m|h)\s*)+$"),
        Kind::Percent => pattern(r"^[0-9]+(\.[0-9]+)?\s*%$"),
        Kind::Bandwidth => pattern(r"^[0-9]+(\.[0-9]+)?\s*[kMG]?bps$"),
        Kind::PortRange => pattern(&format!(r"^{PORT}\s*-\s*{PORT}$")),
        Kind::Listen => one_or_list(pattern(&format!("^{PORT}/(udp|tcp|tls)$")), Entries::SomeDistinct),
        Kind::Services => one_or_list(pattern(&format!("^{PORT}/(udp|tcp)$")), Entries::Distinct),
        Kind::Address => pattern(ADDRESS),
        Kind::Addresses => one_or_list(pattern(ADDRESS), Entries::SomeDistinct),
        Kind::Ipv6Network => pattern(r"^[0-9A-Fa-f:]+/[0-9]+$"),
        Kind::Network => pattern(r"^[0-9]+(\.[0-9]+){3}/[0-9]+$"),
        Kind::Word(words) => word(key, words()),
        Kind::Profile(kind) => word(key, kind.words()),
        Kind::Words(words) => one_or_list(word(key, words()), Entries::SomeDistinct),
        Kind::Link => json!({ "anyOf": [word(key, links::names()), reference(&LINK)] }),
        Kind::Uris => one_or_list(pattern(URI), Entries::SomeDistinct),
        Kind::IceServers => {
            one_or_list(json!({ "anyOf": [pattern(URI), reference(&ICE_SERVER)] }), Entries::Distinct)
        }
        Kind::Users => json!({ "type": "object", "additionalProperties": { "type": ["string", "number"] } }),
        Kind::Counts => {
            json!({ "type": "object", "additionalProperties": or_expression(json!({ "type": "integer", "minimum": 0 })) })
        }
        Kind::Map(section) => json!({ "allOf": [reference(section)] }),
        Kind::MapList(section) => one_or_list(reference(section), Entries::Some),
        Kind::Named(section) => named(reference(section)),
        Kind::NamedOrNickname(section) => {
            named(json!({ "anyOf": [word("type", profiles::nickname_words()), reference(section)] }))
        }
        Kind::Calls => {
            let call = json!({ "type": "object", "maxProperties": 1, "propertyNames": { "pattern": "->" }, "additionalProperties": { "$ref": "#/definitions/calls" } });
            one_or_list(json!({ "anyOf": [pattern("->"), call, reference(&MESH)] }), Entries::SomeDistinct)
        }
        Kind::Peers => {
            json!({ "type": "array", "items": or_expression(name()), "minItems": 2, "uniqueItems": true })
        }
        Kind::Links => named(json!({ "anyOf": [word("type", links::names()), reference(&LINK)] })),
        Kind::Renumber => {
            let addresses = one_or_list(pattern(ADDRESS), Entries::SomeDistinct);
            json!({ "anyOf": [{ "type": "string" }, { "type": "object", "minProperties": 1, "additionalProperties": addresses }] })
        }
        Kind::CallSide => json!({ "type": "string" }),
        Kind::Sides => sides(),
        Kind::SidesOrAll => json!({ "anyOf": [word(key, vec!["all"]), sides()] }),
        Kind::Proxy => json!({ "anyOf": [of_kind(key, Kind::Integer(1, 65_535)), reference(&PROXY)] }),
        Kind::Media => {
            let kinds = one_or_list(word(key, MediaKind::words()), Entries::SomeDistinct);
            json!({ "anyOf": [kinds, reference(&MEDIA)] })
        }
        Kind::Gap => json!({ "anyOf": [of_kind(key, Kind::Duration), reference(&MEDIA_GAP)] }),
        Kind::Matrix => {
            let expression = json!({ "type": "string", "pattern": EXPRESSION });
            let value = json!({ "type": ["string", "number", "boolean"], "not": expression });
            let values = one_or_list(value, Entries::SomeDistinct);
            json!({ "type": "object", "propertyNames": name(), "additionalProperties": values })
        }
        Kind::Names => one_or_list(or_expression(name()), Entries::Distinct),
    }
}

/// A decimal number from 1 to 65535.
const PORT: &str = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";

/// Schemes are written in either case.
const URI: &str = "^([Ss][Tt][Uu][Nn]|[Tt][Uu][Rr][Nn][Ss]?):";

const ADDRESS: &str = r"^([0-9]+(\.[0-9]+){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$";

/// A place for a value of the matrix: `${{ matrix.NAME }}`, alone or within a longer text.
const EXPRESSION: &str = r"\$\{\{\s*matrix\.[a-z0-9-]+\s*\}\}";

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{pattern}|{EXPRESSION}") })
}

fn or_expression(value: Value) -> Value {
    json!({ "anyOf": [value, { "type": "string", "pattern": EXPRESSION }] })
}

/// One of these words, or of their other spellings.
fn word(key: &str, mut words: Vec<&'static str>) -> Value {
    words.extend(other_spellings(key, &words));
    or_expression(json!({ "enum": words }))
}

/// What holds for the entries of a list.
enum Entries {
    /// There is one at least.
    Some,
    /// No two are alike.
    Distinct,
    /// Both.
    SomeDistinct,
}

fn one_or_list(entry: Value, entries: Entries) -> Value {
    let mut list = json!({ "type": "array", "items": entry });
    if let Entries::Some | Entries::SomeDistinct = entries {
        list["minItems"] = json!(1);
    }
    if let Entries::Distinct | Entries::SomeDistinct = entries {
        list["uniqueItems"] = json!(true);
    }
    json!({ "anyOf": [entry, list] })
}

/// Two nodes, or two lists of nodes.
fn sides() -> Value {
    let side = one_or_list(json!({ "type": "string" }), Entries::SomeDistinct);
    json!({ "type": "array", "items": side, "minItems": 2, "maxItems": 2 })
}

fn named(value: Value) -> Value {
    json!({ "type": ["object", "null"], "propertyNames": name(), "additionalProperties": value })
}

fn name() -> Value {
    json!({
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]*$",
        "maxLength": Limits::DEFAULT.name_bytes,
        "not": { "const": Topology::INTERNET },
    })
}

fn reference(section: &Section) -> Value {
    json!({ "$ref": format!("#/definitions/{}", definition_name(section)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        let schema = schema();
        let text = schema.to_string();
        let mut count = 0;
        for part in text.split("\"#/definitions/").skip(1) {
            let name = part.split('"').next().unwrap_or_default();
            assert!(schema["definitions"][name].is_object(), "{name}");
            count += 1;
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn every_other_spelling_is_understood() {
        use crate::plan::{FilteringBehavior, MappingBehavior, Nickname};
        use crate::scenario::word::Word;

        assert!(
            other_spellings("mapping", &[]).iter().all(|word| MappingBehavior::from_text(word).is_some())
        );
        assert!(
            other_spellings("filtering", &[]).iter().all(|word| FilteringBehavior::from_text(word).is_some())
        );
        let nicknames = other_spellings("type", &["symmetric"]);
        assert!(!nicknames.is_empty() && nicknames.iter().all(|word| Nickname::from_alias(word).is_some()));
    }

    #[test]
    fn every_key_of_a_section_is_a_property() {
        let schema = schema();
        for section in SECTIONS.iter().skip(1) {
            for key in section.keys.iter() {
                let properties = &schema["definitions"][definition_name(section)]["properties"];
                assert!(properties[key.name].is_object(), "{} of {}", key.name, section.name);
            }
        }
    }
}
