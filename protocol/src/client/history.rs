//! Reading what is stored: lists, messages, ledgers, events. These go by a read handle past the client.

pub use super::blobs::{read as read_blob, strips as blob_strips, view as blob};

use super::array;
use super::effects::effects;
use super::gaps::GapState;
use super::io::ReadMark;
use super::profiles;
use super::records::{
    AckRow, AliasRow, AuthorRow, ChatHead, ChatRow, ContactRow, ForkRow, GapRow, GuestRow, InviteRow, LedgerRow,
    MessageRow, RequestRow, decode, key,
};
use crate::chat::ChatContext;
use crate::custody::Refusal;
use crate::keys::{AccountId, ChatId, DeviceId, MessageId, RequestId, TransportKey};
use crate::limits;
use crate::message::{Body, Mention, StreamId, extensions};
use crate::rows::{Rows, RowsError, Tree, prefix_end};
use std::collections::BTreeMap;

/// How far a message got; a later state never goes back to an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerState {
    /// Durable here.
    #[default]
    Queued,
    /// A relay signed for it.
    Held,
    /// Another device has it.
    Delivered,
    /// Another person has seen it.
    Read,
}

/// Where a message of ours is; at first nowhere but here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerView {
    /// The furthest state.
    pub state: LedgerState,
    /// This data is an old copy: nothing goes out before the device was put back into the chat.
    pub copied: bool,
    /// Why the last custodian refused, while none holds it.
    pub refused: Option<Refusal>,
    /// It was given up: nobody is handed it any more.
    pub expired: bool,
    /// Relays that signed for it, and until when (Unix milliseconds).
    pub held: Vec<(TransportKey, u64)>,
    /// Devices that have it.
    pub delivered: Vec<DeviceId>,
    /// Devices on which it was seen.
    pub read: Vec<DeviceId>,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    /// Its id.
    pub id: MessageId,
    /// Where.
    pub chat: ChatId,
    /// Whose.
    pub stream: StreamId,
    /// Its number in that stream.
    pub sequence: u64,
    /// The author.
    pub account: AccountId,
    /// What the author calls itself, as a contact or else in this chat; not told of our own.
    pub name: Option<String>,
    /// Whether it is ours.
    pub outgoing: bool,
    /// By the author's clock; a time of the future shows as that of its coming (FAULTS 24).
    pub sent_ms: u64,
    /// By ours.
    pub received_ms: u64,
    /// What it says, after edits; every text is a [`Body::Text`], that of a deleted message is empty.
    pub body: Body,
    /// For kinds that aren't known.
    pub fallback: String,
    /// The message that a text answers; it may be gone, or not be here yet.
    pub reply_to: Option<MessageId>,
    /// Who is named in a text.
    pub mentions: Vec<Mention>,
    /// When its author changed it last.
    pub edited_ms: Option<u64>,
    /// Whether its author took it back.
    pub deleted: bool,
    /// By emoji, the ones that were left first at first.
    pub reactions: Vec<ReactionView>,
    /// Of a poll: who chose which option.
    pub votes: Vec<Vec<AccountId>>,
    /// Who keeps it in sight, if it is.
    pub pinned: Option<PinView>,
    /// Seconds after which it disappears: from sending if it is ours, else from reading.
    pub expires_after_s: Option<u32>,
    /// Where it is, if it is ours.
    pub ledger: Option<LedgerView>,
}

/// An emoji at a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionView {
    /// Which.
    pub emoji: String,
    /// Who left it.
    pub accounts: Vec<AccountId>,
}

/// A message is kept in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinView {
    /// By whom.
    pub account: AccountId,
    /// Since when, by their clock; a time of the future shows as that of its coming.
    pub at_ms: u64,
    /// What orders pins.
    pub(super) clock: u64,
}

/// A chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatView {
    /// Its id.
    pub id: ChatId,
    /// The other's account, in a one-to-one chat.
    pub peer: Option<AccountId>,
    /// Its settings.
    pub context: ChatContext,
    /// Its accounts, our own included.
    pub accounts: Vec<AccountId>,
    /// Whether we are a member.
    pub member: bool,
    /// Whether the other has yet to approve.
    pub requested: bool,
    /// Messages of others that the user hasn't seen, counted up to a bound.
    pub unread: u64,
    /// When something last happened; creation at the least.
    pub last_ms: u64,
    /// As whom we are in it, if not as our account.
    pub alias: Option<AliasView>,
}

