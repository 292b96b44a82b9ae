//! The door: which HTTP requests and WebSocket handshakes come in at all.
//!
//! A page in a browser can send requests to loopback, from any site, and through a name that it points there. It can't set `Host` or
//! `Origin`, and can't read the cookie: a request must be right in all three.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{Method, Request, StatusCode};
use jsonrpsee::core::BoxError;
use jsonrpsee::core::http_helpers::{HttpError, read_body};
use jsonrpsee::core::server::MethodResponse;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, ws};
use jsonrpsee::types::Id;
use tokio::time::timeout;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::calls::{Caller, overloaded, refusal, refuse};
use super::error::ApiError;
use super::files::Token;
use super::limits::MAX_REQUEST;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `Host` names something else than this server's address.
    ForeignHost,
    /// `Origin` is a page that this server didn't serve.
    ForeignOrigin,
    /// A body of another type, which a form can send across sites.
    NotJson,
    /// No token, or a wrong one.
    Unauthorized,
    /// Not `/`.
    Path,
    /// Neither POST nor a WebSocket handshake.
    Method,
    /// The body is over [`MAX_REQUEST`].
    TooLarge,
    /// The body took too long.
    Slow,
    /// All connections are taken.
    Busy,
}

/// What a request must show.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) token: Token,
    /// Where the server listens.
    pub(super) bound: SocketAddr,
}

impl Guard {
    /// Checks all that a request's head shows, and gives whether it is a WebSocket handshake.
    ///
    /// What comes from a foreign site is refused as such before the token is looked at.
    pub(super) fn check<B>(&self, request: &Request<B>, arrived: IpAddr) -> Result<bool, Refusal> {
        let headers = request.headers();
        self.check_host(request, arrived)?;
        self.check_origin(headers)?;
        let is_post = request.method() == Method::POST;
        let typed = headers.contains_key(CONTENT_TYPE);
        if is_post && typed && !is_json(headers) {
            return Err(Refusal::NotJson);
        }
        if !self.has_token(headers) {
            return Err(Refusal::Unauthorized);
        }
        if request.uri().path() != "/" {
            return Err(Refusal::Path);
        }
        if ws::is_upgrade_request(request) {
            return Ok(true);
        }
        match (is_post, typed) {
            (true, true) => Ok(false),
            (true, false) => Err(Refusal::NotJson),
            (false, _) => Err(Refusal::Method),
        }
    }

    fn check_host<B>(&self, request: &Request<B>, arrived: IpAddr) -> Result<(), Refusal> {
        let named = request.uri().authority().map(Authority::as_str);
        let host = only(request.headers(), &HOST).ok_or(Refusal::ForeignHost)?;
        for authority in named.into_iter().chain([host]) {
            let ip = self.local(authority).ok_or(Refusal::ForeignHost)?;
            if !ip.is_loopback() && ip != self.bound.ip() && ip != arrived {
                return Err(Refusal::ForeignHost);
            }
        }
        Ok(())
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if !headers.contains_key(ORIGIN) {
            return Ok(());
        }
        let ip = only(headers, &ORIGIN)
            .and_then(|origin| origin.strip_prefix("http://"))
            .and_then(|authority| self.local(authority))
            .ok_or(Refusal::ForeignOrigin)?;
        if !ip.is_loopback() {
            return Err(Refusal::ForeignOrigin);
        }
        Ok(())
    }

