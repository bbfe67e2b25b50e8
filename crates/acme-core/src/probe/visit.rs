//! One request to whoever answers for a name, as a visitor sends it.

use std::collections::BTreeMap;

use contract::{PortError, PortResult, Remedy, VisitAnswer, VisitQuestion};
use hickory_resolver::proto::rr::Name;

use super::fetch::{Answer, Target};
use super::http::Web;
use super::walk::Walker;
use crate::chain;

pub(super) async fn ask(
    walker: &Walker,
    web: &Web,
    name: Name,
    question: &VisitQuestion,
) -> PortResult<VisitAnswer> {
    let VisitQuestion { at, host, path, secure } = question;
    let doing = || format!("ask {at} for {host}{path}");
    if !path.starts_with('/') {
        return Err(PortError::new(doing(), Remedy::GiveUp, "a path begins with a slash"));
    }
    let target = Target {
        name,
        host: host.clone(),
        port: if *secure { web.ports.https } else { web.ports.http },
        shown_port: None,
        tls: *secure,
        path: path.clone(),
    };
    let answer = web.visit(walker, &target).await;
    answer.map(told).map_err(|why| PortError::new(doing(), Remedy::Retry { after: None }, why))
}

fn told(answer: Answer) -> VisitAnswer {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    VisitAnswer {
        status: answer.status.as_u16(),
        headers: answer.headers.iter().filter_map(text).collect::<BTreeMap<_, _>>(),
        body: answer.body.to_vec(),
        certificate: answer.certificate.and_then(|der| chain::facts(&der).ok()),
    }
}
