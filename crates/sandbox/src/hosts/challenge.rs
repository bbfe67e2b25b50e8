use std::future::ready;
use std::net::{IpAddr, SocketAddr};

use http::{Request, StatusCode};

use super::{CHALLENGE_PATH, Ports, host_of};
use crate::web::{Answer, Server, redirect, text};

/// The front end behind `CHALLENGE_HOST`, as an operator has it: a load balancer whose default rule takes any name on
/// port 80 and sends `/.well-known/acme-challenge/TOKEN` to `CHALLENGE_URL/HOST/TOKEN` (302). Everything else is 404, and
/// nobody answers on port 443.
pub struct ChallengeHost {
    server: Server,
}

impl ChallengeHost {
    /// Starts it; `challenge_url` has no slash at its end.
    pub(crate) async fn start(address: IpAddr, ports: Ports, challenge_url: String) -> anyhow::Result<Self> {
        let handler = move |request: Request<_>| ready(answer(&challenge_url, &request));
        Ok(Self { server: Server::start(ports.http_at(address), None, handler).await? })
    }

    /// Where it listens.
    pub fn http(&self) -> SocketAddr {
        self.server.address()
    }
}

fn answer<B>(challenge_url: &str, request: &Request<B>) -> Answer {
    let token = request.uri().path().strip_prefix(CHALLENGE_PATH);
    match (host_of(request), token) {
        (host, Some(token)) if !host.is_empty() && !token.is_empty() => {
            redirect(StatusCode::FOUND, &format!("{challenge_url}/{host}/{token}"))
        }
        _ => text(StatusCode::NOT_FOUND, "404: nothing but ACME challenges\n".to_owned()),
    }
}