    /// The address that `HOST:PORT` writes out, if the port is ours; no name is looked up, and only `localhost` is known.
    fn local(&self, authority: &str) -> Option<IpAddr> {
        if authority.contains('@') {
            return None;
        }
        let authority: Authority = authority.parse().ok()?;
        if authority.port_u16().unwrap_or(80) != self.bound.port() {
            return None;
        }
        let host = authority.host();
        if host.eq_ignore_ascii_case("localhost") {
            return Some(IpAddr::from([127, 0, 0, 1]));
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(host).parse().ok()
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some((scheme, token)) = only(headers, &AUTHORIZATION).and_then(|v| v.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer") && self.token.matches(token.trim().as_bytes())
    }
}

/// Passes a request on that came through [`Guard::check`].
pub(super) async fn pass<B, S>(
    request: Request<B>,
    web_socket: bool,
    body_deadline: Duration,
    mut inner: S,
) -> HttpResponse
where
    B: hyper::body::Body<Data = hyper::body::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    S: tower::Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
{
    let (mut parts, body) = request.into_parts();
    // jsonrpsee logs requests with their headers, and bodies.
    parts.headers.remove(AUTHORIZATION);
    let log = tracing::dispatcher::get_default(Dispatch::clone);
    parts.extensions.insert(Caller { web_socket, log });

    let body = if web_socket {
        HttpBody::new(body)
    } else {
        let read = read_body(&parts.headers, body, MAX_REQUEST).with_subscriber(Dispatch::none());
        let body = match timeout(body_deadline, read).await {
            Ok(Ok((body, _))) => body,
            Ok(Err(HttpError::Malformed)) => {
                return answer(StatusCode::BAD_REQUEST, refusal(Id::Null, ApiError::Parse));
            }
            // A body of unknown length that is too large ends as a broken stream; with a stream that is really broken nobody listens.
            Ok(Err(HttpError::TooLarge | HttpError::Stream(_))) => {
                return turn_away(Refusal::TooLarge);
            }
            Err(_) => return turn_away(Refusal::Slow),
        };
        if let Some(refusal) = refuse(&body) {
            return answer(StatusCode::OK, refusal);
        }
        parts.headers.insert(CONTENT_TYPE, JSON);
        HttpBody::from(body)
    };
    let request = Request::from_parts(parts, body);
    let passed = async move { inner.call(request).await };
    match passed.with_subscriber(Dispatch::none()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "the JSON-RPC server failed");
            status(StatusCode::INTERNAL_SERVER_ERROR, "the node failed; its log says why\n")
        }
    }
}

/// The response that turns a request away and ends its connection.
pub(super) fn turn_away(why: Refusal) -> HttpResponse {
    let mut response = match why {
        Refusal::ForeignHost => status(
            StatusCode::FORBIDDEN,
            "the Host header must name the address in rpc.json\n",
        ),
        Refusal::ForeignOrigin => status(StatusCode::FORBIDDEN, "requests of other sites are refused\n"),
        Refusal::NotJson => status(
            StatusCode::FORBIDDEN,
            "the Content-Type header must be application/json\n",
        ),
        Refusal::Unauthorized => status(
            StatusCode::UNAUTHORIZED,
            "send the content of the file cookie as Authorization: Bearer TOKEN\n",
        ),
        Refusal::Path => status(StatusCode::NOT_FOUND, "the JSON-RPC is at /\n"),
        Refusal::Method => status(StatusCode::METHOD_NOT_ALLOWED, "use POST, or a WebSocket handshake\n"),
        Refusal::TooLarge => answer(
            StatusCode::PAYLOAD_TOO_LARGE,
            refusal(
                Id::Null,
                ApiError::TooLarge {
                    field: "request".into(),
                    limit: MAX_REQUEST.into(),
                },
            ),
        ),
        Refusal::Slow => status(StatusCode::REQUEST_TIMEOUT, "the body took too long\n"),
        Refusal::Busy => answer(StatusCode::SERVICE_UNAVAILABLE, refusal(Id::Null, overloaded())),
    };
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if why == Refusal::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn answer(code: StatusCode, response: MethodResponse) -> HttpResponse {
    let mut answer = HttpResponse::new(HttpBody::from(response.as_ref().to_owned()));
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

fn status(code: StatusCode, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::from(text));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn is_json(headers: &HeaderMap) -> bool {
    only(headers, &CONTENT_TYPE)
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// A header's value if there is exactly one and it is text.
fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}
