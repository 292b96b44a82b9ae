//! Writing: a channel of our own, our entries on this and others, and posts that are planned.

use super::rows::{ChannelRow, OwnRow, PenRow, PlannedRow, key};
use super::take::{Arrived, Came};
use super::{Channel, view};
use crate::address::PeerAddress;
use crate::blob::BlobRef;
use crate::channel::{
    Act, Authority, BallotBox, Category, Entry, Manifest, Policy, Post, PostBody, Scopes, Statement, WebLink,
};
use crate::client::kinds::files_text;
use crate::client::outbox::OutWhat;
use crate::client::records::{OutKind, decode, encode_small};
use crate::client::sending::{Once, RepeatKey};
use crate::client::{Client, CommandError, FileContent, Reply, TopicUse};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, ChatId, EnvelopeId, TopicSecret, WriterSecret};
use crate::limits;
use crate::message::{Files, Media};
use crate::rows::{Rows, RowsError, Tree};
use crate::wire::{DecodeError, Wire};
use std::collections::BTreeMap;

/// What changes of a manifest; what isn't given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestChange {
    /// See [`Manifest`], as for the others.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// A picture; `Some(None)` for none.
    pub picture: Option<Option<BlobRef>>,
    /// Addresses.
    pub links: Option<Vec<WebLink>>,
    /// Categories.
    pub categories: Option<Vec<Category>>,
    /// An invite link; empty for none.
    pub inbox: Option<String>,
    /// Relays.
    pub relays: Option<Vec<PeerAddress>>,
    /// A domain; empty for none.
    pub domain: Option<String>,
    /// Posts a day at most; 0 for no promise.
    pub posts_per_day: Option<u16>,
    /// What advertising is labelled with; empty for none.
    pub advertising_label: Option<String>,
}

/// Files of ours that a post shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PostFiles {
    /// They take the place of its body.
    pub album: Vec<FileContent>,
    /// Images by the places of its cards, from 0.
    pub pictures: BTreeMap<u8, FileContent>,
}

impl From<Vec<FileContent>> for PostFiles {
    fn from(album: Vec<FileContent>) -> Self {
        Self {
            album,
            pictures: BTreeMap::new(),
        }
    }
}

impl ManifestChange {
    fn apply(self, manifest: &Manifest) -> Manifest {
        let now = manifest.clone();
        Manifest {
            number: now.number,
            name: self.name.unwrap_or(now.name),
            description: self.description.unwrap_or(now.description),
            picture: self.picture.unwrap_or(now.picture),
            links: self.links.unwrap_or(now.links),
            categories: self.categories.unwrap_or(now.categories),
            inbox: self.inbox.unwrap_or(now.inbox),
            relays: self.relays.unwrap_or(now.relays),
            domain: self.domain.unwrap_or(now.domain),
            policy: Policy {
                posts_per_day: self.posts_per_day.unwrap_or(now.policy.posts_per_day),
                advertising_label: self.advertising_label.unwrap_or(now.policy.advertising_label),
            },
            recovery: now.recovery,
            extensions: now.extensions,
        }
    }
}

impl Client {
    pub(super) fn create_channel(
        &mut self,
        now_ms: u64,
        change: ManifestChange,
        idempotency_key: Option<String>,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        if self.channels.by_id.len() >= limits::CHANNELS {
            return Err(CommandError::Limit {
                what: "channels",
                limit: limits::CHANNELS,
            });
        }
        let relays = change.relays.clone().unwrap_or_else(|| self.settings.relays.clone());
        let first = Manifest {
            number: 1,
            name: String::new(),
            description: String::new(),
            picture: None,
            links: Vec::new(),
            categories: Vec::new(),
            inbox: String::new(),
            relays: Vec::new(),
            domain: String::new(),
            policy: Policy::default(),
            recovery: None,
            extensions: Vec::new(),
        };
        let manifest = Manifest {
            relays,
            ..change.apply(&first)
        };
        check_manifest(&manifest)?;
        let repeat = idempotency_key.map(|key| RepeatKey::of(key, &[b"channel", manifest.name.as_bytes()]));
        let made = self.once(now_ms, repeat, rows, |client| {
            let secret = WriterSecret::from_bytes(client.crypto.random());
            let id = ChannelId(secret.public().0);
            let mut channel = Channel::of(ChannelRow {
                name: manifest.name.clone(),
                relays: manifest.relays.clone(),
                since_ms: now_ms,
                last_ms: now_ms,
                own: Some(OwnRow {
                    beacon_due_ms: now_ms,
                    ..OwnRow::default()
                }),
                pen: Some(PenRow::new(secret)),
                ..ChannelRow::default()
            });
            channel.dirty = true;
            client.channels.by_id.insert(id, channel);
            client.topics.insert(id.topic(), TopicUse::Channel(id));
            client.refresh_links(now_ms)?;
            client.send_beacon(now_ms, id, manifest)?;
            Ok(id.0)
        })?;
        Ok(Reply::Channel(match made {
            Once::Made(id) | Once::Repeated(id) => ChannelId(id),
        }))
    }

