//! Objects: put and get.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::chunked::{Upload, read};
use super::{Object, no_such_bucket};
use crate::aws::clock::http_date;
use crate::aws::error::Failure;
use crate::aws::message::{Answer, Request};
use crate::aws::rules::Rule;
use crate::aws::world::World;

/// Stores an object; an existing one is replaced at once (S3 is strongly consistent since 2020).
pub(super) fn put(
    world: &mut World,
    bucket: &str,
    key: String,
    request: &Request,
) -> Result<Answer, Failure> {
    let modified = world.clock.now();
    let conditional = ["if-match", "if-none-match"].iter().any(|name| request.header(name).is_some());
    if !conditional && world.has(Rule::ObjectsNeedTag) {
        let message = "This operation needs a condition: If-Match or If-None-Match.";
        return Err(Failure::bad("InvalidRequest", message));
    }
    let keeps = !world.has(Rule::HeadersForgotten);
    let found = world.s3.0.get_mut(bucket).ok_or_else(no_such_bucket)?;
    if key.len() > 1024 {
        return Err(Failure::bad("KeyTooLongError", "Your key is too long"));
    }
    let Upload { body, checksum } = read(request)?;
    verify_checksum(&body, checksum.as_deref())?;
    let object = Object {
        etag: etag(&body),
        body,
        content_type: request
            .header("content-type")
            .filter(|_| keeps)
            .unwrap_or("binary/octet-stream")
            .to_owned(),
        cache_control: request.header("cache-control").filter(|_| keeps).map(str::to_owned),
        modified,
        checksum,
        encryption: request.header("x-amz-server-side-encryption").map(str::to_owned),
    };
    let answer = with_checksum(with_object_headers(Answer::new(200), &object), &object);
    found.objects.insert(key, object);
    Ok(answer)
}

/// The answer to a read; the server leaves the body out for `HEAD`, and the checksum unless it is asked for.
pub(super) fn answer(object: &Object, request: &Request) -> Answer {
    let answer = Answer::new(200)
        .header("content-type", &object.content_type)
        .header("last-modified", &http_date(object.modified))
        .header("accept-ranges", "bytes")
        .body(object.body.clone());
    let answer = match &object.cache_control {
        Some(value) => answer.header("cache-control", value),
        None => answer,
    };
    let answer = with_object_headers(answer, object);
    if request.header("x-amz-checksum-mode") == Some("ENABLED") {
        with_checksum(answer, object)
    } else {
        answer
    }
}

fn with_object_headers(answer: Answer, object: &Object) -> Answer {
    let answer = answer.header("etag", &object.etag);
    match &object.encryption {
        Some(encryption) => answer.header("x-amz-server-side-encryption", encryption),
        None => answer,
    }
}

fn with_checksum(answer: Answer, object: &Object) -> Answer {
    match &object.checksum {
        Some(checksum) => answer.header("x-amz-checksum-crc32", checksum),
        None => answer,
    }
}

fn verify_checksum(body: &Bytes, claimed: Option<&str>) -> Result<(), Failure> {
    let Some(claimed) = claimed else { return Ok(()) };
    if BASE64.encode(crc32(body).to_be_bytes()) == claimed {
        return Ok(());
    }
    let message = "The CRC32 you specified did not match the calculated checksum.";
    Err(Failure::bad("BadDigest", message))
}

/// An entity tag that follows the content. S3's own is an MD5 in simple cases and promised to nobody.
fn etag(body: &Bytes) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(body));
    format!("\"{}\"", digest.get(..32).unwrap_or_default())
}

/// CRC-32 as in ISO-HDLC (zip, PNG), bit by bit: the objects here are small.
fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !data.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_check_value_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn refuses_a_wrong_checksum() {
        let body = Bytes::from_static(b"123456789");
        assert!(verify_checksum(&body, Some("y/Q5Jg==")).is_ok());
        assert!(verify_checksum(&body, None).is_ok());
        assert!(verify_checksum(&body, Some("AAAAAA==")).is_err());
    }
}
