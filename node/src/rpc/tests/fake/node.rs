//! The node itself, its account, and what it knows of relays.

use std::sync::atomic::Ordering;

use super::{Fake, SECRET_WORD, page};
use crate::rpc::api::{ApiResult, NodeApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl NodeApi for Fake {
    async fn node_info(&self) -> ApiResult<NodeInfo> {
        self.infos.fetch_add(1, Ordering::Relaxed);
        Ok(NodeInfo {
            version: "0.1.0".into(),
            account: "madang1alice".into(),
            device: DeviceKey([2; 32]),
            peer: "12D3".into(),
            listen: vec!["/ip4/127.0.0.1/tcp/1".into()],
            relays: vec![RelayInfo {
                relay: RelayKey([4; 32]),
                address: "/ip4/127.0.0.1/tcp/2/p2p/12D3".into(),
                connected: true,
                state: RelayState::Demoted,
                reason: Some("denied".into()),
                since_ms: Some(8),
            }],
            uptime_ms: 10,
        })
    }

    async fn node_doctor(&self) -> ApiResult<Doctor> {
        Ok(Doctor {
            ok: false,
            checks: vec![Check {
                name: "relay".into(),
                ok: false,
                detail: "no relay is connected".into(),
                hint: Some("start one".into()),
            }],
            chats: vec![ChatHealth {
                chat: ChatId([3; 32]),
                name: None,
                path: Path::None,
                waiting: 2,
                reason: Some("no relay is connected".into()),
                gaps: 1,
            }],
        })
    }

    async fn relay_evidence(&self, params: EvidenceParams) -> ApiResult<Page<Evidence>> {
        let relay = params.relay.ok_or(ApiError::NotFound { field: "relay" })?;
        Ok(page(vec![Evidence {
            relay,
            reason: "denied".into(),
            found_ms: 9,
            answer: "it lacked one".into(),
            topic: Some("07".into()),
            envelope: Some("08".into()),
            until_ms: Some(10),
            receipts: vec!["81".into()],
            frame: "89".into(),
        }]))
    }

    async fn account_get(&self) -> ApiResult<AccountInfo> {
        Ok(AccountInfo {
            account: "madang1alice".into(),
            device: DeviceKey([2; 32]),
            name: Some("Alice".into()),
            phrase_confirmed: false,
        })
    }

    async fn account_phrase(&self) -> ApiResult<Phrase> {
        Ok(Phrase {
            words: vec![SECRET_WORD.into(), "zoo".into()],
        })
    }

    async fn account_confirm_phrase(&self) -> ApiResult<Done> {
        Ok(Done {})
    }
}
