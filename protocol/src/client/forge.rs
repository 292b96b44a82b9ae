//! What a hostile member would send, made with a real member's keys: for the simulator alone.

use super::Client;
use super::chats::Chat;
use crate::blob;
use crate::chat::{ChatContext, ChatKind, Group, GroupError, Plan};
use crate::envelope::Envelope;
use crate::keys::{AccountId, ChatId, MessageId, NodeId, TopicSecret};
use crate::limits;
use crate::message::{Body, Durable, Frontier, Inner, StreamId};
use crate::seq_set::SeqSet;
use crate::wire::Wire;

/// Texts of forged messages begin so.
pub(crate) const FORGED: &str = "forged";
/// Commits of a flood on one state: more than any device may make.
const FLOOD: u64 = 12;
/// Made-up streams at once: more than a frontier has.
const MADE_UP: u64 = limits::FRONTIER_STREAMS as u64 + 6;

/// What it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgery {
    /// A commit that the rules don't allow to its author.
    Invalid,
    /// Several commits on one state, to be shown to different members.
    Equivocal,
    /// A commit on a state of old.
    Backdated,
    /// More commits on one state than anybody may make.
    Flood,
    /// Messages of another's stream under its own leaf.
    Stolen,
    /// A commit whose body nobody can get.
    Withheld,
    /// It says that it has what was never written, and has read it.
    Frontiers,
    /// Streams of its own that it never had, with numbers, clocks and parents that nobody could have.
    Streams,
}

/// All of them.
pub(crate) const FORGERIES: [Forgery; 8] = [
    Forgery::Invalid,
    Forgery::Equivocal,
    Forgery::Backdated,
    Forgery::Flood,
    Forgery::Stolen,
    Forgery::Withheld,
    Forgery::Frontiers,
    Forgery::Streams,
];

impl Client {
    /// Forges envelopes of a chat; none where this device isn't a member. `choice` says which of a forgery's kinds.
    pub(crate) fn forge(
        &mut self,
        chat_id: &ChatId,
        forgery: Forgery,
        choice: u64,
    ) -> Result<Vec<Vec<u8>>, GroupError> {
        let (account, stream) = (self.account_in(chat_id), self.device_in(chat_id));
        let device = self.secret_in(chat_id);
        let Some(chat) = self.chats.get_mut(chat_id).filter(|chat| chat.is_member()) else {
            return Ok(Vec::new());
        };
        let stream = chat.stream(stream);
        let (crypto, device) = (&self.crypto, &device);
        let commit = |state: &Group, topic: &TopicSecret, plan: &Plan| {
            let change = state.commit_unchecked(crypto, device, plan, topic)?;
            sign(topic, &change.commit)
        };
        match forgery {
            Forgery::Invalid => {
                let plan = overreach(chat, &account, choice);
                Ok(vec![commit(&chat.group, &chat.row.topic, &plan)?])
            }
            Forgery::Equivocal | Forgery::Flood => {
                let count = if forgery == Forgery::Flood {
                    FLOOD
                } else {
                    2 + choice % 3
                };
                let plans = (0..count).map(|number| within(chat, &chat.group, &account, choice + number));
                plans.map(|plan| commit(&chat.group, &chat.row.topic, &plan)).collect()
            }
            Forgery::Backdated => {
                let Some(state) = pick(&chat.frozen, choice) else {
                    return Ok(Vec::new());
                };
                let Some(topic) = topic_of(chat, &state.node()) else {
                    return Ok(Vec::new());
                };
                Ok(vec![commit(state, &topic, &within(chat, state, &account, choice))?])
            }
            Forgery::Withheld => {
                let (body, topic) = (vec![0x5a; limits::INLINE_BYTES + 1], &chat.row.topic);
                let fail = |error: blob::BlobError| GroupError::Mls {
                    what: "forge a blob",
                    reason: error.to_string(),
                };
                let (blob, _) = blob::seal(crypto, &body).map_err(fail)?;
                Ok(vec![sign(topic, &chat.group.point_to(crypto, topic.public(), &blob)?)?])
            }
            Forgery::Stolen | Forgery::Frontiers | Forgery::Streams => {
                let inners = match forgery {
                    Forgery::Stolen => stolen(chat, stream, choice),
                    Forgery::Frontiers => vec![boast(chat, stream)],
                    _ => made_up(stream, choice),
                };
                let topic = chat.row.topic.clone();
                let seal = |inner: &Inner| sign(&topic, &chat.group.seal(crypto, device, None, &inner.encode())?);
                let sealed = inners.iter().map(seal).collect();
                self.dirty.chats.insert(*chat_id);
                sealed
            }
        }
    }
}

