//! The door: which HTTP requests and WebSocket handshakes come in at all.
//!
//! A page in a browser can send requests to loopback, from any site, and through a name that it points there. It can't set `Host` or
//! `Origin`, and can't read the cookie: a request must be right in all three. A page that the user has approved as an app may come from
//! its own origin, with its own token. One that isn't may knock at [`DOOR`], where it is heard and told nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, ORIGIN, VARY, WWW_AUTHENTICATE,
};
use http::uri::Authority;
use http::{Method, Request, StatusCode};
use jsonrpsee::core::BoxError;
use jsonrpsee::core::http_helpers::{HttpError, read_body};
use jsonrpsee::core::server::MethodResponse;
use jsonrpsee::server::{HttpBody, HttpRequest, HttpResponse, ws};
use jsonrpsee::types::Id;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use super::access::{Grant, Grants};
use super::calls::{Caller, overloaded, refusal, refuse};
use super::content::{self, Wanted};
use super::error::ApiError;
use super::files::Token;
use super::limits::MAX_REQUEST;
use super::listen::Arrived;
use super::picker;
use crate::clock::now_ms;

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
    /// The user hasn't approved the app yet.
    NotApproved,
    /// The token was revoked, or its time is over.
    Ended,
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

/// Where an app that has no token asks for one.
const DOOR: &str = "/app";

/// What a request must show.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) token: Token,
    /// The tokens of apps.
    pub(super) grants: watch::Receiver<Arc<Grants>>,
    /// Where the server listens.
    pub(super) bound: SocketAddr,
    /// Where it listens for TLS.
    pub(super) secure: Option<SocketAddr>,
    /// Names that a request may give as `Host`, besides addresses: the user's own, so no page of others is there.
    pub(super) hosts: Vec<String>,
}

/// How a request comes in.
#[derive(Debug)]
pub(super) enum Entry {
    /// With a token.
    Guest {
        grant: Arc<Grant>,
        web_socket: bool,
        /// The page of another site that is told the answer.
        page: Option<HeaderValue>,
    },
    /// With a token, to the content of a file.
    Content {
        grant: Arc<Grant>,
        wanted: Wanted,
        /// The page of another site that is told the answer.
        page: Option<HeaderValue>,
    },
    /// Without one, at the door for apps.
    Knock {
        /// The page that is told the answer.
        page: Option<HeaderValue>,
    },
    /// To the share picker's page, which is the same for everybody and knows nothing.
    Picker {
        file: &'static picker::File,
        /// Whether only the head is wanted.
        head: bool,
    },
    /// A browser asks whether a page may ask.
    Preflight {
        /// That page.
        page: HeaderValue,
    },
}

impl Guard {
    /// Checks all that a request's head shows.
    ///
    /// What comes from a foreign site is refused as such, whatever its token: unless that is of an app which is a page of just that site.
    pub(super) fn check<B>(&self, request: &Request<B>, arrived: Arrived) -> Result<Entry, Refusal> {
        let headers = request.headers();
        match arrived {
            Arrived::At(ip) => self.check_host(request, (self.bound, 80), ip)?,
            Arrived::Securely(ip) => self.check_host(request, (self.secure.unwrap_or(self.bound), 443), ip)?,
            // Where no page and no other user can be, a name says nothing.
            Arrived::Privately if headers.contains_key(ORIGIN) => return Err(Refusal::ForeignOrigin),
            Arrived::Privately => {}
        }
        if let Some(file) = picker::find(request.uri().path()) {
            return match *request.method() {
                // Elsewhere than on the user's own machine nobody is to be asked for what the user alone decides.
                Method::GET | Method::HEAD if matches!(arrived, Arrived::At(_)) && self.is_at_loopback(headers) => {
                    let head = request.method() == Method::HEAD;
                    Ok(Entry::Picker { file, head })
                }
                Method::GET | Method::HEAD => Err(Refusal::Path),
                _ => Err(Refusal::Method),
            };
        }
        let page = self.foreign_page(headers)?;
        let at_door = request.uri().path() == DOOR;
        if let (&Method::OPTIONS, Some(page)) = (request.method(), &page) {
            let known = page
                .to_str()
                .is_ok_and(|origin| self.grants.borrow().has_origin(origin, now_ms()));
            let page = page.clone();
            return (at_door || known)
                .then_some(Entry::Preflight { page })
                .ok_or(Refusal::ForeignOrigin);
        }
        if at_door {
            // Strangers of other machines are told nothing; the user gives them a token.
            if matches!(arrived, Arrived::Securely(_)) {
                return Err(Refusal::Unauthorized);
            }
            return match (request.method(), is_json(headers)) {
                (&Method::POST, true) => Ok(Entry::Knock { page }),
                (&Method::POST, false) => Err(Refusal::NotJson),
                _ => Err(Refusal::Method),
            };
        }
        let grant = match (arrived, bearer(headers)) {
            (_, Some(token)) => self.grant(token),
            (Arrived::Privately, None) if !headers.contains_key(AUTHORIZATION) => Some(Arc::new(Grant::owner())),
            (_, None) => None,
        };
        if let Some(page) = &page {
            let own = grant.as_ref().and_then(|grant| grant.origin.as_deref());
            if own.is_none_or(|origin| origin.as_bytes() != page.as_bytes()) {
                return Err(Refusal::ForeignOrigin);
            }
        }
        let is_post = request.method() == Method::POST;
        let typed = headers.contains_key(CONTENT_TYPE);
        if is_post && typed && !is_json(headers) {
            return Err(Refusal::NotJson);
        }
        let grant = grant.ok_or(Refusal::Unauthorized)?;
        if grant.pending {
            return Err(Refusal::NotApproved);
        }
        if grant.has_ended(now_ms()) {
            return Err(Refusal::Ended);
        }
        if let Some(wanted) = content::wanted(request.uri().path(), request.method()) {
            let wanted = wanted.map_err(|()| Refusal::Method)?;
            return Ok(Entry::Content { grant, wanted, page });
        }
        if request.uri().path() != "/" {
            return Err(Refusal::Path);
        }
        if ws::is_upgrade_request(request) {
            return Ok(Entry::Guest {
                grant,
                web_socket: true,
                page,
            });
        }
        match (is_post, typed) {
            (true, true) => Ok(Entry::Guest {
                grant,
                web_socket: false,
                page,
            }),
            (true, false) => Err(Refusal::NotJson),
            (false, _) => Err(Refusal::Method),
        }
    }

