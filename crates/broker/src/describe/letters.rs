//! What users read by mail: subject and text.

use contract::{DomainInstructions, DomainName, Instance, ProofState, Timestamp};
use serde_json::Value;

use super::proofs::Proofs;
use super::words::{foreign, list};

/// To whoever has to prove domains anew, so that a certificate can be renewed that ends at `end`.
pub(crate) fn renewal_letter(
    instance: &Instance,
    instructions: &[DomainInstructions],
    end: Timestamp,
) -> (String, String) {
    let proofs = Proofs { tenant: &instance.request.organization, instructions };
    let is_open = |one: &&DomainInstructions| one.state == ProofState::Open && one.proven_by.is_none();
    let open: Vec<DomainName> = instructions.iter().filter(is_open).map(|one| one.name.clone()).collect();
    let subject = format!("The certificate of {} cannot be renewed without you", list(&open));
    let mut lines = vec![
        format!(
            "The certificate of {} ends on {end}. The broker renews it by itself, but cannot do so without you: the \
             certificate authority wants proof that the domains are yours.",
            whose(instance)
        ),
        String::new(),
        proofs.head("Needed is proof of control of"),
    ];
    lines.extend(proofs.lines());
    if let Some(until) = proofs.replaced_before(end) {
        lines.push(format!("TXT values are good until {until}, and are replaced by new ones then."));
    }
    lines.extend([
        String::new(),
        "The broker looks for it by itself; there is nothing else to do. With a tenth of the certificate's life left it goes on \
         without the domains that are not proven, and these are served no more."
            .to_owned(),
    ]);
    (subject, lines.join("\n") + &ending(instance))
}

/// To whoever has not proven domains in time.
pub(crate) fn lapse_letter(instance: &Instance, names: &[DomainName]) -> (String, String) {
    let subject = format!("{} will not be served any more", list(names));
    let text = format!(
        "Nobody has proven control of {} in time, so the certificate of {} is renewed without. As soon as the new \
         certificate is in place, the CDN refuses requests for what it does not name.\n\n\
         To serve them again, prove them and ask for them once more: `cf update-service` with the same domains says what to \
         do. To give them up, update the service without them.",
        list(names),
        whose(instance)
    );
    (subject, text + &ending(instance))
}

/// The instance as its user knows it. What the platform says of it was written by somebody else.
fn whose(instance: &Instance) -> String {
    let context: Value = serde_json::from_str(&instance.request.context).unwrap_or_default();
    match context["instance_name"].as_str().map(foreign).filter(|name| !name.is_empty()) {
        Some(name) => format!("the service instance {name} ({})", instance.id),
        None => format!("the service instance {}", instance.id),
    }
}

fn ending(instance: &Instance) -> String {
    format!(
        "\n\n`cf update-service NAME -c '{{}}'` shows at any time how it stands.\n\n-- \nYou read this because the parameter \
         `notify` of service instance {} names this address. Another one, or `null` for nobody, is set with \
         `cf update-service`.\n",
        instance.id
    )
}
