use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Binding;

/// Reads the text of `VCAP_SERVICES`: lists of bindings by the labels of their services. A mistake does not repeat it.
pub(super) fn parse(text: &str) -> Result<Vec<Binding>, String> {
    let services: BTreeMap<String, Vec<Map<String, Value>>> =
        serde_json::from_str(text).map_err(|_| "it is not a JSON object of lists of bindings".to_owned())?;
    let bindings = services
        .into_iter()
        .flat_map(|(label, bindings)| bindings.into_iter().map(move |binding| one(&label, &binding)));
    bindings.collect()
}

fn one(label: &str, binding: &Map<String, Value>) -> Result<Binding, String> {
    let text = |key: &str| binding.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").or_else(|| text("binding_name")).or_else(|| text("instance_name"));
    let tags = binding.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let kinds = [Some(label), text("label")].into_iter().flatten().chain(tags);
    let name = name.unwrap_or(label);
    let credentials = match binding.get("credentials") {
        None | Some(Value::Null) => None,
        Some(Value::Object(credentials)) => Some(credentials),
        Some(_) => return Err(format!("the credentials of the service {name} are not a JSON object")),
    };
    let credentials = credentials.into_iter().flatten();
    Ok(Binding {
        name: name.to_owned(),
        kinds: kinds.map(str::to_lowercase).collect(),
        credentials: credentials.map(|(key, value)| (key.clone(), plain(value))).collect(),
    })
}

/// A text as it is; anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
