//! Pictures of a card that is sent: fetched here, so that no receiver fetches anything, and handed to the core one by one.

use super::api::{Api, ApiResult};
use super::dispatch::Shared;
use super::fetch::{deadline, fetch};
use super::limits::MAX_SHARE_IMAGE;
use super::params::ShareSendParams;

const ACCEPT: &str = "image/png, image/jpeg, image/webp, image/gif";

/// Has all pictures of a card be here that can be had. What can't is left out, and the answer to `share.send` says so.
pub(super) async fn gather<A: Api>(s: &Shared<A>, origin: Option<String>, params: &ShareSendParams) -> ApiResult<()> {
    let (card, key) = (&params.card, &params.idempotency_key);
    let missing = s.api.share_pictures(origin.clone(), params).await?;
    let until = deadline();
    for (place, url) in missing {
        // Few at once in all of the node: each is up to 5 MiB in memory. The stop of the server alone closes it.
        let _one = s.picks.fetches.acquire().await.ok();
        let got = fetch(&url, ACCEPT, MAX_SHARE_IMAGE, until).await;
        let got = got.map(|fetched| fetched.bytes);
        s.api
            .share_picture(card.clone(), origin.clone(), key.clone(), place, got)
            .await?;
    }
    Ok(())
}
