//! What was done to a message: edits, deletion, reactions, votes. A row holds what one account did to one message, and of each thing
//! only what counts in the end, so that every device has the same whatever the order in which it came.

use super::history::{MessageView, PinView, ReactionView};
use super::kinds::counts;
use super::records::{decode, key};
use crate::chat::ChatContext;
use crate::keys::{AccountId, ChatId, MessageId};
use crate::limits;
use crate::message::{Body, CardAnswer, CardDeed, Mention};
use crate::rows::{Rows, RowsError, Tree};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accounts of which one message shows what they did: more than a chat has members.
const ACCOUNTS: usize = 4096;

/// What orders two things that one account did: clock, time, and the message that says it.
pub(super) type Stamp = (u64, u64, MessageId);

/// What an account did to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EffectsRow {
    pub account: AccountId,
    /// Kept only of the message's author, or while that isn't known.
    pub edit: Option<EditRow>,
    pub deleted: bool,
    pub reactions: Vec<ReactionRow>,
    pub vote: Option<VoteRow>,
    #[serde(default)]
    pub pin: Option<PinRow>,
    /// It was a card, and opened.
    #[serde(default)]
    pub opened: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EditRow {
    pub stamp: Stamp,
    pub received_ms: u64,
    pub text: String,
    pub mentions: Vec<Mention>,
}

/// An emoji that was left or taken back last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReactionRow {
    pub emoji: String,
    pub stamp: Stamp,
    pub remove: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VoteRow {
    pub stamp: Stamp,
    #[serde(with = "serde_bytes")]
    pub choices: Vec<u8>,
}

/// Whether an account had the message kept in sight last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PinRow {
    pub stamp: Stamp,
    pub received_ms: u64,
    pub remove: bool,
}

impl EffectsRow {
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            edit: None,
            deleted: false,
            reactions: Vec::new(),
            vote: None,
            pin: None,
            opened: false,
        }
    }

    /// Takes one more thing that the account did; false if it changes nothing.
    pub fn take(&mut self, stamp: Stamp, received_ms: u64, body: &Body) -> bool {
        match body {
            Body::Edit(edit) => {
                let newer = self.edit.as_ref().is_none_or(|known| known.stamp < stamp);
                if newer {
                    self.edit = Some(EditRow {
                        stamp,
                        received_ms,
                        text: edit.text.clone(),
                        mentions: edit.mentions.clone(),
                    });
                }
                newer
            }
            Body::Delete { .. } => !std::mem::replace(&mut self.deleted, true),
            Body::Reaction(reaction) => self.react(ReactionRow {
                emoji: reaction.emoji.clone(),
                stamp,
                remove: reaction.remove,
            }),
            Body::Vote(vote) => {
                let newer = self.vote.as_ref().is_none_or(|known| known.stamp < stamp);
                if newer {
                    self.vote = Some(VoteRow {
                        stamp,
                        choices: vote.choices.clone(),
                    });
                }
                newer
            }
            Body::Pin(pin) => {
                let newer = self.pin.as_ref().is_none_or(|known| known.stamp < stamp);
                if newer {
                    self.pin = Some(PinRow {
                        stamp,
                        received_ms,
                        remove: pin.remove,
                    });
                }
                newer
            }
            Body::CardAnswer(CardAnswer {
                what: CardDeed::Opened, ..
            }) => !std::mem::replace(&mut self.opened, true),
            _ => false,
        }
    }

    /// Of each emoji the newest word counts, and of all emoji the newest few: both the same in whatever order they come.
    fn react(&mut self, reaction: ReactionRow) -> bool {
        let before = self.reactions.clone();
        match self.reactions.iter_mut().find(|known| known.emoji == reaction.emoji) {
            Some(known) if known.stamp < reaction.stamp => *known = reaction,
            Some(_) => return false,
            None => self.reactions.push(reaction),
        }
        self.reactions.sort_by_key(|known| std::cmp::Reverse(known.stamp));
        self.reactions.truncate(limits::REACTIONS_PER_ACCOUNT);
        self.reactions != before
    }
}

