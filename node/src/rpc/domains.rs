//! Whether a domain vouches for a channel or an app: its file is fetched, and what is in it given to the core to check.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use futures::future::join_all;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::api::{Api, ApiResult};
use super::error::ApiError;
use super::ids::{ChannelId, MessageId};
use super::limits::{DOMAIN_DEADLINE, MAX_DOMAIN_FILE, OPEN_DEADLINE};
use super::params::ShareOpenParams;
use super::types::{Channel, DomainAnswers, DomainUnavailable, ShareOpened, ShareProved, Vouched};
use super::web::{Reach, Target, Web};

/// Where a domain vouches (RFC 8615).
const PATH: &str = "/.well-known/madang.json";
/// The file's version.
const VERSION: u32 = 1;

/// What each of some domains says, or why that isn't known.
type Said = Vec<(String, Result<Vec<Vec<u8>>, String>)>;

/// What a domain publishes; other members are passed over.
#[derive(Serialize, Deserialize)]
struct File {
    madang: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    channels: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    apps: Vec<String>,
}

/// Answers `channel.vouch`.
pub(super) async fn vouch<A: Api>(api: &A, channel: ChannelId) -> ApiResult<Vouched> {
    let (domain, vouch) = api.channel_vouch(channel).await?;
    let file = File {
        madang: VERSION,
        channels: vec![BASE64URL_NOPAD.encode(&vouch)],
        apps: Vec::new(),
    };
    let file = serde_json::to_string_pretty(&file).map_err(|error| ApiError::Internal {
        reason: error.to_string(),
    })?;
    Ok(Vouched {
        url: format!("https://{domain}{PATH}"),
        file,
    })
}

/// Answers `channel.prove`.
pub(super) async fn prove<A: Api>(api: &A, channel: ChannelId) -> ApiResult<Channel> {
    let shown = api.channel_get(channel).await?;
    let domain = shown.manifest.and_then(|manifest| manifest.domain);
    let domain = domain.ok_or_else(|| ApiError::invalid("channel", "names no domain"))?;
    let file = published(&domain, DOMAIN_DEADLINE)
        .await
        .map_err(|reason| ApiError::DomainUnavailable {
            domain: domain.clone(),
            reason,
        })?;
    api.channel_prove(channel, domain, decoded(&file.channels)).await
}

/// Answers `share.prove`.
pub(super) async fn prove_app<A: Api>(api: &A, message: MessageId) -> ApiResult<ShareProved> {
    let domains = api.share_named(message).await?;
    let said = ask(domains, DOMAIN_DEADLINE).await;
    let failed = |(domain, said): &(String, Result<_, String>)| {
        let reason = said.as_ref().err()?.clone();
        let domain = domain.clone();
        Some(DomainUnavailable { domain, reason })
    };
    let unavailable = said.iter().filter_map(failed).collect();
    let by = api.share_told(message, answers(said)).await?;
    Ok(ShareProved { by, unavailable })
}

/// Answers `share.open`.
pub(super) async fn open<A: Api>(api: &A, params: ShareOpenParams) -> ApiResult<ShareOpened> {
    let domains = api.share_asks(params.clone()).await?;
    if !domains.is_empty() {
        let said = ask(domains, OPEN_DEADLINE).await;
        api.share_told(params.message, answers(said)).await?;
    }
    api.share_open(params).await
}

/// What each of some domains publishes of apps, or why it isn't known.
async fn ask(domains: Vec<String>, deadline: Duration) -> Said {
    join_all(domains.into_iter().map(async |domain| {
        let file = published(&domain, deadline).await;
        (domain, file.map(|file| decoded(&file.apps)))
    }))
    .await
}

fn answers(said: Said) -> DomainAnswers {
    said.into_iter().map(|(domain, said)| (domain, said.ok())).collect()
}

/// What a domain publishes, unchecked.
async fn published(domain: &str, deadline: Duration) -> Result<File, String> {
    timeout(deadline, fetch(domain))
        .await
        .unwrap_or_else(|_| Err("it doesn't answer in time".to_owned()))
}

async fn fetch(domain: &str) -> Result<File, String> {
    let web = Web::new().map_err(|error| error.to_string())?;
    let target = Target::parse(&format!("https://{domain}{PATH}"))?;
    let request = Request::get(&target.path)
        .header(HOST, &target.authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("madang/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(String::new())
        .map_err(|error| error.to_string())?;
    let (head, body) = web
        .exchange(target, Reach::Internet, request, Some(MAX_DOMAIN_FILE))
        .await
        .map_err(|error| error.to_string())?;
    // A redirection too: another domain would speak for this one.
    if head.status != StatusCode::OK {
        return Err(format!("it answers {}", head.status));
    }
    read(&body).ok_or_else(|| "what it publishes can't be read".to_owned())
}

fn read(body: &[u8]) -> Option<File> {
    let file: File = serde_json::from_slice(body).ok()?;
    (file.madang == VERSION).then_some(file)
}

fn decoded(vouches: &[String]) -> Vec<Vec<u8>> {
    let decode = |text: &String| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    vouches.iter().filter_map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_domain_publishes_is_read_and_what_is_not_known_passed_over() {
        let read = |text: &str| read(text.as_bytes()).map(|file| (decoded(&file.channels), decoded(&file.apps)));
        assert_eq!(
            read(r#"{"madang": 1, "channels": ["AQI", "not base64!"], "apps": ["Aw"], "desks": [7]}"#),
            Some((vec![vec![1, 2]], vec![vec![3]]))
        );
        assert_eq!(read(r#"{"madang": 1}"#), Some((Vec::new(), Vec::new())));
        assert_eq!(read(r#"{"madang": 2, "channels": ["AQI"]}"#), None);
        assert_eq!(read("<html>"), None);
        assert_eq!(read(r#"{"madang": 1, "channels": {}}"#), None);
    }
}
