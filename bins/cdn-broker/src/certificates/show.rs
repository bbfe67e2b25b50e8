use broker::{CertificateStory, Operator, json};
use contract::{CertificateState, Clock, DomainName, Outlook, Timestamp};

use super::{ShowArgs, list};
use crate::cli::{complain, print};
use crate::clock::SystemClock;
use crate::instances::words;
use crate::{FAILED, OK};

pub(super) async fn run(operator: &Operator, arguments: &ShowArgs) -> anyhow::Result<u8> {
    let Some(story) = operator.certificate(&arguments.id).await? else {
        complain(&format!("there is no certificate {0}, and no instance {0} that has one", arguments.id));
        return Ok(FAILED);
    };
    let now = SystemClock.now();
    print(&if arguments.json {
        format!("{:#}", json::certificate_story(&story, now))
    } else {
        text(&story, now)
    });
    Ok(OK)
}

fn text(story: &CertificateStory, now: Timestamp) -> String {
    let mut lines = words::columns(&head(story, now));
    lines.extend([String::new(), "names".to_owned()]);
    lines.extend(words::columns(&names(story)));
    if story.record.state == CertificateState::Live {
        lines.extend([String::new(), "renewal".to_owned()]);
        lines.extend(renewal(story));
    }
    lines.join("\n")
}

fn head(story: &CertificateStory, now: Timestamp) -> Vec<[String; 2]> {
    let record = &story.record;
    let mut rows = vec![
        ("certificate", record.vault_name.to_string()),
        (
            "instance",
            format!(
                "{} (incarnation {}, generation {})",
                record.instance, record.incarnation, record.generation
            ),
        ),
        ("state", words::certificate(record.state).to_owned()),
    ];
    match &record.facts {
        Some(facts) => {
            rows.push(("issuer", facts.issuer.clone().unwrap_or_else(|| "not said".to_owned())));
            rows.push(("serial", facts.serial.clone()));
            rows.push(("good from", words::rfc3339(facts.not_before)));
            let until = words::rfc3339(facts.not_after);
            rows.push(("good until", format!("{until} ({} left)", list::left(facts.not_after, now))));
        }
        None => rows.push(("issuer", "not issued yet".to_owned())),
    }
    rows.push(("in IAM", in_vault(story)));
    if let Ok(Some(kept)) = &story.kept {
        rows.push(("ARN", kept.arn.clone().unwrap_or_else(|| "not said".to_owned())));
    }
    rows.push(("attached", attached(story)));
    rows.into_iter().map(|(name, value)| [name.to_owned(), value]).collect()
}

fn in_vault(story: &CertificateStory) -> String {
    match &story.kept {
        Ok(Some(kept)) => format!("{}, since {}", kept.stored, words::rfc3339(kept.since)),
        Ok(None) => match &story.record.stored {
            Some(stored) => format!("missing: the store knows it as {stored}"),
            None => "no".to_owned(),
        },
        Err(why) => format!("could not be seen: {why}"),
    }
}

fn attached(story: &CertificateStory) -> String {
    match (story.is_attached(), &story.distribution) {
        (Some(true), Ok(Some(found))) => format!("yes, to {} ({})", found.id, found.domain),
        (Some(_), Ok(Some(found))) => {
            let other = found.certificate.as_ref().map_or("none", |other| other.as_str());
            format!("no: {} has {other}", found.id)
        }
        (_, Ok(_)) => "no: there is no distribution".to_owned(),
        (_, Err(why)) => format!("could not be seen: {why}"),
    }
}

/// Each name, how it was proven, and how it will be.
fn names(story: &CertificateStory) -> Vec<[String; 3]> {
    let proof_of =
        |name: &DomainName| story.proofs.iter().find(|one| one.name == *name).and_then(|one| one.proven_by);
    let next_of = |name: &DomainName| story.outlook.as_ref().ok()?.iter().find(|one| one.name == *name);
    let row = |name| {
        let proven =
            proof_of(name).map_or_else(|| "-".to_owned(), |by| format!("proven: {}", words::method(by)));
        [format!("  {name}"), proven, next_of(name).map_or_else(String::new, next)]
    };
    story.record.names.iter().map(row).collect()
}

fn next(outlook: &Outlook) -> String {
    match (&outlook.forbidden, outlook.by_itself) {
        (Some(why), _) => format!("next time: forbidden, {why}"),
        (None, Some(method)) => format!("next time: by itself, {}", words::method(method)),
        (None, None) => "next time: by its user".to_owned(),
    }
}

fn renewal(story: &CertificateStory) -> Vec<String> {
    let Some(plan) = &story.renewal else { return vec!["  nothing is planned".to_owned()] };
    let moment = match plan.chosen {
        Some(chosen) => format!("  on {}, {} begun so far", words::rfc3339(chosen.at), plan.begun),
        None => format!("  its moment is chosen on {}", words::rfc3339(plan.check_at)),
    };
    let trouble =
        story.outlook.as_ref().err().map(|why| format!("  how it is proven could not be seen: {why}"));
    std::iter::once(moment).chain(trouble).collect()
}
