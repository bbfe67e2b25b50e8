use contract::{PriceClass, Settings};
use serde_json::{Map, Value, json};

use crate::parameters::{MOST_DOMAINS, ParameterError};

/// What the instances of a plan may ask for: everything, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The greatest number of domains of one instance, from 1 to 100.
    pub domains: usize,
    /// Whether names with `*` may be asked for.
    pub wildcards: bool,
    /// The largest set of edges that may be asked for. The sets contain one another, and the smallest is the default.
    pub price_class: PriceClass,
    /// Parameters that may not be given.
    pub without: Vec<&'static str>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { domains: MOST_DOMAINS, wildcards: true, price_class: PriceClass::All, without: Vec::new() }
    }
}

impl Limits {
    /// Refuses what the plan does not include, of the parameters in `named`. `null` asks for the default, which every plan
    /// includes.
    pub(crate) fn check(
        &self,
        plan: &str,
        settings: &Settings,
        named: &Map<String, Value>,
    ) -> Result<(), ParameterError> {
        let is_named = |name: &str| named.get(name).is_some_and(|value| !value.is_null());
        if let Some(name) = self.without.iter().find(|name| is_named(name)) {
            return Err(refusal(format!("The plan `{plan}` does not include the parameter `{name}`.")));
        }
        if is_named("domain") || is_named("domains") {
            self.check_domains(plan, settings)?;
        }
        let asked = settings.delivery.price_class.or(PriceClass::Class100);
        if is_named("price_class") && rank(asked) > rank(self.price_class) {
            let (asked, most) = (asked.as_str(), self.price_class.as_str());
            return Err(refusal(format!(
                "The parameter `price_class` is not acceptable: the plan `{plan}` goes up to `{most}`, not `{asked}`."
            )));
        }
        Ok(())
    }

    fn check_domains(&self, plan: &str, settings: &Settings) -> Result<(), ParameterError> {
        let (most, count) = (self.domains, settings.domains.len());
        if count > most {
            return Err(refusal(format!(
                "The service instance would have {count} domains, but one of the plan `{plan}` can have at most {most}."
            )));
        }
        match settings.domains.iter().find(|name| name.is_wildcard()) {
            Some(name) if !self.wildcards => Err(refusal(format!(
                "The plan `{plan}` does not include wildcard domains such as `{name}`: name each domain."
            ))),
            _ => Ok(()),
        }
    }

    /// A schema of parameters that says the same, in as far as a schema can.
    pub(super) fn narrow(&self, mut schema: Value) -> Value {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            return schema;
        };
        properties.retain(|name, _| !self.without.contains(&name.as_str()));
        if let Some(domains) = properties.get_mut("domains") {
            domains["maxItems"] = json!(self.domains);
            if !self.wildcards {
                domains["items"]["pattern"] = json!("^[^*]*$");
            }
        }
        if let Some(domain) = properties.get_mut("domain").filter(|_| !self.wildcards) {
            domain["pattern"] = json!("^[^*]*$");
        }
        if let Some(classes) = properties.get_mut("price_class") {
            let offered = PriceClass::ALL.iter().filter(|class| rank(**class) <= rank(self.price_class));
            let names = offered.map(|class| json!(class.as_str()));
            classes["enum"] = names.chain([Value::Null]).collect();
        }
        schema
    }
}

/// How large a set of edges is, among the others.
fn rank(class: PriceClass) -> u8 {
    match class {
        PriceClass::Class100 => 0,
        PriceClass::Class200 => 1,
        PriceClass::All => 2,
    }
}

fn refusal(sentence: String) -> ParameterError {
    ParameterError::new(sentence)
}