/// As whom this node is in a chat that it asked for under an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasView {
    /// The alias's account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// What it calls itself; may be empty.
    pub name: String,
    /// The other, who is no contact by that.
    pub contact: ContactView,
}

/// A range of another device's messages that is missing, or the place where its histories part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapView {
    /// Whose messages.
    pub account: AccountId,
    /// Of which device.
    pub device: DeviceId,
    /// The first sequence.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Since when it is known, in Unix milliseconds.
    pub since_ms: u64,
    /// Open, lost or forked.
    pub state: GapState,
    /// How often relays, members or the author were asked for it.
    pub asked: u32,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactView {
    /// Who.
    pub account: AccountId,
    /// What they call themselves.
    pub name: String,
    /// The chat with them.
    pub chat: ChatId,
    /// Their active devices.
    pub devices: Vec<DeviceId>,
    /// Since when.
    pub since_ms: u64,
}

/// A contact request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestView {
    /// Its id.
    pub request: RequestId,
    /// Who asks.
    pub account: AccountId,
    /// What they call themselves.
    pub name: String,
    /// When it came.
    pub received_ms: u64,
    /// The group that it asks to be let into; none if it asks for contact.
    pub chat: Option<ChatId>,
}

pub use super::events::{Stretch, events, newest_event};

/// Unread messages are counted up to here.
const UNREAD_MOST: usize = 1000;
/// Most rows that one marking as read looks at.
const MARK_MOST: usize = 100_000;

/// Reads one message.
pub fn message(rows: &dyn Rows, id: &MessageId) -> Result<Option<MessageView>, RowsError> {
    Lookup::new(rows).message(id)
}

/// Reads messages one by one, and what they share once.
pub struct Lookup<'a> {
    rows: &'a dyn Rows,
    known: Known,
}

impl<'a> Lookup<'a> {
    /// Begins with nothing read.
    pub fn new(rows: &'a dyn Rows) -> Self {
        Self {
            rows,
            known: Known::default(),
        }
    }

    /// Where it reads.
    pub fn rows(&self) -> &'a dyn Rows {
        self.rows
    }

    /// Reads the message whose id begins so, without its ledger.
    pub(super) fn shortly(&mut self, short: &[u8; 16]) -> Result<Option<MessageView>, RowsError> {
        let Some(place) = self.rows.get(Tree::MessageIds, short)? else {
            return Ok(None);
        };
        // One that was numbered anew is read under its new id.
        if key::is_alias(&place) {
            return Ok(None);
        }
        let stored = [place.as_slice(), short].concat();
        match self.rows.get(Tree::Messages, &stored)? {
            Some(value) => bare(self.rows, &stored, &value, &mut self.known),
            None => Ok(None),
        }
    }

    /// Reads a message from its row, without its ledger.
    pub(super) fn of_row(&mut self, stored: &[u8], value: &[u8]) -> Result<Option<MessageView>, RowsError> {
        bare(self.rows, stored, value, &mut self.known)
    }

    /// Reads where a message of ours is.
    pub(super) fn with_ledger(&mut self, mut view: MessageView) -> Result<MessageView, RowsError> {
        view.ledger = view_ledger(self.rows, &view, &mut self.known)?;
        Ok(view)
    }

    /// Reads one message.
    pub fn message(&mut self, id: &MessageId) -> Result<Option<MessageView>, RowsError> {
        let Some(stored) = message_key(self.rows, id)? else {
            return Ok(None);
        };
        let Some(value) = self.rows.get(Tree::Messages, &stored)? else {
            return Ok(None);
        };
        let view = view(self.rows, &stored, &value, &mut self.known)?;
        // Keys hold half of an id; another may have led here, of before the message was numbered anew.
        let alias = key::message_short(&stored) != key::message_id(id);
        Ok(view.filter(|view| alias || view.id == *id))
    }
}

