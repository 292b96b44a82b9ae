//! The history: who does what when, and what goes wrong meanwhile.

use super::checker::{Book, check_evidence};
use super::host::Deadfall;
use super::plan::{ALL_CONTACTS, Paths, Plan, TO_2100_MS, signed};
use super::random::{MS, Micros, Random, SECOND};
use super::setup::Pair;
use super::shop::{Shop, ShopAsked};
use super::village::Village;
use super::world::{Event, HostId, Notice, World};
use super::{Outcome, SimConfig};
use crate::client::{Command, CommandError, ReadMark, Reply, history};
use crate::keys::ChatId;
use std::collections::BTreeMap;

/// Acts that first contacts are given before the eventful phase begins regardless.
const SETUP_ACTS: u64 = 80;
/// Virtual time in which most does.
const SOON: Micros = 60 * SECOND;
/// Virtual time that a run goes on after all is right: nothing may change any more.
const AFTERMATH: Micros = 5 * SECOND;
/// Virtual time in which nothing is done, so long that clients ask their relays what they keep.
const LULL: (Micros, Micros) = (540 * SECOND, 800 * SECOND);
/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// A command that waits for its answer.
enum Asked {
    Setup(usize),
    Found,
    Want(usize),
    Shop(ShopAsked),
    Send(usize),
    /// A key used with another text.
    Conflict,
    Read {
        chat: ChatId,
        mark: ReadMark,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Setup { acts: u64 },
    Eventful { acts: u64 },
    Quiet { since: Micros },
    Aftermath { since: Micros, until: Micros },
}

/// Plays a run.
pub(super) struct Driver {
    world: World,
    book: Book,
    pairs: Vec<Pair>,
    village: Option<Village>,
    shop: Option<Shop>,
    asked: BTreeMap<(HostId, u64), Asked>,
    next_token: u64,
    phase: Phase,
    gentle: bool,
    jumps: bool,
    /// Nothing goes wrong until the group is there.
    peaceful: bool,
    /// How often a host's clock went far: idempotency keys don't outlive that.
    leaps: BTreeMap<HostId, u32>,
}

impl Driver {
    pub fn new(seed: u64, config: &SimConfig, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = match config.group {
            Some(devices) => Plan::group(&mut random, config, devices),
            None if config.brand => Plan::brand(&mut random),
            None => Plan::new(&mut random),
        };
        let (gentle, jumps, people) = (plan.gentle, plan.jumps, plan.clients.len());
        let peaceful = plan.peaceful;
        let village = config.group.map(|_| Village::new(people, plan.exact, &mut random));
        let all = village.is_none() || plan.paths == Paths::DirectOnly || (people <= ALL_CONTACTS && random.chance(30));
        let mut pairs = Vec::new();
        for a in 0..people {
            for b in a + 1..people {
                // Those of a group know its founder, and now and then each other.
                if !all && a > 0 && !random.chance(10) {
                    continue;
                }
                let (a, b) = if random.chance(50) { (a, b) } else { (b, a) };
                pairs.push(Pair::new(HostId(a), HostId(b)));
            }
        }
        Self {
            world: World::new(config, plan, random, traced),
            book: Book::default(),
            pairs,
            village,
            shop: config.brand.then(|| Shop::new(people)),
            asked: BTreeMap::new(),
            next_token: 1,
            phase: Phase::Setup {
                acts: SETUP_ACTS * (1 + config.group.map_or(0, |_| people as u64)),
            },
            gentle,
            jumps,
            peaceful,
            leaps: BTreeMap::new(),
        }
    }

    pub fn play(mut self) -> Result<Outcome, (String, Vec<String>)> {
        match self.run() {
            Ok(()) => Ok(self.outcome()),
            Err(reason) => {
                let mut trace = self.world.take_trace();
                trace.extend(self.village.iter().map(|village| village.table(&self.world)));
                Err((reason, trace))
            }
        }
    }

    fn outcome(self) -> Outcome {
        let world = self.world;
        let (posts, forgeries) = self.shop.as_ref().map_or((0, 0), Shop::counts);
        let twins = world.hosts.iter().filter_map(|host| host.twin.as_ref());
        let withheld = twins.map(|twin| twin.withheld()).sum();
        Outcome {
            posts,
            withheld,
            forgeries,
            wire: *world.wire.finalize().as_bytes(),
            sends: self.book.acknowledged(),
            epochs: world.hostile.epochs.len() as u64,
            virtual_ms: world.now / MS,
            ..world.outcome
        }
    }

