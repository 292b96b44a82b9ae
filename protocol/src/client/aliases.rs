//! Aliases: other accounts of this device, each for one chat that it asks for. The leaf, the inbox, the marks and the name in that chat
//! are the alias's, and nothing that its other side is handed is made of, or names, the node's own account. An alias has no transport
//! key and no relays of its own: both sides meet at the relays that the other has told, and nothing of the chat goes to a device
//! directly or by gossip, also where the other's device is connected for another reason (docs/adr/0021-aliases-in-one-chat.md).

use super::io::CommandError;
use super::records::{AliasRow, ContactRow, decode, encode};
use super::{Client, LoadError, TopicUse, array};
use crate::chat::{LeafIdentity, MarkKey};
use crate::contact::{Card, Details, Inbox, Invite};
use crate::identity::DeviceLog;
use crate::keys::{AccountId, AccountSecret, ChatId, DeviceId, DeviceSecret, TopicId};
use crate::limits;
use crate::mls::Suite;
use crate::rows::{Rows, RowsError, Tree};

/// An alias in memory.
pub(super) struct Alias {
    pub row: AliasRow,
    pub marks: MarkKey,
}

impl Alias {
    fn new(row: AliasRow) -> Self {
        let marks = MarkKey::of(&row.device);
        Self { row, marks }
    }

    /// Where the other writes to it.
    pub(super) fn inbox(&self) -> TopicId {
        self.row.contact.our_inbox.topic.public()
    }
}

impl AliasRow {
    pub(super) fn identity(&self) -> LeafIdentity {
        LeafIdentity {
            log: self.log.clone(),
            device: self.device.public(),
        }
    }

    /// What the other is told of it: the relays are the other's, and no key package lets anybody add it to groups.
    pub(super) fn details(&self, suite: Suite) -> Details {
        let inbox = &self.contact.our_inbox;
        Details {
            log: self.log.clone(),
            suite,
            inbox: Inbox {
                topic: inbox.topic.clone(),
                seal_key: inbox.seal_public.clone(),
            },
            transports: Vec::new(),
            devices: Vec::new(),
            relays: self.contact.relays.clone(),
            name: self.name.clone(),
            packages: Vec::new(),
        }
    }
}

/// Whether a name is one that an alias can have.
fn check_name(name: &str) -> Result<(), CommandError> {
    if name.len() > limits::NAME_BYTES {
        return Err(CommandError::TooLarge {
            field: "alias.name",
            found: name.len(),
            limit: limits::NAME_BYTES,
        });
    }
    Ok(())
}

/// What an alias takes that isn't there.
const NO_RELAY: CommandError = CommandError::Invalid {
    field: "alias",
    reason: "takes a relay of the inviter's, and none is named: a direct connection would show your node's key",
};

impl Client {
    pub(super) fn load_aliases(&mut self, rows: &dyn Rows) -> Result<(), LoadError> {
        for (stored, value) in rows.prefix(Tree::Aliases, &[], usize::MAX)? {
            if let Some(chat) = array(&stored, 0).map(ChatId) {
                self.take_alias(chat, decode(&value)?);
            }
        }
        Ok(())
    }

    fn take_alias(&mut self, chat: ChatId, row: AliasRow) {
        let alias = Alias::new(row);
        self.topics.insert(alias.inbox(), TopicUse::Alias(chat));
        self.aliases.insert(chat, alias);
    }

    pub(super) fn put_alias(&mut self, chat: ChatId, row: AliasRow) -> Result<(), RowsError> {
        let bytes = encode(&row)?;
        self.put(Tree::Aliases, chat.0, bytes);
        self.take_alias(chat, row);
        Ok(())
    }

    /// As whom this device is in a chat.
    pub(super) fn account_in(&self, chat: &ChatId) -> AccountId {
        let alias = self.aliases.get(chat);
        alias.map_or_else(|| self.account(), |alias| alias.row.log.account)
    }

    /// This device, as the others of a chat know it.
    pub(super) fn device_in(&self, chat: &ChatId) -> DeviceId {
        let alias = self.aliases.get(chat);
        alias.map_or_else(|| self.device(), |alias| alias.row.device.public())
    }

    /// By which it signs there.
    pub(super) fn secret_in(&self, chat: &ChatId) -> DeviceSecret {
        let alias = self.aliases.get(chat);
        alias.map_or(&self.account.device, |alias| &alias.row.device).clone()
    }

