//! Sentences about the platform's own domains.

use contract::{DomainName, PlatformDomain, PortError};

/// To a user who asks for names that the platform does not have for their organization: what to do, ready to be copied.
pub(crate) fn not_of_the_platform(
    refused: &[(&DomainName, PlatformDomain)],
    organization: Option<&str>,
) -> String {
    let organization = organization.map_or_else(|| "ORGANIZATION".to_owned(), quoted);
    let mut missing: Vec<&str> = Vec::new();
    let mut foreign: Vec<&str> = Vec::new();
    for (name, found) in refused {
        match found {
            PlatformDomain::Usable => {}
            PlatformDomain::Unknown => missing.push(name.base()),
            PlatformDomain::OfOthers { domain } => foreign.push(domain),
        }
    }
    let lines = |verb: &str, names: &mut Vec<&str>| {
        names.sort_unstable();
        names.dedup();
        let lines: Vec<String> =
            names.iter().map(|name| format!("  cf {verb} {organization} {name}")).collect();
        lines.join("\n")
    };
    let mut parts = Vec::new();
    let commands = lines("create-domain", &mut missing);
    match missing[..] {
        [] => {}
        [one] => parts.push(format!(
            "The domain {one} does not exist in your organization. Create it, or a parent of it, and try again:\n{commands}"
        )),
        _ => parts.push(format!(
            "These domains do not exist in your organization. Create them, or parents of them, and try again:\n{commands}"
        )),
    }
    let commands = lines("share-private-domain", &mut foreign);
    match foreign[..] {
        [] => {}
        [one] => parts.push(format!(
            "The domain {one} belongs to another organization, which can share it with yours:\n{commands}"
        )),
        _ => parts.push(format!(
            "These domains belong to other organizations, which can share them with yours:\n{commands}"
        )),
    }
    parts.join("\n")
}

/// To a user whose request needs an answer of the platform that does not come.
pub(crate) fn platform_silent(operator_is_told: bool) -> &'static str {
    if operator_is_told {
        "The service broker may not ask the platform at the moment whether these domains exist in your organization. Nothing \
         was changed. The operators of this service have been told; try again later."
    } else {
        "The platform does not tell at the moment whether these domains exist in your organization. Nothing was changed. Try \
         again in a few minutes."
    }
}

/// To the operator.
pub(crate) fn platform_refuses_us(error: &PortError) -> String {
    format!(
        "{error}. New service instances and new domains are refused meanwhile; all others go on. Check API_ADDRESS, CLIENT_ID \
         and CLIENT_SECRET with `cdn-broker config check`; the client needs the authority cloud_controller.global_auditor"
    )
}

/// A word of a shell command.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    let printable = |c: char| if c.is_control() { '?' } else { c };
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let word: String = word.chars().map(printable).collect();
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use contract::Remedy;

    use super::*;

    fn text(refused: &[(&str, PlatformDomain)], organization: Option<&str>) -> String {
        let names: Vec<DomainName> =
            refused.iter().map(|(name, _)| DomainName::parse(name).unwrap()).collect();
        let refused: Vec<_> =
            names.iter().zip(refused).map(|(name, (_, found))| (name, found.clone())).collect();
        not_of_the_platform(&refused, organization)
    }

    fn of_others(domain: &str) -> PlatformDomain {
        PlatformDomain::OfOthers { domain: domain.to_owned() }
    }

    #[test]
    fn commands_can_be_copied() {
        let one = text(&[("www.example.gov", PlatformDomain::Unknown)], Some("example-org"));
        insta::assert_snapshot!(one, @r"
        The domain www.example.gov does not exist in your organization. Create it, or a parent of it, and try again:
          cf create-domain example-org www.example.gov
        ");
        let unnamed = text(&[("*.example.gov", PlatformDomain::Unknown)], None);
        insta::assert_snapshot!(unnamed, @r"
        The domain example.gov does not exist in your organization. Create it, or a parent of it, and try again:
          cf create-domain ORGANIZATION example.gov
        ");
        let foreign = text(&[("www.example.gov", of_others("example.gov"))], Some("it's ours"));
        insta::assert_snapshot!(foreign, @r"
        The domain example.gov belongs to another organization, which can share it with yours:
          cf share-private-domain 'it'\''s ours' example.gov
        ");
        let many = [
            ("b.example.gov", PlatformDomain::Unknown),
            ("*.b.example.gov", PlatformDomain::Unknown),
            ("a.example.gov", PlatformDomain::Unknown),
            ("x.one.gov", of_others("one.gov")),
            ("y.one.gov", of_others("one.gov")),
            ("two.gov", of_others("two.gov")),
        ];
        insta::assert_snapshot!(text(&many, Some("o")), @r"
        These domains do not exist in your organization. Create them, or parents of them, and try again:
          cf create-domain o a.example.gov
          cf create-domain o b.example.gov
        These domains belong to other organizations, which can share them with yours:
          cf share-private-domain o one.gov
          cf share-private-domain o two.gov
        ");
    }

    #[test]
    fn the_operator_reads_cause_and_cure() {
        let error = PortError::new("look domains up", Remedy::AwaitOperator, "401: Bad credentials");
        insta::assert_snapshot!(platform_refuses_us(&error), @"could not look domains up: 401: Bad credentials. New service instances and new domains are refused meanwhile; all others go on. Check API_ADDRESS, CLIENT_ID and CLIENT_SECRET with `cdn-broker config check`; the client needs the authority cloud_controller.global_auditor");
    }
}
