//! What an administrator changes through the API.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::api::{Rights, domain_json, organization_json};
use super::error::Failure;
use super::state::State;
use super::{Links, Whole};
use crate::web::{self, Answer};

#[derive(Deserialize)]
struct NewDomain {
    name: String,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    relationships: Relationships,
}

#[derive(Deserialize, Default)]
struct Relationships {
    organization: Option<One>,
    shared_organizations: Option<Many>,
}

#[derive(Deserialize)]
struct One {
    data: Reference,
}

#[derive(Deserialize)]
struct Many {
    data: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    guid: String,
}

#[derive(Deserialize)]
struct NewOrganization {
    name: String,
}

pub(super) fn apply(
    state: &mut State,
    links: &Links,
    rights: &Rights,
    request: &Whole,
    parts: &[&str],
) -> Result<Answer, Failure> {
    if !rights.write {
        return Err(Failure::not_authorized());
    }
    match (request.method(), parts) {
        (&Method::POST, ["v3", "organizations"]) => {
            let NewOrganization { name } = read(request)?;
            let guid = format!("org-{name}");
            state.set_organization(&guid, &name);
            Ok(web::json(StatusCode::CREATED, &organization_json(&guid, &name, links)))
        }
        (&Method::POST, ["v3", "domains"]) => make_domain(state, links, read(request)?),
        (&Method::POST, ["v3", "domains", guid, "relationships", "shared_organizations"]) => {
            let Many { data } = read(request)?;
            let domain = state.domains.iter_mut().find(|domain| domain.guid == *guid);
            let domain = domain.ok_or_else(|| Failure::not_found("Domain"))?;
            domain.shared.extend(data.into_iter().map(|organization| organization.guid));
            let shared: Vec<_> = domain.shared.iter().map(|guid| json!({ "guid": guid })).collect();
            Ok(web::json(StatusCode::OK, &json!({ "data": shared })))
        }
        (&Method::DELETE, ["v3", "domains", guid]) => {
            let before = state.domains.len();
            state.domains.retain(|domain| domain.guid != *guid);
            let removed = state.domains.len() < before;
            removed
                .then(|| web::text(StatusCode::ACCEPTED, String::new()))
                .ok_or_else(|| Failure::not_found("Domain"))
        }
        _ => Err(Failure::no_route()),
    }
}

fn make_domain(state: &mut State, links: &Links, wanted: NewDomain) -> Result<Answer, Failure> {
    let NewDomain { name, internal, relationships } = wanted;
    let name = name.to_ascii_lowercase();
    if state.domains.iter().any(|domain| domain.name == name) {
        return Err(Failure::unprocessable(format!("The domain name \"{name}\" is already in use")));
    }
    let owner = relationships.organization.map(|one| one.data.guid);
    let shared = relationships.shared_organizations.map(|many| many.data).unwrap_or_default();
    let known = owner.iter().chain(shared.iter().map(|one| &one.guid));
    if let Some(guid) = known.into_iter().find(|guid| !state.organizations.contains_key(*guid)) {
        return Err(Failure::unprocessable(format!("Organization with guid '{guid}' does not exist")));
    }
    if overlaps(state, &name, owner.as_deref()) {
        return Err(Failure::unprocessable(format!(
            "The domain name \"{name}\" cannot be created because it overlaps"
        )));
    }
    let shared: Vec<&str> = shared.iter().map(|one| one.guid.as_str()).collect();
    let made = state.set_domain(&name, owner.as_deref(), &shared, internal);
    Ok(web::json(StatusCode::CREATED, &domain_json(made, links)))
}

/// Nobody makes a domain below a domain of another organization.
fn overlaps(state: &State, name: &str, owner: Option<&str>) -> bool {
    let below = |parent: &str| name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
    let is_foreign = |parent: Option<&str>| parent.is_some() && parent != owner;
    state.domains.iter().any(|domain| below(&domain.name) && is_foreign(domain.organization.as_deref()))
}

fn read<'a, T: Deserialize<'a>>(request: &'a Whole) -> Result<T, Failure> {
    serde_json::from_slice(request.body()).map_err(|error| Failure::unprocessable(error.to_string()))
}