fn sign(topic: &TopicSecret, body: &[u8]) -> Result<Vec<u8>, GroupError> {
    let fail = |error: crate::envelope::EnvelopeError| GroupError::Mls {
        what: "forge an envelope",
        reason: error.to_string(),
    };
    let envelope = Envelope::sign(topic, limits::CUSTODY_SECONDS, body).map_err(fail)?;
    Ok(envelope.bytes().to_vec())
}

fn topic_of(chat: &Chat, node: &NodeId) -> Option<TopicSecret> {
    let mut nodes = chat.row.nodes.iter();
    nodes.find(|known| known.node == *node).map(|known| known.topic.clone())
}

fn pick<T>(from: &[T], choice: u64) -> Option<&T> {
    let at = choice.checked_rem(from.len() as u64)?;
    from.get(usize::try_from(at).ok()?)
}

/// What the rules allow: another name, a junior out, or nothing but a new leaf.
fn within(chat: &Chat, state: &Group, own: &AccountId, choice: u64) -> Plan {
    let mut context = state.context().clone();
    let Some(rank) = context.rank(own) else {
        return Plan::default();
    };
    let members = state.members().unwrap_or_default();
    let juniors: Vec<u32> = members
        .iter()
        .filter(|member| context.rank(&member.account).is_none_or(|theirs| theirs > rank))
        .map(|member| member.leaf)
        .collect();
    if choice.is_multiple_of(5)
        && chat.members.len() > 3
        && let Some(leaf) = pick(&juniors, choice)
    {
        let gone = members.iter().find(|member| member.leaf == *leaf);
        context
            .admins
            .retain(|admin| gone.is_none_or(|gone| gone.account != *admin));
        return Plan {
            remove: vec![*leaf],
            context: (context != *state.context()).then_some(context),
            ..Plan::default()
        };
    }
    context.name = format!("{FORGED} {choice}");
    Plan {
        context: Some(context),
        ..Plan::default()
    }
}

/// What they don't.
fn overreach(chat: &Chat, own: &AccountId, choice: u64) -> Plan {
    let mut context: ChatContext = chat.group.context().clone();
    let rank = context.rank(own).unwrap_or(usize::MAX);
    let senior = chat
        .members
        .iter()
        .find(|member| context.rank(&member.account).is_some_and(|theirs| theirs < rank));
    match (choice % 4, senior) {
        (0, Some(senior)) => {
            context.admins.retain(|admin| *admin != senior.account);
            return Plan {
                remove: vec![senior.leaf],
                context: Some(context),
                ..Plan::default()
            };
        }
        (1, _) if context.rank(own) != Some(0) => {
            context.admins.retain(|admin| admin != own);
            context.admins.insert(0, *own);
        }
        (2, _) if context.rank(own).is_none() => context.name = format!("{FORGED} {choice}"),
        _ => context.kind = ChatKind::OneToOne,
    }
    Plan {
        context: Some(context),
        ..Plan::default()
    }
}

fn message(sequence: u64, clock: u64, parents: Vec<MessageId>) -> Durable {
    let text = format!("{FORGED} {sequence}");
    Durable {
        sequence,
        previous: [0x77; 32],
        parents,
        clock,
        sent_ms: 1,
        fallback: String::new(),
        body: Body::Text(text),
        extensions: Vec::new(),
    }
}

fn stolen(chat: &Chat, own: StreamId, choice: u64) -> Vec<Inner> {
    let others = chat.streams.keys().filter(|stream| stream.device != own.device);
    others
        .map(|stream| {
            let known = chat.streams.get(stream).map_or(0, |row| row.received.max());
            Inner {
                stream: *stream,
                messages: vec![message(known + choice % 3 + 1, 1, Vec::new())],
                frontiers: Vec::new(),
                extensions: Vec::new(),
            }
        })
        .collect()
}

fn boast(chat: &Chat, own: StreamId) -> Inner {
    let all = |stream: &StreamId| {
        let mut delivered = SeqSet::default();
        delivered.insert_range(1, 1 << 40);
        Frontier {
            stream: *stream,
            delivered,
            read_through: 1 << 40,
        }
    };
    Inner {
        stream: own,
        messages: Vec::new(),
        frontiers: chat.streams.keys().take(limits::FRONTIER_STREAMS).map(all).collect(),
        extensions: Vec::new(),
    }
}

fn made_up(own: StreamId, choice: u64) -> Vec<Inner> {
    (0..MADE_UP)
        .map(|number| Inner {
            stream: StreamId {
                device: own.device,
                incarnation: choice.wrapping_mul(1000).wrapping_add(number),
            },
            messages: vec![message(
                if number % 2 == 0 { 1 } else { 1 << 50 },
                if number % 3 == 0 { u64::MAX } else { number },
                vec![own.message(choice)],
            )],
            frontiers: Vec::new(),
            extensions: Vec::new(),
        })
        .collect()
}
