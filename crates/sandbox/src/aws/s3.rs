//! S3 as far as challenge objects need it: buckets, objects and bucket policies, path style.

mod bucket;
mod chunked;
mod object;
mod policy;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;

use super::clock::Millis;
use super::error::Failure;
use super::journal::JournalEntry;
use super::message::{Answer, Request};
use super::rules::Rule;
use super::world::World;
use policy::Policy;

pub(crate) use policy::Caller;

/// The XML namespace of S3's answers.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The calls this emulator answers, named as in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    CreateBucket,
    HeadBucket,
    ListObjectsV2,
    PutBucketPolicy,
    GetBucketPolicy,
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
}

/// The buckets of the account.
#[derive(Debug, Default)]
pub(crate) struct Buckets(pub(crate) BTreeMap<String, Bucket>);

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Object>,
    policy: Option<Policy>,
}

#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    pub(crate) cache_control: Option<String>,
    pub(crate) modified: Millis,
    /// Quoted, as in the header.
    pub(crate) etag: String,
    checksum: Option<String>,
    encryption: Option<String>,
}

impl Buckets {
    pub(crate) fn with(names: &[String]) -> Self {
        Self(names.iter().map(|name| (name.clone(), Bucket::default())).collect())
    }

    /// The object that `caller` asked for, if the bucket's policy lets it see it. Who may not list the bucket is not
    /// told that a key is missing: the answer is 403, as in life.
    pub(crate) fn read(&self, caller: &Caller, bucket: &str, key: &str) -> Result<&Object, Failure> {
        let found = self.bucket(bucket)?;
        found.authorize(caller, "s3:GetObject", &format!("arn:aws:s3:::{bucket}/{key}"))?;
        if let Some(object) = found.objects.get(key) {
            return Ok(object);
        }
        found.authorize(caller, "s3:ListBucket", &format!("arn:aws:s3:::{bucket}"))?;
        Err(Failure::new(404, "NoSuchKey", "The specified key does not exist."))
    }

    fn bucket(&self, name: &str) -> Result<&Bucket, Failure> {
        self.0.get(name).ok_or_else(no_such_bucket)
    }

    fn bucket_mut(&mut self, name: &str) -> Result<&mut Bucket, Failure> {
        self.0.get_mut(name).ok_or_else(no_such_bucket)
    }
}

impl Bucket {
    fn authorize(&self, caller: &Caller, action: &str, resource: &str) -> Result<(), Failure> {
        let allowed = *caller == Caller::Owner
            || self.policy.as_ref().is_some_and(|policy| policy.allows(caller, action, resource));
        if allowed { Ok(()) } else { Err(Failure::new(403, "AccessDenied", "Access Denied")) }
    }
}

fn no_such_bucket() -> Failure {
    Failure::new(404, "NoSuchBucket", "The specified bucket does not exist")
}

/// Which call a request is, and `bucket` or `bucket/key`.
pub(crate) fn identify(request: &Request) -> Result<(Operation, String), Failure> {
    let (bucket, key) = address(request)?;
    let policy = request.query("policy").is_some();
    let listing = request.query("list-type").as_deref() == Some("2");
    let operation = match (&request.method, key.is_empty()) {
        (&Method::PUT, true) if policy => Operation::PutBucketPolicy,
        (&Method::GET, true) if policy => Operation::GetBucketPolicy,
        (&Method::GET, true) if listing => Operation::ListObjectsV2,
        (&Method::PUT, true) => Operation::CreateBucket,
        (&Method::HEAD, true) => Operation::HeadBucket,
        (&Method::PUT, false) => Operation::PutObject,
        (&Method::GET, false) => Operation::GetObject,
        (&Method::HEAD, false) => Operation::HeadObject,
        (&Method::DELETE, false) => Operation::DeleteObject,
        _ => {
            let message = "A header or query you provided implies functionality that is not implemented.";
            return Err(Failure::new(501, "NotImplemented", message));
        }
    };
    Ok((operation, if key.is_empty() { bucket } else { format!("{bucket}/{key}") }))
}

/// Does the call.
pub(crate) fn perform(
    operation: Operation,
    world: &mut World,
    request: &Request,
    entry: &mut JournalEntry,
) -> Result<Answer, Failure> {
    let (bucket, key) = address(request)?;
    entry.resource = if key.is_empty() { bucket.clone() } else { format!("{bucket}/{key}") };
    let caller = if request.header("authorization").is_some() { Caller::Owner } else { Caller::Anonymous };
    let reads = matches!(operation, Operation::GetObject | Operation::HeadObject);
    if caller == Caller::Anonymous && !reads {
        return Err(Failure::new(403, "AccessDenied", "Access Denied"));
    }
    match operation {
        Operation::CreateBucket => bucket::create(world, &bucket),
        Operation::HeadBucket => world.s3.bucket(&bucket).map(|_| Answer::new(200)),
        Operation::ListObjectsV2 => bucket::list(world, &bucket, request),
        Operation::PutBucketPolicy => bucket::put_policy(world, &bucket, request),
        Operation::GetBucketPolicy => bucket::get_policy(world, &bucket),
        Operation::PutObject => object::put(world, &bucket, key, request),
        Operation::GetObject | Operation::HeadObject => {
            world.s3.read(&caller, &bucket, &key).map(|object| object::answer(object, request))
        }
        Operation::DeleteObject => {
            let keeps = world.has(Rule::RemovalsKept);
            let objects = &mut world.s3.bucket_mut(&bucket)?.objects;
            if !keeps {
                objects.remove(&key);
            }
            Ok(Answer::new(204))
        }
    }
}

/// Bucket and key of a path-style address; the key is empty for the bucket itself.
fn address(request: &Request) -> Result<(String, String), Failure> {
    let path = request.path().strip_prefix('/').unwrap_or_default();
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let decoded = percent_decode(bucket).zip(percent_decode(key));
    decoded.ok_or_else(|| Failure::bad("InvalidURI", "Couldn't parse the specified URI."))
}

/// Undoes percent-encoding; nothing if what is left is not UTF-8.
pub(crate) fn percent_decode(encoded: &str) -> Option<String> {
    // Form decoding differs from path decoding in the meaning of the plus sign only.
    let form = format!("k={}", encoded.replace('+', "%2B").replace('&', "%26"));
    let (_, value) = url::form_urlencoded::parse(form.as_bytes()).next()?;
    (!value.contains('\u{fffd}')).then(|| value.into_owned())
}