/// The key of a message, by which lists go on.
pub fn message_key(rows: &dyn Rows, id: &MessageId) -> Result<Option<Vec<u8>>, RowsError> {
    let place = rows.get(Tree::MessageIds, &key::message_id(id))?;
    Ok(place.map(|place| key::message_at(&place, id)))
}

/// Reads messages of a chat in the order shown. `after` and `before` are exclusive keys; with `before` (or neither) the newest come,
/// still in ascending order.
pub fn messages(
    rows: &dyn Rows,
    chat: &ChatId,
    after: Option<&[u8]>,
    before: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<(Vec<u8>, MessageView)>, RowsError> {
    let from = match after {
        Some(after) => [after, &[0]].concat(),
        None => chat.0.to_vec(),
    };
    let to = before.map_or_else(|| prefix_end(&chat.0), <[u8]>::to_vec);
    let from_end = after.is_none();
    let mut found = rows.range(Tree::Messages, &from, &to, limit, from_end)?;
    if from_end {
        found.reverse();
    }
    let mut known = Known::default();
    let mut list = Vec::with_capacity(found.len());
    for (stored, value) in found {
        if let Some(view) = view(rows, &stored, &value, &mut known)? {
            list.push((stored, view));
        }
    }
    Ok(list)
}

/// Reads the messages of a chat that are kept in sight, the ones that came to be so last first, at most [`limits::PINS_SHOWN`].
pub fn pins(rows: &dyn Rows, chat: &ChatId) -> Result<Vec<MessageView>, RowsError> {
    let mut lookup = Lookup::new(rows);
    let mut list = Vec::new();
    for (stored, _) in rows.prefix(Tree::Pins, &chat.0, usize::MAX)? {
        let Some(short) = stored.get(32..).and_then(|short| short.try_into().ok()) else {
            continue;
        };
        if let Some(view) = lookup.shortly(short)?
            && let Some(pin) = view.pinned
        {
            list.push(((pin.clock, pin.at_ms, view.id), view));
        }
    }
    list.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
    list.truncate(limits::PINS_SHOWN);
    list.into_iter().map(|(_, view)| lookup.with_ledger(view)).collect()
}

/// The place before the first message of a chat that was sent at a time or later, for lists that go on behind it; `None` if there is no
/// such message.
///
/// In the order shown, times nearly ascend, so that halving finds the place; where clocks differed, one of those that are possible.
pub fn before_time(rows: &dyn Rows, chat: &ChatId, at_ms: u64) -> Result<Option<Vec<u8>>, RowsError> {
    let first_from = |clock: u64| -> Result<Option<(Vec<u8>, u64)>, RowsError> {
        let from = [chat.0.as_slice(), &clock.to_be_bytes()].concat();
        let found = rows.range(Tree::Messages, &from, &prefix_end(&chat.0), 1, false)?;
        let Some((stored, value)) = found.into_iter().next() else {
            return Ok(None);
        };
        let received_ms = decode::<MessageRow>(&value)?.received_ms;
        let sent_ms = key::sent_ms(&stored).unwrap_or_default().min(received_ms);
        Ok(Some((stored, sent_ms)))
    };
    let (mut low, mut high) = (0, u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        match first_from(middle)? {
            Some((_, sent_ms)) if sent_ms < at_ms => low = middle + 1,
            _ => high = middle,
        }
    }
    let found = first_from(low)?.filter(|(_, sent_ms)| *sent_ms >= at_ms);
    let Some((stored, _)) = found else {
        return Ok(None);
    };
    // The greatest key of a message's length below it.
    let mut before = stored;
    for byte in before.iter_mut().rev() {
        let borrows = *byte == 0;
        *byte = byte.wrapping_sub(1);
        if !borrows {
            break;
        }
    }
    Ok(before.starts_with(&chat.0).then_some(before))
}

/// Whether a key is one of a chat's messages, as lists give them.
pub fn is_message_key(chat: &ChatId, stored: &[u8]) -> bool {
    stored.len() == key::MESSAGE_BYTES && stored.starts_with(&chat.0)
}

/// Reads what marking a message as read covers; `None` if there is no such message in the chat.
pub fn read_mark(rows: &dyn Rows, chat: &ChatId, through: &MessageId) -> Result<Option<ReadMark>, RowsError> {
    let Some(stored) = message_key(rows, through)? else {
        return Ok(None);
    };
    if !stored.starts_with(&chat.0) {
        return Ok(None);
    }
    let Some(row) = chat_row(rows, chat)? else {
        return Ok(None);
    };
    let from = if row.read_through.is_empty() {
        chat.0.to_vec()
    } else {
        row.read_through.clone()
    };
    let to = [stored.as_slice(), &[0]].concat();
    let mut streams: BTreeMap<StreamId, u64> = BTreeMap::new();
    for (_, value) in rows.range(Tree::Messages, &from, &to, MARK_MOST, true)? {
        let message: MessageRow = decode(&value)?;
        if let Some(author) = author(&row, &message).filter(|author| !author.own) {
            let through = streams.entry(author.stream).or_default();
            *through = (*through).max(message.sequence);
        }
    }
    Ok(Some(ReadMark {
        through: stored,
        streams: streams.into_iter().collect(),
    }))
}

/// Whether there is such a chat.
pub fn chat_exists(rows: &dyn Rows, chat: &ChatId) -> Result<bool, RowsError> {
    Ok(rows.get(Tree::Chats, &chat.0)?.is_some() || guest(rows, chat)?.is_some())
}

/// Reads one chat.
pub fn chat(rows: &dyn Rows, id: &ChatId) -> Result<Option<ChatView>, RowsError> {
    let found = rows.get(Tree::Chats, &id.0)?;
    match found {
        Some(value) => chat_view(rows, *id, &value).map(Some),
        None => guest(rows, id),
    }
}

/// The groups that this account has asked to be let into and isn't in.
fn guests(rows: &dyn Rows) -> Result<Vec<ChatView>, RowsError> {
    let mut list: Vec<ChatView> = Vec::new();
    for (_, value) in rows.prefix(Tree::Guests, &[], limits::GUESTS)? {
        let row: GuestRow = decode(&value)?;
        let known = rows.get(Tree::Chats, &row.chat.0)?.is_some() || list.iter().any(|chat| chat.id == row.chat);
        if row.joined || known {
            continue;
        }
        list.push(ChatView {
            id: row.chat,
            peer: None,
            context: ChatContext {
                admins: Vec::new(),
                ..ChatContext::group(row.name, row.inviter, Vec::new())
            },
            accounts: vec![row.inviter],
            member: false,
            requested: true,
            unread: 0,
            last_ms: row.asked_ms,
            alias: None,
        });
    }
    Ok(list)
}

fn guest(rows: &dyn Rows, id: &ChatId) -> Result<Option<ChatView>, RowsError> {
    Ok(guests(rows)?.into_iter().find(|chat| chat.id == *id))
}

/// An invite link of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInviteView {
    /// The link.
    pub link: String,
    /// Unix seconds.
    pub expires_s: u64,
    /// Whether the user decides on each guest.
    pub approval: bool,
    /// How many it has let in, and how many it may.
    pub uses: u32,
    /// How many it may let in.
    pub max_uses: u32,
}

