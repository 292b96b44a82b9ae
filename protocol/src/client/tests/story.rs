//! What people do, and what the wire is made to do.

use super::*;

impl World {
    pub fn command(&mut self, place: usize, command: Command) -> Option<Result<Reply, CommandError>> {
        let node = &mut self.nodes[place];
        node.token += 1;
        let token = node.token;
        self.input(place, Input::Command { token, command });
        self.nodes[place].replies.remove(&token)
    }

    pub fn try_send(
        &mut self,
        place: usize,
        chat: ChatId,
        text: &str,
        key: Option<&str>,
    ) -> Result<MessageId, CommandError> {
        let command = Command::Send {
            chat,
            content: text.into(),
            idempotency_key: key.map(String::from),
        };
        match self.command(place, command).unwrap()? {
            Reply::Sent(message) | Reply::Repeated(message) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    pub fn send(&mut self, place: usize, chat: ChatId, text: &str) -> MessageId {
        self.try_send(place, chat, text, None).unwrap()
    }

    pub fn invite(&mut self, place: usize, multi_use: bool) -> String {
        let command = Command::Invite {
            multi_use,
            expires_in_s: None,
        };
        match self.command(place, command).unwrap().unwrap() {
            Reply::Invited { link, .. } => link,
            other => panic!("{other:?}"),
        }
    }

    pub fn accept(&mut self, place: usize, link: &str) -> Result<ChatId, CommandError> {
        match self
            .command(place, Command::Accept { link: link.into() })
            .expect("no answer yet")?
        {
            Reply::Chat(chat) => Ok(chat),
            other => panic!("{other:?}"),
        }
    }

    pub fn approve(&mut self, place: usize, request: RequestId) -> Result<ChatId, CommandError> {
        match self.command(place, Command::Approve { request }).unwrap()? {
            Reply::Chat(chat) => Ok(chat),
            other => panic!("{other:?}"),
        }
    }

    pub fn mark_read(&mut self, place: usize, chat: ChatId, through: MessageId) {
        let mark = history::read_mark(&self.nodes[place].disk, &chat, &through)
            .unwrap()
            .unwrap();
        assert_eq!(
            self.command(place, Command::MarkRead { chat, mark }).unwrap().unwrap(),
            Reply::Done
        );
    }

    /// Bob accepts an invite of alice's and is approved; both have talked and nothing is left over.
    pub fn befriend(&mut self) -> ChatId {
        let link = self.invite(ALICE, false);
        let chat = self.accept(BOB, &link).unwrap();
        let request = self.nodes[ALICE].requests()[0];
        assert_eq!(self.approve(ALICE, request).unwrap(), chat);
        self.pass(5_000);
        assert!(!self.nodes[BOB].client.chats[&chat].row.requested);
        chat
    }

    /// Alice and bob share a chat and are connected directly, without a relay.
    pub fn friends() -> (Self, ChatId) {
        let mut world = Self::new();
        world.connect(ALICE, BOB);
        let chat = world.befriend();
        (world, chat)
    }

    /// Hands a client a page of a relay that it is connected to.
    pub fn page(&mut self, to: usize, topic: TopicId, position: u64, envelopes: &[Envelope]) {
        let items = envelopes.iter().map(|envelope| envelope.bytes().to_vec()).collect();
        self.raw_page(to, topic, position, items);
    }

    pub fn raw_page(&mut self, to: usize, topic: TopicId, position: u64, envelopes: Vec<Vec<u8>>) {
        let items = envelopes
            .into_iter()
            .map(|envelope| crate::custody::Item { position, envelope })
            .collect();
        let page = CustodianFrame::Items(Items {
            topic,
            cursor: Cursor {
                epoch: 1,
                position,
                hash: RunningHash::default(),
            },
            void: false,
            caught_up: true,
            items,
        });
        let peer = relay_secret().public();
        self.input(
            to,
            Input::Frame {
                peer,
                side: Side::Client,
                bytes: page.encode(),
            },
        );
    }

    /// Hands a client an envelope by gossip and returns its verdict.
    pub fn gossip_to(&mut self, to: usize, from: usize, bytes: &[u8]) -> Verdict {
        let input = gossip(self.key(from), bytes);
        self.input(to, input);
        self.nodes[to].verdicts.pop().unwrap()
    }
}
