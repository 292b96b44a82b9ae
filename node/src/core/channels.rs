//! Channels as the JSON-RPC shows them, and what is done with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64;
use madang_protocol::channel::terms::Terms;
use madang_protocol::channel::{self as protocol, Policy, PostBody as Body, Proof, is_actionable};
use madang_protocol::client::channel_view::{self as view, ChannelView, PlanView, PostView};
use madang_protocol::client::{
    ChannelCommand, Command, CommandError, Content, FileContent, ManifestChange, PostFiles, Reply,
};
use madang_protocol::envelope::Envelope;
use madang_protocol::keys;
use madang_protocol::message::Poll;
use madang_protocol::rows::{Rows, RowsError};
use madang_protocol::wire::Wire as _;

use super::api::Facade;
use super::directory::listed;
use super::engine::{Answer, Ask};
use super::media::THUMBNAILS;
use super::polls::of_poll;
use super::relays::{peer_addresses, relay_address};
use super::show::{attachment, given, held, refusal, refused};
use super::terms;
use crate::clock::now_ms;
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::limits::MAX_THUMBNAIL;
use crate::rpc::params::*;
use crate::rpc::types::*;

/// Pages that one call reads of relays to have as many posts as are asked for: some have beacons and edits only (guess).
const PAGES: usize = 8;

impl Facade {
    pub(super) async fn channels(&self) -> ApiResult<Vec<Channel>> {
        let found = self.read(|rows| view::channels(rows)).await?;
        Ok(found.into_iter().map(channel).collect())
    }

    pub(super) async fn channel(&self, id: ChannelId) -> ApiResult<Channel> {
        let found = self.read(move |rows| view::channel(rows, &inner(id))).await?;
        found.map(channel).ok_or(ApiError::NotFound { field: "channel" })
    }

    pub(super) async fn on_channel(&self, command: ChannelCommand) -> ApiResult<Reply> {
        self.command(Command::Channel(Box::new(command))).await
    }

    pub(super) async fn made(&self, command: ChannelCommand) -> ApiResult<Channel> {
        match self.on_channel(command).await? {
            Reply::Channel(id) => self.channel(ChannelId(id.0)).await,
            _ => Err(other_said()),
        }
    }

    pub(super) async fn make_channel(&self, params: ChannelCreateParams) -> ApiResult<Channel> {
        let command = ChannelCommand::Create {
            manifest: change(Some(params.name), params.manifest)?,
            idempotency_key: params.idempotency_key,
        };
        self.made(command).await.map_err(of_parameters)
    }

    pub(super) async fn change_channel(&self, params: ChannelUpdateParams) -> ApiResult<Channel> {
        let command = ChannelCommand::Update {
            channel: inner(params.channel),
            manifest: change(params.name, params.manifest)?,
        };
        self.on_channel(command).await.map_err(of_parameters)?;
        self.channel(params.channel).await
    }

    pub(super) async fn follow(&self, params: FollowParams) -> ApiResult<Channel> {
        let (link, mesh) = (params.link, params.via == Via::Followers);
        self.made(ChannelCommand::Follow { link, mesh }).await
    }

    pub(super) async fn via(&self, params: ViaParams) -> ApiResult<Channel> {
        let (channel, mesh) = (inner(params.channel), params.via == Via::Followers);
        self.on_channel(ChannelCommand::Mesh { channel, mesh }).await?;
        self.channel(params.channel).await
    }

    pub(super) async fn unfollow(&self, id: ChannelId) -> ApiResult<Done> {
        let channel = inner(id);
        self.on_channel(ChannelCommand::Unfollow { channel }).await?;
        Ok(Done {})
    }

    pub(super) async fn mute(&self, params: MuteParams) -> ApiResult<Channel> {
        let (channel, muted) = (inner(params.channel), params.muted);
        self.on_channel(ChannelCommand::Mute { channel, muted }).await?;
        self.channel(params.channel).await
    }

    pub(super) async fn block(&self, params: BlockParams) -> ApiResult<Done> {
        let (channel, blocked) = (inner(params.channel), params.blocked);
        self.on_channel(ChannelCommand::Block { channel, blocked }).await?;
        Ok(Done {})
    }

