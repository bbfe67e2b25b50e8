//! `DeleteServerCertificate`: refused while CloudFront uses the certificate, and for a while after it let go.

use super::{Form, text};
use crate::aws::clock::millis;
use crate::aws::error::Failure;
use crate::aws::rules::Rule;
use crate::aws::world::World;
use crate::aws::xml::Element;

pub(super) fn delete(world: &mut World, form: &Form) -> Result<Element, Failure> {
    let name = text(form, "ServerCertificateName");
    let id = world.iam.by_name(name)?.id.clone();
    let is_held = world.cloudfront.uses_certificate(&id) || still_held(world, &id);
    if is_held && !world.has(Rule::DeletesWhatIsUsed) {
        let message = format!("Certificate: {id} is being used by CloudFront.");
        return Err(Failure::new(409, "DeleteConflict", message));
    }
    world.iam.certificates.retain(|certificate| certificate.name != name);
    Ok(Element::new("DeleteServerCertificateResult"))
}

fn still_held(world: &World, id: &str) -> bool {
    let release = millis(world.settings.iam_release);
    let until = world.iam.released.get(id).map(|released| released.saturating_add(release));
    until.is_some_and(|until| world.clock.now() < until)
}