/// Reads this account's invite links of a group.
pub fn group_invites(rows: &dyn Rows, chat: &ChatId) -> Result<Vec<GroupInviteView>, RowsError> {
    let mut list = Vec::new();
    for (_, value) in rows.prefix(Tree::Invites, &[], usize::MAX)? {
        let row: InviteRow = decode(&value)?;
        let leads = row.invite.group.as_ref().is_some_and(|group| group.chat == *chat);
        let Some(door) = row.group.filter(|_| leads) else {
            continue;
        };
        list.push(GroupInviteView {
            link: row.invite.to_link(),
            expires_s: row.expires_s,
            approval: door.approval,
            uses: u32::try_from(door.let_in.len()).unwrap_or(u32::MAX),
            max_uses: door.max_uses,
        });
    }
    Ok(list)
}

/// Reads all chats, by id.
pub fn chats(rows: &dyn Rows) -> Result<Vec<ChatView>, RowsError> {
    let mut list = Vec::new();
    for (stored, value) in rows.prefix(Tree::Chats, &[], usize::MAX)? {
        if let (32, Some(id)) = (stored.len(), array(&stored, 0)) {
            list.push(chat_view(rows, ChatId(id), &value)?);
        }
    }
    list.extend(guests(rows)?);
    list.sort_by_key(|chat| chat.id);
    Ok(list)
}

