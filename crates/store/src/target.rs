use crate::error::StoreError;

/// What the URL of a PostgreSQL database says unless it says something else: how long connecting may take, in
/// seconds, and how long a network may swallow what was sent, in milliseconds. libpq waits for minutes by itself.
const POSTGRES_DEFAULTS: [(&str, &str); 2] = [("connect_timeout", "3"), ("tcp_user_timeout", "10000")];

/// Where the database is. It may hold a password, so it cannot be printed.
#[derive(Clone)]
pub(crate) enum Target {
    /// A file of SQLite.
    Sqlite {
        /// Its path.
        file: String,
    },
    /// A database of PostgreSQL.
    Postgres {
        /// Its URL, as libpq takes it.
        url: String,
    },
}

impl Target {
    /// Reads a database URL. The scheme is checked before anything else happens: SQLite would take any text for the
    /// name of a file. The errors do not repeat the URL.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        match url.split_once("://") {
            Some(("sqlite", file)) => sqlite(file),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres { url: with_defaults(url) }),
            Some((other, _)) => Err(refused(&format!("`{other}://` is not known; {SCHEMES}"))),
            None => Err(refused(SCHEMES)),
        }
    }

    /// The error that this database cannot be reached. A part of a password is not repeated: libpq quotes one when it
    /// was not percent-encoded and so is taken for a port.
    pub(crate) fn unreachable(&self, cause: &diesel::ConnectionError) -> StoreError {
        let message = cause.to_string();
        let message = message.trim_end();
        let message = match self {
            Self::Sqlite { file } => format!("SQLite file {file}: {message}"),
            Self::Postgres { url } if quotes_password(message, url) => {
                "PostgreSQL: the URL is malformed; user and password must be percent-encoded".to_owned()
            }
            Self::Postgres { .. } => format!("PostgreSQL: {message}"),
        };
        StoreError::Unreachable(message)
    }
}

const SCHEMES: &str = "it must begin with `sqlite://` or `postgres://`";

fn refused(why: &str) -> StoreError {
    StoreError::Settings(format!("the database URL cannot be used: {why}"))
}

fn sqlite(file: &str) -> Result<Target, StoreError> {
    if file.is_empty() || file.ends_with('/') {
        return Err(refused("`sqlite://` must be followed by the path of a file"));
    }
    if file.starts_with(':') || file.contains('?') {
        return Err(refused(
            "`sqlite://` takes the path of a file, without parameters; there is no `:memory:`",
        ));
    }
    Ok(Target::Sqlite { file: file.to_owned() })
}

fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in POSTGRES_DEFAULTS {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}{name}={value}");
        }
    }
    url
}

fn quotes_password(message: &str, url: &str) -> bool {
    let credentials = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let password = credentials.and_then(|(credentials, _)| credentials.split_once(':'));
    let Some((_, password)) = password else { return false };
    message.split('"').skip(1).step_by(2).any(|quoted| !quoted.is_empty() && password.contains(quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is() {
        for path in ["/var/lib/broker.db", "broker.db", "data/broker.db"] {
            let target = Target::parse(&format!("sqlite://{path}")).unwrap();
            assert!(matches!(target, Target::Sqlite { file } if file == path));
        }
    }

    #[test]
    fn what_a_postgres_url_leaves_open_is_added() {
        for (given, taken) in [
            ("postgres://h/d", "postgres://h/d?connect_timeout=3&tcp_user_timeout=10000"),
            ("postgresql://h/d?a=b", "postgresql://h/d?a=b&connect_timeout=3&tcp_user_timeout=10000"),
            ("postgres://h/d?connect_timeout=9", "postgres://h/d?connect_timeout=9&tcp_user_timeout=10000"),
        ] {
            assert!(matches!(Target::parse(given).unwrap(), Target::Postgres { url } if url == taken));
        }
    }

    #[test]
    fn what_is_not_a_database_is_refused_by_its_scheme() {
        for url in
            ["", "broker.db", "sqlite:broker.db", "mysql://u:secret@h/d", "sqlite://", "sqlite:///tmp/"]
        {
            let Err(error) = Target::parse(url) else { panic!("{url} was taken") };
            let message = error.to_string();
            assert!(message.contains("sqlite://") && !message.contains("secret"), "{message}");
        }
        assert!(Target::parse("sqlite://:memory:").is_err());
        assert!(Target::parse("sqlite://broker.db?mode=ro").is_err());
    }
}
