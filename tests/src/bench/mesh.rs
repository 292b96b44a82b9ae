//! Rows of a channel whose followers are processes: by the relay alone, by relay and each other, and by each other alone.

use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::bench::host::{self, Host};
use crate::bench::report::{Row, Sample};
use crate::bench::scale::Scale;
use crate::{DEADLINE, Person};

/// Nodes that are started at once.
const STARTING: usize = 4;
/// Between two posts: what the one before caused is over.
const PAUSE: Duration = Duration::from_millis(500);

/// A brand and its followers.
struct Mesh {
    brand: Person,
    followers: Vec<Person>,
    channel: Value,
    heard: mpsc::UnboundedReceiver<Instant>,
    listening: Vec<AbortHandle>,
}

impl Drop for Mesh {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}

impl Mesh {
    /// All follow, by the relay alone.
    async fn start(world: &crate::World, relay: &Host, count: usize) -> Self {
        let brand = host::person(world, "brand", &relay.addresses, true).await;
        let made = brand.ask("channel.create", json!({ "name": "bookshop" })).await;
        let (channel, link) = (made["channel"].clone(), made["link"].clone());
        let followers: Vec<Person> = stream::iter(0..count)
            .map(|place| {
                let link = link.clone();
                async move {
                    let person = host::person(world, &format!("follower-{place}"), &[], true).await;
                    person.ask("channel.follow", json!({ "link": link })).await;
                    person
                }
            })
            .buffer_unordered(STARTING)
            .collect()
            .await;
        let (told, heard) = mpsc::unbounded_channel();
        let mut listening = Vec::new();
        for person in &followers {
            let mut events = host::events(person.data(), None).await;
            let told = told.clone();
            let task = tokio::spawn(async move {
                loop {
                    let event = events.next().await;
                    if host::is(&event, "channel.post") {
                        told.send(Instant::now()).ok();
                    }
                }
            });
            listening.push(task.abort_handle());
        }
        Self {
            brand,
            followers,
            channel,
            heard,
            listening,
        }
    }

    /// From now on they pass it on to each other too.
    async fn take_part(&self) {
        for person in std::iter::once(&self.brand).chain(&self.followers) {
            let params = json!({ "channel": self.channel, "via": "followers" });
            person.ask("channel.via", params).await;
        }
    }

    /// Milliseconds from the call of a post until each follower's event.
    async fn post(&mut self, text: &str) -> Sample {
        let began = Instant::now();
        let body = json!({ "kind": "text", "text": text });
        let posting = self
            .brand
            .ask("channel.post", json!({ "channel": self.channel, "body": body }));
        posting.await;
        let mut times = Vec::new();
        while times.len() < self.followers.len() {
            let at = timeout(DEADLINE, self.heard.recv())
                .await
                .expect("all have it in time")
                .unwrap();
            times.push(at.duration_since(began).as_secs_f64() * 1000.0);
        }
        sleep(PAUSE).await;
        Sample::new(times)
    }

    /// Some posts; the first warms up.
    async fn posts(&mut self, way: &str, count: usize) -> Vec<Sample> {
        let mut runs = Vec::new();
        for at in 0..=count {
            let taken = self.post(&format!("{way} {at}")).await;
            runs.extend((at > 0).then_some(taken));
        }
        runs
    }
}

/// A channel's followers as processes: how long until all have a post.
pub async fn rows(scale: &Scale) -> Vec<Row> {
    let world = host::world();
    let relay = Host::relay(&world).await;
    let mut mesh = Mesh::start(&world, &relay, scale.followers).await;
    let pushed = mesh.posts("pushed", scale.mesh_posts).await;
    mesh.take_part().await;
    sleep(Duration::from_secs(scale.mesh_seconds)).await;
    let both = mesh.posts("both", scale.mesh_posts).await;
    drop(relay);
    let ids: Vec<u32> = mesh
        .followers
        .iter()
        .map(|person| host::process_of(person.data()))
        .collect();
    let used = |ids: &[u32]| ids.iter().map(|id| host::cpu_seconds(*id)).sum::<f64>();
    let before = used(&ids);
    let alone = mesh.posts("alone", scale.mesh_posts).await;
    let cpu = (used(&ids) - before) * 1000.0 / ids.len() as f64 / (scale.mesh_posts + 1) as f64;
    let of = |runs: &[Sample], share: f64| runs.iter().map(|times| times.quantile(share)).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for (way, runs) in [("by relay and each other", &both), ("by each other, no relay", &alone)] {
        for (name, share) in [("half", 0.5), ("99 of 100", 0.99), ("all", 1.0)] {
            let what = format!("channel, {} followers, {way}: {name} have a post", scale.followers);
            rows.push(
                Row::new(what, "ms", of(runs, share))
                    .floor("by the relay alone", of(&pushed, share))
                    .note(format!("CPU of a follower for a post {cpu:.1} ms, without a relay")),
            );
        }
    }
    rows
}