    pub(super) async fn post(&self, params: ChannelPostParams) -> ApiResult<Posted> {
        let (post, files) = self.new_post(params.post).await?;
        let command = ChannelCommand::Post {
            channel: inner(params.channel),
            post,
            files,
            at_ms: params.at_ms,
            idempotency_key: params.idempotency_key,
        };
        posted(self.on_channel(command).await?)
    }

    pub(super) async fn preview_post(&self, params: ChannelPreviewParams) -> ApiResult<Post> {
        let (new, files) = self.new_post(params.post).await?;
        let command = ChannelCommand::Preview {
            channel: inner(params.channel),
            post: new,
            files,
            at_ms: params.at_ms,
        };
        match self.on_channel(command).await? {
            Reply::Preview(seen) => Ok(post(*seen, false)),
            _ => Err(other_said()),
        }
    }

    pub(super) async fn edit_post(&self, params: ChannelEditParams) -> ApiResult<Posted> {
        let (post, files) = self.new_post(params.content).await?;
        let command = ChannelCommand::Edit {
            channel: inner(params.channel),
            target: keys::EnvelopeId(params.post.0),
            post,
            files,
        };
        posted(self.on_channel(command).await?)
    }

    pub(super) async fn retract_post(&self, params: RetractParams) -> ApiResult<Posted> {
        let command = ChannelCommand::Retract {
            channel: inner(params.channel),
            target: keys::EnvelopeId(params.post.0),
            reason: params.reason,
        };
        posted(self.on_channel(command).await?)
    }

    pub(super) async fn plans(&self, id: ChannelId) -> ApiResult<Page<Plan>> {
        let found = self
            .read(move |rows| {
                let own = view::channel(rows, &inner(id))?.is_some_and(|channel| channel.own);
                own.then(|| view::plans(rows, &inner(id))).transpose()
            })
            .await?;
        let items = found.ok_or(ApiError::NotFound { field: "channel" })?.into_iter();
        let items = items.map(|PlanView { id, at_ms, post }| Plan {
            post: PostId(id),
            at_ms,
            body: body(post, None),
        });
        Ok(whole(items.collect()))
    }

    pub(super) async fn unplan(&self, params: PostParams) -> ApiResult<Done> {
        let (channel, plan) = (inner(params.channel), params.post.0);
        self.on_channel(ChannelCommand::Unplan { channel, plan }).await?;
        Ok(Done {})
    }

