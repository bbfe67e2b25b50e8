use super::*;
use Outcome::{Delegated, Forbidden, NotYet, Seen};
use Weight::{Nothing, Ours, Something};

fn not_yet(saw: &str, weight: Weight) -> Outcome {
    NotYet { saw: saw.into(), weight }
}

fn said(txt: impl Into<Option<Outcome>>, http: impl Into<Option<Outcome>>) -> String {
    sentence(txt.into().as_ref(), http.into().as_ref(), TO_BE_CHECKED)
}

#[test]
fn a_proof_that_is_there_is_all_there_is_to_say() {
    let direct = Seen(ProofMethod::Direct);
    let http = Seen(ProofMethod::Redirected);
    assert!(said(direct, not_yet("404", Ours)).starts_with("The TXT record is there"));
    assert!(said(not_yet("no TXT", Ours), http).starts_with("The answer is there over HTTP"));
}

#[test]
fn the_way_that_has_come_furthest_is_told() {
    let txt = |weight| not_yet("txt", weight);
    let http = |weight| not_yet("http", weight);
    for (of_txt, of_http, expected) in [
        (Nothing, Nothing, "txt"),
        (Something, Nothing, "txt"),
        (Ours, Nothing, "txt"),
        (Nothing, Something, "txt http"),
        (Something, Something, "txt http"),
        (Nothing, Ours, "http"),
        (Ours, Ours, "txt http"),
    ] {
        assert_eq!(said(txt(of_txt), http(of_http)), expected, "{of_txt:?} {of_http:?}");
    }
    assert_eq!(said(txt(Nothing), None), "txt");
    assert_eq!(said(None, http(Nothing)), "http");
    let delegated = Delegated { saw: "delegated".into() };
    assert_eq!(said(delegated, http(Nothing)), "delegated");
}

#[test]
fn what_caa_forbids_is_said_once_and_never_left_out() {
    let forbidden = |saw: &str| Forbidden { saw: saw.into() };
    assert_eq!(said(forbidden("caa"), forbidden("caa for http")), "caa");
    assert_eq!(said(forbidden("caa"), not_yet("http", Ours)), "caa http");
    assert_eq!(said(not_yet("txt", Nothing), forbidden("caa for http")), "txt caa for http");
    assert_eq!(said(forbidden("caa"), None), "caa");
}
