//! `docs/RETRIES.md` says what the code does about errors: it is written from the tables that the code goes by.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::bail;
use broker::{remedy_name, remedy_rules, step_rules};
use contract::ErrorRule;

const HEAD: &str = "\
# What follows from an error

Written from the tables in the code; a test compares it with them (`tests/tests/it/retries.rs`), and writes what it should be when
it is not. The tables: `crates/cloudfront-core/src/classify/rules.rs` (AWS), `crates/acme-core/src/rules.rs` (the authority),
`crates/broker/src/pace` and `crates/broker/src/retry_rules.rs` (the broker). In the first two the first row that fits counts.

Every error of a port has a remedy, decided once, in the adapter that knows the other side. How much else it stops decides about
breakers ([decision 31](decisions/0031-one-breaker-per-obstacle.md)).
";

const PACE: &str = "
## Below all this

- The AWS SDK repeats a call by itself: three tries in all, with pauses of about one and two seconds, when the connection breaks or
  AWS answers with throttling or 5xx. What outlasts that comes here as an error.
- Every try, the SDK's too, takes its turn from one token bucket per service and process ([decision
  32](decisions/0032-a-throttled-account-slows-down-together.md)). A throttle answer halves the rate for the whole process. Who would
  have to wait longer than five seconds for a turn is sent back with `retry`, and comes when it is due.
- ACME requests: a refused nonce is tried five times; nothing else is repeated inside a unit of work.
";

#[test]
fn the_document_says_what_the_code_does() -> anyhow::Result<()> {
    let expected = document()?;
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/RETRIES.md");
    if fs::read_to_string(&kept).unwrap_or_default() != expected {
        let proposal = Path::new(env!("CARGO_TARGET_TMPDIR")).join("RETRIES.md");
        fs::write(&proposal, &expected)?;
        bail!("docs/RETRIES.md is not what the code says; it should be {}", proposal.display());
    }
    Ok(())
}

fn document() -> anyhow::Result<String> {
    let mut text = HEAD.to_owned();
    remedies(&mut text)?;
    steps(&mut text)?;
    errors(&mut text, "AWS", &cloudfront_core::error_rules())?;
    errors(&mut text, "The certificate authority", &acme_core::error_rules())?;
    text.push_str(PACE);
    Ok(text)
}

fn remedies(text: &mut String) -> anyhow::Result<()> {
    text.push_str("\n## What is done about a remedy\n\n");
    text.push_str("| remedy | tried again | given up | the tenant reads | the operator is told | why |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for rule in remedy_rules() {
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            rule.remedy, rule.again, rule.until, rule.tenant, rule.operator, rule.reason
        )?;
    }
    Ok(())
}

fn steps(text: &mut String) -> anyhow::Result<()> {
    text.push_str("\n## How long a step is tried\n\n");
    text.push_str(
        "When the time is up, the operation fails: the tenant reads the error's sentence, or that the operators know, and what to \
         do next; the operator reads the error (`operation ... of instance ...`). An update whose domains nobody has proven \
         alerts nobody.\n\n",
    );
    text.push_str("| steps | in | deadline | why |\n| --- | --- | --- | --- |\n");
    for rule in step_rules() {
        writeln!(text, "| {} | {} | {} | {} |", rule.steps, rule.plans, rule.deadline, rule.reason)?;
    }
    Ok(())
}

fn errors(text: &mut String, whose: &str, rules: &[ErrorRule]) -> anyhow::Result<()> {
    writeln!(text, "\n## {whose}\n")?;
    text.push_str(
        "| error | remedy | also stops | the tenant reads | why |\n| --- | --- | --- | --- | --- |\n",
    );
    for rule in rules {
        let remedy = remedy_name(rule.remedy);
        let (stops, tenant) = (rule.stops.unwrap_or("-"), rule.for_tenant.unwrap_or("-"));
        writeln!(text, "| {} | {remedy} | {stops} | {tenant} | {} |", rule.error, rule.reason)?;
    }
    Ok(())
}
