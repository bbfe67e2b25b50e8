use super::{Binding, Given};

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The binding with this name, or the only one that is a PostgreSQL.
pub(super) fn choose(bindings: &[Binding], name: Option<&str>) -> Given {
    let fitting: Vec<&Binding> = match name {
        Some(name) => bindings.iter().filter(|binding| binding.name == name).collect(),
        None => bindings.iter().filter(|binding| is_postgres(binding)).collect(),
    };
    let list =
        |bindings: &[&Binding]| bindings.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ");
    match (&fitting[..], name) {
        ([], None) => Ok(None),
        ([], Some(name)) => {
            let bound = list(&bindings.iter().collect::<Vec<_>>());
            Err(format!(
                "is not set, and DATABASE_SERVICE names `{name}`, which is not bound; bound are: {bound}"
            ))
        }
        ([one], _) => match url(one) {
            Some(url) => Ok(Some((url, format!("service {}", one.name)))),
            None => Err(format!(
                "is not set, and the service {} has neither a `uri` of PostgreSQL nor host, username, password and database",
                one.name
            )),
        },
        (several, _) => Err(format!(
            "is not set, and several services fit: {}; name one with DATABASE_SERVICE",
            list(several)
        )),
    }
}

fn is_postgres(binding: &Binding) -> bool {
    binding.kinds.iter().any(|kind| kind.contains("postgres")) || uri(binding).is_some()
}

fn uri(binding: &Binding) -> Option<String> {
    let value = value(binding, &["uri", "url", "database_url", "database-url"])?;
    SCHEMES.iter().any(|scheme| value.starts_with(scheme)).then_some(value)
}

/// As it is given, or else put together.
fn url(binding: &Binding) -> Option<String> {
    if let Some(uri) = uri(binding) {
        return Some(uri);
    }
    let host = value(binding, &["host", "hostname"])?;
    let port = value(binding, &["port"]).unwrap_or_else(|| "5432".to_owned());
    let database = value(binding, &["database", "dbname", "db_name", "db-name", "name"])?;
    let user = value(binding, &["username", "user"])?;
    let password = value(binding, &["password"])?;
    Some(format!("postgres://{}:{}@{host}:{port}/{}", encoded(&user), encoded(&password), encoded(&database)))
}

fn value(binding: &Binding, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| binding.credentials.get(*key)).filter(|value| !value.is_empty()).cloned()
}

/// RFC 3986, section 2.3: everything but what stands for itself.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, b| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            encoded + &char::from(b).to_string()
        } else {
            encoded + &format!("%{b:02X}")
        }
    })
}
