use crate::error::StoreError;

/// Where the database is.
#[derive(Clone)]
pub(crate) enum Target {
    /// A file of SQLite.
    Sqlite {
        /// Its path.
        file: String,
    },
}

impl Target {
    /// Reads a database URL. The scheme is checked before anything else happens: SQLite would take any text for the
    /// name of a file. The errors do not repeat the URL, which may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        match url.split_once("://") {
            Some(("sqlite", file)) => sqlite(file),
            Some((other, _)) => Err(refused(&format!("`{other}://` is not known; {SCHEMES}"))),
            None => Err(refused(SCHEMES)),
        }
    }

    /// The error that this database cannot be reached.
    pub(crate) fn unreachable(&self, cause: &diesel::ConnectionError) -> StoreError {
        match self {
            Self::Sqlite { file } => StoreError::Unreachable(format!("SQLite file {file}: {cause}")),
        }
    }
}

const SCHEMES: &str = "it must begin with `sqlite://`";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is() {
        for path in ["/var/lib/broker.db", "broker.db", "data/broker.db"] {
            let target = Target::parse(&format!("sqlite://{path}")).unwrap();
            let Target::Sqlite { file } = target;
            assert_eq!(file, path);
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