    pub(super) async fn posts(&self, params: PostListParams) -> ApiResult<PostPage> {
        let id = inner(params.channel);
        let cursor = |field: &'static str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match hex::decode(text) {
                Ok(key) if key.starts_with(&id.0) => Ok(Some(key)),
                _ => Err(ApiError::invalid(field, "is not a cursor of this channel")),
            },
        };
        let after = cursor("after", &params.after)?;
        let before = cursor("before", &params.before)?;
        let limit = params.limit as usize;
        let (forward, from_middle) = (after.is_some(), before.is_some());
        let mut at_relays = true;
        let mut pages = 0;
        let (mut found, own) = loop {
            let (after, before) = (after.clone(), before.clone());
            let found = self
                .read(move |rows| {
                    let Some(channel) = view::channel(rows, &id)? else {
                        return Ok(None);
                    };
                    let posts = view::posts(rows, &id, after.as_deref(), before.as_deref(), limit + 1)?;
                    Ok(Some((posts, channel.own)))
                })
                .await?;
            let (found, own) = found.ok_or(ApiError::NotFound { field: "channel" })?;
            // What isn't here is at relays.
            if forward || own || found.len() > limit || !at_relays || pages == PAGES {
                break (found, own);
            }
            pages += 1;
            at_relays = match self.older(id).await {
                Err(ApiError::RelayUnavailable) if found.is_empty() && from_middle => {
                    return Err(ApiError::RelayUnavailable);
                }
                Err(ApiError::RelayUnavailable | ApiError::ReadOnly { .. }) => false,
                more => more?,
            };
        };
        let more = found.len() > limit;
        if more && forward {
            found.truncate(limit);
        } else if more {
            found.remove(0);
        }
        let key = |row: Option<&(Vec<u8>, PostView)>| row.map(|(key, _)| hex::encode(key));
        let maybe_older = more || forward || at_relays && !own;
        Ok(PostPage {
            next: key(found.last()).filter(|_| more && forward || from_middle),
            prev: key(found.first()).filter(|_| maybe_older),
            items: found.into_iter().map(|(_, view)| post(view, own)).collect(),
        })
    }

    /// Fetches older posts from a relay; whether there may be still older ones.
    async fn older(&self, channel: keys::ChannelId) -> ApiResult<bool> {
        let command = Command::Channel(Box::new(ChannelCommand::History { channel }));
        let answer: Answer = self.ask(|sender| Ask::Command(command, sender)).await?;
        match answer {
            Ok(Reply::Older { more }) => Ok(more),
            Ok(_) => Err(other_said()),
            // Too many are asked at once: what is here is shown.
            Err(CommandError::Limit { .. }) => Ok(false),
            Err(error) => Err(refusal(error)),
        }
    }

    pub(super) async fn fetch_post(&self, params: PostParams) -> ApiResult<Blobs> {
        let id = keys::EnvelopeId(params.post.0);
        let channel = inner(params.channel);
        self.on_channel(ChannelCommand::FetchFiles { channel, post: id })
            .await?;
        let found = self.read(move |rows| view::post(rows, &id)).await?;
        let found = found.ok_or(ApiError::NotFound { field: "post" })?;
        let mut items = Vec::new();
        for file in found.post.files() {
            items.push(self.stat_file(BlobId(file.blob.id.0)).await?);
        }
        Ok(Blobs { items })
    }

    pub(super) async fn mark_posts_read(&self, params: PostParams) -> ApiResult<Done> {
        let id = keys::EnvelopeId(params.post.0);
        let channel = inner(params.channel);
        let found = self.read(move |rows| view::post(rows, &id)).await?;
        let found = found.filter(|view| view.channel == channel);
        let through = view::post_key(&found.ok_or(ApiError::NotFound { field: "post" })?);
        self.on_channel(ChannelCommand::MarkRead { channel, through }).await?;
        Ok(Done {})
    }

    pub(super) async fn channel_proofs(&self, id: ChannelId) -> ApiResult<Page<ChannelEvidence>> {
        let found = self
            .read(move |rows| {
                let known = view::channel(rows, &inner(id))?.is_some();
                known.then(|| view::evidence(rows, &inner(id))).transpose()
            })
            .await?;
        let items = found.ok_or(ApiError::NotFound { field: "channel" })?.into_iter();
        Ok(whole(
            items
                .map(|(evidence, proof)| shown(inner(id), &proof, &evidence.encode()))
                .collect(),
        ))
    }

    /// The images of cards, by their places.
    async fn card_pictures(&self, body: &mut NewPostBody) -> ApiResult<BTreeMap<u8, FileContent>> {
        let cards: Vec<(&mut NewCard, String)> = match body {
            NewPostBody::Card { card, .. } => vec![(card, "body.card".into())],
            NewPostBody::Coupon { coupon, .. } => vec![(&mut coupon.card, "body.coupon.card".into())],
            NewPostBody::Carousel { cards, .. } => {
                let named = |(at, card)| (card, format!("body.cards[{at}]"));
                cards.iter_mut().enumerate().map(named).collect()
            }
            _ => Vec::new(),
        };
        let many = cards.len().max(1);
        let mut pictures = BTreeMap::new();
        for (place, (card, path)) in (0..).zip(cards) {
            if let Some(image) = card.image.take() {
                let share = (THUMBNAILS / many).min(MAX_THUMBNAIL);
                let picture = self.picture(image, share, &format!("{path}.image")).await?;
                pictures.insert(place, picture);
            }
        }
        Ok(pictures)
    }

    /// What is posted as the core takes it.
    async fn new_post(&self, mut new: NewPost) -> ApiResult<(protocol::Post, PostFiles)> {
        let mut files = PostFiles {
            pictures: self.card_pictures(&mut new.body).await?,
            ..PostFiles::default()
        };
        let (text, body) = match new.body {
            NewPostBody::Text { text } => (text, Body::Text),
            NewPostBody::Album { files: given, text } => {
                let content = self.content(SendBody::Album { files: given, text }).await?;
                let Content::Files(content) = content else {
                    return Err(other_said());
                };
                files.album = content.items;
                (content.text, Body::Text)
            }
            NewPostBody::Card { card, text } => (text, Body::Card(card_in(card))),
            NewPostBody::Carousel { cards, text } => (text, Body::Carousel(cards.into_iter().map(card_in).collect())),
            NewPostBody::Event { event, text } => (
                text,
                Body::Event(protocol::Event {
                    title: event.title,
                    starts_s: event.starts_s,
                    ends_s: event.ends_s,
                    place: event.place,
                    details: event.details,
                    url: event.url,
                }),
            ),
            NewPostBody::Poll {
                question,
                options,
                multiple,
                text,
            } => (
                text,
                Body::Poll(Poll {
                    question,
                    options,
                    multiple,
                }),
            ),
            NewPostBody::Coupon { coupon, text } => (
                text,
                Body::Coupon(protocol::Coupon {
                    card: card_in(coupon.card),
                    terms: coupon.terms,
                    starts_s: coupon.starts_s,
                    ends_s: coupon.ends_s,
                    total: coupon.total,
                    per_follower: coupon.per_follower,
                    issuer: Vec::new(),
                    desk: Vec::new(),
                }),
            ),
        };
        let flag = |on: bool, flag: u8| if on { flag } else { 0 };
        let post = protocol::Post {
            categories: new.categories,
            area: new.area.map(terms::circle),
            flags: flag(new.advertising, protocol::Post::ADVERTISING) | flag(new.urgent, protocol::Post::URGENT),
            text,
            body,
            extensions: Vec::new(),
        };
        Ok((post, files))
    }
}