    pub(super) fn update_channel(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        change: ManifestChange,
    ) -> Result<Reply, CommandError> {
        let before = self.own_manifest(&id)?;
        let mut manifest = change.apply(&before);
        if manifest == before {
            return Ok(Reply::Done);
        }
        check_manifest(&manifest)?;
        manifest.number = before.number.saturating_add(1);
        self.change_relays(now_ms, id, &before.relays, &manifest.relays);
        self.send_beacon(now_ms, id, manifest)?;
        self.list_anew(now_ms, id);
        Ok(Reply::Done)
    }

    pub(super) fn post(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        (post, files): (Post, PostFiles),
        at_ms: Option<u64>,
        idempotency_key: Option<String>,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let post = self.with_files(&id, post, files)?;
        self.check_post(&id, &post)?;
        let later_ms = at_ms.filter(|at_ms| *at_ms > now_ms);
        self.may(later_ms.unwrap_or(now_ms), &id, &Act::Post(post.clone()))?;
        let bytes = post.encode();
        let when = at_ms.unwrap_or(0).to_be_bytes();
        let repeat = idempotency_key.map(|key| RepeatKey::of(key, &[b"post", &id.0, &when, &bytes]));
        let made = self.once(now_ms, repeat, rows, |client| {
            client.attach(now_ms, id, &post)?;
            match later_ms {
                Some(at_ms) => client.plan(id, at_ms, bytes),
                None => Ok(client.publish_post(now_ms, id, post)?.0),
            }
        })?;
        let (Once::Made(made) | Once::Repeated(made)) = made;
        Ok(Reply::Posted {
            id: EnvelopeId(made),
            planned: later_ms.is_some(),
        })
    }

    /// What a follower would see of a post: it is checked as for posting, written as on the wire, and read as a follower's device reads it.
    pub(super) fn preview(
        &self,
        id: ChannelId,
        (post, files): (Post, PostFiles),
        at_ms: u64,
    ) -> Result<Reply, CommandError> {
        let post = self.with_files(&id, post, files)?;
        self.check_post(&id, &post)?;
        self.check_files(&post.files())?;
        let (entry, authority) = self.may(at_ms, &id, &Act::Post(post))?;
        let body = Statement::Entry(Box::new(entry)).encode();
        let Ok(Statement::Entry(entry)) = Statement::decode(&body) else {
            return Err(CommandError::Invalid {
                field: "post",
                reason: "can't be read again as it is",
            });
        };
        let seen = view::seen_first(id, &authority, *entry, at_ms);
        let seen = seen.ok_or(CommandError::Invalid {
            field: "post",
            reason: "can't be read again as it is",
        })?;
        Ok(Reply::Preview(Box::new(seen)))
    }

    /// A post that shows files of ours.
    fn with_files(&self, id: &ChannelId, mut post: Post, given: PostFiles) -> Result<Post, CommandError> {
        let PostFiles { album, pictures } = given;
        if album.is_empty() && pictures.is_empty() {
            return Ok(post);
        }
        if self.own_channel_topic(id).is_none() {
            return Err(CommandError::NotAllowed {
                reason: "only the channel's first key may store files at its relays",
            });
        }
        let invalid = |reason| CommandError::Invalid { field: "image", reason };
        let (places, items): (Vec<u8>, Vec<FileContent>) = pictures.into_iter().unzip();
        if items.iter().any(|item| !matches!(item.media, Media::Image(_))) {
            return Err(invalid("must be an image"));
        }
        let images = self.attachments(&ChatId(id.0), items)?;
        for (place, image) in places.into_iter().zip(images) {
            let card = post.cards_mut().get_mut(usize::from(place));
            card.ok_or(invalid("is of no card"))?.image = Some(image);
        }
        if album.is_empty() {
            return Ok(post);
        }
        let files = Files {
            items: self.attachments(&ChatId(id.0), album)?,
        };
        Ok(Post {
            text: files_text(&files, post.text),
            body: PostBody::Files(files),
            ..post
        })
    }

