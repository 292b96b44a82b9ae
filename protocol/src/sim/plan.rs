//! What a seed decides before anything happens: who is there, who can reach whom, whose clock is wrong.

use super::SimConfig;
use super::random::{Clock, Random};
use super::world::HostId;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// From 2025 to 2100, in milliseconds.
pub(super) const TO_2100_MS: i64 = 75 * 365 * 24 * 3600 * 1000;

/// How clients can reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paths {
    /// Directly and by relays.
    Both,
    /// By relays only.
    RelayOnly,
    /// There are no relays.
    DirectOnly,
}

/// A client's settings.
#[derive(Clone, Debug)]
pub(super) struct ClientPlan {
    pub name: String,
    pub relays: Vec<HostId>,
    pub frozen_states: usize,
    pub frozen_ms: u64,
    pub leaf_update_ms: u64,
    pub report_delay_ms: u64,
    pub nudge_ms: u64,
    pub direct_grace_ms: u64,
    pub dial_backoff_ms: (u64, u64),
    pub rejoin_ms: u64,
}

/// The cast of a run.
pub(super) struct Plan {
    pub paths: Paths,
    pub clients: Vec<(ClientPlan, Clock)>,
    pub relays: Vec<Clock>,
    /// Whether a stranger injects what it has seen.
    pub hostile: bool,
    /// Nothing goes wrong but time: what no fault shakes loose must not be stuck.
    pub gentle: bool,
    /// Whether clients change their relays when they start.
    pub moves: bool,
    /// Whether clocks jump during the run.
    pub jumps: bool,
    /// Of a group: nobody settles a state, and contacts are made in peace.
    pub exact: bool,
    pub peaceful: bool,
    /// Of a group: a relay that lies; a member that is hostile; for how many seconds relays keep anything.
    pub liar: Option<HostId>,
    pub mole: Option<HostId>,
    pub retention_s: Option<u32>,
}

impl Plan {
    pub fn new(random: &mut Random) -> Self {
        let people = if random.chance(25) { 3 } else { 2 };
        let paths = match random.below(100) {
            0..55 => Paths::Both,
            55..85 => Paths::RelayOnly,
            _ => Paths::DirectOnly,
        };
        let relays = match paths {
            Paths::DirectOnly => 0,
            _ => 1 + usize::from(random.chance(40)),
        };
        let skewed = random.chance(50);
        let clock = |random: &mut Random| Clock {
            offset_ms: match (skewed, random.below(4)) {
                (true, 0) => -signed(random.below(DAY_MS)),
                (true, 1) => signed(random.below(DAY_MS)),
                _ => signed(random.below(200)) - 100,
            },
            drift_ppm: signed(random.below(600)) - 300,
        };
        let relay_ids: Vec<_> = (people..people + relays).map(HostId).collect();
        let clients = (0..people)
            .map(|n| {
                let relays = relay_ids
                    .iter()
                    .copied()
                    .filter(|_| random.chance(75))
                    .collect::<Vec<_>>();
                let relays = if relays.is_empty() { relay_ids.clone() } else { relays };
                (client(n, relays, random), clock(random))
            })
            .collect();
        let gentle = random.chance(12);
        Self {
            paths,
            clients,
            relays: relay_ids.iter().map(|_| clock(random)).collect(),
            gentle,
            hostile: !gentle && random.chance(40),
            moves: relay_ids.len() > 1 && random.chance(40),
            jumps: !gentle && skewed && random.chance(60),
            exact: false,
            peaceful: false,
            liar: None,
            mole: None,
            retention_s: None,
        }
    }
}

impl Plan {
    /// The cast of a history with a channel.
    pub fn brand(random: &mut Random) -> Self {
        let mut plan = Self::new(random);
        if plan.paths == Paths::DirectOnly {
            plan.paths = Paths::Both;
        }
        while plan.relays.len() < 2 {
            plan.relays.push(Clock::default());
        }
        let people = plan.clients.len();
        let relays: Vec<HostId> = (people..people + plan.relays.len()).map(HostId).collect();
        for (client, _) in &mut plan.clients {
            client.relays.clone_from(&relays);
        }
        plan.liar = random.pick(&relays);
        plan.moves = false;
        plan
    }