impl MessageView {
    /// Shows what was done to the message.
    pub(super) fn take(&mut self, effects: Vec<EffectsRow>, context: &ChatContext) {
        self.pinned = pinned(&effects, context);
        let mut reactions: BTreeMap<String, (Stamp, Vec<AccountId>)> = BTreeMap::new();
        for row in effects {
            if let (Some(edit), Body::Text(text)) = (row.edit, &mut self.body)
                && row.account == self.account
            {
                *text = edit.text;
                self.mentions = edit.mentions;
                self.edited_ms = Some(edit.stamp.1.min(edit.received_ms));
            }
            for reaction in row.reactions.into_iter().filter(|reaction| !reaction.remove) {
                let (first, accounts) = reactions.entry(reaction.emoji).or_insert((reaction.stamp, Vec::new()));
                *first = reaction.stamp.min(*first);
                accounts.push(row.account);
            }
            if let (Some(vote), Body::Poll(poll)) = (row.vote, &self.body)
                && counts(poll, &vote.choices)
            {
                for choice in vote.choices {
                    if let Some(voters) = self.votes.get_mut(usize::from(choice)) {
                        voters.push(row.account);
                    }
                }
            }
        }
        let mut shown: Vec<_> = reactions.into_iter().collect();
        shown.sort_by_key(|(_, (first, _))| *first);
        let shown = shown
            .into_iter()
            .map(|(emoji, (_, accounts))| ReactionView { emoji, accounts });
        self.reactions = shown.collect();
    }
}

/// Who had a message kept in sight, unless somebody took that back later. In a group the word of those counts who are admins now: every
/// member knows them, and so all see the same, whatever came first.
fn pinned(effects: &[EffectsRow], context: &ChatContext) -> Option<PinView> {
    let words = effects.iter().filter(|row| context.lets_pin(&row.account));
    let words = words.filter_map(|row| Some((row.account, row.pin.as_ref()?)));
    let (account, last) = words.max_by_key(|(_, pin)| pin.stamp)?;
    (!last.remove).then(|| PinView {
        account,
        at_ms: last.stamp.1.min(last.received_ms),
        clock: last.stamp.0,
    })
}

/// What all accounts did to a message, by account.
pub(super) fn effects(rows: &dyn Rows, chat: &ChatId, message: &MessageId) -> Result<Vec<EffectsRow>, RowsError> {
    let found = rows.prefix(Tree::Effects, &key::effects(chat, message), ACCOUNTS)?;
    found.iter().map(|(_, value)| decode(value)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::Reaction;

    fn reaction(emoji: usize, remove: bool) -> Body {
        Body::Reaction(Reaction {
            message: MessageId([1; 32]),
            emoji: emoji.to_string(),
            remove,
        })
    }

    #[test]
    fn reactions_are_bounded_and_the_same_in_any_order() {
        let stamp = |clock: u64| (clock, 0, MessageId([0; 32]));
        let many: Vec<_> = (0..60_u64)
            .map(|n| (stamp(n), reaction(n as usize % 23, n % 3 == 0)))
            .collect();
        let taken = |order: &mut dyn Iterator<Item = &(Stamp, Body)>| {
            let mut row = EffectsRow::new(AccountId([1; 32]));
            for (stamp, body) in order {
                row.take(*stamp, 0, body);
            }
            row.reactions
        };
        let forward = taken(&mut many.iter());
        assert_eq!(forward.len(), limits::REACTIONS_PER_ACCOUNT);
        assert_eq!(taken(&mut many.iter().rev()), forward);
        let mixed = many.iter().skip(1).step_by(2).chain(many.iter().step_by(2).rev());
        assert_eq!(taken(&mut mixed.into_iter()), forward);
    }
}
