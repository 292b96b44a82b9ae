//! The promises: what was acknowledged, compared with what everybody has.

use super::random::{Micros, Random, SECOND};
use super::setup::{ALL_EVENTS, Pair};
use super::world::{HostId, World};
use crate::client::forge::FORGED;
use crate::client::{Command, EventRow, Fault, LedgerState, LedgerView, MessageView, ReadMark, evidence, history};
use crate::keys::{ChatId, DeviceId, MessageId, NodeId};
use crate::message::{Body, StreamId};
use crate::rows::RowsError;
use std::collections::{BTreeMap, BTreeSet};

/// Of a host's commits, one in so many is followed by a look at its ledgers.
const SAMPLED: u64 = 6;

/// Virtual time within which a gossip is judged: the slowest flush and more.
const VERDICT: Micros = 2 * SECOND;

/// A text that somebody was asked to send.
pub(super) struct Sent {
    pub author: HostId,
    chat: ChatId,
    pub text: String,
    key: Option<String>,
    /// Acknowledged under this id.
    id: Option<MessageId>,
    pub asked_at: Micros,
    /// The states that its author's group was in before it was asked, and once it had answered.
    pub asked_in: Option<NodeId>,
    pub done_in: Option<NodeId>,
    /// Answers that are still to come.
    waiting: u32,
    /// It isn't allowed any more: no application asks again.
    refused: bool,
    leaps: u32,
}

/// How far readers say they are, by reader and chat.
type Marks = BTreeMap<(HostId, ChatId), BTreeMap<StreamId, u64>>;

/// What was asked and answered, and what was seen since.
#[derive(Default)]
pub(super) struct Book {
    sent: Vec<Sent>,
    by_text: BTreeMap<String, usize>,
    /// Read marks that were asked for, and those that were acknowledged.
    reading: Marks,
    read: Marks,
    ledgers: BTreeMap<MessageId, LedgerView>,
    commits: u64,
}

impl Book {
    pub fn compose(
        &mut self,
        (author, chat): (HostId, ChatId),
        (asked_at, asked_in): (Micros, Option<NodeId>),
        keyed: bool,
        length: u64,
        leaps: u32,
    ) -> usize {
        let number = self.sent.len();
        let mut text = format!("message {number} of {}", author.0);
        text.extend((0..length).map(|_| '.'));
        self.by_text.insert(text.clone(), number);
        let key = keyed.then(|| format!("key {number}"));
        self.sent.push(Sent {
            author,
            chat,
            text,
            key,
            id: None,
            asked_at,
            asked_in,
            done_in: None,
            waiting: 1,
            refused: false,
            leaps,
        });
        number
    }

    pub fn command(&self, at: usize) -> Command {
        let sent = &self.sent[at];
        Command::Send {
            chat: sent.chat,
            content: sent.text.clone().into(),
            idempotency_key: sent.key.clone(),
        }
    }

    pub fn author(&self, at: usize) -> HostId {
        self.sent[at].author
    }

    pub fn leaps(&self, at: usize) -> u32 {
        self.sent[at].leaps
    }

    pub fn is_answered(&self, at: usize) -> bool {
        self.sent[at].id.is_some()
    }

    /// A message of a host that can be sent again under its key.
    pub fn keyed(&self, random: &mut Random, host: HostId, leaps: u32) -> Option<usize> {
        let fits = |sent: &Sent| sent.author == host && sent.key.is_some() && sent.leaps == leaps;
        let keyed: Vec<_> = (0..self.sent.len()).filter(|at| fits(&self.sent[*at])).collect();
        random.pick(&keyed)
    }

    pub fn tried(&mut self, at: usize) {
        self.sent[at].waiting += 1;
    }

    pub fn unanswered(&mut self, at: usize) {
        self.sent[at].waiting -= 1;
    }

    pub fn refused(&mut self, at: usize) {
        self.sent[at].refused = true;
        self.unanswered(at);
    }

    pub fn unanswered_keyed(&self) -> Vec<usize> {
        let lost = |sent: &Sent| sent.key.is_some() && sent.id.is_none() && sent.waiting == 0 && !sent.refused;
        (0..self.sent.len()).filter(|at| lost(&self.sent[*at])).collect()
    }

