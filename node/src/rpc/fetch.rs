//! What the web has at an address that somebody else chose: fetched from the Internet alone, with bounds, and each redirection checked
//! like the first address.

use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::response::Parts;
use http::{Request, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::limits::{FETCH_DEADLINE, MAX_REDIRECTS};
use super::web::{Reach, Target, Web};

/// What was fetched.
pub(super) struct Fetched {
    /// Where it was in the end.
    pub(super) url: String,
    /// What it says that it is.
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

/// Until when something has to be here.
pub(super) fn deadline() -> Instant {
    Instant::now() + FETCH_DEADLINE
}

/// Fetches at most `most` bytes; the reason is for whoever gave the address.
pub(super) async fn fetch(url: &str, accept: &str, most: usize, until: Instant) -> Result<Fetched, String> {
    timeout_at(until, follow(url, accept, most))
        .await
        .unwrap_or_else(|_| Err("it doesn't answer in time".to_owned()))
}

async fn follow(url: &str, accept: &str, most: usize) -> Result<Fetched, String> {
    let web = Web::new().map_err(|error| error.to_string())?;
    let mut url = url.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let (head, bytes) = get(&web, &url, accept, most).await?;
        if head.status == StatusCode::OK {
            let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default();
            return Ok(Fetched {
                url,
                media_type: media_type.trim().to_ascii_lowercase(),
                bytes,
            });
        }
        let to = head.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        url = match to.filter(|_| head.status.is_redirection()) {
            Some(to) => joined(&url, to).ok_or("it leads to no address")?,
            None => return Err(format!("it answers {}", head.status)),
        };
    }
    Err("it leads on and on".to_owned())
}

async fn get(web: &Web, url: &str, accept: &str, most: usize) -> Result<(Parts, Vec<u8>), String> {
    let target = Target::parse(url)?;
    let request = Request::get(&target.path)
        .header(HOST, &target.authority)
        .header(ACCEPT, accept)
        .header(USER_AGENT, concat!("madang/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(String::new())
        .map_err(|error| error.to_string())?;
    let answered = web.exchange(target, Reach::Internet, request, Some(most)).await;
    answered.map_err(|error| error.to_string())
}

/// Where a reference on a page leads (RFC 3986, section 5, as far as pages use it): `https` and nothing else.
pub(super) fn joined(base: &str, reference: &str) -> Option<String> {
    let reference = reference.trim();
    let rest = base.strip_prefix("https://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let absolute = match reference {
        _ if reference.starts_with("https://") => reference.to_owned(),
        _ if reference.starts_with("//") => format!("https:{reference}"),
        _ if reference.starts_with('/') => format!("https://{authority}{reference}"),
        _ if reference.is_empty() || reference.split(['/', '?', '#']).next()?.contains(':') => return None,
        _ => {
            let directory = path
                .split(['?', '#'])
                .next()?
                .rsplit_once('/')
                .map_or("", |(head, _)| head);
            let slash = if directory.is_empty() { "" } else { "/" };
            format!("https://{authority}/{directory}{slash}{reference}")
        }
    };
    Some(absolute.split('#').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f64_a_reference_leads_to_a_page_of_the_web_or_nowhere() {
        let base = "https://a.example/b/c?d#e";
        for (reference, to) in [
            ("https://x.example/y", Some("https://x.example/y")),
            ("//x.example/y#z", Some("https://x.example/y")),
            ("/y?z", Some("https://a.example/y?z")),
            ("y.png", Some("https://a.example/b/y.png")),
            ("http://x.example/", None),
            ("data:image/png;base64,AA", None),
            ("file:///etc/passwd", None),
            ("javascript:alert(1)", None),
            ("", None),
        ] {
            assert_eq!(joined(base, reference).as_deref(), to, "{reference}");
        }
        assert_eq!(joined("https://a.example", "y").as_deref(), Some("https://a.example/y"));
    }
}