fn chat_view(rows: &dyn Rows, id: ChatId, value: &[u8]) -> Result<ChatView, RowsError> {
    let row: ChatRow = decode(value)?;
    let head: ChatHead = match rows.get(Tree::Chats, &[id.0.as_slice(), b"h"].concat())? {
        Some(bytes) => decode(&bytes)?,
        None => ChatHead::default(),
    };
    Ok(ChatView {
        id,
        peer: row.peer,
        requested: row.requested,
        unread: unread(rows, &id, &row)?,
        last_ms: head.last_ms.max(row.created_ms),
        member: !row.out,
        context: row.context,
        accounts: row.accounts,
        alias: alias(rows, &id)?,
    })
}

/// Reads all contacts, by account.
pub fn contacts(rows: &dyn Rows) -> Result<Vec<ContactView>, RowsError> {
    let mut list = Vec::new();
    for (_, value) in rows.prefix(Tree::Contacts, &[], usize::MAX)? {
        list.push(contact_view(decode(&value)?));
    }
    Ok(list)
}

/// Reads all contact requests, by id.
pub fn requests(rows: &dyn Rows) -> Result<Vec<RequestView>, RowsError> {
    let mut list = Vec::new();
    for (_, value) in rows.prefix(Tree::Requests, &[], usize::MAX)? {
        let row: RequestRow = decode(&value)?;
        list.push(RequestView {
            request: row.request,
            account: row.account,
            name: row.name,
            received_ms: row.received_ms,
            chat: row.chat,
        });
    }
    Ok(list)
}

/// The count of own messages of a chat that no other device has, up to a bound.
pub fn waiting(rows: &dyn Rows, chat: &ChatId) -> Result<u64, RowsError> {
    let newest = messages(rows, chat, None, None, UNREAD_MOST)?;
    Ok(newest
        .iter()
        .filter_map(|(_, message)| message.ledger.as_ref())
        .filter(|ledger| ledger.state < LedgerState::Delivered)
        .count() as u64)
}

/// Reads what is missing of a chat, by device and sequence.
pub fn gaps(rows: &dyn Rows, chat: &ChatId) -> Result<Vec<GapView>, RowsError> {
    let mut list = Vec::new();
    for (stored, value) in rows.prefix(Tree::Gaps, &chat.0, usize::MAX)? {
        let Some((stream, fork, _)) = key::gap_place(&stored) else {
            continue;
        };
        let device = stream.device;
        if fork {
            let row: ForkRow = decode(&value)?;
            list.push(GapView {
                account: row.account,
                device,
                first: row.sequence,
                last: row.sequence,
                since_ms: row.since_ms,
                state: GapState::Forked,
                asked: 0,
            });
            continue;
        }
        let row: GapRow = decode(&value)?;
        for (first, last) in row.missing.ranges() {
            list.push(GapView {
                account: row.account,
                device,
                first: *first,
                last: *last,
                since_ms: row.since_ms,
                state: if row.lost { GapState::Lost } else { GapState::Open },
                asked: row.rounds,
            });
        }
    }
    Ok(list)
}

fn unread(rows: &dyn Rows, chat: &ChatId, row: &ChatRow) -> Result<u64, RowsError> {
    let from = if row.read_through.is_empty() {
        chat.0.to_vec()
    } else {
        [row.read_through.as_slice(), &[0]].concat()
    };
    let mut count = 0;
    for (_, value) in rows.range(Tree::Messages, &from, &prefix_end(&chat.0), UNREAD_MOST, false)? {
        let message: MessageRow = decode(&value)?;
        count += u64::from(author(row, &message).is_some_and(|author| !author.own));
    }
    Ok(count)
}

fn chat_row(rows: &dyn Rows, chat: &ChatId) -> Result<Option<ChatRow>, RowsError> {
    rows.get(Tree::Chats, &chat.0)?.map(|bytes| decode(&bytes)).transpose()
}

