//! The check that Cloud Controller makes of every schema, and rejects the whole catalog if one fails (R40).

use boon::{Compiler, Draft, Schemas};
use osb_core::Plan;
use serde_json::Value;

/// Never fetched: what a schema is called while it is looked at.
const NAME: &str = "urn:parameters";

/// What the meta-schema of draft 04 has against the schemas of a plan, a sentence each.
pub(super) fn problems(plan: &Plan) -> Vec<String> {
    let Some(schemas) = &plan.schemas else { return Vec::new() };
    let instance = &schemas.service_instance;
    let named = [("create", &instance.create), ("update", &instance.update)];
    let served = named.into_iter().filter_map(|(action, schema)| Some((action, schema.as_ref()?)));
    served
        .filter_map(|(action, schema)| Some((action, problem(&schema.parameters)?)))
        .map(|(action, problem)| format!("plan {:?}, schema for {action}: {problem}", plan.name))
        .collect()
}

fn problem(schema: &Value) -> Option<String> {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.set_default_draft(Draft::V4);
    let refused = match compiler.add_resource(NAME, schema.clone()) {
        Ok(()) => compiler.compile(NAME, &mut schemas).err(),
        Err(error) => Some(error),
    };
    refused.map(|error| format!("it is not one of JSON Schema draft 04: {error}"))
}