    /// From now on the files of a post go to the channel's relays.
    fn attach(&mut self, now_ms: u64, id: ChannelId, post: &Post) -> Result<(), CommandError> {
        let files = post.files();
        if files.is_empty() {
            return Ok(());
        }
        self.check_files(&files)?;
        self.attach_files(now_ms, ChatId(id.0), &files)
    }

    pub(super) fn fetch_post_files(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        post: EnvelopeId,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let found = view::post(rows, &post)?.filter(|view| view.channel == id);
        let found = found.ok_or(CommandError::NotFound { field: "post" })?;
        self.post_files_fetch(now_ms, id, &found.post.files())
    }

    /// The secret of an own channel's topic.
    pub(in crate::client) fn own_channel_topic(&self, id: &ChannelId) -> Option<TopicSecret> {
        let pen = self.channels.by_id.get(id)?.row.pen.as_ref()?;
        (pen.secret.public() == id.root()).then(|| TopicSecret::from_bytes(*pen.secret.to_bytes()))
    }

    fn plan(&mut self, id: ChannelId, at_ms: u64, post: Vec<u8>) -> Result<[u8; 32], CommandError> {
        if self.channels.planned.len() >= limits::CHANNEL_PLANS {
            return Err(CommandError::Limit {
                what: "planned posts",
                limit: limits::CHANNEL_PLANS,
            });
        }
        let plan: [u8; 32] = self.crypto.random();
        let row = encode_small(&PlannedRow { post })?;
        self.put_fresh(Tree::ChannelPlans, key::planned(&id, at_ms, &plan), row);
        self.channels.planned.insert((at_ms, id, plan));
        Ok(plan)
    }

    pub(super) fn unplan(&mut self, id: ChannelId, plan: [u8; 32]) -> Result<Reply, CommandError> {
        let mut known = self.channels.planned.iter();
        let Some(found) = known
            .find(|(_, channel, known)| *channel == id && *known == plan)
            .copied()
        else {
            return Err(CommandError::NotFound { field: "post" });
        };
        self.channels.planned.remove(&found);
        self.delete_fresh(Tree::ChannelPlans, key::planned(&id, found.0, &plan));
        Ok(Reply::Done)
    }

    /// Publishes what is planned for now or was for earlier.
    pub(super) fn post_planned(&mut self, now_ms: u64, rows: &dyn Rows) -> Result<(), RowsError> {
        while let Some((at_ms, id, plan)) = self.channels.planned.first().copied() {
            if at_ms > now_ms {
                break;
            }
            self.channels.planned.pop_first();
            let stored = key::planned(&id, at_ms, &plan);
            if let Some(bytes) = self.fresh.get(rows, Tree::ChannelPlans, &stored)? {
                let row: PlannedRow = decode(&bytes)?;
                // What the certificate doesn't allow any more isn't posted.
                if let Ok(post) = Post::decode(&row.post)
                    && self.may(now_ms, &id, &Act::Post(post.clone())).is_ok()
                {
                    // Nor is a poll beyond those that are counted.
                    if let Err(CommandError::Internal { reason }) = self.publish_post(now_ms, id, post) {
                        return Err(RowsError { reason });
                    }
                }
            }
            self.delete_fresh(Tree::ChannelPlans, stored);
        }
        Ok(())
    }

    pub(super) fn edit_post(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        target: EnvelopeId,
        (post, files): (Post, PostFiles),
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        let post = self.with_files(&id, post, files)?;
        self.check_post(&id, &post)?;
        let before = view::post(rows, &target)?.map(|found| found.post);
        let (post, made_box) = self.with_box(now_ms, post, before.as_ref())?;
        let kept = BallotBox::of(&post).map(|(_, ballots)| ballots.topic());
        let act = Act::Edit { target, post };
        self.may_change(now_ms, &id, &target, &act, rows)?;
        if let Act::Edit { post, .. } = &act {
            self.attach(now_ms, id, post)?;
        }
        let made = self.act(now_ms, id, act)?;
        self.close_boxes(&target, kept, rows)?;
        if let Some(made_box) = made_box {
            self.open_box(id, target, made_box)?;
        }
        Ok(Reply::Posted {
            id: made,
            planned: false,
        })
    }

