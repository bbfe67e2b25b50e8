//! `ListServerCertificates`: by path prefix, in pages.

use super::{Form, ServerCertificate, page_size, text};
use crate::aws::error::Failure;
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

pub(super) fn list(world: &World, form: &Form) -> Result<Element, Failure> {
    let prefix = if world.has(Rule::PathsIgnored) { "" } else { text(form, "PathPrefix") };
    let size = page_size(form)?;
    let after = text(form, "Marker");
    let mut found: Vec<_> = world
        .iam
        .certificates
        .iter()
        .filter(|certificate| certificate.path.starts_with(prefix) && certificate.name.as_str() > after)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let page = found.get(..size.min(found.len())).unwrap_or_default();
    let truncated = found.len() > page.len();
    Ok(render(page, truncated))
}

fn render(page: &[&ServerCertificate], truncated: bool) -> Element {
    let members = page.iter().map(|certificate| certificate.metadata("member")).collect();
    let result = Element::new("ListServerCertificatesResult")
        .with(Element::leaf("IsTruncated", truncated))
        .with(Element::holding("ServerCertificateMetadataList", members));
    match page.last().filter(|_| truncated) {
        Some(last) => result.with(Element::leaf("Marker", &last.name)),
        None => result,
    }
}