fn author<'a>(chat: &'a ChatRow, message: &MessageRow) -> Option<&'a AuthorRow> {
    chat.authors.get(usize::try_from(message.author).ok()?)
}

/// What a list needs of each chat, read once.
#[derive(Default)]
struct Known(BTreeMap<ChatId, KnownChat>);

struct KnownChat {
    row: ChatRow,
    /// What the other devices have of our stream.
    /// With the stream.
    acks: Vec<(u64, DeviceId, AckRow)>,
    /// Of authors that were looked up.
    names: BTreeMap<AccountId, Option<String>>,
    /// What the accounts call themselves in this chat; read when the first author isn't a contact.
    told: Option<BTreeMap<AccountId, String>>,
}

/// What accounts call themselves in a group, whether they are contacts or not.
pub fn profile_names(rows: &dyn Rows, chat: &ChatId) -> Result<BTreeMap<AccountId, String>, RowsError> {
    profiles::names(rows, chat)
}

impl Known {
    fn chat(&mut self, rows: &dyn Rows, chat: &ChatId) -> Result<Option<&KnownChat>, RowsError> {
        if !self.0.contains_key(chat) {
            let Some(row) = chat_row(rows, chat)? else {
                return Ok(None);
            };
            let mut acks = Vec::new();
            for (stored, value) in rows.prefix(Tree::Acks, &chat.0, usize::MAX)? {
                if let Some(device) = array(&stored, 32) {
                    let incarnation = key::ack_incarnation(&stored).unwrap_or(row.incarnation);
                    acks.push((incarnation, DeviceId(device), decode(&value)?));
                }
            }
            let known = KnownChat {
                row,
                acks,
                names: BTreeMap::new(),
                told: None,
            };
            self.0.insert(*chat, known);
        }
        Ok(self.0.get(chat))
    }

    /// The name of another's: the contact's, which the user knows, else what it calls itself in the chat.
    fn name(&mut self, rows: &dyn Rows, chat: &ChatId, account: &AccountId) -> Result<Option<String>, RowsError> {
        let Some(known) = self.0.get_mut(chat) else {
            return Ok(None);
        };
        if let Some(name) = known.names.get(account) {
            return Ok(name.clone());
        }
        let contact = contact_in(rows, chat, account)?.filter(|contact| !contact.name.is_empty());
        let name = match (contact, &mut known.told) {
            (Some(contact), _) => Some(contact.name),
            (None, Some(told)) => told.get(account).cloned(),
            (None, told) => told.insert(profiles::names(rows, chat)?).get(account).cloned(),
        };
        known.names.insert(*account, name.clone());
        Ok(name)
    }
}

fn view(rows: &dyn Rows, stored: &[u8], value: &[u8], known: &mut Known) -> Result<Option<MessageView>, RowsError> {
    let Some(mut view) = bare(rows, stored, value, known)? else {
        return Ok(None);
    };
    view.ledger = view_ledger(rows, &view, known)?;
    Ok(Some(view))
}

fn view_ledger(rows: &dyn Rows, view: &MessageView, known: &mut Known) -> Result<Option<LedgerView>, RowsError> {
    let found = if view.outgoing {
        known.chat(rows, &view.chat)?
    } else {
        None
    };
    let Some(found) = found else {
        return Ok(None);
    };
    let (incarnation, copied) = (view.stream.incarnation, found.row.copied.is_some());
    ledger(rows, &view.chat, incarnation, view.sequence, &found.acks, copied).map(Some)
}

