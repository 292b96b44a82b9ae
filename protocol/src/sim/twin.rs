//! A follower's twin: the same device with the same seed and the same inputs at the same times, which differs in one thing: what of its
//! channels it wants, and when. All that leaves the two has to be the same, byte for byte and in order.
//!
//! The twin is heard by nobody and draws no chance, so that a history is what it would be without it.

use super::host::{Kind, Machine};
use super::random::{MS, Micros};
use super::world::{Event, HostId, World};
use crate::channel::Area;
use crate::channel::terms::{Hours, Terms};
use crate::client::{ChannelCommand, Client, Command, Effect, Input, channel_view as view};
use crate::keys::ChannelId;
use crate::rows::{Batch, MemoryRows};

/// Minutes of a day.
const DAY_MINUTES: u64 = 24 * 60;

/// The twin of a host.
#[derive(Default)]
pub(super) struct Twin {
    client: Option<Client>,
    pub disk: MemoryRows,
    /// How often it was given terms.
    turns: u64,
    wake_at: Option<Micros>,
}

impl Twin {
    /// Its memory is lost.
    pub fn crash(&mut self) {
        (self.client, self.wake_at) = (None, None);
    }

    /// Posts that it holds back or doesn't want.
    pub fn withheld(&self) -> u64 {
        let channels = view::channels(&self.disk).unwrap_or_default();
        let count = |id: &ChannelId| view::posts(&self.disk, id, None, None, usize::MAX).map(|posts| unwanted(&posts));
        let withheld = |channel: &view::ChannelView| channel.held.len() + count(&channel.id).unwrap_or_default();
        channels.iter().map(withheld).sum::<usize>() as u64
    }

    fn feed(&mut self, now_ms: u64, mut input: Input) -> Result<(), String> {
        if let Input::Command {
            command: Command::Channel(command),
            ..
        } = &mut input
            && let ChannelCommand::Terms { terms, .. } = command.as_mut()
        {
            **terms = narrow(self.turns, now_ms);
            self.turns += 1;
        }
        let Some(client) = &mut self.client else {
            return Ok(());
        };
        let fed = client.handle(now_ms, input, &self.disk);
        fed.map_err(|error| error.to_string())
    }

    /// Rows of a step are durable.
    fn commit(&mut self, now_ms: u64, batch: &Batch) -> Result<(), String> {
        self.disk.apply(batch);
        self.feed(now_ms, Input::Committed)
    }
}

fn unwanted(posts: &[(Vec<u8>, view::PostView)]) -> usize {
    posts.iter().filter(|(_, post)| post.unwanted.is_some()).count()
}

/// Terms that leave little of a channel, another time other ones.
fn narrow(turn: u64, now_ms: u64) -> Terms {
    let this = now_ms / 60_000;
    let minute = |ahead: u64| u16::try_from((this + ahead) % DAY_MINUTES).unwrap_or(0);
    let from_to = |from: u64, to: u64| Hours {
        days: Hours::DAILY,
        from: minute(from),
        to: minute(to),
    };
    let elsewhere = Area {
        latitude_e6: -37_000_000,
        longitude_e6: 0,
        radius_m: 1,
    };
    match turn % 4 {
        // Every other minute, so that what was held back is released within the history.
        0 => Terms {
            quiet: (0..7).map(|n| from_to(2 * n, 2 * n + 1)).collect(),
            ..Terms::default()
        },
        1 => Terms {
            categories: Some(["offers".to_owned()].into()),
            window: vec![from_to(1, 5)],
            ..Terms::default()
        },
        2 => Terms {
            daily_cap: Some(1),
            places: vec![elsewhere],
            zone: Some("Asia/Seoul".into()),
            ..Terms::default()
        },
        _ => Terms {
            categories: Some(Default::default()),
            advertising: false,
            urgent: true,
            quiet: vec![from_to(0, DAY_MINUTES - 1)],
            ..Terms::default()
        },
    }
}

impl World {
    /// Starts the twin of a host that starts.
    pub fn boot_twin(&mut self, id: HostId, entropy: [u8; 32]) -> Result<(), String> {
        let host = &self.hosts[id.0];
        let (Some(twin), Kind::Client(plan)) = (&host.twin, &host.kind) else {
            return Ok(());
        };
        let client = self.load_client(id, plan.clone(), entropy, &twin.disk)?;
        if let Some(twin) = &mut self.hosts[id.0].twin {
            twin.client = Some(client);
        }
        Ok(())
    }

