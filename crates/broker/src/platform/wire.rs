//! What is read of the answers, in the words of the Cloud Controller v3 API and of UAA.

use serde::Deserialize;

/// `GET /`.
#[derive(Deserialize)]
pub(super) struct Root {
    pub(super) links: RootLinks,
}

#[derive(Deserialize)]
pub(super) struct RootLinks {
    pub(super) uaa: Option<Link>,
    pub(super) login: Option<Link>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) href: String,
}

/// `POST /oauth/token`.
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: String,
    /// Seconds.
    pub(super) expires_in: u64,
}

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) pagination: Pagination,
    pub(super) resources: Vec<T>,
}

#[derive(Deserialize)]
pub(super) struct Pagination {
    pub(super) total_results: usize,
    pub(super) next: Option<Link>,
}

/// An organization or a space.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Domain {
    pub(super) name: String,
    #[serde(default)]
    pub(super) internal: bool,
    #[serde(default)]
    pub(super) relationships: Relationships,
}

#[derive(Deserialize, Default)]
pub(super) struct Relationships {
    #[serde(default)]
    pub(super) organization: One,
    #[serde(default)]
    pub(super) shared_organizations: Many,
}

/// To-one; without data for a domain of all organizations.
#[derive(Deserialize, Default)]
pub(super) struct One {
    pub(super) data: Option<Reference>,
}

/// To-many.
#[derive(Deserialize, Default)]
pub(super) struct Many {
    #[serde(default)]
    pub(super) data: Vec<Reference>,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) guid: String,
}

/// What both say when they refuse: Cloud Controller a list of errors, UAA one.
#[derive(Deserialize, Default)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) errors: Vec<Complaint>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) detail: String,
}