    /// Posts now; a poll with what its answers go to.
    fn publish_post(&mut self, now_ms: u64, id: ChannelId, post: Post) -> Result<EnvelopeId, CommandError> {
        let (post, made_box) = self.with_box(now_ms, post, None)?;
        let made = self.act(now_ms, id, Act::Post(post))?;
        if let Some(made_box) = made_box {
            self.open_box(id, made, made_box)?;
        }
        Ok(made)
    }

    pub(super) fn retract_post(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        target: EnvelopeId,
        reason: String,
        rows: &dyn Rows,
    ) -> Result<Reply, CommandError> {
        if reason.len() > limits::TITLE_BYTES {
            return Err(CommandError::TooLarge {
                field: "reason",
                found: reason.len(),
                limit: limits::TITLE_BYTES,
            });
        }
        let act = Act::Retract { target, reason };
        self.may_change(now_ms, &id, &target, &act, rows)?;
        let made = self.act(now_ms, id, act)?;
        self.close_boxes(&target, None, rows)?;
        Ok(Reply::Posted {
            id: made,
            planned: false,
        })
    }

    /// Whether what we write with allows an act at a time: our next entry, which says it, and who signs it.
    fn may(&self, at_ms: u64, id: &ChannelId, act: &Act) -> Result<(Entry, Authority), CommandError> {
        let Some(channel) = self.channels.by_id.get(id) else {
            return Err(CommandError::NotFound { field: "channel" });
        };
        let signatory = channel.signatory(id).ok_or(CommandError::NotAllowed {
            reason: "this account may not write on the channel",
        })?;
        let last = channel.row.pen.as_ref().map(|pen| (pen.number, pen.previous));
        let (number, previous) = last.unwrap_or((0, EnvelopeId([0; 32])));
        let entry = Entry {
            number: number.saturating_add(1),
            previous,
            time_ms: at_ms,
            act: act.clone(),
            extensions: Vec::new(),
        };
        let beacon = channel.beacon.as_ref().map(|(beacon, _)| beacon);
        let authority = signatory.authority();
        let reason = match view::void_of(&authority, &entry, beacon) {
            None => return Ok((entry, authority)),
            Some("expired") => "the certificate doesn't hold then",
            Some("revoked") => "the certificate was revoked",
            Some("category") => "the certificate is for other categories",
            Some(_) => "the certificate isn't for that",
        };
        Err(CommandError::NotAllowed { reason })
    }

    /// Whether what we write with allows to change a post that exists.
    pub(super) fn may_change(
        &self,
        now_ms: u64,
        id: &ChannelId,
        target: &EnvelopeId,
        act: &Act,
        rows: &dyn Rows,
    ) -> Result<(), CommandError> {
        self.may(now_ms, id, act)?;
        let (by, _) = self
            .entry_place(id, target, rows)?
            .ok_or(CommandError::NotFound { field: "post" })?;
        let signatory = self.channels.by_id.get(id).and_then(|channel| channel.signatory(id));
        let may = signatory.is_some_and(|ours| ours.secret.public() == by || ours.scopes().allow(Scopes::EDIT));
        may.then_some(()).ok_or(CommandError::NotAllowed {
            reason: "the post is another writer's",
        })
    }

    pub(super) fn own(&self, id: &ChannelId) -> Result<&OwnRow, CommandError> {
        let Some(channel) = self.channels.by_id.get(id) else {
            return Err(CommandError::NotFound { field: "channel" });
        };
        channel.row.own.as_ref().ok_or(super::NOT_ROOT)
    }

    pub(super) fn own_manifest(&self, id: &ChannelId) -> Result<Manifest, CommandError> {
        self.own(id)?;
        self.manifest(id)
    }

    fn manifest(&self, id: &ChannelId) -> Result<Manifest, CommandError> {
        let beacon = self.channels.by_id.get(id).and_then(Channel::latest);
        let beacon = beacon.ok_or(CommandError::NotFound { field: "channel" })?;
        Ok(beacon.manifest.clone())
    }

