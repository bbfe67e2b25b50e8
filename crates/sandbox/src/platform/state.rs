use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::people::People;
use super::{ADMIN_CLIENT, BROKER_CLIENT, PlatformFault, PlatformRequest};

/// What UAA gives a client by default: twelve hours.
const TOKEN_LIFE: u64 = 43_199;

/// What `per_page` may be at most.
pub(super) const LARGEST_PAGE: usize = 5000;

/// Everything that the platform knows.
pub(crate) struct State {
    pub(super) organizations: BTreeMap<String, String>,
    pub(super) spaces: BTreeMap<String, Space>,
    pub(super) domains: Vec<Domain>,
    pub(super) clients: BTreeMap<String, Client>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) token_life: u64,
    pub(super) largest_page: usize,
    pub(super) fault: Option<PlatformFault>,
    pub(super) requests: Vec<PlatformRequest>,
    pub(super) people: People,
    serial: u64,
}

pub(super) struct Space {
    pub(super) name: String,
    pub(super) organization: String,
}

pub(super) struct Domain {
    pub(super) guid: String,
    pub(super) name: String,
    pub(super) internal: bool,
    /// `None` for a domain of all organizations.
    pub(super) organization: Option<String>,
    pub(super) shared: Vec<String>,
}

pub(super) struct Client {
    pub(super) secret: String,
    pub(super) authorities: Vec<String>,
}

/// An access token that was given out.
pub(super) struct Token {
    pub(super) authorities: Vec<String>,
    /// The user on whose behalf its bearer comes; `None` for a client that comes for itself.
    user: Option<String>,
    ends: Instant,
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self {
            organizations: BTreeMap::new(),
            spaces: BTreeMap::new(),
            domains: Vec::new(),
            clients: BTreeMap::new(),
            tokens: BTreeMap::new(),
            token_life: TOKEN_LIFE,
            largest_page: LARGEST_PAGE,
            fault: None,
            requests: Vec::new(),
            people: People::default(),
            serial: 0,
        };
        let (id, secret) = BROKER_CLIENT;
        state.set_client(id, secret, &["cloud_controller.read", "cloud_controller.global_auditor"]);
        let (id, secret) = ADMIN_CLIENT;
        state.set_client(
            id,
            secret,
            &["cloud_controller.read", "cloud_controller.write", "cloud_controller.admin"],
        );
        state
    }

    pub(super) fn set_organization(&mut self, guid: &str, name: &str) {
        self.organizations.insert(guid.to_owned(), name.to_owned());
    }

    pub(super) fn set_space(&mut self, guid: &str, name: &str, organization: &str) {
        let space = Space { name: name.to_owned(), organization: organization.to_owned() };
        self.spaces.insert(guid.to_owned(), space);
    }

    /// A name is unique; making a domain again replaces it.
    pub(super) fn set_domain(
        &mut self,
        name: &str,
        organization: Option<&str>,
        shared: &[&str],
        internal: bool,
    ) -> &Domain {
        self.domains.retain(|domain| !domain.name.eq_ignore_ascii_case(name));
        let domain = Domain {
            guid: self.fresh_guid(),
            name: name.to_owned(),
            internal,
            organization: organization.map(str::to_owned),
            shared: shared.iter().map(ToString::to_string).collect(),
        };
        self.domains.push(domain);
        &self.domains[self.domains.len() - 1]
    }

    pub(super) fn set_client(&mut self, id: &str, secret: &str, authorities: &[&str]) {
        let authorities = authorities.iter().map(ToString::to_string).collect();
        self.clients.insert(id.to_owned(), Client { secret: secret.to_owned(), authorities });
    }

    /// Gives out a token; it is valid for as long as it says.
    pub(super) fn issue_token(&mut self, authorities: Vec<String>) -> String {
        self.issue(authorities, None)
    }

    /// The same to somebody who comes for a user.
    pub(super) fn issue_token_to(&mut self, user: &str, authorities: Vec<String>) -> String {
        self.issue(authorities, Some(user.to_owned()))
    }

    fn issue(&mut self, authorities: Vec<String>, user: Option<String>) -> String {
        let token = format!("token-{}", self.fresh_guid());
        let ends = Instant::now() + Duration::from_secs(self.token_life);
        self.tokens.insert(token.clone(), Token { authorities, user, ends });
        token
    }

    /// A code that was never given out.
    pub(super) fn fresh_code(&mut self) -> String {
        format!("code-{}", self.fresh_guid())
    }

    /// The user for whom the bearer of a token comes.
    pub(super) fn user(&self, token: &str) -> Option<&str> {
        self.tokens.get(token)?.user.as_deref()
    }

    /// What the bearer of a token may do; `None` when it is unknown or its time is over.
    pub(super) fn authorities(&self, token: &str) -> Option<&[String]> {
        let found = self.tokens.get(token).filter(|token| Instant::now() < token.ends)?;
        Some(&found.authorities)
    }

    fn fresh_guid(&mut self) -> String {
        self.serial += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.serial)
    }
}