    /// Whether a request names this server: `at` where it came in, a place with the port that needn't be named.
    fn check_host<B>(&self, request: &Request<B>, at: (SocketAddr, u16), arrived: IpAddr) -> Result<(), Refusal> {
        let named = request.uri().authority().map(Authority::as_str);
        let host = only(request.headers(), &HOST).ok_or(Refusal::ForeignHost)?;
        for authority in named.into_iter().chain([host]) {
            if self.is_own_name(authority) {
                continue;
            }
            let ip = local(authority, at.0.port(), at.1).ok_or(Refusal::ForeignHost)?;
            if !ip.is_loopback() && ip != at.0.ip() && ip != arrived {
                return Err(Refusal::ForeignHost);
            }
        }
        Ok(())
    }

    /// Whether a request names a loopback address, or `localhost`: a name of the user's may be a proxy's, and open to others.
    fn is_at_loopback(&self, headers: &HeaderMap) -> bool {
        let host = only(headers, &HOST).and_then(|host| local(host, self.bound.port(), 80));
        host.is_some_and(|ip| ip.is_loopback())
    }

    /// The page of another site that a request comes from; none if it comes from a program, or from a page of this server's.
    fn foreign_page(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        if !headers.contains_key(ORIGIN) {
            return Ok(None);
        }
        let origin = only(headers, &ORIGIN).ok_or(Refusal::ForeignOrigin)?;
        let own = origin
            .strip_prefix("http://")
            .and_then(|authority| local(authority, self.bound.port(), 80));
        if own.is_some_and(|ip| ip.is_loopback()) {
            return Ok(None);
        }
        HeaderValue::from_str(origin)
            .map(Some)
            .map_err(|_| Refusal::ForeignOrigin)
    }

    /// Whether `HOST` or `HOST:PORT` is by one of the user's names; a proxy may have another port.
    fn is_own_name(&self, authority: &str) -> bool {
        let parsed: Option<Authority> = authority.parse().ok().filter(|_| !authority.contains('@'));
        let is_named = |authority: Authority| {
            self.hosts
                .iter()
                .any(|name| authority.host().eq_ignore_ascii_case(name))
        };
        parsed.is_some_and(is_named)
    }

    fn grant(&self, token: &[u8]) -> Option<Arc<Grant>> {
        if self.token.matches(token) {
            return Some(Arc::new(Grant::owner()));
        }
        self.grants.borrow().lookup(token)
    }
}

/// The address that `HOST:PORT` writes out, if the port is right; no name is looked up, and only `localhost` is known.
fn local(authority: &str, port: u16, default: u16) -> Option<IpAddr> {
    if authority.contains('@') {
        return None;
    }
    let authority: Authority = authority.parse().ok()?;
    if authority.port_u16().unwrap_or(default) != port {
        return None;
    }
    let host = authority.host();
    if host.eq_ignore_ascii_case("localhost") {
        return Some(IpAddr::from([127, 0, 0, 1]));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// The token that a request shows.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().as_bytes())
}

/// What a browser is told when it asks whether a page may ask.
pub(super) fn preflight(page: HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::new(HttpBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, GET, HEAD, PATCH"),
    );
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, range, upload-offset"),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    told(response, Some(page))
}

/// Lets a page of another site read a response.
pub(super) fn told(mut response: HttpResponse, page: Option<HeaderValue>) -> HttpResponse {
    if let Some(page) = page {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// Passes a request on that came through [`Guard::check`].
pub(super) async fn pass<B, S>(
    request: Request<B>,
    grant: Arc<Grant>,
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
    parts.extensions.insert(Caller { grant, web_socket, log });

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
        Refusal::NotApproved => status(StatusCode::UNAUTHORIZED, "the user hasn't approved this app yet\n"),
        Refusal::Ended => status(
            StatusCode::UNAUTHORIZED,
            "this token works no more; ask the user for a new one\n",
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
    if matches!(why, Refusal::Unauthorized | Refusal::NotApproved | Refusal::Ended) {
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