    fn run(&mut self) -> Result<(), String> {
        for host in (0..self.world.stranger().0).map(HostId) {
            self.world.boot(host, 0)?;
        }
        self.world.schedule(MS, Event::Act);
        loop {
            self.world.step()?;
            while let Some(notice) = self.world.notices.pop_front() {
                match notice {
                    Notice::Reply { host, token, result } => self.answered(host, token, result)?,
                    Notice::Committed { host, chats, adopted } => {
                        if let Some(village) = &mut self.village {
                            village.record(adopted);
                            for chat in chats {
                                village.note(&self.world, host, chat)?;
                            }
                        }
                        self.book.committed(&self.world, host)?;
                    }
                    Notice::Crashed { host } => self.crashed(host),
                    Notice::Act => {
                        if self.act()? {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Virtual time in which everything has to come right once all is healed. Where relays forget, one may come over only by way of another
    /// that does, and whoever isn't answered asks ever more seldom.
    fn patience(&self) -> Micros {
        let times = if self.world.config.absence { 2 } else { 1 };
        times * self.world.config.patience_s * SECOND
    }

    /// Does the next thing; true at the end.
    fn act(&mut self) -> Result<bool, String> {
        self.set_up()?;
        let pause = match self.phase {
            Phase::Setup { acts } => {
                let ready = self.ready();
                self.phase = match acts.checked_sub(1) {
                    Some(acts) if !ready => Phase::Setup { acts },
                    None if self.peaceful => return Err("the group doesn't come to be".into()),
                    _ => Phase::Eventful {
                        acts: self.world.config.acts,
                    },
                };
                self.world.calm = self.peaceful && !ready;
                if !self.world.calm {
                    self.early();
                }
                self.world.random.between(20 * MS, 400 * MS)
            }
            Phase::Eventful { acts } => {
                match acts.checked_sub(1) {
                    Some(acts) => {
                        self.phase = Phase::Eventful { acts };
                        self.eventful()?;
                    }
                    None => self.heal(),
                }
                if self.world.config.audits && self.world.random.chance(1) {
                    let pause = self.world.random.between(LULL.0, LULL.1);
                    self.world.trace(|| format!("nothing is done for {} s", pause / SECOND));
                    self.world.schedule(pause, Event::Act);
                    return Ok(false);
                }
                // Where relays forget, the history is long enough to outlast them.
                let longest = if self.world.retention_s.is_some() { 1200 } else { 400 };
                self.world.random.between(5 * MS, longest * MS)
            }
            Phase::Quiet { since } => {
                self.retry();
                if let Some(shop) = &self.shop {
                    shop.show(&mut self.world);
                }
                let overdue = self.world.now > since + self.patience();
                let settled = self.pairs.iter().all(|pair| pair.approved) && !self.book.waits();
                match self.check() {
                    Ok(()) if settled => {
                        self.phase = Phase::Aftermath {
                            since,
                            until: self.world.now + AFTERMATH,
                        }
                    }
                    Err(reason) if overdue => return Err(reason),
                    Err(reason) => self.world.trace(|| format!("not yet right: {reason}")),
                    Ok(()) if overdue => {
                        let approved: Vec<_> = self.pairs.iter().map(|pair| pair.approved).collect();
                        return Err(format!(
                            "a command was never answered; approved: {approved:?}, sends wait: {}",
                            self.book.waits()
                        ));
                    }
                    _ => {}
                }
                if self.world.now > since + SOON {
                    5 * SECOND
                } else {
                    500 * MS
                }
            }
            Phase::Aftermath { since, until } if self.world.now >= until => {
                match self.check() {
                    // Leaves are renewed all the time.
                    Err(_) if self.village.is_some() && self.world.now <= since + self.patience() => {
                        self.phase = Phase::Quiet { since };
                        self.world.schedule(SECOND, Event::Act);
                        return Ok(false);
                    }
                    checked => checked?,
                }
                let group = self.village.as_ref().and_then(|village| village.chat);
                self.book.check_events(&self.world, &self.pairs, group)?;
                self.world.outcome.evidence = check_evidence(&self.world)?;
                return Ok(true);
            }
            Phase::Aftermath { .. } => SECOND,
        };
        self.world.schedule(pause, Event::Act);
        Ok(false)
    }

    /// Whether all know each other, and are in the group.
    fn ready(&self) -> bool {
        let founded = self
            .village
            .as_ref()
            .is_none_or(|village| village.is_founded(&self.world));
        self.pairs.iter().all(|pair| pair.approved) && founded
    }

    fn check(&mut self) -> Result<(), String> {
        self.book.check(&self.world, &self.pairs)?;
        if let Some(village) = &mut self.village {
            village.check(&self.world, &self.book)?;
        }
        self.shop.as_ref().map_or(Ok(()), |shop| shop.check(&self.world))
    }

    fn set_up(&mut self) -> Result<(), String> {
        let founding = match &mut self.village {
            Some(village) if self.pairs.iter().all(|pair| pair.approved) => village.found(&self.world),
            _ => None,
        };
        if let Some((host, command)) = founding {
            self.ask(host, command, Asked::Found);
        }
        if let Some((host, command, asked)) = self.shop.as_mut().and_then(|shop| shop.next(&self.world)) {
            self.ask(host, command, Asked::Shop(asked));
        }
        for at in 0..self.pairs.len() {
            if let Some((host, command)) = self.pairs[at].next(&mut self.world)? {
                self.ask(host, command, Asked::Setup(at));
            }
        }
        Ok(())
    }

    /// What may happen before all know each other: everything but clocks that jump, which rightly end invites.
    fn early(&mut self) {
        match self.world.random.below(100) {
            0..34 if self.gentle => {}
            0..6 => self.kill(),
            6..10 => self.cut(),
            10..18 => self.mend(),
            18..22 => self.drop_link(),
            22..26 => self.break_stream(),
            26..34 if self.world.hostile.active => self.world.mischief(),
            34..50 => self.send(),
            _ => {}
        }
    }

    fn eventful(&mut self) -> Result<(), String> {
        if self.world.liar.relay.is_some() && self.world.random.chance(8) {
            self.world.lie_otherwise();
        }
        if self.world.retention_s.is_some() && self.world.random.chance(3) {
            self.be_absent();
        }
        let chat = self.village.as_ref().and_then(|village| village.chat);
        if let Some(chat) = chat.filter(|_| self.world.mole.is_some() && self.world.random.chance(12)) {
            self.world.scheme(chat)?;
        }
        if let Some(shop) = &mut self.shop {
            match self.world.random.below(100) {
                0..25 => shop.post(),
                25..28 => shop.forge(&mut self.world),
                28..34 => shop.show(&mut self.world),
                34..40 => shop.wish(),
                _ => {}
            }
        }
        match self.world.random.below(100) {
            52..100 if self.gentle => {}
            0..14 if self.village.is_some() => self.want(),
            14..17 if self.village.is_some() => {
                for _ in 0..self.world.random.between(2, 4) {
                    self.want();
                }
            }
            60..63 if self.village.is_some() => self.split(),
            0..38 => self.send(),
            38..42 => {
                for _ in 0..self.world.random.between(3, 6) {
                    self.send();
                }
            }
            42..52 => self.mark_read(),
            52..60 => self.kill(),
            60..66 => self.cut(),
            66..73 => self.mend(),
            73..77 => self.drop_link(),
            77..82 => self.break_stream(),
            82..84 => self.back_up(),
            84..86 => self.restore(),
            86..94 if self.world.hostile.active => self.world.mischief(),
            94..97 if self.jumps && self.pairs.iter().all(|pair| pair.approved) => self.jump(),
            _ => {}
        }
        Ok(())
    }

    /// Somebody is away for longer than relays keep anything.
    fn be_absent(&mut self) {
        let Some(retention_s) = self.world.retention_s else {
            return;
        };
        let away = u64::from(retention_s) * SECOND;
        let down_for = away + self.world.random.between(SECOND, 2 * away);
        if let Some(host) = self.world.random.pick(&self.world.clients()) {
            self.world
                .trace(|| format!("{host:?} goes away for {} s", down_for / SECOND));
            self.world.crash(host, down_for);
        }
    }

    /// All comes back and nothing goes wrong any more.
    fn heal(&mut self) {
        self.phase = Phase::Quiet { since: self.world.now };
        self.world.trace(|| "all is healed".into());
        self.world.calm = true;
        self.world.cut.clear();
        self.world.lie_otherwise();
        for host in &mut self.world.hosts {
            host.deadfall = None;
        }
        if self.world.random.chance(50) {
            let seats = self.village.as_ref().map(|village| village.seats(&self.world));
            for (host, chat) in seats.unwrap_or_default() {
                self.send_in(host, chat);
            }
            for at in 0..self.pairs.len() {
                for host in [self.pairs[at].inviter, self.pairs[at].accepter] {
                    if let Some(chat) = self.pairs[at].chat_at(host) {
                        self.send_in(host, chat);
                    }
                }
            }
        }
    }

    fn ask(&mut self, host: HostId, command: Command, asked: Asked) {
        if !self.world.hosts[host.0].is_up() {
            return self.lost(asked, host);
        }
        let token = self.next_token;
        self.next_token += 1;
        self.asked.insert((host, token), asked);
        self.world
            .schedule_arrival(100, host, super::network::Arrival::Command { token, command });
    }

    fn answered(&mut self, host: HostId, token: u64, result: Result<Reply, CommandError>) -> Result<(), String> {
        self.world.trace(|| format!("{host:?} answers {result:?}"));
        let Some(asked) = self.asked.remove(&(host, token)) else {
            return Err(format!("{host:?} answers a command twice, or one that it wasn't given"));
        };
        match (asked, result) {
            (Asked::Setup(pair), result) => self.pairs[pair].answered(self.world.now, result),
            (Asked::Send(at), Ok(Reply::Repeated(id))) => self.book.sent(at, id, None),
            (Asked::Send(at), Ok(Reply::Sent(id))) => {
                let village = self
                    .village
                    .as_ref()
                    .filter(|village| village.chat == Some(self.book.chat(at)));
                let state = village.and_then(|village| village.state_of(&self.world, host));
                self.book.sent(at, id, state)
            }
            (Asked::Send(at), Err(CommandError::NotAllowed { .. })) if self.village.is_some() => {
                self.book.refused(at);
                Ok(())
            }
            (Asked::Found, result) => {
                let village = self.village.as_mut().ok_or("no group")?;
                village.founded(self.world.now, result)
            }
            (Asked::Want(at), result) => {
                let village = self.village.as_mut().ok_or("no group")?;
                village.answered(&self.world, at, result)
            }
            (Asked::Shop(asked), result) => {
                let shop = self.shop.as_mut().ok_or("no shop")?;
                shop.answered(host, asked, result)
            }
            (Asked::Conflict, Err(CommandError::NotAllowed { .. })) if self.village.is_some() => Ok(()),
            (Asked::Conflict, Err(CommandError::IdempotencyConflict)) => Ok(()),
            (Asked::Read { chat, mark }, Ok(Reply::Done)) => {
                self.book.read(host, chat, &mark);
                Ok(())
            }
            (Asked::Conflict, Ok(_)) => Err(format!("{host:?} forgot an acknowledged idempotency key")),
            (_, other) => Err(format!("{host:?} answers {other:?}")),
        }
    }

    fn crashed(&mut self, host: HostId) {
        self.world.hostile.owed.retain(|(of, _), _| *of != host);
        let lost: Vec<_> = self.asked.keys().filter(|(of, _)| *of == host).copied().collect();
        for key in lost {
            if let Some(asked) = self.asked.remove(&key) {
                self.lost(asked, host);
            }
        }
    }

    /// A command will never be answered.
    fn lost(&mut self, asked: Asked, host: HostId) {
        match asked {
            Asked::Send(at) => self.book.unanswered(at),
            Asked::Setup(pair) => self.pairs[pair].crashed(host),
            Asked::Found => {
                if let Some(village) = &mut self.village {
                    village.unanswered();
                }
            }
            Asked::Shop(asked) => {
                if let Some(shop) = &mut self.shop {
                    shop.lost(host, asked);
                }
            }
            Asked::Want(_) | Asked::Conflict | Asked::Read { .. } => {}
        }
    }

    /// Somebody wants the group to change.
    fn want(&mut self) {
        let wanted = self.village.as_mut().and_then(|village| village.want(&mut self.world));
        if let Some((host, command, at)) = wanted {
            self.ask(host, command, Asked::Want(at));
        }
    }

    /// Two halves that can't reach each other.
    fn split(&mut self) {
        let hosts: Vec<_> = (0..self.world.stranger().0).map(HostId).collect();
        let (ones, others): (Vec<_>, Vec<_>) = hosts.into_iter().partition(|_| self.world.random.chance(50));
        for (a, b) in ones.iter().flat_map(|a| others.iter().map(move |b| (*a, *b))) {
            self.world.cut.insert((a.min(b), a.max(b)));
            if let Some(link) = self.world.link_between(a, b) {
                self.world.drop_link(link, true);
            }
        }
        self.world.trace(|| format!("{ones:?} are cut off the others"));
    }

    /// A host that knows a chat, and the chat.
    fn seat(&mut self) -> Option<(HostId, ChatId)> {
        if let Some(village) = &self.village {
            let seats = village.seats(&self.world);
            if !seats.is_empty() && self.world.random.chance(85) {
                return self.world.random.pick(&seats);
            }
        }
        let seats: Vec<_> = self
            .pairs
            .iter()
            .flat_map(|pair| [pair.inviter, pair.accepter].map(|host| (host, pair.chat_at(host))))
            .filter_map(|(host, chat)| Some((host, chat?)))
            .filter(|(host, _)| self.world.hosts[host.0].is_up())
            .collect();
        self.world.random.pick(&seats)
    }

    fn send(&mut self) {
        let Some((host, chat)) = self.seat() else {
            return;
        };
        let leaps = self.leaps.get(&host).copied().unwrap_or_default();
        match self.world.random.below(100) {
            0..10 => {
                let Some(at) = self.book.keyed(&mut self.world.random, host, leaps) else {
                    return;
                };
                self.send_again(at);
            }
            10..13 => {
                let Some(at) = self
                    .book
                    .keyed(&mut self.world.random, host, leaps)
                    .filter(|at| self.book.is_answered(*at))
                else {
                    return;
                };
                let Command::Send {
                    chat, idempotency_key, ..
                } = self.book.command(at)
                else {
                    return;
                };
                let command = Command::Send {
                    chat,
                    content: "something else".into(),
                    idempotency_key,
                };
                self.ask(host, command, Asked::Conflict);
            }
            _ => self.send_in(host, chat),
        }
    }

    fn send_in(&mut self, host: HostId, chat: ChatId) {
        let leaps = self.leaps.get(&host).copied().unwrap_or_default();
        let (keyed, length) = (self.world.random.chance(40), self.world.random.below(100));
        let length = if length < 5 { 8000 } else { length };
        let village = self.village.as_ref().filter(|village| village.chat == Some(chat));
        let asked_in = village.and_then(|village| village.state_of(&self.world, host));
        let asked = (self.world.now, asked_in);
        let at = self.book.compose((host, chat), asked, keyed, length, leaps);
        self.ask(host, self.book.command(at), Asked::Send(at));
    }

    fn send_again(&mut self, at: usize) {
        let host = self.book.author(at);
        self.book.tried(at);
        self.ask(host, self.book.command(at), Asked::Send(at));
    }

    /// An application asks again with the same key where it got no answer.
    fn retry(&mut self) {
        for at in self.book.unanswered_keyed() {
            let host = self.book.author(at);
            let leaps = self.leaps.get(&host).copied().unwrap_or_default();
            if self.world.hosts[host.0].is_up() && self.book.leaps(at) == leaps {
                self.send_again(at);
            }
        }
    }

    fn mark_read(&mut self) {
        let Some((host, chat)) = self.seat() else {
            return;
        };
        let disk = &self.world.hosts[host.0].disk;
        let Ok(listed) = history::messages(disk, &chat, None, None, usize::MAX) else {
            return;
        };
        let at = self.world.random.index(listed.len());
        let Some((_, message)) = listed.get(at) else {
            return;
        };
        if let Ok(Some(mark)) = history::read_mark(disk, &chat, &message.id) {
            self.book.reading(host, chat, &mark);
            self.ask(
                host,
                Command::MarkRead {
                    chat,
                    mark: mark.clone(),
                },
                Asked::Read { chat, mark },
            );
        }
    }

    fn kill(&mut self) {
        let living = self.world.stranger().0;
        let host = HostId(self.world.random.index(living));
        if !self.world.hosts[host.0].is_up() {
            return;
        }
        let deadfall = match self.world.random.below(10) {
            0..4 => {
                let down_for = self.world.down_time();
                return self.world.crash(host, down_for);
            }
            4..7 => Deadfall::BeforeFlush,
            7 => Deadfall::AfterFlush,
            _ => Deadfall::AfterEffects(self.world.random.index(4)),
        };
        self.world.trace(|| format!("{host:?} will die {deadfall:?}"));
        self.world.hosts[host.0].deadfall = Some(deadfall);
    }

    fn two_hosts(&mut self) -> (HostId, HostId) {
        let hosts = self.world.stranger().0;
        let clients = self.world.clients().len();
        let a = self.world.random.index(clients);
        let b = (a + 1 + self.world.random.index(hosts - 1)) % hosts;
        (HostId(a.min(b)), HostId(a.max(b)))
    }

    fn cut(&mut self) {
        let (a, b) = self.two_hosts();
        let others: Vec<_> = match self.world.random.chance(30) {
            true => (0..self.world.stranger().0)
                .map(HostId)
                .filter(|other| *other != a)
                .collect(),
            false => vec![b],
        };
        for b in others {
            self.world.trace(|| format!("{a:?} is cut off {b:?}"));
            self.world.cut.insert((a.min(b), a.max(b)));
            if let Some(link) = self.world.link_between(a, b) {
                self.world.drop_link(link, true);
            }
        }
    }

    fn mend(&mut self) {
        let cut: Vec<_> = self.world.cut.iter().copied().collect();
        if self.world.random.chance(30) {
            self.world.cut.clear();
        } else if let Some(pair) = self.world.random.pick(&cut) {
            self.world.cut.remove(&pair);
        }
    }

    fn drop_link(&mut self) {
        let links: Vec<_> = self.world.links.keys().copied().collect();
        if let Some(link) = self.world.random.pick(&links) {
            self.world.drop_link(link, false);
        }
    }

    fn break_stream(&mut self) {
        let streams: Vec<_> = self.world.streams.keys().copied().collect();
        if let Some(stream) = self.world.random.pick(&streams) {
            self.world.break_stream(stream);
        }
    }

    fn back_up(&mut self) {
        let relays = self.world.relays();
        if let Some(relay) = self.world.random.pick(&relays) {
            let host = &mut self.world.hosts[relay.0];
            host.snapshot = Some(host.disk.clone());
        }
    }

    /// A relay is set back to its backup and doesn't know it (FAULTS 18).
    fn restore(&mut self) {
        // Who settles a commit no longer looks after it.
        // A brand's post that all relays have signed for isn't looked after any more.
        if self.village.as_ref().is_some_and(|village| !village.exact) || self.shop.is_some() {
            return;
        }
        let relays = self.world.relays();
        let Some(relay) = self.world.random.pick(&relays) else {
            return;
        };
        let Some(snapshot) = self.world.hosts[relay.0].snapshot.clone() else {
            return;
        };
        self.world.trace(|| format!("{relay:?} is set back to a backup"));
        let down_for = self.world.down_time();
        self.world.crash(relay, down_for);
        self.world.hosts[relay.0].disk = snapshot;
        self.world.restored = true;
    }

    fn jump(&mut self) {
        let hosts = self.world.stranger().0;
        let host = self.world.random.index(hosts);
        let by = signed(self.world.random.below(DAY_MS));
        let clock = &mut self.world.hosts[host].clock;
        let before = clock.offset_ms;
        clock.offset_ms = match self.world.random.below(6) {
            0 => TO_2100_MS,
            1 => 0,
            2 | 3 => before - by,
            _ => before + by,
        };
        let after = clock.offset_ms;
        if before.abs_diff(after) > 2 * DAY_MS {
            *self.leaps.entry(HostId(host)).or_default() += 1;
        }
        self.world
            .trace(|| format!("the clock of host {host} jumps by {} s", (after - before) / 1000));
    }
}
