use serde::{Deserialize, Serialize};

/// What a user has said about something that has a default.
///
/// Whoever never spoke of it gets the default once, when a distribution is made, and leaves it to the operator after
/// that; whoever has asked for the default again gets it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish<T> {
    /// Nothing was ever said.
    #[default]
    Unsaid,
    /// The default was asked for.
    Default,
    /// This was asked for.
    Is(T),
}

impl<T> Wish<T> {
    /// What was asked for, other than the default.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unsaid | Self::Default => None,
        }
    }

    /// This, said after `earlier`: who has spoken once has not been silent.
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        if earlier.is_said() && !self.is_said() { Self::Default } else { self }
    }

    /// Whether anything was said at all.
    pub fn is_said(&self) -> bool {
        !matches!(self, Self::Unsaid)
    }
}

impl<T: Clone> Wish<T> {
    /// What is to be, or `default` where nothing else was asked for.
    pub fn or(&self, default: T) -> T {
        self.value().cloned().unwrap_or(default)
    }
}
