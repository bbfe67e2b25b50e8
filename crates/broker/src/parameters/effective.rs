use contract::{Cookies, DomainName, Settings};
use serde_json::{Map, Value, json};

/// What an instance is, in the form in which it could be asked for (R80).
pub(crate) fn parameters(settings: &Settings) -> Map<String, Value> {
    let domains: Vec<&str> = settings.domains.iter().map(DomainName::as_str).collect();
    let cookies = match &settings.behaviour.cookies {
        Cookies::All => json!(true),
        Cookies::None => json!(false),
        Cookies::Only(names) => json!(names),
    };
    [
        ("domain", json!(domains.join(","))),
        ("origin", json!(settings.origin.domain.as_str())),
        ("path", json!(settings.origin.path)),
        ("insecure_origin", json!(settings.origin.insecure)),
        ("cookies", cookies),
        ("headers", json!(settings.behaviour.headers)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_settings;

    #[test]
    fn what_is_shown_can_be_asked_for_again() {
        let default = DomainName::parse("apps.example.org").expect("a name");
        for asked in [
            json!({"domain": "a.gov"}),
            json!({"domains": ["a.gov", "*.b.gov"], "cookies": false, "headers": ["*"]}),
            json!({"domain": "a.gov", "origin": "o.gov", "path": "/p", "insecure_origin": true, "cookies": ["c"]}),
        ] {
            let asked = asked.as_object().expect("an object");
            let settings = read_settings(asked, &default).expect("good");
            let shown = parameters(&settings);
            assert_eq!(read_settings(&shown, &default), Ok(settings));
        }
    }
}
