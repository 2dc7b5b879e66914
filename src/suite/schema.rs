//! Schemas of the JSON forms, for those who read them with a program. Draft 7, from the types that are written.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::json;
use crate::discover::Measurement;
use crate::discover::lab::Discoveries;
use crate::explain::Explanation;
use crate::outcome::Outcome;

/// Of `punchlab run --format json`.
pub fn of_outcome() -> Value {
    schema_of::<Outcome>()
}

/// Of `punchlab explain --format json`.
pub fn of_explanation() -> Value {
    schema_of::<Explanation>()
}

/// Of `punchlab discover --format json`.
pub fn of_discoveries() -> Value {
    schema_of::<Discoveries>()
}

/// Of `punchlab discover --server … --format json`.
pub fn of_measurement() -> Value {
    schema_of::<Measurement>()
}

/// Of `punchlab test --json`.
pub fn of_results() -> Value {
    schema_of::<json::Suite<'_>>()
}

fn schema_of<T: JsonSchema>() -> Value {
    // As it is written: a key that may be `null` is there all the same.
    let generator = SchemaSettings::draft07().for_serialize().into_generator();
    generator.into_root_schema_for::<T>().to_value()
}
