//! A brand and who follows it: what each of them has to have in the end, whatever relays kept back, and what a brand that signs two things
//! with one number leaves with them.

use super::host::Machine;
use super::random::{MS, Micros};
use super::world::{HostId, World};
use crate::channel::{Area, Category, Post, PostBody};
use crate::client::{ChannelCommand, Command, CommandError, ManifestChange, PostFiles, Reply, channel_view as view};
use crate::envelope::Envelope;
use crate::keys::{ChannelId, EnvelopeId};
use crate::message::Poll;
use std::collections::{BTreeMap, BTreeSet};

/// Time between two tries of what wasn't answered.
const PAUSE: Micros = 300 * MS;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShopAsked {
    Create,
    Follow(HostId),
    /// The post of this number in `posts`.
    Post(usize),
    /// Terms, a look at what was held back, or an answer to a poll.
    Wish,
}

/// A post of the brand's.
#[derive(Default)]
struct Posted {
    /// Once it was acknowledged.
    id: Option<EnvelopeId>,
    /// It was asked for and not answered.
    waits: bool,
}

/// A brand, the first host, and the others, who follow it.
pub(super) struct Shop {
    brand: HostId,
    pub channel: Option<ChannelId>,
    followers: BTreeMap<HostId, bool>,
    posts: Vec<Posted>,
    /// What the brand signed with numbers that it had used.
    forged: Vec<(u64, Envelope)>,
    /// How often a follower has wished for something, and how often it is still to be asked for.
    wishes: (usize, u64),
    asked: BTreeSet<usize>,
    not_before: Micros,
}

impl Shop {
    pub fn new(people: usize) -> Self {
        Self {
            brand: HostId(0),
            channel: None,
            followers: (1..people).map(|place| (HostId(place), false)).collect(),
            posts: Vec::new(),
            forged: Vec::new(),
            wishes: (0, 0),
            asked: BTreeSet::new(),
            not_before: 0,
        }
    }

    /// What to ask of whom next, until all follow and all that was posted is acknowledged.
    pub fn next(&mut self, world: &World) -> Option<(HostId, Command, ShopAsked)> {
        if world.now < self.not_before {
            return None;
        }
        let up = |host: &HostId| world.hosts[host.0].is_up() && !self.asked.contains(&host.0);
        let (host, command, asked) = match self.channel {
            None => {
                let manifest = ManifestChange {
                    name: Some("shop".into()),
                    categories: Some(["news", "offers"].map(category).into()),
                    ..ManifestChange::default()
                };
                let create = ChannelCommand::Create {
                    manifest,
                    idempotency_key: Some("shop".into()),
                };
                (self.brand, create, ShopAsked::Create)
            }
            Some(channel) => {
                let link = view::channel(&world.hosts[self.brand.0].disk, &channel).ok()??.link();
                match self.followers.iter().find(|(host, done)| !**done && up(host)) {
                    Some((host, _)) => {
                        // Every other one passes on what it hears.
                        let mesh = host.0 % 2 == 1;
                        (*host, ChannelCommand::Follow { link, mesh }, ShopAsked::Follow(*host))
                    }
                    None if self.wishes.1 > 0 => {
                        let (made, waiting) = self.wishes;
                        self.wishes = (made + 1, waiting - 1);
                        let host = *self.followers.keys().nth(made % self.followers.len())?;
                        (host, self.wish_of(channel, made), ShopAsked::Wish)
                    }
                    None => {
                        let at = self.posts.iter().position(|post| post.id.is_none() && !post.waits)?;
                        (self.brand, self.command(channel, at), ShopAsked::Post(at))
                    }
                }
            }
        };
        if !up(&host) {
            return None;
        }
        self.not_before = world.now + PAUSE;
        self.asked.insert(host.0);
        if let ShopAsked::Post(at) = asked {
            self.posts[at].waits = true;
        }
        Some((host, Command::Channel(Box::new(command)), asked))
    }

    fn command(&self, channel: ChannelId, at: usize) -> ChannelCommand {
        ChannelCommand::Post {
            channel,
            post: varied(at),
            files: PostFiles::default(),
            at_ms: None,
            idempotency_key: Some(format!("post {at}")),
        }
    }

