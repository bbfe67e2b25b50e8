//! Whose permissions count, from the ARN that STS gives.

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) who: Who,
}

/// Whose policies say what the caller may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// A user, by its ARN.
    User(String),
    /// Somebody who has assumed a role, whose path is not in the ARN.
    Session { role: String },
    /// Nobody whose policies IAM simulates.
    Nobody { why: &'static str, cure: &'static str },
}

const ROOT: Who = Who::Nobody {
    why: "these are the credentials of the account itself (root), which may do everything",
    cure: "give the broker a user or role of its own, with the policy that `cdn-broker aws policy` prints",
};
const FEDERATED: Who = Who::Nobody {
    why: "these are the credentials of a federated user, whose session has a policy that IAM does not simulate",
    cure: "give the broker a user or role of its own to have single permissions checked",
};
const ELSEWHERE: Who = Who::Nobody {
    why: "this account is not in the partition `aws`, the only one that is known here",
    cure: "compare the policy with what `cdn-broker aws policy` prints",
};

impl Caller {
    /// `None` for a kind of ARN that nobody here knows.
    pub(super) fn parse(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next();
        let (scheme, partition, service, region, account, name) =
            (part()?, part()?, part()?, part()?, part()?, part()?);
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if scheme != "arn" || !region.is_empty() || !is_account {
            return None;
        }
        let who = if partition == "aws" { who(arn, service, name)? } else { ELSEWHERE };
        Some(Self { account: account.to_owned(), who })
    }
}

fn who(arn: &str, service: &str, name: &str) -> Option<Who> {
    let (kind, rest) = name.split_once('/').unwrap_or((name, ""));
    match (service, kind) {
        ("iam", "user") if !rest.is_empty() => Some(Who::User(arn.to_owned())),
        ("iam", "root") => Some(ROOT),
        ("sts", "assumed-role") => {
            let (role, session) = rest.split_once('/')?;
            let is_whole = !role.is_empty() && !session.is_empty();
            is_whole.then(|| Who::Session { role: role.to_owned() })
        }
        ("sts", "federated-user") => Some(FEDERATED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arn: &str) -> Option<Who> {
        Caller::parse(arn).map(|caller| {
            assert_eq!(caller.account, "123456789012");
            caller.who
        })
    }

    #[test]
    fn a_user_is_itself_and_a_session_is_its_role() {
        for user in
            ["arn:aws:iam::123456789012:user/broker", "arn:aws:iam::123456789012:user/apps/cdn/broker"]
        {
            assert_eq!(parsed(user), Some(Who::User(user.to_owned())));
        }
        for (arn, role) in [
            ("arn:aws:sts::123456789012:assumed-role/broker/i-0123456789abcdef0", "broker"),
            ("arn:aws:sts::123456789012:assumed-role/cdn+broker@x/a=b,c.d@e-f", "cdn+broker@x"),
        ] {
            assert_eq!(parsed(arn), Some(Who::Session { role: role.to_owned() }));
        }
    }

    #[test]
    fn who_has_no_policies_to_simulate_is_told_so() {
        for (arn, who) in [
            ("arn:aws:iam::123456789012:root", ROOT),
            ("arn:aws:sts::123456789012:federated-user/somebody", FEDERATED),
            ("arn:aws-us-gov:iam::123456789012:user/broker", ELSEWHERE),
            ("arn:aws-cn:sts::123456789012:assumed-role/broker/session", ELSEWHERE),
        ] {
            assert_eq!(parsed(arn), Some(who), "{arn}");
        }
    }

    #[test]
    fn what_is_no_such_arn_is_not_guessed_at() {
        for arn in [
            "",
            "arn",
            "arn:aws:iam::123456789012",
            "arn:aws:iam::12345678901:user/broker",
            "arn:aws:iam::12345678901x:user/broker",
            "arn:aws:iam:us-east-1:123456789012:user/broker",
            "urn:aws:iam::123456789012:user/broker",
            "arn:aws:iam::123456789012:user/",
            "arn:aws:iam::123456789012:group/brokers",
            "arn:aws:sts::123456789012:user/broker",
            "arn:aws:sts::123456789012:assumed-role/broker",
            "arn:aws:sts::123456789012:assumed-role//session",
            "arn:aws:sts::123456789012:assumed-role/broker/",
        ] {
            assert_eq!(Caller::parse(arn), None, "{arn}");
        }
    }
}
