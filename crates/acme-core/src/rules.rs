//! What follows from each refusal of an authority, as a table with reasons. `docs/RETRIES.md` shows it.

use contract::{ErrorRule, Remedy};

use crate::error::Operation;

const RETRY: Remedy = Remedy::Retry { after: None };

/// What is to be done about one kind of refusal (RFC 8555, section 6.7).
pub(crate) struct Rule {
    /// The types of the problem without ACME's namespace; none: every type that has a name.
    kinds: &'static [&'static str],
    /// What must have been asked, for types that mean different things.
    asked: Option<Operation>,
    pub(crate) remedy: Remedy,
    pub(crate) tells: Tells,
    reason: &'static str,
}

/// What the tenant reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    Nothing,
    /// That it is a matter of patience.
    Patience,
    /// What the authority says.
    ItsWords,
    /// What the authority has against the request.
    Refused,
    /// Which names it does not issue for, and why.
    Names,
}

/// The first rule that fits a refusal of this type.
pub(crate) fn find(kind: &str, asked: Operation) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.fits(kind, asked))
}

/// The types that are not told apart by what was asked come last; an unknown one must never end an issuance.
const RULES: &[Rule] = &[
    rule(&["rateLimited"], RETRY, "a limit, or a pause of the account for some names: both say until when")
        .tells(Tells::Patience),
    rule(&["badNonce"], RETRY, "a nonce may be refused at any time; the library has tried some already"),
    rule(&["serverInternal"], RETRY, "a bad day of the authority's"),
    rule(&[], Remedy::AwaitOperator, "without an account nothing can be asked for: terms, contact, external account")
        .when(Operation::NewAccount),
    rule(&[], Remedy::GiveUp, "the operator has asked for it, reads why, and can ask again")
        .when(Operation::KeyChange),
    rule(
        &["unauthorized"],
        Remedy::AwaitOperator,
        "nothing has been proven yet, so it is the account that may not order",
    )
    .when(Operation::NewOrder),
    rule(
        &[
            "accountDoesNotExist",
            "badPublicKey",
            "badSignatureAlgorithm",
            "externalAccountRequired",
            "invalidContact",
            "invalidProfile",
            "unsupportedContact",
            "userActionRequired",
        ],
        Remedy::AwaitOperator,
        "the account or a setting of the operator's; a lost account is an alarm, never a silent new one",
    ),
    rule(&["malformed"], Remedy::GiveUp, "an order holds little but the names")
        .when(Operation::NewOrder)
        .tells(Tells::Names),
    rule(&["rejectedIdentifier", "unsupportedIdentifier"], Remedy::GiveUp, "the authority's policy about these names")
        .tells(Tells::Names),
    rule(&["badCSR"], Remedy::GiveUp, "the same request is refused again").tells(Tells::Refused),
    rule(
        &["caa", "dns"],
        RETRY,
        "DNS changes; the tenant reads what is wrong, and the next order is placed after 1, 10, 100 minutes, then daily",
    )
    .tells(Tells::ItsWords),
    rule(
        &["connection", "incorrectResponse", "tls", "unauthorized"],
        RETRY,
        "a validation failed after we had seen the proof: the order is placed anew, ever less often",
    ),
    rule(&["orderNotReady"], RETRY, "the order is read again; it may be valid already"),
    rule(&["alreadyReplaced"], RETRY, "the order is placed once more without saying what it replaces"),
    rule(&["malformed"], RETRY, "not about an order's names, so not the tenant's fault; it may be a proxy's"),
    rule(
        &["alreadyRevoked", "badRevocationReason", "compound"],
        RETRY,
        "never an answer to what is asked here; nothing is concluded from it",
    ),
];

const fn rule(kinds: &'static [&'static str], remedy: Remedy, reason: &'static str) -> Rule {
    Rule { kinds, asked: None, remedy, tells: Tells::Nothing, reason }
}

impl Rule {
    const fn when(self, asked: Operation) -> Self {
        Self { asked: Some(asked), ..self }
    }

    const fn tells(self, tells: Tells) -> Self {
        Self { tells, ..self }
    }

    fn fits(&self, kind: &str, asked: Operation) -> bool {
        let is_meant = if self.kinds.is_empty() { !kind.is_empty() } else { self.kinds.contains(&kind) };
        is_meant && self.asked.is_none_or(|operation| operation == asked)
    }

