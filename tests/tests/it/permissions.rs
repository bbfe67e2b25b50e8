//! `docs/PERMISSIONS.md` says what the broker has to be allowed at AWS: it is written from the table that the policy comes from.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::bail;

const HEAD: &str = "\
# What the broker has to be allowed at AWS

Written from the table in the code (`crates/cloudfront-core/src/permissions.rs`); a test compares it with this page
(`tests/tests/it/permissions.rs`), and another one with the calls in the source. `cdn-broker aws policy` prints the policy from the
same table, and `cdn-broker config check` asks IAM about each action of it. Names in capitals stand for yours.

| statement | actions | on | needed | for |
| --- | --- | --- | --- | --- |
";

const BELOW: &str = "
Condition: `route53:ChangeResourceRecordSets` only with the record types `CNAME` and `TXT`. `NAME` is the user or role of the broker, with
its path. Without `--principal` the policy has `user/${aws:username}` there: that fits every user without a path, each for itself.
The cache, origin request and response headers policies that users may choose are AWS's own, and need no permission. A bucket that is
encrypted with a key of yours needs `kms:GenerateDataKey` on that key besides; the trial of the bucket shows whether it is there.

## How `config check` looks at them

It asks STS who it is (everybody may), and then IAM's policy simulator about each action (`SimulatePrincipalPolicy`), on an example of
the resource. Nothing is changed. Of a session of a role IAM wants to know the ARN of the role, whose path only `iam:GetRole` tells;
where that is refused, the role is taken to have none. Each call asks about one action, because IAM refuses several at once that
need different kinds of information. All of it together takes a few seconds, and is given up after half a minute.

| verdict | meaning | exit code |
| --- | --- | --- |
| `ok` | every action is allowed | 0 |
| `failed` | some are not; each is named, with its resource and with what refuses it: no policy allows it, a policy denies it, the permissions boundary, a service control policy | 2 |
| `unchecked` | some could not be told, or IAM could not be asked; they are named, with what to grant. The broker needs none of that for its work | 0 |

What the simulator cannot see, so that only a real call shows it:

- **policies of resources**: of the bucket, of the log bucket, of a KMS key, and resource control policies of the organization;
- **policies of a session**, which only narrow what its role may do, and those of VPC endpoints;
- **what only a real call has**: an address (`aws:SourceIp`), a VPC, a time, a tag. Where a policy makes the answer depend on such a key, the
  action is `unknown`, with the key; keys in service control policies are not told by IAM, so that an action may be said to be refused
  by the organization that is allowed in a real call;
- **changes of the last seconds**: IAM takes a moment until it is the same everywhere.

It needs the partition `aws`, and a user or a role. The account's own credentials (root) and federated users are told that they
cannot be looked at.
";

#[test]
fn the_document_says_what_the_code_needs() -> anyhow::Result<()> {
    let expected = document()?;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PERMISSIONS.md");
    if fs::read_to_string(&kept).unwrap_or_default() != expected {
        let proposal = Path::new(env!("CARGO_TARGET_TMPDIR")).join("PERMISSIONS.md");
        fs::write(&proposal, &expected)?;
        bail!("docs/PERMISSIONS.md is not what the code says; it should be {}", proposal.display());
    }
    Ok(())
}

fn document() -> anyhow::Result<String> {
    let mut text = HEAD.to_owned();
    for rule in cloudfront_core::permission_rules() {
        let actions: Vec<String> = rule.actions.iter().map(|action| format!("`{action}`")).collect();
        writeln!(
            text,
            "| `{}` | {} | `{}` | {} | {} |",
            rule.sid,
            actions.join(", "),
            rule.resource,
            rule.needed,
            rule.purpose
        )?;
    }
    text.push_str(BELOW);
    Ok(text)
}
