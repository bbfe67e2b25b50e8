use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Object, ServerSideEncryption};
use contract::{
    ChallengeSite, InstanceId, Page, PageToken, PortError, PortResult, Remedy, SiteFolder, Timestamp,
    Upstream,
};

use crate::classify::port_error;
use crate::folder::{CHALLENGE_PATH, folder, key, key_prefix};
use crate::listing::{moment, next};
use crate::settings::AwsSettings;

/// Challenge answers in a bucket of Amazon S3, one folder per instance.
#[derive(Debug)]
pub struct S3ChallengeSite {
    client: Client,
    bucket: String,
    encryption: Option<ServerSideEncryption>,
    page_size: Option<i32>,
}

impl S3ChallengeSite {
    pub(crate) fn new(client: Client, settings: &AwsSettings) -> Self {
        Self {
            client,
            bucket: settings.bucket.clone(),
            encryption: settings.server_side_encryption.as_deref().map(ServerSideEncryption::from),
            page_size: settings.page_size,
        }
    }
}

#[async_trait]
impl ChallengeSite for S3ChallengeSite {
    async fn present(&self, instance: &InstanceId, token: &str, answer: &str) -> PortResult<()> {
        check(token)?;
        let sent = self.put(&key(instance, token), answer).send().await;
        sent.map(drop).map_err(|error| port_error(Upstream::Site, "store a challenge answer", error))
    }

    async fn withdraw(&self, instance: &InstanceId, token: &str) -> PortResult<()> {
        check(token)?;
        self.delete(&key(instance, token)).await
    }

    async fn clear(&self, instance: &InstanceId) -> PortResult<()> {
        let doing = "list the challenge answers";
        let prefix = key_prefix(instance);
        let mut next = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix);
            let page = request.set_continuation_token(next).send().await;
            let page = page.map_err(|error| port_error(Upstream::Site, doing, error))?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                self.delete(key).await?;
            }
            match page.next_continuation_token {
                Some(token) => next = Some(token),
                None => return Ok(()),
            }
        }
    }

    fn folder(&self, instance: &InstanceId) -> String {
        folder(instance)
    }

    async fn list(&self, after: Option<PageToken>) -> PortResult<Page<SiteFolder>> {
        let doing = "list the challenge answers";
        let asked = self.client.list_objects_v2().bucket(&self.bucket).set_max_keys(self.page_size);
        let asked = asked.set_continuation_token(after.map(|after| after.as_str().to_owned()));
        let answer = asked.send().await.map_err(|error| port_error(Upstream::Site, doing, error))?;
        let items = folders(answer.contents());
        let is_truncated = answer.is_truncated.unwrap_or_default();
        Ok(Page { items, next: next(is_truncated, answer.next_continuation_token, doing)? })
    }
}

impl S3ChallengeSite {
    /// The one form in which answers are stored.
    pub(crate) fn put(&self, key: &str, answer: &str) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/octet-stream")
            .cache_control("no-store")
            .set_server_side_encryption(self.encryption.clone())
            .body(ByteStream::from(answer.as_bytes().to_vec()))
    }

    /// S3 does not tell whether there was anything to delete.
    async fn delete(&self, key: &str) -> PortResult<()> {
        let sent = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        sent.map(drop).map_err(|error| port_error(Upstream::Site, "delete a challenge answer", error))
    }
}

/// The folders of a page of answers, which come in the order of their keys. What is no answer is somebody else's.
fn folders(page: &[Object]) -> Vec<SiteFolder> {
    let mut folders: Vec<SiteFolder> = Vec::new();
    for object in page {
        let path = object.key().and_then(|key| key.split_once('/'));
        let Some((name, _)) = path.filter(|(_, path)| path.starts_with(CHALLENGE_PATH)) else { continue };
        let changed_at = object.last_modified().map_or_else(Timestamp::default, moment);
        match folders.last_mut().filter(|folder| folder.name == name) {
            Some(folder) => folder.changed_at = folder.changed_at.max(changed_at),
            None => folders.push(SiteFolder { name: name.to_owned(), changed_at }),
        }
    }
    folders
}

/// A token is base64url text (RFC 8555, section 8.3); anything else could lead out of the instance's folder.
fn check(token: &str) -> PortResult<()> {
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !token.is_empty() && token.bytes().all(is_base64url) {
        return Ok(());
    }
    Err(PortError::new(format!("use the token {token:?}"), Remedy::GiveUp, "it is not base64url text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_in_its_folder() {
        assert!(check("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0_-").is_ok());
        for bad in ["", "..", "../other/token", "a/b", "a b", "a%2fb"] {
            assert_eq!(check(bad).unwrap_err().remedy(), Remedy::GiveUp, "{bad}");
        }
    }
}
