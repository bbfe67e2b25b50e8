//! Reading in the broker's texts what can be done for one domain, as a person would: what is explained once with NAME and
//! LABEL, and what stands beside the domain.

/// A record that makes one name an alias of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) target: String,
}

/// A redirect of all that lies below a path, both without the asterisk at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What a text says about one domain.
pub(crate) struct Ways<'a> {
    text: &'a str,
    domain: &'a str,
    /// The line on which the domain stands.
    line: &'a str,
}

impl<'a> Ways<'a> {
    /// What `text` says about `domain`, if it says what to do.
    pub(crate) fn of(text: &'a str, domain: &'a str) -> Option<Self> {
        let is_headline = |line: &&str| {
            line.strip_prefix(domain).is_some_and(|rest| rest.starts_with(':') || rest.starts_with(" ("))
        };
        let line = text.lines().find(is_headline).filter(|line| !line.contains("follows in a moment"))?;
        Some(Self { text, domain, line })
    }

    /// The domain itself as an alias.
    pub(crate) fn managed(&self) -> Option<Alias> {
        self.alias(self.base())
    }

    /// The name of its challenges as an alias.
    pub(crate) fn delegated(&self) -> Option<Alias> {
        self.alias(&format!("_acme-challenge.{}", self.base()))
    }

    /// A redirect on the site that the domain has.
    pub(crate) fn redirected(&self) -> Option<Redirect> {
        let below = format!("http://{}/.well-known/acme-challenge/*", self.base());
        self.explained().into_iter().find_map(|quoted| match quoted.as_slice() {
            [from, to] if *from == below => Some(Redirect {
                from: from.trim_end_matches('*').to_owned(),
                to: to.strip_suffix('*')?.to_owned(),
            }),
            _ => None,
        })
    }

    fn alias(&self, name: &str) -> Option<Alias> {
        let mut quoted = self.explained().into_iter().flatten();
        quoted.find_map(|phrase| {
            let (owner, target) = phrase.split_once(" CNAME ")?;
            (owner.trim_end_matches('.') == name)
                .then(|| Alias { name: owner.to_owned(), target: target.to_owned() })
        })
    }

    /// What stands between backquotes in each explanation that is open to the domain, with its own name and label.
    fn explained(&self) -> Vec<Vec<String>> {
        let explanations = self.text.lines().filter(|line| self.is_open(line));
        let quoted =
            |line: &str| line.split('`').skip(1).step_by(2).map(|phrase| self.placed(phrase)).collect();
        explanations.map(quoted).collect()
    }

    /// Explanations have letters; beside the domain stands which of them are open to it if not all are.
    fn is_open(&self, line: &str) -> bool {
        let Some((letter, _)) = line.split_once(". ").filter(|(letter, _)| letter.len() == 1) else {
            return false;
        };
        let only = self.line.split_once(" (").and_then(|(_, rest)| rest.split_once(" only)"));
        only.is_none_or(|(letters, _)| letters.split(" or ").any(|open| open == letter))
    }

    fn placed(&self, phrase: &str) -> String {
        let label = self.line.split_once("LABEL = ").map_or("LABEL", |(_, label)| label.trim());
        let words = phrase.split(' ').map(|word| match word {
            "CNAME" => word.to_owned(),
            word => word.replace("LABEL", label).replace("NAME", self.base()),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn base(&self) -> &'a str {
        self.domain.trim_start_matches("*.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "Waiting for proof of control of www.example.gov: do one of the following.\n\
        A. Set a DNS record, once and for ever: `www.example.gov. CNAME abc.cdn.example.net.`. Until then it serves nothing.\n\
        B. Redirect, on the site that answers at the name now, `http://www.example.gov/.well-known/acme-challenge/*` to \
        `https://broker.example.net/.well-known/acme-challenge/abc/*`. Everything else stays.\n\
        C. Set a DNS record, once and for ever: `_acme-challenge.www.example.gov. CNAME _acme-challenge.abc.cdn.example.net.`.\n\
        D. Set the TXT record that stands below the domain.\n\
        www.example.gov:\n\
        \x20 _acme-challenge.www.example.gov. 60 IN TXT \"value\"";

    const TWO: &str = "Waiting for proof of control of 2 of 2 domains: do one of the following for each of them.\n\
        A. Set a DNS record, once and for ever: `NAME. CNAME LABEL.cdn.example.net.`.\n\
        B. Redirect `http://NAME/.well-known/acme-challenge/*` to `https://b/.well-known/acme-challenge/LABEL/*`.\n\
        C. Set a DNS record, once and for ever: `_acme-challenge.NAME. CNAME _acme-challenge.LABEL.cdn.example.net.`.\n\
        NAME is the domain without a leading `*.`; LABEL stands beside the domain.\n\
        example.gov: LABEL = abc\n\
        *.example.gov (C or D only): LABEL = abc\n\
        new.example.gov: what to do follows in a moment.";

    fn alias(name: &str, target: &str) -> Alias {
        Alias { name: name.to_owned(), target: target.to_owned() }
    }

    #[test]
    fn one_domain_is_named_in_each_explanation() {
        let ways = Ways::of(ONE, "www.example.gov").unwrap();
        assert_eq!(ways.managed().unwrap(), alias("www.example.gov.", "abc.cdn.example.net."));
        assert_eq!(
            ways.delegated().unwrap(),
            alias("_acme-challenge.www.example.gov.", "_acme-challenge.abc.cdn.example.net.")
        );
        let redirect = ways.redirected().unwrap();
        assert_eq!(redirect.from, "http://www.example.gov/.well-known/acme-challenge/");
        assert_eq!(redirect.to, "https://broker.example.net/.well-known/acme-challenge/abc/");
    }

    #[test]
    fn of_several_each_has_its_own_name_and_label() {
        let apex = Ways::of(TWO, "example.gov").unwrap();
        assert_eq!(apex.managed().unwrap(), alias("example.gov.", "abc.cdn.example.net."));
        assert_eq!(apex.redirected().unwrap().to, "https://b/.well-known/acme-challenge/abc/");
    }

    #[test]
    fn only_what_is_open_to_a_domain_is_read() {
        let wildcard = Ways::of(TWO, "*.example.gov").unwrap();
        assert_eq!((wildcard.managed(), wildcard.redirected()), (None, None));
        assert_eq!(
            wildcard.delegated().unwrap(),
            alias("_acme-challenge.example.gov.", "_acme-challenge.abc.cdn.example.net.")
        );
        assert!(Ways::of(TWO, "new.example.gov").is_none());
        assert!(Ways::of(TWO, "ample.gov").is_none());
    }
}