    /// Whether a post can be written as it is, and is of categories that the channel has.
    fn check_post(&self, id: &ChannelId, post: &Post) -> Result<(), CommandError> {
        let manifest = self.manifest(id)?;
        post.check().map_err(refused)?;
        let known = |category: &String| manifest.categories.iter().any(|known| known.id == *category);
        if !post.categories.iter().all(known) {
            return Err(CommandError::Invalid {
                field: "post.categories",
                reason: "the channel has no such category",
            });
        }
        if self.outs.len() >= limits::OUTBOX_ITEMS {
            return Err(CommandError::Limit {
                what: "messages that wait to be delivered",
                limit: limits::OUTBOX_ITEMS,
            });
        }
        Ok(())
    }

    /// Writes our next entry on a channel, and if it is our own, a beacon that covers it.
    pub(super) fn act(&mut self, now_ms: u64, id: ChannelId, act: Act) -> Result<EnvelopeId, RowsError> {
        let fault = |reason: &dyn std::fmt::Display| RowsError {
            reason: reason.to_string(),
        };
        let channel = self.channels.by_id.get_mut(&id);
        let Some((channel, signatory)) = channel.and_then(|channel| {
            let signatory = channel.signatory(&id)?;
            Some((channel, signatory))
        }) else {
            return Err(fault(&"nothing to write with"));
        };
        let Some(pen) = &mut channel.row.pen else {
            return Err(fault(&"nothing to write with"));
        };
        let number = pen.number.saturating_add(1);
        let entry = Entry {
            number,
            previous: pen.previous,
            time_ms: now_ms,
            act,
            extensions: Vec::new(),
        };
        let body = Statement::Entry(Box::new(entry)).encode();
        let envelope = Envelope::sign_as(&signatory, limits::CHANNEL_SECONDS, &body).map_err(|error| fault(&error))?;
        let made = envelope.id();
        (pen.number, pen.previous) = (number, made);
        channel.dirty = true;
        self.hand_out(now_ms, id, number, envelope)?;
        if let Ok(manifest) = self.own_manifest(&id) {
            self.send_beacon(now_ms, id, manifest)?;
        }
        Ok(made)
    }

    /// Takes an own envelope like any other, and hands it to the channel's relays.
    pub(super) fn hand_out(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        number: u64,
        envelope: Envelope,
    ) -> Result<(), RowsError> {
        self.channels.arrived.push(Arrived {
            envelope: envelope.clone(),
            came: Came::Live,
            gossip: None,
        });
        let what = OutWhat::Row(OutKind::Channel { channel: id, number });
        self.add_out(now_ms, id.topic(), what, envelope)
    }

    /// What a brand would sign that uses a number again: for the simulator alone.
    #[cfg(feature = "sim")]
    pub(crate) fn forge_entry(&self, id: &ChannelId, number: u64) -> Option<Envelope> {
        let signatory = self.channels.by_id.get(id)?.signatory(id)?;
        let previous = if number == 1 { [0; 32] } else { [9; 32] };
        let mut post = Post::text("another version");
        post.flags = Post::ADVERTISING;
        let entry = Entry {
            number,
            previous: EnvelopeId(previous),
            time_ms: 1,
            act: Act::Post(post),
            extensions: Vec::new(),
        };
        let body = Statement::Entry(Box::new(entry)).encode();
        Envelope::sign_as(&signatory, limits::CHANNEL_SECONDS, &body).ok()
    }
}

pub(super) fn check_manifest(manifest: &Manifest) -> Result<(), CommandError> {
    if manifest.relays.is_empty() {
        return Err(CommandError::Invalid {
            field: "relays",
            reason: "a channel needs a relay: this account has none, and none was given",
        });
    }
    let bytes = manifest.encode();
    match Manifest::decode(&bytes).map_err(refused)? {
        read if read == *manifest => Ok(()),
        _ => Err(CommandError::Invalid {
            field: "manifest",
            reason: "can't be read again as it is",
        }),
    }
}

/// What the format doesn't allow, as an answer to whoever gave it.
pub(super) fn refused(error: DecodeError) -> CommandError {
    match error {
        DecodeError::TooLong { field, found, limit } => CommandError::TooLarge {
            field,
            found: usize::try_from(found).unwrap_or(usize::MAX),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        },
        DecodeError::Invalid { field, reason } => CommandError::Invalid { field, reason },
        DecodeError::Truncated { field } | DecodeError::Length { field } | DecodeError::Version { field, .. } => {
            CommandError::Invalid {
                field,
                reason: "can't be read",
            }
        }
        DecodeError::Trailing { .. } => CommandError::Invalid {
            field: "post",
            reason: "can't be read",
        },
    }
}