    /// Whether some command is still to be answered.
    pub fn waits(&self) -> bool {
        self.sent.iter().any(|sent| sent.waiting > 0)
    }

    pub fn acknowledged(&self) -> u64 {
        self.sent.iter().filter(|sent| sent.id.is_some()).count() as u64
    }

    pub fn chat(&self, at: usize) -> ChatId {
        self.sent[at].chat
    }

    /// The acknowledged messages of a chat.
    pub fn acknowledged_in(&self, chat: ChatId) -> impl Iterator<Item = (&Sent, MessageId)> {
        let sent = self.sent.iter().filter(move |sent| sent.chat == chat);
        sent.filter_map(|sent| Some((sent, sent.id?)))
    }

    /// A message was acknowledged. For one that was sent before, nobody knows in which later state than that in which it was asked for.
    pub fn sent(&mut self, at: usize, id: MessageId, state: Option<NodeId>) -> Result<(), String> {
        let sent = &mut self.sent[at];
        sent.waiting -= 1;
        sent.done_in = sent.done_in.or(state).or(sent.asked_in);
        match sent.id.replace(id) {
            Some(before) if before != id => Err(format!("one key, two messages: {before:?} and {id:?}")),
            _ => Ok(()),
        }
    }

    pub fn reading(&mut self, host: HostId, chat: ChatId, mark: &ReadMark) {
        note(&mut self.reading, host, chat, mark);
    }

    pub fn read(&mut self, host: HostId, chat: ChatId, mark: &ReadMark) {
        note(&mut self.read, host, chat, mark);
    }

    /// A host has committed: now and then its ledgers are looked at.
    pub fn committed(&mut self, world: &World, host: HostId) -> Result<(), String> {
        self.commits += 1;
        if !self.commits.is_multiple_of(SAMPLED) || !world.hosts[host.0].is_client() {
            return Ok(());
        }
        self.check_ledgers(world, host)
    }

    /// Whether everybody has everything.
    pub fn check(&mut self, world: &World, pairs: &[Pair]) -> Result<(), String> {
        for host in world.clients() {
            if !world.hosts[host.0].is_up() {
                return Err(format!("{host:?} is down"));
            }
            self.check_ledgers(world, host)?;
        }
        for pair in pairs {
            if let Some(chat) = pair.chat {
                self.check_chat(world, chat, [pair.inviter, pair.accepter])?;
            }
        }
        Ok(())
    }

    /// Whether each message was announced exactly once, and no verdict is owed any more.
    pub fn check_events(&self, world: &World, pairs: &[Pair], group: Option<ChatId>) -> Result<(), String> {
        for host in world.clients() {
            let disk = &world.hosts[host.0].disk;
            let mut announced: BTreeMap<(bool, MessageId), u32> = BTreeMap::new();
            for (_, event) in history::events(disk, 0, ALL_EVENTS).map_err(fault)?.events {
                match event {
                    EventRow::MessageReceived { message } => *announced.entry((false, message)).or_default() += 1,
                    EventRow::MessageSent { message } => *announced.entry((true, message)).or_default() += 1,
                    _ => {}
                }
            }
            if let Some(((_, twice), times)) = announced.iter().find(|(_, times)| **times != 1) {
                return Err(format!("{host:?} announces {twice:?} {times} times"));
            }
            let mut listed = BTreeSet::new();
            for chat in pairs.iter().filter_map(|pair| pair.chat_at(host)).chain(group) {
                listed.extend(
                    list(world, host, &chat)?
                        .into_iter()
                        .map(|message| (message.outgoing, message.id)),
                );
            }
            if let Some((_, odd)) = announced.keys().find(|key| !listed.contains(key)) {
                return Err(format!("{host:?} announces {odd:?}, which it doesn't list"));
            }
            if let Some((_, odd)) = listed.iter().find(|key| !announced.contains_key(key)) {
                return Err(format!("{host:?} lists {odd:?}, which it never announced"));
            }
        }
        match world
            .hostile
            .owed
            .iter()
            .find(|(_, (since, _))| since + VERDICT < world.now)
        {
            Some(((host, _), _)) => Err(format!("{host:?} owes a verdict")),
            None => Ok(()),
        }
    }