/// Checks evidence that somebody gives, or one envelope alone.
pub(super) fn verify(params: &VerifyParams) -> ApiResult<ChannelEvidence> {
    if let Ok(envelope) = Envelope::verify(&params.data)
        && let Some(authority) = envelope.authority()
        && let Ok(protocol::Statement::Entry(entry)) = protocol::Statement::decode(envelope.body())
    {
        return Ok(ChannelEvidence {
            channel: ChannelId(envelope.topic().0),
            proof: "signed".to_owned(),
            writer: Some(WriterKey(authority.writer.0)),
            number: entry.number,
            data: BASE64.encode(&params.data),
        });
    }
    let evidence = protocol::Evidence::decode(&params.data).map_err(|error| ApiError::invalid("data", error))?;
    let (channel, proof) = evidence.verify().map_err(|error| ApiError::invalid("data", error))?;
    Ok(shown(channel, &proof, &params.data))
}

/// A post as an event tells it; none if it is gone.
pub(super) fn event_post(rows: &dyn Rows, id: &keys::EnvelopeId) -> Result<Option<Post>, RowsError> {
    let Some(found) = view::post(rows, id)? else {
        return Ok(None);
    };
    let own = view::channel(rows, &found.channel)?.is_some_and(|channel| channel.own);
    Ok(Some(post(found, own)))
}

/// Evidence as an event tells it.
pub(super) fn event_evidence(
    rows: &dyn Rows,
    channel: keys::ChannelId,
    number: u32,
) -> Result<Option<EventKind>, RowsError> {
    let found = view::evidence(rows, &channel)?.into_iter().nth(number as usize);
    Ok(found.map(|(_, proof)| EventKind::ChannelEvidence {
        channel: ChannelId(channel.0),
        proof: proof.name().to_owned(),
        writer: proof.writer().map(|writer| WriterKey(writer.0)),
    }))
}

