//! The operator's file (docs/CATALOG.md): the catalog of the specification without what only the broker can say, and with
//! what it does differently from plan to plan.

use contract::PriceClass;
use osb_core::{Catalog, MaintenanceInfo, Plan, Service};
use serde_json::Value;

use super::fields::{Fields, Mistakes};
use super::{Limits, Offering, PlanRules, meta_schema, with_schemas};
use crate::parameters::{KNOWN, MOST_DOMAINS};

const SERVICE: &[&str] = &["id", "name", "description", "tags", "metadata", "plan_updateable", "plans"];
const PLAN: &[&str] = &[
    "id",
    "name",
    "description",
    "free",
    "metadata",
    "plan_updateable",
    "maximum_polling_duration",
    "maintenance_info",
    "web_acl",
    "retired",
    "limits",
];
const LIMITS: &[&str] = &["domains", "wildcards", "price_class", "without"];
/// Parameters that every plan has: without them there is nothing to serve.
const ALWAYS: [&str; 2] = ["domain", "domains"];
/// Parameters that go under two names.
const TWINS: [[&str; 2]; 2] = [["cookies", "forward_cookies"], ["headers", "forward_headers"]];

pub(super) fn read(text: &str) -> Result<Offering, Mistakes> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| vec![format!("it is not JSON: {error}")])?;
    let mut mistakes = Mistakes::new();
    let (mut services, mut plans) = (Vec::new(), Vec::new());
    if let Some(fields) = Fields::of(&value, "the file".to_owned(), &["services"], &mut mistakes) {
        for (value, place) in fields.list("services", &mut mistakes) {
            services.extend(service(value, place, &mut plans, &mut mistakes));
        }
    }
    let catalog = Catalog { services };
    mistakes.extend(catalog.validate());
    let served = catalog.services.iter().flat_map(|service| &service.plans);
    mistakes.extend(served.flat_map(meta_schema::problems));
    if mistakes.is_empty() {
        Ok(Offering { catalog, plans: plans.into_iter().collect() })
    } else {
        Err(mistakes)
    }
}

fn service(
    value: &Value,
    place: String,
    rules: &mut Vec<(String, PlanRules)>,
    mistakes: &mut Mistakes,
) -> Option<Service> {
    let fields = Fields::of(value, place, SERVICE, mistakes)?;
    let mut plans = Vec::new();
    for (value, place) in fields.list("plans", mistakes) {
        if let Some((plan, of_plan)) = plan(value, place, mistakes) {
            rules.push((plan.id.clone(), of_plan));
            plans.push(plan);
        }
    }
    let has_choice = plans.iter().filter(|plan| !plan.retired).count() > 1;
    let text = |name, mistakes: &mut Mistakes| fields.text(name, mistakes);
    let (name, id) = (text("name", mistakes), text("id", mistakes));
    let description = text("description", mistakes);
    Some(Service {
        tags: fields.texts("tags", mistakes),
        metadata: fields.object("metadata", mistakes),
        plan_updateable: fields.flag("plan_updateable", mistakes).unwrap_or(has_choice),
        ..Service::new(&name, &id, &description, plans)
    })
}

fn plan(value: &Value, place: String, mistakes: &mut Mistakes) -> Option<(Plan, PlanRules)> {
    let fields = Fields::of(value, place, PLAN, mistakes)?;
    let text = |name, mistakes: &mut Mistakes| fields.text(name, mistakes);
    let (name, id) = (text("name", mistakes), text("id", mistakes));
    let description = text("description", mistakes);
    let retired = fields.flag("retired", mistakes).unwrap_or(false);
    let limits = fields.get("limits").and_then(|(value, place)| limits(value, place, mistakes));
    let limits = limits.unwrap_or_default();
    let plan = Plan {
        free: fields.flag("free", mistakes).unwrap_or(true),
        metadata: fields.object("metadata", mistakes),
        // What is retired is there to be left.
        plan_updateable: fields.flag("plan_updateable", mistakes).or(retired.then_some(true)),
        maximum_polling_duration: fields.count("maximum_polling_duration", u32::MAX, mistakes),
        maintenance_info: fields
            .get("maintenance_info")
            .and_then(|(value, place)| maintenance_info(value, place, mistakes)),
        retired,
        ..Plan::new(&name, &id, &description)
    };
    let web_acl = fields.flag("web_acl", mistakes).unwrap_or(false);
    Some((with_schemas(plan, &limits), PlanRules { name, web_acl, limits }))
}

fn maintenance_info(value: &Value, place: String, mistakes: &mut Mistakes) -> Option<MaintenanceInfo> {
    let fields = Fields::of(value, place, &["version", "description"], mistakes)?;
    let description = fields.text("description", mistakes);
    Some(MaintenanceInfo {
        version: fields.text("version", mistakes),
        description: Some(description).filter(|text| !text.is_empty()),
    })
}

fn limits(value: &Value, place: String, mistakes: &mut Mistakes) -> Option<Limits> {
    let fields = Fields::of(value, place, LIMITS, mistakes)?;
    let everything = Limits::default();
    let most = u32::try_from(MOST_DOMAINS).unwrap_or(u32::MAX);
    let domains = fields.count("domains", most, mistakes).and_then(|count| usize::try_from(count).ok());
    Some(Limits {
        domains: domains.unwrap_or(everything.domains),
        wildcards: fields.flag("wildcards", mistakes).unwrap_or(everything.wildcards),
        price_class: price_class(&fields, mistakes).unwrap_or(everything.price_class),
        without: without(&fields, mistakes),
    })
}

fn price_class(fields: &Fields<'_>, mistakes: &mut Mistakes) -> Option<PriceClass> {
    let name = Some(fields.text("price_class", mistakes)).filter(|name| !name.is_empty())?;
    let found = PriceClass::ALL.iter().copied().find(|class| class.as_str() == name);
    if found.is_none() {
        let known: Vec<&str> = PriceClass::ALL.iter().map(|class| class.as_str()).collect();
        mistakes.push(format!("{} is {name:?}; there are {}", fields.place("price_class"), known.join(", ")));
    }
    found
}

fn without(fields: &Fields<'_>, mistakes: &mut Mistakes) -> Vec<&'static str> {
    let mut without = Vec::new();
    for name in fields.texts("without", mistakes) {
        match KNOWN.iter().copied().find(|known| *known == name && !ALWAYS.contains(known)) {
            Some(known) => match TWINS.iter().find(|twins| twins.contains(&known)) {
                Some(twins) => without.extend(twins),
                None => without.push(known),
            },
            None => mistakes.push(format!(
                "{} has {name:?}, which is not a parameter that can be left out",
                fields.place("without")
            )),
        }
    }
    without
}
