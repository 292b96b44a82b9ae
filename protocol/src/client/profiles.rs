//! What members call themselves: each device tells the chat once, and whoever adds others gives them all profiles that it knows.

use super::chats::Chat;
use super::records::{decode, encode, key};
use super::{Client, EventRow, array};
use crate::chat::{ChatKind, Profile};
use crate::keys::{AccountId, ChatId, DeviceId};
use crate::limits;
use crate::message::Body;
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Milliseconds until a profile that found no room in the outbox is told again (guess).
const LATER_MS: u64 = 60_000;
/// Bytes of a Welcome's extensions that aren't profiles: their type and lengths, and room for what later versions add.
const JOIN_OTHER_BYTES: usize = 4 * 1024;

/// A device's profile in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub account: AccountId,
    pub profile: Profile,
    /// Our message that told it, 0 if none did.
    told: u64,
}

#[derive(Serialize, Deserialize)]
struct ProfileRow {
    account: AccountId,
    #[serde(with = "serde_bytes")]
    profile: Vec<u8>,
    told: u64,
}

/// Reads the profiles of a chat; what can't be read is told again some day.
pub(super) fn read(rows: &dyn Rows, chat: &ChatId) -> Result<BTreeMap<DeviceId, Known>, RowsError> {
    let mut known = BTreeMap::new();
    for (stored, value) in rows.prefix(Tree::Profiles, &chat.0, limits::PROFILES_PER_CHAT)? {
        let row: ProfileRow = decode(&value)?;
        if let (Some(device), Ok(profile)) = (array(&stored, 32), Profile::decode(&row.profile)) {
            let (account, told) = (row.account, row.told);
            known.insert(DeviceId(device), Known { account, profile, told });
        }
    }
    Ok(known)
}

/// What the accounts of a chat call themselves: of an account's devices the newest says it.
pub(super) fn names(rows: &dyn Rows, chat: &ChatId) -> Result<BTreeMap<AccountId, String>, RowsError> {
    let mut newest: BTreeMap<AccountId, Profile> = BTreeMap::new();
    for Known { account, profile, .. } in read(rows, chat)?.into_values() {
        if newest.get(&account).is_none_or(|known| known.number < profile.number) {
            newest.insert(account, profile);
        }
    }
    let named = newest.into_iter().filter(|(_, profile)| !profile.name.is_empty());
    Ok(named.map(|(account, profile)| (account, profile.name)).collect())
}

impl Client {
    /// Finds the groups whose members know another name of ours, or none.
    pub(super) fn find_due_profiles(&mut self) {
        let (own, name) = (self.device(), &self.settings.name);
        for chat in self.chats.values_mut().filter(|chat| chat.is_group()) {
            let due = match chat.profiles.get(&own) {
                Some(known) => known.profile.name != *name,
                None => !name.is_empty() && chat.members.len() > 1,
            };
            if due {
                chat.profile_ms = Some(0);
            }
        }
    }

    /// Tells a group what this account calls itself, if it is time to.
    pub(super) fn tell_profile_if_due(&mut self, now_ms: u64, chat_id: ChatId) -> Result<(), RowsError> {
        let full = self.outbox_full();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        // A clock that jumped back must not leave it far in the future.
        let due = |at: u64| at <= now_ms || at - now_ms > LATER_MS;
        if !chat.profile_ms.is_some_and(due) {
            return Ok(());
        }
        chat.profile_ms = None;
        if !chat.is_member() || chat.members.len() < 2 {
            return Ok(());
        }
        if full || chat.row.lost {
            chat.profile_ms = Some(now_ms.saturating_add(LATER_MS));
            return Ok(());
        }
        let Some(profile) = self.own_profile(now_ms, chat_id)? else {
            return Ok(());
        };
        let told = self.chats.get(&chat_id).map_or(0, |chat| chat.head.sequence + 1);
        self.send_body(now_ms, chat_id, Body::Profile(profile.encode()))
            .map_err(|error| RowsError {
                reason: error.to_string(),
            })?;
        let account = self.account();
        self.put_profile(chat_id, Known { account, profile, told })
    }