/// What the protocol refuses of a manifest, by the names that its parts have here.
pub(super) fn of_parameters(error: ApiError) -> ApiError {
    let named = |field: Cow<'static, str>| match field.as_ref() {
        "link.label" | "link.url" => "links".into(),
        "manifest.category.id" | "manifest.category.name" => "categories".into(),
        other => match other.strip_prefix("manifest.") {
            Some(rest) => rest.to_owned().into(),
            None => field,
        },
    };
    match error {
        ApiError::InvalidParams { field, reason } => ApiError::InvalidParams {
            field: named(field),
            reason,
        },
        ApiError::TooLarge { field, limit } => ApiError::TooLarge {
            field: named(field),
            limit,
        },
        other => other,
    }
}

pub(super) fn inner(id: ChannelId) -> keys::ChannelId {
    keys::ChannelId(id.0)
}

pub(super) fn other_said() -> ApiError {
    super::api::other_said()
}

pub(super) fn whole<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        next: None,
        prev: None,
    }
}

fn posted(reply: Reply) -> ApiResult<Posted> {
    match reply {
        Reply::Posted { id, planned } => Ok(Posted {
            post: PostId(id.0),
            planned,
        }),
        _ => Err(other_said()),
    }
}

fn change(name: Option<String>, params: ManifestParams) -> ApiResult<ManifestChange> {
    let relays = params.relays.as_deref().map(peer_addresses).transpose();
    Ok(ManifestChange {
        relays: relays.map_err(|reason| ApiError::invalid("relays", reason))?,
        name,
        description: params.description,
        links: params.links.map(|links| {
            links
                .into_iter()
                .map(|link| protocol::WebLink {
                    label: link.label,
                    url: link.url,
                })
                .collect()
        }),
        categories: params.categories.map(|categories| {
            categories
                .into_iter()
                .map(|category| protocol::Category {
                    id: category.id,
                    name: category.name,
                })
                .collect()
        }),
        inbox: params.inbox,
        domain: params.domain,
        posts_per_day: params.posts_per_day,
        advertising_label: params.advertising_label,
        ..ManifestChange::default()
    })
}

fn channel(found: ChannelView) -> Channel {
    let now_ms = now_ms();
    Channel {
        channel: ChannelId(found.id.0),
        link: found.link(),
        relays: found.relays.iter().map(relay_address).collect(),
        own: found.own,
        followed: found.followed,
        muted: found.muted,
        via: if found.mesh { Via::Followers } else { Via::Relays },
        blocked: found.blocked,
        unread: found.unread,
        last_ms: found.last_ms,
        beacon: found.beacon.map(|beacon| Beacon {
            number: beacon.number,
            time_ms: beacon.time_ms,
            stale: beacon.is_stale(now_ms),
        }),
        gaps: found
            .gaps
            .iter()
            .map(|gap| ChannelGap {
                writer: WriterKey(gap.writer.0),
                first: gap.first,
                last: gap.last,
            })
            .collect(),
        evidence: found.evidence,
        scopes: terms::scope_names(found.scopes),
        terms: (found.terms != Terms::default()).then(|| terms::shown(found.terms)),
        held: found.held.iter().map(terms::held_back).collect(),
        broke_promise_ms: (found.broke_promise_ms > 0).then_some(found.broke_promise_ms),
        domain_proved_ms: found.proved_ms,
        listings: found.listings.iter().map(listed).collect(),
        name: found.name,
        manifest: found.manifest.map(manifest),
    }
}

fn manifest(told: protocol::Manifest) -> Manifest {
    let Policy {
        posts_per_day,
        advertising_label,
    } = told.policy;
    Manifest {
        number: told.number,
        description: told.description,
        links: told
            .links
            .into_iter()
            .map(|link| web_link(link.label, link.url))
            .collect(),
        categories: told
            .categories
            .into_iter()
            .map(|category| Category {
                id: category.id,
                name: category.name,
            })
            .collect(),
        inbox: given(&told.inbox),
        domain: given(&told.domain),
        posts_per_day: (posts_per_day > 0).then_some(posts_per_day),
        advertising_label: given(&advertising_label),
    }
}

