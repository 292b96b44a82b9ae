//! Posting to webhooks, signed as the specification of Standard Webhooks has it (standardwebhooks.com, version 1).

use std::time::{Duration, UNIX_EPOCH};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{Request, StatusCode};
use sha2::Sha256;
use tokio::time::timeout;

use super::ids::AppKey;
use super::limits::POST_DEADLINE;
use super::web::{Target, Web, WebError, unreachable};
use super::webhooks::{Hook, reach, secret_bytes};

/// Posts to webhooks.
pub(super) struct Poster {
    web: Web,
}

/// Why a post wasn't accepted; holds nothing of the receiver's answer but its status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PostError {
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    #[error("it doesn't answer in time")]
    Slow,
    #[error("its name leads into a private network, where only the owner's webhooks may lead")]
    Private,
    #[error("it answers {0}")]
    Status(StatusCode, Option<Duration>),
}

impl From<WebError> for PostError {
    fn from(error: WebError) -> Self {
        match error {
            WebError::Unreachable(why) => Self::Unreachable(why),
            WebError::Private => Self::Private,
        }
    }
}

impl Poster {
    pub(super) fn new() -> Result<Self, rustls::Error> {
        Ok(Self { web: Web::new()? })
    }

    /// Posts a body under an id, which stays the same when the same is posted again, for an app or the owner.
    pub(super) async fn post(
        &self,
        app: Option<AppKey>,
        hook: &Hook,
        id: &str,
        body: &str,
        now_s: u64,
    ) -> Result<StatusCode, PostError> {
        let target = Target::parse(&hook.url).map_err(unreachable)?;
        let request = Request::post(&target.path)
            .header(HOST, &target.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("madang/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .header("webhook-id", id)
            .header("webhook-timestamp", now_s)
            .header("webhook-signature", signature(hook, id, now_s, body))
            .body(body.to_owned())
            .map_err(unreachable)?;
        let posted = self.web.exchange(target, reach(app), request, None);
        let (answer, _) = timeout(POST_DEADLINE, posted).await.map_err(|_| PostError::Slow)??;
        if answer.status.is_success() {
            return Ok(answer.status);
        }
        // A redirection too: where it leads nobody has allowed.
        let pause = answer
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| pause(value.to_str().ok()?, now_s));
        Err(PostError::Status(answer.status, pause))
    }
}

/// How long the receiver wants to be left alone: seconds, or until a date (RFC 9110, 10.2.3).
fn pause(text: &str, now_s: u64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    date.duration_since(UNIX_EPOCH + Duration::from_secs(now_s)).ok()
}

/// `v1` and the HMAC of id, time and body.
fn signature(hook: &Hook, id: &str, now_s: u64, body: &str) -> String {
    let key = secret_bytes(&hook.secret)
        .map(zeroize::Zeroizing::new)
        .unwrap_or_default();
    // HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(&key).map(|mut mac| {
        mac.update(format!("{id}.{now_s}.{body}").as_bytes());
        mac.finalize().into_bytes()
    });
    mac.map_or_else(|_| String::new(), |mac| format!("v1,{}", BASE64.encode(&mac)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::apps::Secret;
    use crate::rpc::ids::EventCursor;

    #[test]
    fn a_receiver_says_for_how_long_in_seconds_or_by_a_date() {
        let now_s = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(pause(text, now_s), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_signature_is_that_of_the_specification() {
        let hook = Hook {
            id: 1,
            url: String::new(),
            filter: Default::default(),
            secret: Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            cursor: EventCursor(0),
            progress: Default::default(),
        };
        // The example of the reference implementations.
        let signed = signature(
            &hook,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
