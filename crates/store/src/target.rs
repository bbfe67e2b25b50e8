use crate::error::StoreError;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| refused("it must begin with `sqlite://`"))?;
        match scheme {
            "sqlite" => sqlite(rest),
            other => Err(refused(&format!("`{other}://` is not known; it must begin with `sqlite://`"))),
        }
    }
}

fn sqlite(file: &str) -> Result<Target, StoreError> {
    if file.is_empty() || file.ends_with('/') {
        return Err(refused("`sqlite://` must be followed by the path of a file"));
    }
    if file.starts_with([':', '?']) || file.contains('?') {
        return Err(refused(
            "`sqlite://` takes the path of a file, without parameters; there is no `:memory:`",
        ));
    }
    Ok(Target::Sqlite { file: file.to_owned() })
}

fn refused(why: &str) -> StoreError {
    StoreError::Settings(format!("the database URL cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is() {
        for file in ["/var/lib/broker.db", "broker.db", "data/broker.db"] {
            let target = Target::parse(&format!("sqlite://{file}")).unwrap();
            assert_eq!(target, Target::Sqlite { file: file.to_owned() });
        }
    }

    #[test]
    fn what_is_not_a_database_is_refused_by_its_scheme() {
        for url in
            ["", "broker.db", "sqlite:broker.db", "mysql://u:secret@h/d", "sqlite://", "sqlite:///tmp/"]
        {
            let message = Target::parse(url).unwrap_err().to_string();
            assert!(message.contains("sqlite://") && !message.contains("secret"), "{message}");
        }
        assert!(Target::parse("sqlite://:memory:").is_err());
        assert!(Target::parse("sqlite://broker.db?mode=ro").is_err());
    }
}
