//! What the distribution does towards viewers.

use std::collections::BTreeMap;

use contract::{Delivery, MinimumTls, PriceClass, Wish};
use serde_json::{Map, Value};

use super::{Offer, ParameterError, choice, path, shorten, wish, wrong, wrong_type};

/// The status codes whose answers CloudFront can replace.
pub(super) const CODES: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

pub(super) fn read(parameters: &Map<String, Value>, offer: Offer) -> Result<Delivery, ParameterError> {
    Ok(Delivery {
        error_pages: error_pages(parameters)?,
        price_class: choice(parameters, "price_class", PriceClass::ALL, PriceClass::as_str, |name| name)?,
        minimum_tls: choice(parameters, "minimum_tls", MinimumTls::ALL, MinimumTls::as_str, |name| name)?,
        logging: logging(parameters, offer)?,
    })
}

fn error_pages(parameters: &Map<String, Value>) -> Result<Wish<BTreeMap<u16, String>>, ParameterError> {
    let wanted = "an object of status codes and paths, such as {\"404\": \"/errors/404.html\"}";
    wish(parameters, "error_responses", |value| {
        let pages = value.as_object().ok_or_else(|| wrong_type("error_responses", wanted, value))?;
        pages.iter().map(|(code, page)| Ok((status(code)?, absolute(page, wanted)?))).collect()
    })
}

fn status(text: &str) -> Result<u16, ParameterError> {
    let code = text.parse().ok().filter(|code| CODES.contains(code) && text.len() == 3);
    code.ok_or_else(|| {
        let known = CODES.map(|code| code.to_string()).join(", ");
        let text = shorten(text);
        ParameterError::new(format!(
            "The parameter `error_responses` cannot replace the status code `{text}`; it can replace {known}."
        ))
    })
}

fn absolute(page: &Value, wanted: &str) -> Result<String, ParameterError> {
    let text = page.as_str().ok_or_else(|| wrong_type("error_responses", wanted, page))?;
    match path::fault(text) {
        None => Ok(text.to_owned()),
        Some(reason) => Err(wrong("error_responses", text, reason)),
    }
}

fn logging(parameters: &Map<String, Value>, offer: Offer) -> Result<Wish<bool>, ParameterError> {
    let logging = super::boolean(parameters, "logging")?;
    if logging.or(false) && !offer.logging {
        return Err(ParameterError::new(
            "The parameter `logging` cannot be true: the operator of this service keeps no access logs.",
        ));
    }
    Ok(logging)
}
