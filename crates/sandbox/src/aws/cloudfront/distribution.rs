//! One distribution: what was asked of it, and what viewers see meanwhile.

use crate::aws::clock::Millis;
use crate::aws::ids::Ids;
use crate::aws::world::ACCOUNT;
use crate::aws::xml::Element;

/// A distribution. Its configuration is the XML tree the client sent, with every default filled in.
#[derive(Debug)]
pub(crate) struct Distribution {
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) etag: String,
    pub(crate) modified: Millis,
    pub(crate) tags: Vec<(String, String)>,
    config: Element,
    /// What viewers see until `deploys_at`; nothing while the distribution is new.
    former: Option<Element>,
    deploys_at: Millis,
    /// Until when a change of the viewer certificate is in progress.
    certificate_changes_until: Millis,
}

impl Distribution {
    /// A new distribution, which viewers will see at `deploys_at`.
    pub(super) fn new(ids: &mut Ids, config: Element, now: Millis, deploys_at: Millis) -> Self {
        let changing = certificate_id(&config).is_some();
        let (id, label, etag) = (ids.cloudfront(), ids.cloudfront_label(), ids.cloudfront());
        Self {
            id,
            domain: format!("{label}.cloudfront.net"),
            etag,
            modified: now,
            tags: Vec::new(),
            config,
            former: None,
            deploys_at,
            certificate_changes_until: if changing { deploys_at } else { Millis::MIN },
        }
    }

    /// The Amazon resource name.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{}", self.id)
    }

    /// What was asked for last.
    pub(crate) fn config(&self) -> &Element {
        &self.config
    }

    /// What viewers see.
    pub(crate) fn live(&self, now: Millis) -> Option<&Element> {
        if self.deployed(now) { Some(&self.config) } else { self.former.as_ref() }
    }

    pub(crate) fn deployed(&self, now: Millis) -> bool {
        now >= self.deploys_at
    }

    pub(crate) fn status(&self, now: Millis) -> &'static str {
        if self.deployed(now) { "Deployed" } else { "InProgress" }
    }

    pub(crate) fn aliases(&self) -> Vec<String> {
        self.config.texts_at("Aliases")
    }

    pub(crate) fn certificate_id(&self) -> Option<&str> {
        certificate_id(&self.config)
    }

    pub(crate) fn enabled(&self) -> bool {
        self.config.text_at("Enabled") == "true"
    }

    pub(crate) fn uses_control(&self, control: &str) -> bool {
        let uses = |config: &Element| {
            config.items_at("Origins").iter().any(|origin| origin.text_at("OriginAccessControlId") == control)
        };
        uses(&self.config) || self.former.as_ref().is_some_and(uses)
    }

    pub(super) fn certificate_is_changing(&self, now: Millis) -> bool {
        now < self.certificate_changes_until
    }

    /// Replaces the configuration; until `deploys_at` viewers see what they saw before.
    pub(super) fn change(&mut self, config: Element, etag: String, now: Millis, deploys_at: Millis) {
        let changes_certificate = certificate_id(&config) != self.certificate_id();
        if changes_certificate || self.certificate_is_changing(now) {
            self.certificate_changes_until = deploys_at;
        }
        self.former = self.live(now).cloned();
        self.config = config;
        self.etag = etag;
        self.modified = now;
        self.deploys_at = deploys_at;
    }
}

/// The IAM certificate that a configuration names.
pub(super) fn certificate_id(config: &Element) -> Option<&str> {
    Some(config.text_at("ViewerCertificate/IAMCertificateId")).filter(|id| !id.is_empty())
}