fn web_link(label: String, url: String) -> WebLink {
    WebLink {
        label,
        actionable: is_actionable(&url),
        url,
    }
}

fn card_in(card: NewCard) -> protocol::Card {
    let buttons = card.buttons.into_iter().map(|button| protocol::Button {
        label: button.label,
        url: button.url,
    });
    protocol::Card {
        title: card.title,
        text: card.text,
        image: None,
        buttons: buttons.collect(),
    }
}

fn card(card: protocol::Card) -> Card {
    let buttons = card
        .buttons
        .into_iter()
        .map(|button| web_link(button.label, button.url));
    Card {
        title: card.title,
        text: card.text,
        image: card.image.map(|image| attachment(image).0),
        buttons: buttons.collect(),
    }
}

pub(super) fn post(found: PostView, own: bool) -> Post {
    let retracted = found.retracted.map(|(time_ms, reason)| Retracted { time_ms, reason });
    let vote = found.vote;
    Post {
        post: PostId(found.id.0),
        channel: ChannelId(found.channel.0),
        writer: WriterKey(found.writer.0),
        number: found.number,
        time_ms: found.time_ms,
        received_ms: found.received_ms,
        categories: found.post.categories.clone(),
        area: found.post.area.map(terms::area),
        advertising: found.post.is_advertising(),
        urgent: found.post.is_urgent(),
        body: match &retracted {
            Some(_) => PostBody::Retracted,
            None => body(found.post, vote),
        },
        edited_ms: found.edited_ms,
        retracted,
        provisional: found.provisional,
        unwanted: found.unwanted.map(terms::why),
        held: own.then(|| held(found.held)),
        reason: found.refused.map(refused),
    }
}

fn body(post: protocol::Post, vote: Option<Vec<u8>>) -> PostBody {
    let (until_ms, result) = of_poll(&post);
    let text = post.text;
    match post.body {
        Body::Text => PostBody::Text { text },
        Body::Files(files) => {
            let names: Vec<&str> = files.items.iter().map(|item| item.name.as_str()).collect();
            // Without a text there are their names, for programs that know no files.
            let text = if names.join("\n") == text { String::new() } else { text };
            PostBody::Album {
                files: files.items.into_iter().map(|item| attachment(item).0).collect(),
                text,
            }
        }
        Body::Card(shown) => PostBody::Card {
            card: card(shown),
            text,
        },
        Body::Carousel(cards) => PostBody::Carousel {
            cards: cards.into_iter().map(card).collect(),
            text,
        },
        Body::Event(event) => PostBody::Event {
            event: CalendarEvent {
                title: event.title,
                starts_s: event.starts_s,
                ends_s: event.ends_s,
                place: event.place,
                details: event.details,
                url: event.url,
            },
            text,
        },
        Body::Poll(poll) => PostBody::Poll {
            question: poll.question,
            options: poll.options,
            multiple: poll.multiple,
            until_ms,
            vote,
            result,
            text,
        },
        Body::Coupon(coupon) => PostBody::Coupon {
            coupon: Coupon {
                card: card(coupon.card),
                terms: coupon.terms,
                starts_s: coupon.starts_s,
                ends_s: coupon.ends_s,
                total: coupon.total,
                per_follower: coupon.per_follower,
            },
            text,
        },
        Body::Unknown { kind, .. } => PostBody::Unknown {
            code: kind.into(),
            text,
        },
    }
}

fn shown(channel: keys::ChannelId, proof: &Proof, data: &[u8]) -> ChannelEvidence {
    let number = match proof {
        Proof::TwoEntries { number, .. }
        | Proof::TwoHistories { number, .. }
        | Proof::TwoBeacons { number }
        | Proof::AnotherHead { number, .. } => *number,
        Proof::HeadWentBack { beacon, .. } | Proof::ManifestWentBack { beacon } => *beacon,
    };
    ChannelEvidence {
        channel: ChannelId(channel.0),
        proof: proof.name().to_owned(),
        writer: proof.writer().map(|writer| WriterKey(writer.0)),
        number,
        data: BASE64.encode(data),
    }
}
