//! The node itself, its account, and what it knows of relays.

use madang_protocol::client::{Command, evidence, history};
use madang_protocol::keys;
use madang_protocol::rows::RowsError;

use super::{Facade, check};
use crate::core::chats::chat_name;
use crate::core::engine::{Ask, Status};
use crate::core::relays::{proof, relay_check};
use crate::core::show::given;
use crate::rpc::api::{ApiResult, NodeApi};
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl NodeApi for Facade {
    async fn node_info(&self) -> ApiResult<NodeInfo> {
        let status = self.status().await?;
        Ok(NodeInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            account: self.account.to_string(),
            device: DeviceKey(self.device.0),
            peer: self.net.local().to_string(),
            listen: self.net.listen_addrs(),
            relays: status
                .relays
                .into_iter()
                .map(|relay| RelayInfo {
                    relay: RelayKey(relay.standing.relay.0),
                    address: relay.address,
                    connected: relay.connected,
                    state: match relay.standing.demoted_ms {
                        None => RelayState::Trusted,
                        Some(_) => RelayState::Demoted,
                    },
                    reason: relay.standing.reason().map(|fault| fault.name().to_owned()),
                    since_ms: relay.standing.demoted_ms,
                })
                .collect(),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    async fn node_doctor(&self) -> ApiResult<Doctor> {
        let mut checks = vec![match self.read_only() {
            None => check("store", true, "takes writes", None),
            Some(reason) => check(
                "store",
                false,
                &reason,
                Some("free disk space or check the disk, then restart the node"),
            ),
        }];
        let listen = self.net.listen_addrs();
        checks.push(check(
            "listen",
            !listen.is_empty(),
            &listen.join(" "),
            listen.is_empty().then_some("give an address with --listen"),
        ));
        let status = match self.status().await {
            Ok(status) => status,
            Err(ApiError::ReadOnly { .. }) => Status::default(),
            Err(error) => return Err(error),
        };
        if status.relays.is_empty() {
            checks.push(check(
                "relay",
                true,
                "no relay is set: messages wait here until the other side is connected",
                Some("give one with --relay, so that messages reach people who are offline"),
            ));
        }
        let alone = status.relays.len() == 1;
        checks.extend(status.relays.iter().map(|relay| relay_check(relay, alone)));
        let chats = self
            .read(|rows| {
                history::chats(rows)?
                    .into_iter()
                    .map(|chat| {
                        let open = |gap: &history::GapView| gap.state == madang_protocol::client::GapState::Open;
                        let gaps = history::gaps(rows, &chat.id)?.iter().filter(|gap| open(gap)).count() as u64;
                        let waiting = history::waiting(rows, &chat.id)?;
                        Ok((chat_name(rows, &chat)?, waiting, gaps, chat))
                    })
                    .collect::<Result<Vec<_>, RowsError>>()
            })
            .await?;
        let chats = chats
            .into_iter()
            .map(|(name, waiting, gaps, chat)| {
                let path = match status.paths.get(&chat.id) {
                    Some((true, _)) => Path::Direct,
                    Some((false, true)) => Path::Relay,
                    _ => Path::None,
                };
                let reason = match (waiting, path) {
                    (0, _) => None,
                    (_, Path::None) => Some("neither a relay nor a device of the contact is connected".to_owned()),
                    (_, _) if chat.requested => Some("the contact has not approved the request yet".to_owned()),
                    _ => Some("the contact's devices have not confirmed yet".to_owned()),
                };
                ChatHealth {
                    chat: ChatId(chat.id.0),
                    name,
                    path,
                    waiting,
                    reason,
                    gaps,
                }
            })
            .collect();
        Ok(Doctor {
            ok: checks.iter().all(|check| check.ok),
            checks,
            chats,
        })
    }

    async fn relay_evidence(&self, params: EvidenceParams) -> ApiResult<Page<Evidence>> {
        let relay = params.relay.map(|relay| keys::TransportKey(relay.0));
        let found = self.read(move |rows| evidence(rows, relay.as_ref())).await?;
        Ok(Page {
            items: found.into_iter().map(proof).collect(),
            next: None,
            prev: None,
        })
    }

    async fn account_get(&self) -> ApiResult<AccountInfo> {
        let status = self.status().await?;
        Ok(AccountInfo {
            account: self.account.to_string(),
            device: DeviceKey(self.device.0),
            name: given(&status.name),
            phrase_confirmed: status.phrase_confirmed,
        })
    }

    async fn account_phrase(&self) -> ApiResult<Phrase> {
        let phrase = self.ask(Ask::Phrase).await?.ok_or(ApiError::PhraseErased)?;
        let words = phrase.words().map_err(|error| ApiError::Internal {
            reason: error.to_string(),
        })?;
        Ok(Phrase {
            words: words.split(' ').map(str::to_owned).collect(),
        })
    }

    async fn account_confirm_phrase(&self) -> ApiResult<Done> {
        self.command(Command::ConfirmPhrase).await?;
        Ok(Done {})
    }
}
