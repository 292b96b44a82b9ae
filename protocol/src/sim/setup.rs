//! First contact between two people: invite, accept, approve, each repeated until it is answered.

use super::random::{MS, Micros, SECOND};
use super::world::{HostId, World};
use crate::client::{Command, CommandError, EventRow, Reply, history};
use crate::keys::{ChatId, RequestId};

/// Events of a host that are looked through at once; histories stay far below.
pub(super) const ALL_EVENTS: usize = 100_000;

/// Two people who become contacts.
pub(super) struct Pair {
    pub inviter: HostId,
    pub accepter: HostId,
    pub chat: Option<ChatId>,
    /// Whether the inviter has let the other in.
    pub approved: bool,
    link: Option<String>,
    /// A command of this pair waits for its answer at this host.
    asked: Option<HostId>,
    not_before: Micros,
}

impl Pair {
    pub fn new(inviter: HostId, accepter: HostId) -> Self {
        Self {
            inviter,
            accepter,
            chat: None,
            approved: false,
            link: None,
            asked: None,
            not_before: 0,
        }
    }

    /// The chat as a host knows it.
    pub fn chat_at(&self, host: HostId) -> Option<ChatId> {
        let knows = host == self.accepter || (host == self.inviter && self.approved);
        self.chat.filter(|_| knows)
    }

    /// What to ask of whom next.
    pub fn next(&mut self, world: &mut World) -> Result<Option<(HostId, Command)>, String> {
        if self.approved || self.asked.is_some() || world.now < self.not_before {
            return Ok(None);
        }
        let (host, command) = match (&self.link, self.chat) {
            (None, _) => {
                let multi_use = world.random.chance(20);
                (
                    self.inviter,
                    Command::Invite {
                        multi_use,
                        expires_in_s: None,
                    },
                )
            }
            (Some(link), None) => (self.accepter, Command::Accept { link: link.clone() }),
            (Some(_), Some(chat)) => match self.request(world)? {
                Asked::Not => return Ok(None),
                Asked::Waits(request) => (self.inviter, Command::Approve { request }),
                Asked::LetIn(found) if found == chat => {
                    self.approved = true;
                    return Ok(None);
                }
                Asked::LetIn(found) => return Err(format!("two chats came of one invite: {chat:?} and {found:?}")),
            },
        };
        if !world.hosts[host.0].is_up() {
            return Ok(None);
        }
        self.asked = Some(host);
        Ok(Some((host, command)))
    }

    pub fn crashed(&mut self, host: HostId) {
        if self.asked == Some(host) {
            self.asked = None;
        }
    }

    pub fn answered(&mut self, now: Micros, result: Result<Reply, CommandError>) -> Result<(), String> {
        self.asked = None;
        match result {
            Ok(Reply::Invited { link, .. }) => self.link = Some(link),
            Ok(Reply::Chat(chat)) => match self.chat {
                None => self.chat = Some(chat),
                Some(known) if known == chat => self.approved = true,
                Some(known) => return Err(format!("two chats came of one invite: {known:?} and {chat:?}")),
            },
            // Already approved, the answer was lost with the process; seen in its events.
            Err(CommandError::CardUnavailable | CommandError::NotFound { .. }) => self.not_before = now + SECOND,
            other => return Err(format!("setting up a contact: {other:?}")),
        }
        self.not_before = self.not_before.max(now + 10 * MS);
        Ok(())
    }

    fn request(&self, world: &World) -> Result<Asked, String> {
        let Some((accepter, _)) = world.hosts[self.accepter.0].identity else {
            return Ok(Asked::Not);
        };
        let events =
            history::events(&world.hosts[self.inviter.0].disk, 0, ALL_EVENTS).map_err(|error| error.to_string())?;
        let mut asked = Asked::Not;
        for (_, event) in events.events {
            match event {
                EventRow::Requested { request, account, .. } if account == accepter => asked = Asked::Waits(request),
                EventRow::ContactAdded { account, chat, .. } if account == accepter => return Ok(Asked::LetIn(chat)),
                _ => {}
            }
        }
        Ok(asked)
    }
}

enum Asked {
    Not,
    Waits(RequestId),
    LetIn(ChatId),
}
