//! The services that the platform has bound to this app (Cloud Foundry's RFC 30): the variable `VCAP_SERVICES`, a file with
//! the same text (`VCAP_SERVICES_FILE_PATH`), or a folder for each binding with a file for each key (`SERVICE_BINDING_ROOT`, the
//! form of servicebinding.io).

mod database;
mod files;
mod vcap;

use std::collections::BTreeMap;

use super::Reader;

/// What a service gives to whoever is bound to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Binding {
    /// The name of the binding, or else of the service instance.
    name: String,
    /// What kind of service it is, in all words that there are for it: label, type, provider, tags. In lower case.
    kinds: Vec<String>,
    credentials: BTreeMap<String, String>,
}

/// All of them, in the order in which they are found.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings(Vec<Binding>);

/// Where a value comes from, or why it cannot be had.
pub(super) type Given = Result<Option<(String, String)>, String>;

/// Nobody binds more than this.
const LARGEST: u64 = 4 << 20;

/// Reads all that is there, and notes what cannot be read.
pub(super) fn read(reader: &mut Reader<'_>) -> Bindings {
    let mut found = Vec::new();
    let text = reader.optional("VCAP_SERVICES");
    let file = reader.optional("VCAP_SERVICES_FILE_PATH");
    let root = reader.optional("SERVICE_BINDING_ROOT");
    // No service says which service it is.
    reader.optional("DATABASE_SERVICE");
    let from_file = file.map(|path| files::text(path.as_ref()).and_then(|text| vcap::parse(&text)));
    let sources = [
        ("VCAP_SERVICES", text.map(|text| vcap::parse(&text))),
        ("VCAP_SERVICES_FILE_PATH", from_file),
        ("SERVICE_BINDING_ROOT", root.map(|path| files::read(path.as_ref()))),
    ];
    for (name, bindings) in sources {
        match bindings {
            None => {}
            Some(Ok(bindings)) => found.extend(bindings),
            Some(Err(reason)) => reader.mistake(name, format!("cannot be used: {reason}")),
        }
    }
    Bindings(found)
}

impl Bindings {
    /// The value of a variable that a user-provided service carries, and where it is.
    pub(super) fn variable(&self, name: &str) -> Given {
        let mut given: Option<(String, String)> = None;
        for binding in self.0.iter().filter(|binding| binding.is_user_provided()) {
            let Some((key, value)) = binding.credentials.iter().find(|(key, _)| names(key, name)) else {
                continue;
            };
            match &given {
                Some((other, first)) if other != value => {
                    return Err(format!(
                        "is given by two services with different values: {first}, and {}; unbind one, or set it",
                        binding.name
                    ));
                }
                Some(_) => {}
                None => given = Some((value.clone(), format!("service {}, {key}", binding.name))),
            }
        }
        Ok(given)
    }

    /// The URL of the bound PostgreSQL: of the one with this name, or of the only one.
    pub(super) fn database(&self, name: Option<&str>) -> Given {
        database::choose(&self.0, name)
    }
}

impl Binding {
    fn is_user_provided(&self) -> bool {
        self.kinds.iter().any(|kind| kind == "user-provided")
    }
}

/// `BROKER_PASSWORD`, `CDN_BROKER_PASSWORD` and `broker-password` are keys for one variable: file names hold no underscores.
fn names(key: &str, variable: &str) -> bool {
    let key = key.to_ascii_uppercase().replace(['-', '.'], "_");
    key.strip_prefix("CDN_").unwrap_or(&key) == variable
}

#[cfg(test)]
mod tests;