    fn check_chat(&self, world: &World, chat: ChatId, members: [HostId; 2]) -> Result<(), String> {
        let [one, other] = [list(world, members[0], &chat)?, list(world, members[1], &chat)?];
        for (member, list) in members.iter().zip([&one, &other]) {
            self.check_list(world, chat, *member, list)?;
        }
        let ids = |list: &[MessageView]| list.iter().map(|message| message.id).collect::<Vec<_>>();
        let (one, other) = (ids(&one), ids(&other));
        if one != other {
            let at = one
                .iter()
                .zip(&other)
                .position(|(a, b)| a != b)
                .unwrap_or(one.len().min(other.len()));
            return Err(format!(
                "{chat:?} differs: {:?} lists {}, {:?} lists {}; first at {at}: {:?} and {:?}",
                members[0],
                one.len(),
                members[1],
                other.len(),
                one.get(at),
                other.get(at)
            ));
        }
        for sent in self.sent.iter().filter(|sent| sent.chat == chat) {
            let Some(id) = sent.id else {
                continue;
            };
            for member in members {
                let ids = if member == members[0] { &one } else { &other };
                if !ids.contains(&id) {
                    return Err(format!("{member:?} lacks the acknowledged {id:?} of {:?}", sent.author));
                }
            }
            self.check_end(world, sent, id, members)?;
        }
        Ok(())
    }

    /// One member's list: authors, order, repeats.
    pub fn check_list(&self, world: &World, chat: ChatId, member: HostId, list: &[MessageView]) -> Result<(), String> {
        let (mut ids, mut texts) = (BTreeSet::new(), BTreeSet::new());
        let mut last: BTreeMap<StreamId, u64> = BTreeMap::new();
        for message in list {
            let Body::Text(text) = &message.body else {
                return Err(format!("{member:?} shows something that nobody sent: {message:?}"));
            };
            // What a hostile member makes up under its own name is shown.
            let mole = world.mole.and_then(|mole| world.hosts[mole.0].identity);
            if text.starts_with(FORGED) && mole == Some((message.account, message.stream.device)) {
                continue;
            }
            let Some(sent) = self.by_text.get(text).map(|at| &self.sent[*at]) else {
                return Err(format!("{member:?} shows a text that nobody sent: {text}"));
            };
            let author = world.hosts[sent.author.0].identity;
            let shown = Some((message.account, message.stream.device));
            if author != shown || sent.chat != chat || message.outgoing != (sent.author == member) {
                return Err(format!(
                    "{member:?} shows {text} of {:?} under a wrong author or chat: {message:?}",
                    sent.author
                ));
            }
            if message.id != message.stream.message(message.sequence) || sent.id.is_some_and(|id| id != message.id) {
                return Err(format!("{member:?} shows {text} under a wrong id"));
            }
            if !ids.insert(message.id) || !texts.insert(text) {
                return Err(format!("{member:?} shows {text} twice"));
            }
            if let Some(before) = last.insert(message.stream, message.sequence)
                && before >= message.sequence
            {
                return Err(format!(
                    "{member:?} shows {:?} number {} after {before}",
                    message.stream, message.sequence
                ));
            }
        }
        Ok(())
    }

    /// What an acknowledged message's ledger has to say in the end.
    fn check_end(&self, world: &World, sent: &Sent, id: MessageId, members: [HostId; 2]) -> Result<(), String> {
        let Some(message) = history::message(&world.hosts[sent.author.0].disk, &id).map_err(fault)? else {
            return Err(format!("{:?} lacks its own {id:?}", sent.author));
        };
        let reader = if members[0] == sent.author {
            members[1]
        } else {
            members[0]
        };
        let was_read = covers(&self.read, reader, &message);
        let state = message.ledger.map(|ledger| ledger.state);
        match state {
            Some(LedgerState::Read) => Ok(()),
            // Where relays forget a report of what was read may be gone before its reader comes back.
            Some(LedgerState::Delivered) if !was_read || world.retention_s.is_some() => Ok(()),
            other => Err(format!("{id:?} of {:?} ends {other:?}; read: {was_read}", sent.author)),
        }
    }

