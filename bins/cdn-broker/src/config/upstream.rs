use acme_core::{AcmeSettings, ExternalAccount};
use cloudfront_core::AwsSettings;
use contract::Secret;

use super::Reader;

pub(super) fn acme(reader: &mut Reader<'_>) -> Option<AcmeSettings> {
    let email = reader.required("EMAIL", "where the certificate authority may write to");
    let url = reader.required("ACME_URL", "the directory of the certificate authority");
    let roots = root_file(reader);
    let external_account = external_account(reader);
    let settings = AcmeSettings {
        contact_email: Some(email?),
        root_certificates_pem: roots?,
        external_account: external_account?,
        profile: reader.optional("ACME_PROFILE"),
        ..AcmeSettings::new(url?)
    };
    if let Err(reason) = settings.check() {
        reader.mistake("ACME_URL", format!("or a setting beside it cannot be used: {reason}"));
        return None;
    }
    Some(settings)
}

/// The content of `ACME_ROOT_CA`. The inner `None` means that the system's roots are to be used.
#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn root_file(reader: &mut Reader<'_>) -> Option<Option<String>> {
    let Some(path) = reader.optional("ACME_ROOT_CA") else { return Some(None) };
    match std::fs::read_to_string(&path) {
        Ok(pem) => Some(Some(pem)),
        Err(reason) => {
            reader
                .mistake("ACME_ROOT_CA", format!("names the file `{path}`, which cannot be read: {reason}"));
            None
        }
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer one says whether a mistake was noted, as everywhere here"
)]
fn external_account(reader: &mut Reader<'_>) -> Option<Option<ExternalAccount>> {
    match (reader.optional("ACME_EAB_KID"), reader.optional("ACME_EAB_HMAC_KEY")) {
        (None, None) => Some(None),
        (Some(key_id), Some(key)) => Some(Some(ExternalAccount { key_id, hmac_key: Secret::new(key) })),
        (Some(_), None) => {
            reader.mistake("ACME_EAB_HMAC_KEY", "is not set, but ACME_EAB_KID is; they go together");
            None
        }
        (None, Some(_)) => {
            reader.mistake("ACME_EAB_KID", "is not set, but ACME_EAB_HMAC_KEY is; they go together");
            None
        }
    }
}

pub(super) fn aws(reader: &mut Reader<'_>) -> Option<AwsSettings> {
    let bucket = reader.required("BUCKET", "the S3 bucket of the challenge answers");
    let prefix = reader.parsed("IAM_PATH_PREFIX", "letsencrypt", |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("it is made of letters, digits, `-`, `_` and `.`")
        }
    });
    Some(AwsSettings {
        iam_path_prefix: prefix?,
        server_side_encryption: reader.optional("SERVER_SIDE_ENCRYPTION"),
        ..AwsSettings::new(bucket?)
    })
}
