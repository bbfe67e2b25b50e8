//! Which page is asked for, and where each is found.

use contract::InstanceId;
use url::form_urlencoded;

use super::sign_on::BACK;

const INSTANCES: &str = "/instances/";
const ASSETS: &str = "/assets/";

/// Where an operator finds all instances.
pub(super) const ADMIN_INSTANCES: &str = "/admin/instances";

/// The longest id of an instance, in bytes (OSB 2.17).
const LONGEST_ID: usize = 255;

/// What is asked for.
pub(super) enum Path<'a> {
    /// A style sheet or a script: the rest of its path.
    Asset(&'a str),
    /// A link that is to be exchanged for a session.
    Open {
        instance: InstanceId,
        token: &'a str,
    },
    /// A browser that comes back from signing on, with this query.
    SignedOn(&'a str),
    Page(InstanceId, Option<Note>),
    /// What changes of a page.
    Part(InstanceId),
    /// The same for programs.
    Status(InstanceId),
    Look(InstanceId),
}

/// What a page says about the request that has led to it. Nothing that somebody else could write.
#[derive(Clone, Copy)]
pub(super) enum Note {
    Looked,
    Soon,
}

impl Note {
    fn name(self) -> &'static str {
        match self {
            Self::Looked => "looked",
            Self::Soon => "soon",
        }
    }

    fn read(query: &str) -> Option<Self> {
        let name = query.strip_prefix("note=")?;
        [Self::Looked, Self::Soon].into_iter().find(|note| note.name() == name)
    }
}

/// Whether a request is one for pages.
pub(crate) fn is_meant(path: &str) -> bool {
    path.starts_with(INSTANCES) || path.starts_with(ASSETS) || path == BACK
}

pub(super) fn read<'a>(path: &'a str, query: Option<&'a str>) -> Option<Path<'a>> {
    if path == BACK {
        return Some(Path::SignedOn(query.unwrap_or_default()));
    }
    if let Some(name) = path.strip_prefix(ASSETS) {
        return Some(Path::Asset(name));
    }
    let (id, rest) = match path.strip_prefix(INSTANCES)?.split_once('/') {
        Some((id, rest)) => (id, Some(rest)),
        None => (path.strip_prefix(INSTANCES)?, None),
    };
    let instance = instance(id)?;
    Some(match rest {
        None => Path::Page(instance, query.and_then(Note::read)),
        Some("part") => Path::Part(instance),
        Some("status.json") => Path::Status(instance),
        Some("look") => Path::Look(instance),
        Some(other) => Path::Open { instance, token: other.strip_prefix("open/")? },
    })
}

/// What a query has under a name.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// An id goes into headers and cookies as it is.
pub(super) fn instance(id: &str) -> Option<InstanceId> {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(is_unreserved);
    is_id.then(|| InstanceId::new(id))
}

pub(super) fn page(instance: &InstanceId) -> String {
    format!("{INSTANCES}{instance}")
}

pub(super) fn noted(instance: &InstanceId, note: Note) -> String {
    format!("{}?note={}", page(instance), note.name())
}

pub(super) fn open(instance: &InstanceId, token: &str) -> String {
    format!("{}/open/{token}", page(instance))
}

pub(super) fn part(instance: &InstanceId) -> String {
    format!("{}/part", page(instance))
}

pub(super) fn status(instance: &InstanceId) -> String {
    format!("{}/status.json", page(instance))
}

pub(super) fn look(instance: &InstanceId) -> String {
    format!("{}/look", page(instance))
}

pub(super) fn admin_instances(after: &str) -> String {
    format!("{ADMIN_INSTANCES}?after={after}")
}

pub(super) fn asset(name: &str) -> String {
    format!("{ASSETS}{name}")
}