/// A message without its ledger.
fn bare(rows: &dyn Rows, stored: &[u8], value: &[u8], known: &mut Known) -> Result<Option<MessageView>, RowsError> {
    let (Some(chat), Some(sent_ms)) = (array(stored, 0).map(ChatId), key::sent_ms(stored)) else {
        return Ok(None);
    };
    let row: MessageRow = decode(value)?;
    let Some(found) = known.chat(rows, &chat)? else {
        return Ok(None);
    };
    let Some(author) = author(&found.row, &row).cloned() else {
        return Ok(None);
    };
    let name = if author.own {
        None
    } else {
        known.name(rows, &chat, &author.account)?
    };
    let (body, fallback, reply_to, mentions) = match row.body {
        Body::Rich(rich) => (Body::Text(row.fallback), String::new(), rich.reply_to, rich.mentions),
        body => (body, row.fallback, None, Vec::new()),
    };
    let mut view = MessageView {
        id: author.stream.message(row.sequence),
        chat,
        stream: author.stream,
        sequence: row.sequence,
        account: author.account,
        name,
        outgoing: author.own,
        sent_ms: sent_ms.min(row.received_ms),
        received_ms: row.received_ms,
        votes: match &body {
            Body::Poll(poll) => vec![Vec::new(); poll.options.len()],
            _ => Vec::new(),
        },
        body,
        fallback,
        reply_to,
        mentions,
        edited_ms: None,
        deleted: row.deleted,
        reactions: Vec::new(),
        pinned: None,
        expires_after_s: extensions::expires_after_s(&row.extensions),
        ledger: None,
    };
    if row.touched
        && let Some(found) = known.chat(rows, &chat)?
    {
        view.take(effects(rows, &chat, &view.id)?, &found.row.context);
    }
    Ok(Some(view))
}

fn ledger(
    rows: &dyn Rows,
    chat: &ChatId,
    incarnation: u64,
    sequence: u64,
    acks: &[(u64, DeviceId, AckRow)],
    copied: bool,
) -> Result<LedgerView, RowsError> {
    // Rows are for messages that were handed over together: the last that begins at this one or before, if it goes so far.
    let (from, to) = (
        key::ledger(chat, incarnation, 0),
        key::ledger(chat, incarnation, sequence.saturating_add(1)),
    );
    let row = match rows.range(Tree::Ledger, &from, &to, 1, true)?.first() {
        Some((_, bytes)) => Some(decode::<LedgerRow>(bytes)?).filter(|row| row.last >= sequence),
        None => None,
    };
    let row = row.unwrap_or_default();
    let (mut delivered, mut read) = (Vec::new(), Vec::new());
    for (_, device, ack) in acks.iter().filter(|(of, ..)| *of == incarnation) {
        if ack.delivered.contains(sequence) {
            delivered.push(*device);
            if sequence <= ack.read_through {
                read.push(*device);
            }
        }
    }
    let state = if !read.is_empty() {
        LedgerState::Read
    } else if !delivered.is_empty() {
        LedgerState::Delivered
    } else if !row.held.is_empty() {
        LedgerState::Held
    } else {
        LedgerState::Queued
    };
    Ok(LedgerView {
        state,
        copied,
        refused: row.refused,
        expired: row.expired,
        held: row.held.into_iter().filter(|(_, until_ms)| *until_ms > 0).collect(),
        delivered,
        read,
    })
}

/// Reads one contact.
pub fn contact(rows: &dyn Rows, account: &AccountId) -> Result<Option<ContactView>, RowsError> {
    rows.get(Tree::Contacts, &account.0)?
        .map(|value| Ok(contact_view(decode(&value)?)))
        .transpose()
}

/// Reads what is known of an account that is in a chat: as a contact, or as the other of an alias's chat.
pub fn contact_in(rows: &dyn Rows, chat: &ChatId, account: &AccountId) -> Result<Option<ContactView>, RowsError> {
    match alias(rows, chat)? {
        Some(alias) => Ok(Some(alias.contact).filter(|contact| contact.account == *account)),
        None => contact(rows, account),
    }
}

fn alias(rows: &dyn Rows, chat: &ChatId) -> Result<Option<AliasView>, RowsError> {
    let Some(value) = rows.get(Tree::Aliases, &chat.0)? else {
        return Ok(None);
    };
    let row: AliasRow = decode(&value)?;
    Ok(Some(AliasView {
        account: row.log.account,
        device: row.device.public(),
        name: row.name,
        contact: contact_view(row.contact),
    }))
}

fn contact_view(row: ContactRow) -> ContactView {
    ContactView {
        account: row.account,
        name: row.name,
        chat: row.chat,
        devices: row.log.verify().unwrap_or_default(),
        since_ms: row.since_ms,
    }
}
