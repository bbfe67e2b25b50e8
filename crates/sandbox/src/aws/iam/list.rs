//! `ListServerCertificates`: by path prefix, in pages.

use super::{Form, ServerCertificate, text, validation};
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

fn page_size(form: &Form) -> Result<usize, Failure> {
    let size = form.get("MaxItems").map_or(Ok(100), |items| items.parse());
    size.ok().filter(|size| (1..=1000).contains(size)).ok_or_else(|| {
        validation("Value at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000")
    })
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
