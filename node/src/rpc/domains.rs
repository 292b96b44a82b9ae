//! Whether a domain vouches for a channel: its file is fetched, and what is in it given to the core to check.

use data_encoding::BASE64URL_NOPAD;
use http::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::api::{Api, ApiResult};
use super::error::ApiError;
use super::ids::ChannelId;
use super::limits::{DOMAIN_DEADLINE, MAX_DOMAIN_FILE};
use super::types::{Channel, Vouched};
use super::web::{Reach, Target, Web};

/// Where a domain vouches (RFC 8615).
const PATH: &str = "/.well-known/madang.json";
/// The file's version.
const VERSION: u32 = 1;

/// What a domain publishes; other members are passed over.
#[derive(Serialize, Deserialize)]
struct File {
    madang: u32,
    #[serde(default)]
    channels: Vec<String>,
}

/// Answers `channel.vouch`.
pub(super) async fn vouch<A: Api>(api: &A, channel: ChannelId) -> ApiResult<Vouched> {
    let (domain, vouch) = api.channel_vouch(channel).await?;
    let file = File {
        madang: VERSION,
        channels: vec![BASE64URL_NOPAD.encode(&vouch)],
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
    let vouches = timeout(DOMAIN_DEADLINE, fetch(&domain))
        .await
        .unwrap_or_else(|_| Err("it doesn't answer in time".to_owned()))
        .map_err(|reason| ApiError::DomainUnavailable {
            domain: domain.clone(),
            reason,
        })?;
    api.channel_prove(channel, domain, vouches).await
}

/// What a domain publishes of channels, unchecked.
async fn fetch(domain: &str) -> Result<Vec<Vec<u8>>, String> {
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
        .exchange(target, Reach::Public, request, Some(MAX_DOMAIN_FILE))
        .await
        .map_err(|error| error.to_string())?;
    // A redirection too: another domain would speak for this one.
    if head.status != StatusCode::OK {
        return Err(format!("it answers {}", head.status));
    }
    read(&body).ok_or_else(|| "what it publishes can't be read".to_owned())
}

fn read(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let file: File = serde_json::from_slice(body).ok()?;
    let vouches = file
        .channels
        .iter()
        .filter_map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
    (file.madang == VERSION).then(|| vouches.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_domain_publishes_is_read_and_what_is_not_known_passed_over() {
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(
            read(r#"{"madang": 1, "channels": ["AQI", "not base64!"], "apps": [7]}"#),
            Some(vec![vec![1, 2]])
        );
        assert_eq!(read(r#"{"madang": 1}"#), Some(Vec::new()));
        assert_eq!(read(r#"{"madang": 2, "channels": ["AQI"]}"#), None);
        assert_eq!(read("<html>"), None);
        assert_eq!(read(r#"{"madang": 1, "channels": {}}"#), None);
    }
}