    /// What a follower wants; its twin wants something else of the channel.
    fn wish_of(&self, channel: ChannelId, made: usize) -> ChannelCommand {
        let polls = self.posts.iter().enumerate().filter(|(at, _)| is_poll(*at));
        let post = polls.filter_map(|(_, post)| post.id).nth(made % 2);
        match (made % 4, post) {
            (1 | 3, Some(post)) => ChannelCommand::Vote {
                channel,
                post,
                choices: vec![u8::from(made % 8 < 4)],
            },
            (2, _) => ChannelCommand::OpenDigest { channel },
            _ => ChannelCommand::Terms {
                channel,
                terms: Box::default(),
            },
        }
    }

    pub fn answered(
        &mut self,
        host: HostId,
        asked: ShopAsked,
        result: Result<Reply, CommandError>,
    ) -> Result<(), String> {
        self.asked.remove(&host.0);
        match (asked, result) {
            (ShopAsked::Create, Ok(Reply::Channel(channel))) => self.channel = Some(channel),
            (ShopAsked::Follow(follower), Ok(Reply::Channel(_))) => {
                self.followers.insert(follower, true);
            }
            (ShopAsked::Post(at), Ok(Reply::Posted { id, planned: false })) => {
                self.posts[at].waits = false;
                match self.posts[at].id.replace(id) {
                    Some(before) if before != id => return Err(format!("one key, two posts: {before:?} and {id:?}")),
                    _ => {}
                }
            }
            // A poll may not have come yet, or be over by the follower's clock.
            (
                ShopAsked::Wish,
                Ok(Reply::Done) | Err(CommandError::NotFound { field: "post" } | CommandError::NotAllowed { .. }),
            ) => {}
            // Nothing has been said of itself that another post could say again.
            (ShopAsked::Post(at), Err(CommandError::NotFound { .. })) => self.posts[at].waits = false,
            (asked, result) => return Err(format!("{host:?} answers {result:?} to {asked:?}")),
        }
        Ok(())
    }

    /// A command will never be answered.
    pub fn lost(&mut self, host: HostId, asked: ShopAsked) {
        self.asked.remove(&host.0);
        if let ShopAsked::Post(at) = asked {
            self.posts[at].waits = false;
        }
    }

    /// The brand wants to post.
    pub fn post(&mut self) {
        if self.followers.values().all(|done| *done) && self.channel.is_some() {
            self.posts.push(Posted::default());
        }
    }

    /// A follower says what it wants, or looks at what was held back.
    pub fn wish(&mut self) {
        self.wishes.1 += 1;
    }

    /// The brand signs something else with a number that it has used, and shows it to somebody.
    pub fn forge(&mut self, world: &mut World) {
        let (Some(channel), Some(Machine::Client(client))) = (self.channel, &world.hosts[self.brand.0].machine) else {
            return;
        };
        let many = self.posts.iter().filter(|post| post.id.is_some()).count() as u64;
        let number = 1 + world.random.below(many.max(1));
        let Some(envelope) = client.forge_entry(&channel, number).filter(|_| many > 0) else {
            return;
        };
        world.trace(|| format!("the brand signs another entry {number}: {:?}", envelope.id()));
        self.forged.push((number, envelope));
        self.show(world);
    }

    /// Somebody is shown one of these, by the stranger.
    pub fn show(&self, world: &mut World) {
        let followers: Vec<HostId> = self.followers.keys().copied().collect();
        let Some(follower) = world.random.pick(&followers) else {
            return;
        };
        let at = world.random.index(self.forged.len().max(1));
        let Some((_, envelope)) = self.forged.get(at).filter(|_| world.hosts[follower.0].is_up()) else {
            return;
        };
        let (me, key) = (world.stranger(), world.hosts[follower.0].key);
        match world.link_between(me, follower) {
            None => world.connect(me, follower, key),
            Some(link) if !world.links[&link].closing => {
                world.gossip_to(link, follower, envelope.bytes().to_vec());
            }
            Some(_) => {}
        }
    }

    /// Posts that were acknowledged, and what was signed with their numbers.
    pub fn counts(&self) -> (u64, u64) {
        let posts = self.posts.iter().filter(|post| post.id.is_some()).count();
        (posts as u64, self.forged.len() as u64)
    }

