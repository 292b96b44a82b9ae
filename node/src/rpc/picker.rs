//! The share picker's page, at `/share`: static files, compiled in, which are the same for everybody and know nothing.
//!
//! What they do they do by the JSON-RPC, with the token that `share.enter` gave this browser. Browsers keep that for this server's origin
//! alone, port included; a cookie would go to every port of this machine. No page may frame this one, and no script of another may run in it.

use std::net::SocketAddr;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use jsonrpsee::server::{HttpBody, HttpResponse};

/// A file of the page.
#[derive(Debug)]
pub(super) struct File {
    path: &'static str,
    media_type: &'static str,
    content: &'static str,
}

static FILES: [File; 4] = [
    File {
        path: "/share",
        media_type: "text/html; charset=utf-8",
        content: include_str!("picker/index.html"),
    },
    File {
        path: "/share/picker.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_str!("picker/picker.js"),
    },
    File {
        path: "/share/picker.css",
        media_type: "text/css; charset=utf-8",
        content: include_str!("picker/picker.css"),
    },
    File {
        path: "/share/card.css",
        media_type: "text/css; charset=utf-8",
        content: include_str!("picker/card.css"),
    },
];

/// What each answer says beside its content. `Cross-Origin-Opener-Policy` isn't among it: a page that opened this one in a window of its
/// own is told what became of its card.
const HEADERS: [(HeaderName, &str); 9] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src blob:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    (HeaderName::from_static("origin-agent-cluster"), "?1"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), clipboard-read=()",
    ),
];

/// The file at a path.
pub(super) fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

/// Answers with a file.
pub(super) fn serve(file: &File, head: bool) -> HttpResponse {
    let mut response = HttpResponse::new(if head {
        HttpBody::empty()
    } else {
        HttpBody::from(file.content)
    });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Where browsers of this machine find the page, without its path: one that is kept, as what a browser keeps belongs to it.
pub(super) fn site(bound: SocketAddr) -> String {
    if bound.ip().is_loopback() {
        return format!("http://{bound}");
    }
    let loopback = if bound.is_ipv6() { "[::1]" } else { "127.0.0.1" };
    format!("http://{loopback}:{}", bound.port())
}