    /// The cast of a history with a group.
    pub fn group(random: &mut Random, config: &SimConfig, (least, greatest): (usize, usize)) -> Self {
        let people = least + random.index(greatest - least + 1);
        let paths = match random.below(100) {
            0..60 => Paths::Both,
            // Whoever isn't a contact of another is reached by relays or by gossip.
            60..90 => Paths::RelayOnly,
            _ if people <= ALL_CONTACTS => Paths::DirectOnly,
            _ => Paths::Both,
        };
        let (paths, relays) = match paths {
            Paths::DirectOnly if !config.liar => (paths, 0),
            Paths::DirectOnly => (Paths::Both, 2),
            _ if config.liar => (paths, 2 + random.index(2)),
            _ => (paths, 1 + random.index(3)),
        };
        let relay_ids: Vec<_> = (people..people + relays).map(HostId).collect();
        let exact = !config.settles;
        let busy = random.chance(40);
        let clock = |random: &mut Random| Clock {
            offset_ms: signed(random.below(20_000)) - 10_000,
            drift_ppm: signed(random.below(600)) - 300,
        };
        let clients = (0..people)
            .map(|n| {
                let mut plan = client(n, relay_ids.clone(), random);
                if exact {
                    (plan.frozen_states, plan.frozen_ms) = (usize::from(u16::MAX), 72 * 3600 * 1000);
                } else {
                    plan.frozen_states = 2 + random.index(7);
                }
                plan.leaf_update_ms = match busy {
                    true => random.between(10_000, 60_000),
                    false => DAY_MS,
                };
                plan.rejoin_ms = random.between(10_000, 40_000);
                (plan, clock(random))
            })
            .collect();
        let gentle = random.chance(12);
        let mut plan = Self {
            paths,
            clients,
            relays: relay_ids.iter().map(|_| clock(random)).collect(),
            gentle,
            hostile: !gentle && random.chance(40),
            moves: false,
            jumps: false,
            exact,
            peaceful: random.chance(80),
            liar: None,
            mole: None,
            retention_s: None,
        };
        if config.liar {
            plan.liar = random.pick(&relay_ids);
        }
        if config.mole {
            plan.mole = Some(HostId(1 + random.index(people - 1)));
        }
        if config.absence {
            plan.retention_s = Some(8 + u32::try_from(random.below(20)).unwrap_or(0));
            for (client, _) in &mut plan.clients {
                client.frozen_ms = random.between(8_000, 30_000);
                client.leaf_update_ms = client.leaf_update_ms.min(RENEWED_MS);
            }
        }
        plan
    }
}

/// Milliseconds in which a leaf is renewed where relays forget: as with real ones whoever comes back doesn't stay silent for good, and
/// is heard where nothing else tells it that the others have gone on.
const RENEWED_MS: u64 = 5 * 60_000;
/// Up to so many devices all are contacts of each other where there are no relays.
pub(super) const ALL_CONTACTS: usize = 5;

fn client(n: usize, relays: Vec<HostId>, random: &mut Random) -> ClientPlan {
    ClientPlan {
        name: format!("person {n}"),
        relays,
        frozen_states: 1 + random.index(3),
        frozen_ms: if random.chance(70) {
            72 * 3600 * 1000
        } else {
            random.between(2_000, 20_000)
        },
        leaf_update_ms: if random.chance(70) {
            random.between(2_000, 15_000)
        } else {
            DAY_MS
        },
        report_delay_ms: random.between(20, 500),
        nudge_ms: random.between(1_000, 10_000),
        direct_grace_ms: random.between(20, 800),
        dial_backoff_ms: (random.between(50, 200), random.between(500, 3_000)),
        // Their states may settle within seconds instead of days.
        rejoin_ms: 30_000,
    }
}

pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
