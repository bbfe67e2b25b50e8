//! `cdn-broker accounts …`: the accounts at certificate authorities, and how the key of one is replaced.

use clap::{Args, Subcommand};
use contract::{AccountStanding, AuthorityAccount, AuthorityAccounts};
use serde_json::{Value, json};

use crate::cli::print;
use crate::instances::words;
use crate::{OK, command, wire};

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// Show the accounts: directory, URL, contact, terms, key, external account. The authority of now is asked about its own.
    #[command(after_help = "Example:\n  cdn-broker accounts show\n\n\
        Exit codes: 0 shown, 1 failed, 64 wrong command line or environment.")]
    Show(AccountsArgs),
    /// Replace the key of the account at the authority (RFC 8555, section 7.3.5); brokers may run beside it.
    ///
    /// The new key is stored before the authority is asked: whatever dies, the account works, and a second run brings it to
    /// its end. The account, its URL and its certificates stay. TXT records that users are shown for a certificate that is being
    /// obtained change with the key: those who have set one already are shown another. Records that stay (CNAME), and
    /// redirects, stay right.
    #[command(after_help = "Example:\n  cdn-broker accounts rotate\n\n\
        Exit codes: 0 the account has another key, 1 it has not, 64 wrong command line or environment.")]
    Rotate(AccountsArgs),
}

#[derive(Args)]
pub(crate) struct AccountsArgs {
    /// JSON, for programs: `show` prints one object a line, `rotate` one.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &AccountsCommand) -> u8 {
    command::run(async |config| {
        let accounts = wire::bare_issuer(config, &wire::store(config).await?)?;
        match command {
            AccountsCommand::Show(arguments) => show(&accounts.accounts().await?, arguments.json),
            AccountsCommand::Rotate(arguments) => {
                let rotated = accounts.rotate_key().await?;
                let said = format!("The account has another key from now on.\n\n{}", text(&rotated));
                print(&if arguments.json { format!("{:#}", to_json(&rotated)) } else { said });
            }
        }
        Ok(OK)
    })
}

fn show(accounts: &[AuthorityAccount], as_json: bool) {
    let line = |one: &AuthorityAccount| if as_json { to_json(one).to_string() } else { text(one) };
    let shown: Vec<String> = accounts.iter().map(line).collect();
    match (shown.is_empty(), as_json) {
        (true, true) => {}
        (true, false) => print("There is no account yet: it is opened with the first certificate."),
        (false, _) => print(&shown.join(if as_json { "\n" } else { "\n\n" })),
    }
}

fn to_json(one: &AuthorityAccount) -> Value {
    let (standing, contact, terms) = match &one.at_authority {
        AccountStanding::NotAsked => ("not-asked".to_owned(), None, None),
        AccountStanding::Unreachable(_) => ("unreachable".to_owned(), None, None),
        AccountStanding::Unknown => ("unknown".to_owned(), None, None),
        AccountStanding::Known { status, contact, terms_agreed } => {
            (status.clone(), Some(contact.clone()), *terms_agreed)
        }
    };
    let error = match &one.at_authority {
        AccountStanding::Unreachable(why) => Some(why),
        _ => None,
    };
    json!({
        "directory": one.directory,
        "current": one.is_current,
        "url": one.url,
        "created_at": words::rfc3339(one.created_at),
        "key_type": one.key_type,
        "thumbprint": one.thumbprint,
        "next_thumbprint": one.next_thumbprint,
        "external_account": one.external_account,
        "contact_configured": one.contact_configured,
        "standing": standing,
        "contact": contact,
        "terms_agreed": terms,
        "error": error,
    })
}

fn text(one: &AuthorityAccount) -> String {
    let mut rows = vec![
        ("directory", one.directory.clone()),
        ("used now", if one.is_current { "yes" } else { "no: ACME_URL names another" }.to_owned()),
        ("URL", one.url.clone().unwrap_or_else(|| "none yet: nothing was asked for".to_owned())),
        ("created", words::rfc3339(one.created_at)),
        ("key", one.key_type.to_owned()),
        ("thumbprint", one.thumbprint.clone()),
    ];
    if let Some(next) = &one.next_thumbprint {
        let hint = "an exchange was begun and not ended; run `cdn-broker accounts rotate`";
        rows.push(("next key", format!("{next}: {hint}")));
    }
    let external = one.external_account.as_deref();
    rows.push(("external account", external.unwrap_or("none").to_owned()));
    rows.extend(standing(one));
    let rows: Vec<[String; 2]> = rows.into_iter().map(|(name, value)| [name.to_owned(), value]).collect();
    words::columns(&rows).join("\n")
}

fn standing(one: &AuthorityAccount) -> Vec<(&'static str, String)> {
    match &one.at_authority {
        AccountStanding::NotAsked => vec![("at the authority", "not asked".to_owned())],
        AccountStanding::Unreachable(why) => vec![("at the authority", format!("could not be asked: {why}"))],
        AccountStanding::Unknown => {
            vec![(
                "at the authority",
                "it knows no account of this key; docs/OPERATIONS.md says what to do".to_owned(),
            )]
        }
        AccountStanding::Known { status, contact, terms_agreed } => vec![
            ("at the authority", status.clone()),
            ("contact", if contact.is_empty() { "none".to_owned() } else { contact.join(", ") }),
            (
                "terms",
                match terms_agreed {
                    Some(true) => "agreed to",
                    Some(false) => "not agreed to",
                    None => "not said; they were agreed to when it was opened",
                }
                .to_owned(),
            ),
        ],
    }
}