    /// Whether everybody has every post once, nothing is missing, and contradictions are proved exactly where there were any.
    pub fn check(&self, world: &World) -> Result<(), String> {
        let channel = self.channel.ok_or("the channel doesn't come to be")?;
        if let Some((follower, _)) = self.followers.iter().find(|(_, done)| !**done) {
            return Err(format!("{follower:?} doesn't follow"));
        }
        if self.posts.iter().any(|post| post.id.is_none()) {
            return Err("a post was never acknowledged".into());
        }
        let own = listed(world, self.brand, channel)?;
        for post in self.posts.iter().filter_map(|post| post.id) {
            if !own.values().any(|id| *id == post) {
                return Err(format!("the brand lost {post:?}, which it had acknowledged"));
            }
        }
        self.check_polls(world, channel)?;
        for follower in self.followers.keys() {
            let theirs = listed(world, *follower, channel)?;
            for (number, id) in &own {
                let forged = self
                    .forged
                    .iter()
                    .any(|(of, other)| of == number && Some(&other.id()) == theirs.get(number));
                if theirs.get(number) != Some(id) && !forged {
                    return Err(format!(
                        "{follower:?} has {:?} as post {number}, not {id:?}",
                        theirs.get(number)
                    ));
                }
            }
            if let Some(odd) = theirs.keys().find(|number| !own.contains_key(number)) {
                return Err(format!("{follower:?} has a post {odd} that nobody wrote"));
            }
            let disk = &world.hosts[follower.0].disk;
            let fault = |error: crate::rows::RowsError| error.to_string();
            let shown = view::channel(disk, &channel)
                .map_err(fault)?
                .ok_or("the channel is gone")?;
            if !shown.gaps.is_empty() {
                return Err(format!("{follower:?} lacks {:?}", shown.gaps));
            }
            let proofs = view::evidence(disk, &channel).map_err(fault)?;
            if proofs.len() != shown.evidence as usize {
                return Err(format!("{follower:?} keeps evidence that proves nothing"));
            }
            if proofs.is_empty() != self.forged.is_empty() {
                return Err(format!(
                    "{follower:?} has {} proofs of {} forgeries",
                    proofs.len(),
                    self.forged.len()
                ));
            }
        }
        Ok(())
    }
}

fn category(id: &str) -> Category {
    Category {
        id: id.into(),
        name: id.into(),
    }
}

fn is_poll(at: usize) -> bool {
    at % 6 == 1
}

/// A post with something that terms weigh; now and then a poll.
fn varied(at: usize) -> Post {
    let mut post = Post::text(format!("post {at}"));
    if is_poll(at) {
        post.body = PostBody::Poll(Poll {
            question: "Which?".into(),
            options: vec!["this".into(), "that".into()],
            multiple: false,
        });
    }
    post.categories = match at % 3 {
        0 => vec!["news".into()],
        1 => vec!["offers".into()],
        _ => Vec::new(),
    };
    post.area = (at % 4 == 1).then_some(Area {
        latitude_e6: 37_000_000,
        longitude_e6: 127_000_000,
        radius_m: 1_000,
    });
    post.flags |= if at % 5 == 2 { Post::ADVERTISING } else { 0 };
    post.flags |= if at % 7 == 3 { Post::URGENT } else { 0 };
    post
}

impl Shop {
    /// Whether each answer is counted, once.
    fn check_polls(&self, world: &World, channel: ChannelId) -> Result<(), String> {
        let mut given: BTreeMap<EnvelopeId, u32> = BTreeMap::new();
        for follower in self.followers.keys() {
            let posts = view::posts(&world.hosts[follower.0].disk, &channel, None, None, usize::MAX);
            for (_, post) in posts.map_err(|error| error.to_string())? {
                if post.vote.is_some_and(|chosen| !chosen.is_empty()) {
                    *given.entry(post.id).or_default() += 1;
                }
            }
        }
        let Some(Machine::Client(brand)) = &world.hosts[self.brand.0].machine else {
            return Err("the brand is down".into());
        };
        for (post, counted) in brand.counted_polls() {
            let given = given.get(&post).copied().unwrap_or(0);
            if counted != given {
                return Err(format!("{given} answered {post:?}, and {counted} are counted"));
            }
        }
        Ok(())
    }
}

/// Posts by their numbers; each is there once.
fn listed(world: &World, host: HostId, channel: ChannelId) -> Result<BTreeMap<u64, EnvelopeId>, String> {
    let posts = view::posts(&world.hosts[host.0].disk, &channel, None, None, usize::MAX);
    let mut by_number = BTreeMap::new();
    for (_, post) in posts.map_err(|error| error.to_string())? {
        if by_number.insert(post.number, post.id).is_some() {
            return Err(format!("{host:?} lists post {} twice", post.number));
        }
    }
    Ok(by_number)
}
