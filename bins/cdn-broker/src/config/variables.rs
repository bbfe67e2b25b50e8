use std::io::IsTerminal;

/// Where variables come from. Tests hand in a table.
pub(crate) trait Variables {
    /// The value; `None` when the variable is not set.
    fn get(&self, name: &str) -> Option<String>;

    /// Whether a person is watching standard error.
    fn is_terminal(&self) -> bool;
}

/// The environment of the process.
pub(crate) struct Environment;

impl Variables for Environment {
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn is_terminal(&self) -> bool {
        std::io::stderr().is_terminal()
    }
}
