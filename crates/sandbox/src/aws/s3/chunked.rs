//! The body of an upload: plain, or in the `aws-chunked` encoding of Signature Version 4.

use bytes::{Bytes, BytesMut};

use crate::aws::error::Failure;
use crate::aws::message::Request;

/// What was uploaded, and the base64 CRC-32 the client claimed for it, from a header or from the trailer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) body: Bytes,
    pub(super) checksum: Option<String>,
}

const CHECKSUM: &str = "x-amz-checksum-crc32";

pub(super) fn read(request: &Request) -> Result<Upload, Failure> {
    let checksum = request.header(CHECKSUM).map(str::to_owned);
    let signed = request.header("x-amz-content-sha256").unwrap_or_default();
    let encoding = request.header("content-encoding").unwrap_or_default();
    if !signed.starts_with("STREAMING-") && !encoding.contains("aws-chunked") {
        return Ok(Upload { body: request.body.clone(), checksum });
    }
    let (body, trailer) = decode(&request.body).ok_or_else(incomplete)?;
    let announced = request.header("x-amz-decoded-content-length");
    if announced.is_some_and(|length| length.parse() != Ok(body.len())) {
        return Err(incomplete());
    }
    Ok(Upload { body, checksum: checksum.or(trailer) })
}

fn incomplete() -> Failure {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    Failure::bad("IncompleteBody", message)
}

/// Chunks of `size[;extension]CRLF data CRLF`, ended by an empty one and trailer lines.
fn decode(encoded: &[u8]) -> Option<(Bytes, Option<String>)> {
    let mut rest = encoded;
    let mut body = BytesMut::new();
    loop {
        let (header, after) = line(rest)?;
        let size = usize::from_str_radix(header.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some((body.freeze(), trailer(after)));
        }
        body.extend_from_slice(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

fn line(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, rest) = (text.get(..end)?, text.get(end + 2..)?);
    Some((std::str::from_utf8(line).ok()?, rest))
}

fn trailer(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let mut checksums = fields.filter(|(name, _)| name.eq_ignore_ascii_case(CHECKSUM));
    checksums.next().map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_chunks_and_finds_the_trailer() {
        let encoded =
            b"4;chunk-signature=abc\r\nWiki\r\n5\r\npedia\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        let (body, trailer) = decode(encoded).unwrap();
        assert_eq!(body, Bytes::from_static(b"Wikipedia"));
        assert_eq!(trailer.as_deref(), Some("AAAAAA=="));
    }

    #[test]
    fn refuses_what_ends_too_early_or_is_no_chunk() {
        for broken in
            [&b"4\r\nWik"[..], b"4\r\nWiki\r\n", b"zz\r\nWiki\r\n0\r\n\r\n", b"", b"4\r\nWikiXX0\r\n\r\n"]
        {
            assert_eq!(decode(broken), None);
        }
    }
}
