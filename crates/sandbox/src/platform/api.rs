//! Cloud Controller.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /` | where everything is |
//! | `GET /v3/domains` | `names`, `guids`, `organization_guids`, `page`, `per_page` |
//! | `GET /v3/organizations`, `/v3/spaces` | `names`, `guids`, `page`, `per_page` |
//! | `GET /v3/organizations/GUID/domains` | those that the organization may use |
//! | `GET /v3/organizations/GUID`, `/v3/spaces/GUID` | one of them |
//! | `POST /v3/organizations`, `/v3/domains`, `/v3/domains/GUID/relationships/shared_organizations` | makes one, shares one |
//! | `DELETE /v3/domains/GUID` | removes one |
//! | `GET /v3/service_instances/GUID/permissions` | what the user of a token may do there |
//!
//! Whoever may not read everything (`cloud_controller.admin`, `.admin_read_only`, `.global_auditor`) sees what belongs to
//! nobody: a client has no role in any organization.

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::error::Failure;
use super::list::{Query, list};
use super::people;
use super::state::{Domain, Space, State};
use super::{Links, Shared, Whole, change};
use crate::web::{self, Answer};

const READ_ALL: [&str; 3] =
    ["cloud_controller.admin", "cloud_controller.admin_read_only", "cloud_controller.global_auditor"];

/// What the bearer of a token may do.
pub(super) struct Rights {
    all: bool,
    pub(super) write: bool,
}

pub(super) fn answer(shared: &Shared, request: &Whole) -> Answer {
    let links = shared.links();
    if request.uri().path() == "/" {
        return web::json(StatusCode::OK, &root(&links));
    }
    let answered = match parts_of(request)[..] {
        ["v3", "service_instances", guid, "permissions"] => {
            people::permissions(&shared.state(), request, guid)
        }
        _ => routed(&mut shared.state(), &links, request),
    };
    answered.unwrap_or_else(Answer::from)
}

fn routed(state: &mut State, links: &Links, request: &Whole) -> Result<Answer, Failure> {
    let rights = rights(state, request)?;
    let path = request.uri().path().to_owned();
    let parts = parts_of(request);
    if request.method() != Method::GET {
        return change::apply(state, links, &rights, request, &parts);
    }
    let query = Query::read(request.uri().query().unwrap_or_default(), &allowed(&parts), state.largest_page)?;
    let seen = |domain: &&Domain| rights.all || domain.organization.is_none();
    match parts[..] {
        ["v3", "domains"] => {
            let found = state.domains.iter().filter(seen).filter(|domain| query.takes_domain(domain));
            Ok(list(&links.api, &path, &query, found.map(|domain| domain_json(domain, links))))
        }
        ["v3", "organizations"] => {
            let found = state.organizations.iter().filter(|_| rights.all);
            let found = found.filter(|(guid, name)| query.takes(guid, name));
            Ok(list(
                &links.api,
                &path,
                &query,
                found.map(|(guid, name)| organization_json(guid, name, links)),
            ))
        }
        ["v3", "organizations", guid] => {
            let name = state.organizations.get(guid).filter(|_| rights.all);
            let name = name.ok_or_else(|| Failure::not_found("Organization"))?;
            Ok(web::json(StatusCode::OK, &organization_json(guid, name, links)))
        }
        ["v3", "organizations", guid, "domains"] => {
            let known = rights.all && state.organizations.contains_key(guid);
            known.then_some(()).ok_or_else(|| Failure::not_found("Organization"))?;
            let usable = |domain: &&Domain| {
                let owner = domain.organization.as_deref();
                owner.is_none_or(|owner| owner == guid) || domain.shared.iter().any(|other| other == guid)
            };
            let found = state.domains.iter().filter(usable).filter(|domain| query.takes_domain(domain));
            Ok(list(&links.api, &path, &query, found.map(|domain| domain_json(domain, links))))
        }
        ["v3", "spaces"] => {
            let found = state.spaces.iter().filter(|_| rights.all);
            let found = found.filter(|(guid, space)| query.takes(guid, &space.name));
            Ok(list(&links.api, &path, &query, found.map(|(guid, space)| space_json(guid, space, links))))
        }
        ["v3", "spaces", guid] => {
            let space = state.spaces.get(guid).filter(|_| rights.all);
            let space = space.ok_or_else(|| Failure::not_found("Space"))?;
            Ok(web::json(StatusCode::OK, &space_json(guid, space, links)))
        }
        _ => Err(Failure::no_route()),
    }
}

fn parts_of(request: &Whole) -> Vec<&str> {
    request.uri().path().trim_start_matches('/').split('/').collect()
}

/// The filters that a list knows.
fn allowed(parts: &[&str]) -> Vec<&'static str> {
    match parts {
        ["v3", "domains"] | ["v3", "organizations", _, "domains"] => {
            vec!["names", "guids", "organization_guids", "page", "per_page", "order_by"]
        }
        ["v3", "organizations" | "spaces"] => vec!["names", "guids", "page", "per_page", "order_by"],
        _ => Vec::new(),
    }
}

fn rights(state: &State, request: &Whole) -> Result<Rights, Failure> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let (scheme, token) =
        header.and_then(|header| header.split_once(' ')).ok_or_else(Failure::not_authenticated)?;
    let known = state.authorities(token).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    let authorities = known.ok_or_else(Failure::invalid_token)?;
    let has = |wanted: &str| authorities.iter().any(|authority| authority == wanted);
    let all = READ_ALL.into_iter().any(has);
    if all || has("cloud_controller.read") {
        Ok(Rights { all, write: has("cloud_controller.admin") })
    } else {
        Err(Failure::not_authorized())
    }
}

fn root(links: &Links) -> Value {
    json!({ "links": {
        "self": { "href": links.api },
        "cloud_controller_v2": null,
        "cloud_controller_v3": { "href": format!("{}/v3", links.api), "meta": { "version": "3.220.0" } },
        "login": { "href": links.uaa },
        "uaa": { "href": links.uaa },
    }})
}

pub(super) fn domain_json(domain: &Domain, links: &Links) -> Value {
    let owner = domain.organization.as_ref().map(|guid| json!({ "guid": guid }));
    let shared: Vec<Value> = domain.shared.iter().map(|guid| json!({ "guid": guid })).collect();
    json!({
        "guid": domain.guid,
        "name": domain.name,
        "internal": domain.internal,
        "router_group": null,
        "supported_protocols": ["http"],
        "relationships": { "organization": { "data": owner }, "shared_organizations": { "data": shared } },
        "metadata": { "labels": {}, "annotations": {} },
        "links": { "self": { "href": format!("{}/v3/domains/{}", links.api, domain.guid) } },
    })
}

pub(super) fn organization_json(guid: &str, name: &str, links: &Links) -> Value {
    json!({
        "guid": guid,
        "name": name,
        "suspended": false,
        "metadata": { "labels": {}, "annotations": {} },
        "links": { "self": { "href": format!("{}/v3/organizations/{guid}", links.api) } },
    })
}

fn space_json(guid: &str, space: &Space, links: &Links) -> Value {
    json!({
        "guid": guid,
        "name": space.name,
        "relationships": { "organization": { "data": { "guid": space.organization } } },
        "metadata": { "labels": {}, "annotations": {} },
        "links": { "self": { "href": format!("{}/v3/spaces/{guid}", links.api) } },
    })
}
