//! Rows of groups: what one client computes and commits in them, beside OpenMLS alone.

use std::path::Path;

use madang_protocol::chat::Role;
use madang_protocol::client::{Command, Reply, SettingsChange};
use madang_protocol::keys::{AccountId, ChatId};
use madang_protocol::limits;
use madang_protocol::mls::{Crypto, Suite};
use madang_protocol::rows::{Rows as _, Tree};

use crate::bench::bare::{Bare, Leaf, Took, crowd};
use crate::bench::floors::{Flush, TEXT_BYTES};
use crate::bench::host;
use crate::bench::inside::{Cost, Inside};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;

/// The group's maker, and a member from the beginning; who joins last comes after them.
const ALICE: usize = 0;
const BOB: usize = 1;
/// Who commits beside alice in a fork, and who looks on.
const CAROL: usize = 2;
/// The size of which the budgets speak.
const BUDGETED: usize = 256;
/// What a budget allows beyond the flush: times OpenMLS alone.
const TIMES_BARE: f64 = 1.5;
/// Commits on each branch of a fork.
const BRANCH: usize = 5;
/// What is looked at, in the order of the rows.
const STEPS: [&str; 7] = ["create", "add", "join", "send", "receive", "commit", "process a commit"];

/// Values of one step over all runs.
#[derive(Default)]
struct Step {
    ours: Vec<f64>,
    bare: Vec<f64>,
    commits: usize,
    compute_ms: Vec<f64>,
    row_bytes: usize,
    sent_bytes: usize,
    bare_bytes: usize,
}

impl Step {
    fn note(&mut self, cost: Cost, bare_ms: f64, bare_bytes: usize) {
        self.ours.push(cost.ms());
        self.bare.push(bare_ms);
        self.compute_ms.push(cost.compute_ms);
        self.commits = cost.commits;
        self.row_bytes = cost.row_bytes;
        self.sent_bytes = cost.sent_bytes;
        self.bare_bytes = bare_bytes;
    }
}

/// Groups of several sizes and both suites.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let mut rows = Vec::new();
    for size in scale.groups {
        for suite in [Suite::XWing, Suite::X25519] {
            rows.extend(measured(scale, *size, suite));
        }
    }
    rows
}

fn name_of(suite: Suite) -> &'static str {
    match suite {
        Suite::XWing => "X-Wing",
        Suite::X25519 => "X25519",
    }
}

fn measured(scale: &Scale, size: usize, suite: Suite) -> Vec<Row> {
    eprintln!("  group of {size}, {} …", name_of(suite));
    let mut steps: [Step; STEPS.len()] = Default::default();
    let mut flushes = Vec::new();
    let (mut last_batch, mut report, mut package) = (0, 0, 0);
    // A large group takes long to make, and makes many samples of each step.
    let runs = if size >= BUDGETED {
        scale.repeats.min(3)
    } else {
        scale.repeats
    };
    for _ in 0..runs {
        let world = host::world();
        let mut flush = Flush::new(world.dir());
        let mut village = Village::new(world.dir(), size, suite);
        package = village.crowd.first().map_or(0, |leaf| leaf.package.bytes.len());
        let mut bare = Bare::new(suite);
        let bare_crowd = crowd(&Crypto::new([4; 32]), suite, size - 1, village.now_s());

        // Made with as many as one commit adds, then more until all are in it.
        let mut left = bare_crowd.as_slice();
        let mut welcome = Vec::new();
        let mut took = Took::default();
        for (place, batch) in village.batches().into_iter().enumerate() {
            let (now, rest) = left.split_at(batch.len());
            left = rest;
            last_batch = batch.len();
            let cost = village.grow(batch);
            (took, welcome) = bare.add(now);
            let step = if place == 0 { 0 } else { 1 };
            steps[step].note(cost, took.ms, took.bytes);
        }
        let join = bare.join(bare_crowd.last().unwrap(), &welcome);
        let cost = village.join();
        steps[2].note(cost, join.ms, took.welcome_bytes);
        for at in 0..scale.group_steps {
            let (sent, received) = village.message();
            let (sealed, opened) = bare.message();
            steps[3].note(sent, sealed.ms, sealed.bytes);
            steps[4].note(received, opened, 0);
            report = village.report();
            let (made, processed) = village.rename(ALICE, BOB, &format!("name {at}"));
            let (update, applied) = bare.update();
            steps[5].note(made, update.ms, update.bytes);
            steps[6].note(processed, applied, 0);
            flushes.push(flush.take());
        }
    }
    let flush = Sample::new(flushes).median();
    let mut rows = Vec::new();
    for (what, step) in STEPS.iter().zip(steps) {
        if step.ours.is_empty() {
            continue;
        }
        let bare = Sample::new(step.bare.clone()).median();
        let mut note = format!(
            "{:.2} ms of it computed; commits {}, rows {} B, frames {} B",
            Sample::new(step.compute_ms).median(),
            step.commits,
            step.row_bytes,
            step.sent_bytes
        );
        match *what {
            "create" | "add" => note += &format!("; MLS commit {} B for {last_batch} added at last", step.bare_bytes),
            "join" => note += &format!("; Welcome {} B, key package {package} B", step.bare_bytes),
            "send" | "commit" => note += &format!("; MLS alone {} B", step.bare_bytes),
            "receive" => note += &format!("; report {report} B"),
            _ => {}
        }
        let mut row = Row::new(format!("group of {size}, {}: {what}", name_of(suite)), "ms", step.ours)
            .floor("OpenMLS alone, rows in memory", step.bare)
            .note(note);
        let spoken_of = ["send", "receive", "process a commit", "join"].contains(what);
        if size == BUDGETED && suite == Suite::XWing && spoken_of {
            row = row.at_most(TIMES_BARE * bare + flush);
        }
        rows.push(row);
    }
    rows
}