    /// Gives the twin of a host what the host was given.
    pub fn feed_twin(&mut self, id: HostId, now_ms: u64, input: Input) -> Result<(), String> {
        match &mut self.hosts[id.0].twin {
            // It is told of its own commits.
            Some(twin) if !matches!(input, Input::Committed) => twin.feed(now_ms, input),
            _ => Ok(()),
        }
    }

    /// Ends what the twin of a host has begun: what leaves it has to be what leaves the host. What it wrote becomes durable with the step
    /// of the host, or is returned.
    pub fn drain_twin(&mut self, id: HostId, effects: &[Effect]) -> Result<Option<Batch>, String> {
        let fault = |error: crate::rows::RowsError| format!("the twin of {id:?}: {error}");
        let Some(client) = self.hosts[id.0].twin.as_mut().and_then(|twin| twin.client.as_mut()) else {
            return Ok(None);
        };
        let step = client.drain().map_err(fault)?;
        if !outside(effects).eq(outside(&step.effects)) {
            let told = |effects| -> Vec<_> {
                let each = outside(effects).map(|(bytes, words)| format!("{} bytes {words}", bytes.len()));
                each.collect()
            };
            let (own, theirs) = (told(effects), told(&step.effects));
            return Err(format!("{id:?} shows its terms: {own:?} leave it, {theirs:?} its twin"));
        }
        self.wake_twin(id);
        Ok((!step.batch.is_empty() || !step.effects.is_empty()).then_some(step.batch))
    }

    pub fn commit_twin(&mut self, id: HostId, batches: &[Batch]) -> Result<(), String> {
        let host = &mut self.hosts[id.0];
        let now_ms = host.clock.read(self.now);
        match &mut host.twin {
            Some(twin) => batches.iter().try_for_each(|batch| twin.commit(now_ms, batch)),
            None => Ok(()),
        }
    }

    /// The time of something has come that the twin alone waits for.
    pub fn tick_twin(&mut self, id: HostId, process: u64) -> Result<(), String> {
        let host = &mut self.hosts[id.0];
        let Some(twin) = host.twin.as_mut().filter(|_| host.process == process) else {
            return Ok(());
        };
        twin.wake_at = None;
        let now_ms = host.clock.read(self.now);
        let due = twin.client.as_ref().and_then(Client::next_timer);
        // What its host waits for too, it has with its host.
        let with_host = match &host.machine {
            Some(Machine::Client(client)) => client.next_timer(),
            _ => None,
        };
        let is_due = |due: Option<u64>| due.is_some_and(|due| due <= now_ms);
        if is_due(due) && !is_due(with_host) {
            twin.feed(now_ms, Input::Tick)?;
            if !host.drain_waits
                && let Some(batch) = self.drain_twin(id, &[])?
            {
                return self.keep_twin(id, batch);
            }
        }
        self.wake_twin(id);
        Ok(())
    }

    /// Looks after a timer of the twin's that its host doesn't have.
    fn wake_twin(&mut self, id: HostId) {
        let host = &mut self.hosts[id.0];
        let (Some(twin), Some(Machine::Client(client))) = (&mut host.twin, &host.machine) else {
            return;
        };
        let (theirs, own) = (client.next_timer(), twin.client.as_ref().and_then(Client::next_timer));
        let Some(due) = own.filter(|due| theirs.is_none_or(|theirs| *due < theirs)) else {
            return;
        };
        let wait = due.saturating_sub(host.clock.read(self.now)).max(1).saturating_mul(MS);
        if twin.wake_at.is_none_or(|at| at > self.now + wait) {
            twin.wake_at = Some(self.now + wait);
            let process = host.process;
            self.schedule(wait, Event::TwinTick { host: id, process });
        }
    }
}

/// What is seen outside of the device: bytes, and in words all the rest of an effect.
fn outside(effects: &[Effect]) -> impl Iterator<Item = (&[u8], String)> {
    effects.iter().filter_map(|effect| match effect {
        Effect::Reply { .. } | Effect::Events { .. } => None,
        Effect::Send { peer, side, frame } => Some((frame.as_slice(), format!("{side:?} to {peer:?}"))),
        Effect::Publish { topic, bytes } => Some((bytes, format!("on {topic:?}"))),
        other => Some((&[], format!("{other:?}"))),
    })
}