    /// This device's profile as it is now; none while there is no name to tell.
    fn own_profile(&mut self, now_ms: u64, chat_id: ChatId) -> Result<Option<Profile>, RowsError> {
        let (own, account, name) = (self.device(), self.account(), self.settings.name.clone());
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(None);
        };
        let known = chat.profiles.get(&own);
        if let Some(known) = known.filter(|known| known.profile.name == name) {
            return Ok(Some(known.profile.clone()));
        }
        if known.is_none() && name.is_empty() {
            return Ok(None);
        }
        let number = known.map_or(now_ms, |known| now_ms.max(known.profile.number.saturating_add(1)));
        let profile = Profile::sign(&self.account.device, chat_id, number, name);
        let known = Known {
            account,
            profile: profile.clone(),
            told: 0,
        };
        self.put_profile(chat_id, known)?;
        Ok(Some(profile))
    }

    /// This device's profile in a chat that it is making; none while there is no name to tell.
    pub(super) fn first_profile(&self, now_ms: u64, chat: ChatId) -> Option<Profile> {
        let name = self.settings.name.clone();
        (!name.is_empty()).then(|| Profile::sign(&self.account.device, chat, now_ms, name))
    }

    /// Keeps the profile of a chat that was made.
    pub(super) fn keep_first_profile(&mut self, chat_id: ChatId, profile: Option<Profile>) -> Result<(), RowsError> {
        let account = self.account();
        match profile {
            Some(profile) => self.put_profile(
                chat_id,
                Known {
                    account,
                    profile,
                    told: 0,
                },
            ),
            None => Ok(()),
        }
    }

    /// What newcomers are told: this device's profile, and those of the members, as far as they fit.
    pub(super) fn profiles_for_newcomers(&mut self, now_ms: u64, chat_id: ChatId) -> Result<Vec<Profile>, RowsError> {
        let own = self.device();
        let mut told: Vec<Profile> = self.own_profile(now_ms, chat_id)?.into_iter().collect();
        let Some(chat) = self.chats.get(&chat_id) else {
            return Ok(told);
        };
        let mut room = limits::JOIN_EXTENSION_BYTES - JOIN_OTHER_BYTES;
        let members = chat.others(own).filter_map(|member| chat.profiles.get(&member.device));
        for known in members {
            let bytes = known.profile.encode().len();
            if bytes > room {
                break;
            }
            room -= bytes;
            told.push(known.profile.clone());
        }
        Ok(told)
    }

    /// Takes what the Welcome tells of the members, and tells them of this device.
    pub(super) fn welcome_profiles(
        &mut self,
        now_ms: u64,
        chat_id: ChatId,
        profiles: Vec<Profile>,
    ) -> Result<(), RowsError> {
        for profile in profiles {
            self.take_profile(chat_id, profile)?;
        }
        let (own, name) = (self.device(), &self.settings.name);
        if let Some(chat) = self.chats.get_mut(&chat_id)
            && chat.is_group()
            && chat.profiles.get(&own).is_none_or(|known| known.profile.name != *name)
        {
            chat.profile_ms = Some(now_ms);
        }
        Ok(())
    }

    /// A member told what it calls itself.
    pub(super) fn profile_told(&mut self, chat_id: ChatId, device: DeviceId, bytes: &[u8]) -> Result<(), RowsError> {
        match Profile::decode(bytes) {
            // Others' profiles come by Welcomes only: there the one who passes them on is asked for them.
            Ok(profile) if profile.device == device => self.take_profile(chat_id, profile),
            _ => Ok(()),
        }
    }

    /// Takes a profile of a member if it is newer than what is known.
    fn take_profile(&mut self, chat_id: ChatId, profile: Profile) -> Result<(), RowsError> {
        let own = self.device();
        let Some(chat) = self.chats.get(&chat_id).filter(|chat| chat.is_group()) else {
            return Ok(());
        };
        let member = chat.members.iter().find(|member| member.device == profile.device);
        let Some(account) = member.map(|member| member.account).filter(|_| profile.device != own) else {
            return Ok(());
        };
        let known = chat.profiles.get(&profile.device);
        if known.is_some_and(|known| known.profile.number >= profile.number) || profile.verify(chat_id).is_err() {
            return Ok(());
        }
        let renamed = known.is_none_or(|known| known.profile.name != profile.name);
        let told = 0;
        self.put_profile(chat_id, Known { account, profile, told })?;
        if renamed {
            self.event(&EventRow::ChatUpdated { chat: chat_id });
        }
        Ok(())
    }

    /// Others have joined: if whoever added them may not have known our profile, it is told once more.
    pub(super) fn profile_for_others(&mut self, now_ms: u64, chat_id: ChatId) {
        let own = self.device();
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return;
        };
        let told = chat.profiles.get(&own).map_or(0, |known| known.told);
        let adder = chat.dag.commit(&chat.dag.tip()).map(|commit| commit.device);
        let Some(adder) = adder.filter(|adder| *adder != own && told > 0) else {
            return;
        };
        let has = |ack: &super::records::AckRow| told < ack.from || ack.delivered.contains(told);
        if !chat.acks.get(&adder).is_some_and(has) {
            chat.profile_ms = Some(now_ms);
        }
    }

    fn put_profile(&mut self, chat_id: ChatId, known: Known) -> Result<(), RowsError> {
        let device = known.profile.device;
        let row = encode(&ProfileRow {
            account: known.account,
            profile: known.profile.encode(),
            told: known.told,
        })?;
        self.put(Tree::Profiles, key::profile(&chat_id, &device), row);
        let Some(chat) = self.chats.get_mut(&chat_id) else {
            return Ok(());
        };
        chat.profiles.insert(device, known);
        if chat.profiles.len() <= limits::PROFILES_PER_CHAT {
            return Ok(());
        }
        let gone = chat
            .profiles
            .iter()
            .filter(|(device, _)| chat.members.iter().all(|member| member.device != **device))
            .min_by_key(|(_, known)| known.profile.number)
            .map(|(device, _)| *device);
        if let Some(gone) = gone {
            chat.profiles.remove(&gone);
            self.step.batch.delete(Tree::Profiles, key::profile(&chat_id, &gone));
        }
        Ok(())
    }
}

impl Chat {
    /// Whether it is a group, whose members needn't be contacts.
    pub(super) fn is_group(&self) -> bool {
        self.row.context.kind == ChatKind::Group
    }
}