/// A group of a few clients and many leaves.
struct Village {
    inside: Inside,
    crowd: Vec<Leaf>,
    chat: Option<ChatId>,
    size: usize,
}

impl Village {
    /// Alice knows all who will be in it, and is connected to the clients among them. The last of these joins last.
    fn new(dir: &Path, size: usize, suite: Suite) -> Self {
        let clients = size.min(3);
        let mut inside = Inside::new(dir, clients, suite);
        for place in 1..clients {
            for other in 0..place {
                inside.befriend(other, place);
            }
        }
        let now_ms = inside.now_ms();
        let crowd = crowd(&Crypto::new([5; 32]), suite, size - clients, now_ms / 1000);
        inside.touch(ALICE, |alice| {
            for leaf in &crowd {
                alice.meet(now_ms, leaf.log.clone(), leaf.package.clone()).unwrap();
            }
        });
        Self {
            inside,
            crowd,
            chat: None,
            size,
        }
    }

    fn now_s(&self) -> u64 {
        self.inside.now_ms() / 1000
    }

    /// Who is added with which commit: bob with the first, the last client with the last.
    fn batches(&self) -> Vec<Vec<AccountId>> {
        let mut all = vec![self.inside.account(BOB)];
        all.extend(self.crowd.iter().map(|leaf| leaf.log.account));
        if self.size > 2 {
            all.push(self.inside.account(CAROL));
        }
        all.chunks(limits::ADDED_AT_ONCE).map(<[AccountId]>::to_vec).collect()
    }

    /// The client that joins by the last Welcome.
    fn joiner(&self) -> usize {
        if self.size > 2 { CAROL } else { BOB }
    }

    fn grow(&mut self, members: Vec<AccountId>) -> Cost {
        self.inside.hold(self.joiner());
        self.inside.cost(ALICE);
        match self.chat {
            None => {
                let name = "village".to_owned();
                let Reply::Chat(chat) = self.inside.command(
                    ALICE,
                    Command::CreateChat {
                        name,
                        members,
                        idempotency_key: None,
                    },
                ) else {
                    panic!("no chat");
                };
                self.chat = Some(chat);
            }
            Some(chat) => {
                self.inside.command(ALICE, Command::AddMembers { chat, members });
            }
        }
        let cost = self.inside.cost(ALICE);
        // Bob takes what there is, blobs included; who joins last doesn't yet.
        self.inside.pass(10_000);
        cost
    }

    fn join(&mut self) -> Cost {
        /// Until all have one state, at the most.
        const MINUTES: u32 = 60;
        let place = self.joiner();
        self.inside.cost(place);
        self.inside.release(place);
        let cost = self.inside.cost(place);
        let chat = self.chat.unwrap();
        assert!(self.inside.epoch(place, &chat).is_some(), "not joined");
        // Who has joined renews its leaf, which the others take; what came before it had joined it is given again.
        self.inside.pass(20_000);
        let mut waited = 0..MINUTES;
        while self.inside.epoch(place, &chat) != self.inside.epoch(ALICE, &chat) {
            assert!(waited.next().is_some(), "not in one state");
            self.inside.pass(60_000);
        }
        cost
    }

    /// A text of 256 B from alice to bob.
    fn message(&mut self) -> (Cost, Cost) {
        let chat = self.chat.unwrap();
        let content = "x".repeat(TEXT_BYTES).into();
        self.quiet();
        self.inside.command(
            ALICE,
            Command::Send {
                chat,
                content,
                idempotency_key: None,
            },
        );
        let sent = self.inside.cost(ALICE);
        self.inside.release(BOB);
        (sent, self.inside.cost(BOB))
    }