    /// Ledgers never go back and never lie.
    fn check_ledgers(&mut self, world: &World, host: HostId) -> Result<(), String> {
        for sent in self.sent.iter().filter(|sent| sent.author == host) {
            let Some(id) = sent.id else {
                continue;
            };
            let Some(message) = history::message(&world.hosts[host.0].disk, &id).map_err(fault)? else {
                continue; // not there yet where the shell is broken on purpose; the end shows whether it is lost
            };
            let Some(now) = message.ledger.clone() else {
                return Err(format!("{host:?} has no ledger of its own {id:?}"));
            };
            let before = self.ledgers.insert(id, now.clone());
            if let Some(before) = before {
                let shrinks = |was: &[_], is: &[_]| was.iter().any(|one| !is.contains(one));
                if now.state < before.state
                    || shrinks(&before.delivered, &now.delivered)
                    || shrinks(&before.read, &now.read)
                {
                    return Err(format!("the ledger of {id:?} goes back: {before:?}, then {now:?}"));
                }
                if now == before {
                    continue;
                }
            }
            // A hostile member may say what it likes of itself.
            let mole = world.mole.and_then(|mole| world.hosts[mole.0].identity);
            let honest = |who: &[DeviceId]| who.iter().any(|who| mole.is_none_or(|(_, mole)| mole != *who));
            if now.state >= LedgerState::Delivered && honest(&now.delivered) {
                self.check_delivered(world, host, &message)?;
            }
            if now.state == LedgerState::Read
                && honest(&now.read)
                && !world
                    .clients()
                    .iter()
                    .any(|reader| covers(&self.reading, *reader, &message))
            {
                return Err(format!("{id:?} is called read, and nobody has read it"));
            }
        }
        Ok(())
    }

    fn check_delivered(&self, world: &World, author: HostId, message: &MessageView) -> Result<(), String> {
        for other in world.clients().into_iter().filter(|other| *other != author) {
            if history::message(&world.hosts[other.0].disk, &message.id)
                .map_err(fault)?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(format!(
            "{:?} of {author:?} is called delivered, and nobody has it",
            message.id
        ))
    }
}

fn note(marks: &mut Marks, host: HostId, chat: ChatId, mark: &ReadMark) {
    let streams = marks.entry((host, chat)).or_default();
    for (stream, through) in &mark.streams {
        let known = streams.entry(*stream).or_default();
        *known = (*known).max(*through);
    }
}

fn covers(marks: &Marks, reader: HostId, message: &MessageView) -> bool {
    marks
        .get(&(reader, message.chat))
        .and_then(|streams| streams.get(&message.stream))
        .is_some_and(|through| *through >= message.sequence)
}

pub(super) fn list(world: &World, host: HostId, chat: &ChatId) -> Result<Vec<MessageView>, String> {
    let listed = history::messages(&world.hosts[host.0].disk, chat, None, None, usize::MAX).map_err(fault)?;
    Ok(listed
        .into_iter()
        .map(|(_, message)| message)
        .filter(|message| message.body.shown())
        .collect())
}

/// Nobody holds anything against a relay that keeps its word; gives how much is held against others.
pub(super) fn check_evidence(world: &World) -> Result<u64, String> {
    let mut against = 0;
    for host in world.clients() {
        for evidence in evidence(&world.hosts[host.0].disk, None).map_err(fault)? {
            let honest = |relay: &HostId| {
                let lies = world.liar.relay == Some(*relay) || world.hostile.tainted.contains(&(host, *relay));
                world.hosts[relay.0].key == evidence.relay && !lies
            };
            // What a backup has lost is a broken word, and what is served in another order is junk.
            let excused = world.restored || evidence.fault == Fault::Junk;
            if !excused && world.relays().iter().any(honest) {
                let (fault, answer) = (evidence.fault.name(), evidence.answer);
                return Err(format!(
                    "{host:?} holds against an honest relay that it {fault}: {answer}"
                ));
            }
            against += 1;
        }
    }
    Ok(against)
}

fn fault(error: RowsError) -> String {
    error.to_string()
}