    pub(super) fn identity_in(&self, chat: &ChatId) -> LeafIdentity {
        let alias = self.aliases.get(chat);
        alias.map_or_else(|| self.identity(), |alias| alias.row.identity())
    }

    /// An account as a contact of whoever this device is in a chat.
    pub(super) fn contact_in(&self, chat: &ChatId, account: &AccountId) -> Option<&ContactRow> {
        match self.aliases.get(chat) {
            Some(alias) => Some(&alias.row.contact).filter(|contact| contact.account == *account),
            None => self.contacts.get(account),
        }
    }

    /// What a contact is told of whoever this device is in the chat with it.
    pub(super) fn details_in(&self, chat: &ChatId, account: &AccountId) -> Option<Details> {
        match self.aliases.get(chat) {
            Some(alias) => Some(alias.row.details(self.config.suite)),
            None => self
                .contacts
                .get(account)
                .map(|contact| self.details(&contact.our_inbox)),
        }
    }

    /// Whether a topic is an alias's: towards devices that are connected this node knows nothing of it.
    pub(super) fn is_quiet(&self, topic: &TopicId) -> bool {
        match self.topics.get(topic) {
            Some(TopicUse::Chat(chat)) => self.aliases.contains_key(chat),
            Some(TopicUse::Alias(_)) => true,
            _ => false,
        }
    }

    /// Begins to ask for a chat under an alias. Where there is one of that name with the inviter, it is that one's.
    pub(super) fn accept_as(
        &mut self,
        now_ms: u64,
        token: u64,
        link: &str,
        name: String,
    ) -> Result<Option<ChatId>, CommandError> {
        check_name(&name)?;
        let invite = self.usable_invite(now_ms, link)?;
        if invite.group.is_some() {
            return Err(CommandError::Invalid {
                field: "alias",
                reason: "is for a chat of two, and the invite leads to a group",
            });
        }
        if let Some(chat) = self.alias_chat(&invite.account, &name) {
            return Ok(Some(chat));
        }
        self.aliases_left()?;
        if invite.relays.is_empty() {
            return Err(NO_RELAY);
        }
        self.look_for_card(now_ms, token, invite, Some(name))?;
        Ok(None)
    }

    fn alias_chat(&self, other: &AccountId, name: &str) -> Option<ChatId> {
        let mut all = self.aliases.iter();
        let found = all.find(|(_, alias)| alias.row.contact.account == *other && alias.row.name == name);
        found.map(|(chat, _)| *chat)
    }

    fn aliases_left(&self) -> Result<(), CommandError> {
        if self.aliases.len() < limits::ALIASES {
            return Ok(());
        }
        Err(CommandError::Limit {
            what: "chats under an alias",
            limit: limits::ALIASES,
        })
    }

    /// Asks for a chat under an alias, by the inviter's card.
    pub(super) fn request_as(
        &mut self,
        now_ms: u64,
        invite: &Invite,
        card: &Card,
        name: String,
    ) -> Result<ChatId, CommandError> {
        if let Some(chat) = self.alias_chat(&invite.account, &name) {
            return Ok(chat);
        }
        self.aliases_left()?;
        let devices = |key| card.transports.iter().any(|known| known.transport == key);
        if card.relays.iter().all(|relay| devices(relay.key)) {
            return Err(NO_RELAY);
        }
        // Nobody keeps the root: an alias has one device, and its log never grows.
        let root = AccountSecret::from_bytes(self.crypto.random());
        let device = DeviceSecret::from_bytes(self.crypto.random());
        let chat = ChatId(self.crypto.random());
        let row = AliasRow {
            log: DeviceLog::create(&root, device.public()),
            device,
            name,
            contact: card.contact(chat, now_ms, self.bare_inbox()?),
        };
        self.request_chat(now_ms, invite, card, chat, Some(row))?;
        Ok(chat)
    }

    /// The other of an alias's chat told its details. The alias goes along where the other moves to.
    pub(super) fn other_told(
        &mut self,
        now_ms: u64,
        chat: ChatId,
        contact: ContactRow,
        moved: bool,
    ) -> Result<(), RowsError> {
        let Some(alias) = self.aliases.get(&chat) else {
            return Ok(());
        };
        let (account, row) = (contact.account, alias.row.clone());
        self.put_alias(chat, AliasRow { contact, ..row })?;
        self.refresh_links(now_ms)?;
        if !moved {
            return Ok(());
        }
        self.send_details(now_ms, account, chat).map_err(|error| RowsError {
            reason: error.to_string(),
        })
    }
}
