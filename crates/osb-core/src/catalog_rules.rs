mod metadata;

use std::collections::HashSet;

use semver::Version;
use serde_json::{Map, Value};

use crate::query::is_id;
use crate::{Catalog, DashboardClient, MaintenanceInfo, Plan, Schemas, Service};

/// Cloud Controller's limits, in characters.
const NAME_LIMIT: usize = 255;
const DESCRIPTION_LIMIT: usize = 10_000;
const TAGS_LIMIT: usize = 2048;
const MAINTENANCE_INFO_LIMIT: usize = 2000;
const SCHEMA_LIMIT: usize = 65_536;
const PERMISSIONS: [&str; 3] = ["syslog_drain", "route_forwarding", "volume_mount"];

/// What the specification and Cloud Controller would object to.
pub(crate) fn problems(catalog: &Catalog) -> Vec<String> {
    let mut problems = Vec::new();
    if catalog.services.is_empty() {
        problems.push("the catalog has no services: give it one".to_owned());
    }
    let services = || catalog.services.iter();
    let ids = services().flat_map(|service| {
        [service.id.as_str()].into_iter().chain(service.plans.iter().map(|plan| plan.id.as_str()))
    });
    repeated("the id", ids, &mut problems);
    repeated("the service name", services().map(|service| service.name.as_str()), &mut problems);
    for service in services() {
        check_service(service, &mut problems);
    }
    problems
}

fn check_service(service: &Service, problems: &mut Vec<String>) {
    let place = format!("service {:?}", service.name);
    check_texts(&place, &service.name, &service.id, &service.description, problems);
    let mut check = |good: bool, what: &str| report(good, &place, what, problems);
    check(!service.bindable, "bindable is true, but there are no bindings: make it false");
    check(service.plans.iter().any(|plan| !plan.retired), "it has no plans that are offered: give it one");
    check(
        service.tags.iter().map(String::len).sum::<usize>() <= TAGS_LIMIT,
        "its tags are longer than 2048 characters",
    );
    check(
        service.dashboard_client.as_ref().is_none_or(is_whole),
        "its dashboard_client lacks an id, a secret, or a redirect_uri that begins with https:// or http://",
    );
    let permission = |word: &String| PERMISSIONS.contains(&word.as_str());
    check(service.requires.iter().all(permission), "requires names a permission that platforms do not know");
    metadata::check_service(&place, &service.metadata, problems);
    let names = service.plans.iter().map(|plan| plan.name.as_str());
    repeated(&format!("{place}: the plan name"), names, problems);
    for plan in &service.plans {
        check_plan(&format!("{place}, plan {:?}", plan.name), plan, problems);
    }
}

fn is_whole(client: &DashboardClient) -> bool {
    let is_url = ["https://", "http://"].iter().any(|scheme| client.redirect_uri.starts_with(scheme));
    !client.id.is_empty() && !client.secret.is_empty() && is_url
}

fn check_plan(place: &str, plan: &Plan, problems: &mut Vec<String>) {
    check_texts(place, &plan.name, &plan.id, &plan.description, problems);
    metadata::check_plan(place, &plan.metadata, problems);
    report(
        plan.maximum_polling_duration != Some(0),
        place,
        "maximum_polling_duration is 0 seconds",
        problems,
    );
    if let Some(info) = &plan.maintenance_info {
        check_maintenance_info(place, info, problems);
    }
    if let Some(schemas) = &plan.schemas {
        check_schemas(place, schemas, problems);
    }
}

fn check_texts(place: &str, name: &str, id: &str, description: &str, problems: &mut Vec<String>) {
    let mut check = |good: bool, what: &str| report(good, place, what, problems);
    let friendly = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let named = !name.is_empty() && name.len() <= NAME_LIMIT && name.chars().all(friendly);
    check(named, "its name is not 1 to 255 letters, digits, dots and hyphens");
    check(is_id(id), "its id is not 1 to 255 of the characters A-Z a-z 0-9 - . _ ~");
    let length = description.chars().count();
    check((1..=DESCRIPTION_LIMIT).contains(&length), "its description is not 1 to 10000 characters long");
}

fn check_maintenance_info(place: &str, info: &MaintenanceInfo, problems: &mut Vec<String>) {
    let semantic = Version::parse(&info.version).is_ok();
    report(
        semantic,
        place,
        "maintenance_info.version is not a Semantic Version 2.0, such as 1.0.0",
        problems,
    );
    let json = serde_json::to_string(info).map_or(usize::MAX, |json| json.chars().count());
    report(
        json <= MAINTENANCE_INFO_LIMIT,
        place,
        "its maintenance_info is longer than 2000 characters",
        problems,
    );
}

fn check_schemas(place: &str, schemas: &Schemas, problems: &mut Vec<String>) {
    let instance = &schemas.service_instance;
    for (action, schema) in [("create", &instance.create), ("update", &instance.update)] {
        let Some(schema) = schema else { continue };
        let place = format!("{place}, schema for {action}");
        let mut check = |good: bool, what: &str| report(good, &place, what, problems);
        check(schema.parameters.get("$schema").is_some_and(Value::is_string), "it has no $schema");
        check(schema.parameters.to_string().len() <= SCHEMA_LIMIT, "it is longer than 64 kB");
        check(!refers_elsewhere(&schema.parameters), "it has a $ref to outside of itself");
    }
}

/// Whether a schema needs another document.
fn refers_elsewhere(schema: &Value) -> bool {
    let outside = |object: &Map<String, Value>| {
        object.get("$ref").and_then(Value::as_str).is_some_and(|target| !target.starts_with('#'))
    };
    match schema {
        Value::Object(object) => outside(object) || object.values().any(refers_elsewhere),
        Value::Array(array) => array.iter().any(refers_elsewhere),
        _ => false,
    }
}

fn repeated<'a>(what: &str, values: impl Iterator<Item = &'a str>, problems: &mut Vec<String>) {
    let mut seen = HashSet::new();
    problems.extend(
        values
            .filter(|value| !seen.insert(*value))
            .map(|value| format!("{what} {value:?} is there more than once")),
    );
}

fn report(good: bool, place: &str, what: &str, problems: &mut Vec<String>) {
    if !good {
        problems.push(format!("{place}: {what}"));
    }
}