    fn shown(&self) -> ErrorRule {
        let kinds = if self.kinds.is_empty() {
            "any other".to_owned()
        } else {
            format!("`{}`", self.kinds.join("`, `"))
        };
        let asked = self.asked.map(|asked| format!(", asked to {}", asked.doing())).unwrap_or_default();
        let for_tenant = match self.tells {
            Tells::Nothing => None,
            Tells::Patience => Some("The certificate authority limits requests; this goes on by itself."),
            Tells::ItsWords => Some("The certificate authority says: (its words)"),
            Tells::Refused => Some("The certificate authority refuses the request: (its words)"),
            Tells::Names => Some("The certificate authority does not issue for (names): (its words)"),
        };
        shown(format!("{kinds}{asked}"), self.remedy, for_tenant, self.reason)
    }
}

/// The table, for people, with what is decided without it at the end.
pub(crate) fn all() -> Vec<ErrorRule> {
    let tls = "its TLS certificate is not trusted";
    let others = [
        shown(
            tls.to_owned(),
            Remedy::AwaitOperator,
            None,
            "the trusted roots are wrong, or somebody is in between",
        ),
        shown(
            "any other answer, no answer, half an answer".to_owned(),
            RETRY,
            None,
            "an unknown refusal and silence must never end an issuance",
        ),
        ErrorRule {
            error: "an issued certificate that is not the one asked for, a key that cannot be read"
                .to_owned(),
            remedy: Remedy::AwaitOperator,
            stops: None,
            for_tenant: None,
            reason: "a defect somewhere; asking again would spend certificates, so a person looks first",
        },
        shown(
            "no challenge that can be met here".to_owned(),
            Remedy::GiveUp,
            Some(
                "The certificate authority does not accept any proof of control over (name) that can be given here.",
            ),
            "the same order offers the same challenges again",
        ),
        shown(
            "no durable proof for a name, where only those are in time".to_owned(),
            Remedy::GiveUp,
            Some(
                "Control over (name) cannot be proven here: the certificates of this service need a record that stays, and \
                 its operators have set up none that would do for this domain.",
            ),
            "only the operator's settings can change that, and nobody was asked for anything yet",
        ),
    ];
    RULES.iter().map(Rule::shown).chain(others).collect()
}

fn shown(error: String, remedy: Remedy, for_tenant: Option<&'static str>, reason: &'static str) -> ErrorRule {
    let stops = (remedy == Remedy::AwaitOperator).then_some("the authority");
    ErrorRule { error, remedy, stops, for_tenant, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The registry of RFC 8555, RFC 9773 and the profiles draft.
    const TYPES: [&str; 26] = [
        "accountDoesNotExist",
        "alreadyReplaced",
        "alreadyRevoked",
        "badCSR",
        "badNonce",
        "badPublicKey",
        "badRevocationReason",
        "badSignatureAlgorithm",
        "caa",
        "compound",
        "connection",
        "dns",
        "externalAccountRequired",
        "incorrectResponse",
        "invalidContact",
        "invalidProfile",
        "malformed",
        "orderNotReady",
        "rateLimited",
        "rejectedIdentifier",
        "serverInternal",
        "tls",
        "unauthorized",
        "unsupportedContact",
        "unsupportedIdentifier",
        "userActionRequired",
    ];

    #[test]
    fn every_registered_type_has_a_row_whatever_was_asked() {
        for kind in TYPES {
            for asked in [Operation::NewOrder, Operation::ReadOrder, Operation::Finalize] {
                assert!(find(kind, asked).is_some(), "{kind}");
            }
        }
        assert!(find("neverHeardOf", Operation::Finalize).is_none());
        assert!(find("", Operation::NewAccount).is_none(), "an answer without a type says nothing");
    }

    #[test]
    fn the_same_type_means_different_things() {
        let remedy = |kind, asked| find(kind, asked).map(|rule| rule.remedy);
        assert_eq!(remedy("malformed", Operation::NewAccount), Some(Remedy::AwaitOperator));
        assert_eq!(remedy("malformed", Operation::NewOrder), Some(Remedy::GiveUp));
        assert_eq!(remedy("malformed", Operation::Finalize), Some(RETRY));
        assert_eq!(remedy("unauthorized", Operation::NewOrder), Some(Remedy::AwaitOperator));
        assert_eq!(remedy("unauthorized", Operation::Finalize), Some(RETRY));
    }
}
