//! Filters and pages of lists.

use http::StatusCode;
use serde_json::{Value, json};

use super::error::Failure;
use super::state::{Domain, LARGEST_PAGE};
use crate::web::{self, Answer};

const USUAL_PAGE: usize = 50;

/// What a list is asked for.
pub(super) struct Query {
    names: Option<Vec<String>>,
    guids: Option<Vec<String>>,
    owners: Option<Vec<String>>,
    page: usize,
    per_page: usize,
    /// The filters as they came, for the links to other pages.
    rest: String,
}

impl Query {
    /// An unknown parameter is a mistake, as is a page that cannot be.
    pub(super) fn read(text: &str, allowed: &[&str], largest_page: usize) -> Result<Self, Failure> {
        let mut query = Self {
            names: None,
            guids: None,
            owners: None,
            page: 1,
            per_page: USUAL_PAGE.min(largest_page),
            rest: String::new(),
        };
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
            if !allowed.contains(&key.as_ref()) {
                let valid = allowed.join("', '");
                return Err(Failure::bad_query(format!(
                    "Unknown query parameter(s): '{key}'. Valid parameters are: '{valid}'"
                )));
            }
            let several = || Some(value.split(',').map(str::to_owned).collect());
            match key.as_ref() {
                "names" => query.names = several(),
                "guids" => query.guids = several(),
                "organization_guids" => query.owners = several(),
                "page" => query.page = number(&value, "Page must be a positive integer", usize::MAX)?,
                "per_page" => {
                    let asked = number(&value, "Per page must be between 1 and 5000", LARGEST_PAGE)?;
                    query.per_page = asked.min(largest_page);
                }
                _ => {}
            }
            if !["page", "per_page"].contains(&key.as_ref()) {
                rest.append_pair(&key, &value);
            }
        }
        query.rest = rest.finish();
        Ok(query)
    }

    pub(super) fn takes(&self, guid: &str, name: &str) -> bool {
        within(self.guids.as_ref(), guid) && within(self.names.as_ref(), name)
    }

    pub(super) fn takes_domain(&self, domain: &Domain) -> bool {
        let owner = domain.organization.as_deref().unwrap_or_default();
        self.takes(&domain.guid, &domain.name) && within(self.owners.as_ref(), owner)
    }
}

/// Without a filter everything is within.
fn within(wanted: Option<&Vec<String>>, value: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().any(|one| one == value))
}

fn number(text: &str, complaint: &str, most: usize) -> Result<usize, Failure> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Failure::bad_query(complaint))
}

/// One page of a list.
pub(super) fn list(api: &str, path: &str, query: &Query, all: impl Iterator<Item = Value>) -> Answer {
    let all: Vec<Value> = all.collect();
    let pages = all.len().div_ceil(query.per_page).max(1);
    let link = |page: usize| {
        let separator = if query.rest.is_empty() { "" } else { "&" };
        let Query { rest, per_page, .. } = query;
        json!({ "href": format!("{api}{path}?{rest}{separator}page={page}&per_page={per_page}") })
    };
    let next = (query.page < pages).then(|| link(query.page + 1));
    let previous = (query.page > 1).then(|| link(query.page - 1));
    let first = query.per_page.saturating_mul(query.page - 1);
    let resources: Vec<&Value> = all.iter().skip(first).take(query.per_page).collect();
    let pagination = json!({
        "total_results": all.len(),
        "total_pages": pages,
        "first": link(1),
        "last": link(pages),
        "next": next,
        "previous": previous,
    });
    web::json(StatusCode::OK, &json!({ "pagination": pagination, "resources": resources }))
}