    /// Lets bob tell what he has; gives the bytes that it takes.
    fn report(&mut self) -> usize {
        self.inside.pass(5_000);
        self.inside.cost(BOB).sent_bytes
    }

    /// One renames the group, and another takes it.
    fn rename(&mut self, by: usize, at: usize, name: &str) -> (Cost, Cost) {
        let chat = self.chat.unwrap();
        self.quiet();
        let change = SettingsChange {
            name: Some(name.to_owned()),
            ..SettingsChange::default()
        };
        self.inside.command(by, Command::UpdateChat { chat, change });
        let made = self.inside.cost(by);
        self.inside.release(at);
        let processed = self.inside.cost(at);
        assert_eq!(self.inside.epoch(at, &chat), self.inside.epoch(by, &chat), "not there");
        self.inside.pass(5_000);
        (made, processed)
    }

    /// What comes for bob waits, and all costs begin anew.
    fn quiet(&mut self) {
        self.inside.hold(BOB);
        for place in [ALICE, BOB] {
            self.inside.cost(place);
        }
    }
}

/// A fork of five epochs: both branches reach somebody who had neither.
pub async fn fork(scale: &Scale) -> Vec<Row> {
    let size = scale.fork_members;
    let (mut times, mut floor, mut kept, mut resident, mut notes) = (vec![], vec![], vec![], vec![], String::new());
    for _ in 0..scale.repeats.min(3) {
        let world = host::world();
        let mut village = Village::new(world.dir(), size, Suite::XWing);
        for batch in village.batches() {
            village.grow(batch);
        }
        village.join();
        let chat = village.chat.unwrap();
        let account = village.inside.account(CAROL);
        let role = Role::Admin;
        village.inside.command(ALICE, Command::SetRole { chat, account, role });
        village.inside.pass(30_000);
        village.inside.hold(BOB);
        // Neither hears the other; what both tell bob waits.
        village.inside.disconnect(ALICE, CAROL);
        for at in 0..BRANCH {
            for by in [ALICE, CAROL] {
                let change = SettingsChange {
                    name: Some(format!("{at} by {by}")),
                    ..SettingsChange::default()
                };
                village.inside.command(by, Command::UpdateChat { chat, change });
            }
        }
        let mut bare = Bare::new(Suite::XWing);
        let leaves = crowd(&Crypto::new([4; 32]), Suite::XWing, size - 1, village.now_s());
        let mut welcome = Vec::new();
        for batch in leaves.chunks(limits::ADDED_AT_ONCE) {
            (_, welcome) = bare.add(batch);
        }
        bare.join(leaves.last().unwrap(), &welcome);
        floor.push((0..2 * BRANCH).map(|_| bare.update().1).sum());
        let id = std::process::id();
        let before = (mls_bytes(&village, BOB, &chat), host::resident(id));
        village.inside.cost(BOB);
        village.inside.release(BOB);
        village.inside.pass(10_000);
        let cost = village.inside.cost(BOB);
        let status = village.inside.client(BOB).chat_status(&chat).unwrap();
        assert!(
            status.branches > 1 && status.unsettled >= 2 * BRANCH as u64,
            "no fork: {status:?}"
        );
        times.push(cost.ms());
        kept.push(mls_bytes(&village, BOB, &chat) - before.0);
        resident.push(host::resident(id) - before.1);
        notes = format!(
            "{} commits of the store, rows {} B written; {} unsettled, {} branches",
            cost.commits, cost.row_bytes, status.unsettled, status.branches
        );
    }
    let what = format!("fork of {BRANCH} epochs, {size} members");
    vec![
        Row::new(format!("{what}: take both branches"), "ms", times)
            .floor("OpenMLS alone, as many commits in a row", floor)
            .note(notes),
        Row::new(format!("{what}: rows of the states kept"), "MB", mega(kept)),
        Row::new(format!("{what}: growth of resident memory"), "MB", mega(resident))
            .note("of the benchmark's process, all clients"),
    ]
}

fn mega(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(|value| value / 1e6).collect()
}

/// Bytes of the MLS rows of a chat at a client, and of the parts that they share.
fn mls_bytes(village: &Village, place: usize, chat: &ChatId) -> f64 {
    let store = village.inside.store(place);
    let trees = [Tree::Mls, Tree::MlsParts].map(|tree| store.prefix(tree, &chat.0, usize::MAX).unwrap());
    let rows = trees.iter().flatten();
    rows.map(|(key, value)| key.len() + value.len()).sum::<usize>() as f64
}
