//! S3 origins: the emulator's own buckets, asked as CloudFront asks them.

use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use super::page::{Body, X_CACHE, whole};
use super::routing::Site;
use crate::aws::{Caller, Element, Object, World, percent_decode};

/// Reads the object at `path`. With an origin access control CloudFront signs for its distribution; without one it is
/// nobody in particular.
pub(super) fn read(
    world: &World,
    site: &Site,
    origin: &Element,
    bucket: &str,
    path: &str,
    method: &Method,
) -> Response<Body> {
    let signs = !origin.text_at("OriginAccessControlId").is_empty();
    let caller = if signs { Caller::CloudFront(site.arn.clone()) } else { Caller::Anonymous };
    let key = percent_decode(path.trim_start_matches('/')).unwrap_or_default();
    if !matches!(*method, Method::GET | Method::HEAD) {
        return refuse(403, "AccessDenied", "Access Denied");
    }
    match world.s3.read(&caller, bucket, &key) {
        Ok(object) => deliver(object, method),
        Err(failure) => refuse(failure.status, failure.code, &failure.message),
    }
}

fn deliver(object: &Object, method: &Method) -> Response<Body> {
    let body = if method == Method::HEAD { bytes::Bytes::new() } else { object.body.clone() };
    let mut response = Response::new(whole(body));
    set(&mut response, "content-length", &object.body.len().to_string());
    set(&mut response, "content-type", &object.content_type);
    set(&mut response, "etag", &object.etag);
    if let Some(cache_control) = &object.cache_control {
        set(&mut response, "cache-control", cache_control);
    }
    set(&mut response, "server", "AmazonS3");
    response
}

fn refuse(status: u16, code: &str, message: &str) -> Response<Body> {
    let error =
        Element::new("Error").with(Element::leaf("Code", code)).with(Element::leaf("Message", message));
    let mut response = Response::new(whole(error.document("")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    set(&mut response, "content-type", "application/xml");
    set(&mut response, "server", "AmazonS3");
    response.headers_mut().insert(X_CACHE, HeaderValue::from_static("Error from cloudfront"));
    response
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
