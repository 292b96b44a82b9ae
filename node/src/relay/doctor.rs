//! `madang relay doctor`: what an operator would look at, looked at.
//!
//! A running relay says in `relay.json` in its data directory where it listens and serves metrics; all figures come from those, so that
//! the doctor touches nothing and needs no passphrase.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::admission::replace;
use crate::config::RelayConfig;
use crate::disk;

/// Where a running relay says how to reach it.
const PLACES: &str = "relay.json";
/// How long an address or the metrics may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer of the metrics.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;
/// Free bytes of the disk below which the doctor warns (guess: some hours of a busy relay).
const LOW_DISK: u64 = 1024 * 1024 * 1024;
/// Share of the quota above which it warns.
const FULL_SHARE: f64 = 0.9;
/// Mean seconds of a flush above which it warns: a hundred times a quiet disk's.
const SLOW_FLUSH_S: f64 = 0.02;
/// 1 January 2026: a clock before the program was made is wrong.
const EARLIEST_S: u64 = 1_767_225_600;
/// Seconds that files of the data directory may lie in the future.
const FUTURE_S: u64 = 300;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Ok,
    /// The relay serves, but somebody should look at it.
    Warning,
    /// The relay can't do its work.
    Failed,
    /// It couldn't be looked at.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// How it went.
    pub health: Health,
    /// What was found, and what to do if it isn't as it should be.
    pub message: String,
}

#[derive(Serialize, Deserialize)]
struct Places {
    version: String,
    addresses: Vec<String>,
    metrics: Option<SocketAddr>,
    admission: String,
}

/// `relay.json` while a relay runs; removed when this is dropped.
pub(super) struct Published(PathBuf);

impl Published {
    pub(super) fn new(config: &RelayConfig, addresses: &[String], metrics: Option<SocketAddr>) -> Self {
        let path = config.data.join(PLACES);
        let places = Places {
            version: env!("CARGO_PKG_VERSION").into(),
            addresses: addresses.to_vec(),
            metrics,
            admission: config.admission.name().into(),
        };
        let written = serde_json::to_string(&places)
            .map_err(std::io::Error::from)
            .and_then(|text| replace(&path, text.as_bytes()));
        // Only the doctor misses it.
        if let Err(error) = written {
            tracing::warn!(%error, path = %path.display(), "can't say where the relay listens");
        }
        Self(path)
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(%error, "relay.json stays");
        }
    }
}

/// Looks at a relay's data directory and, if it runs, at the relay. `metrics` is `http://HOST:PORT`, if not where the relay says.
pub async fn relay_doctor(data: &Path, metrics: Option<&str>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Err(reason) = fs::read_dir(data) {
        let message = format!(
            "{} can't be read: {reason}; name the relay's with --data",
            data.display()
        );
        return vec![check("directory", Health::Failed, message)];
    }
    checks.push(check("directory", Health::Ok, data.display().to_string()));
    checks.push(format_of(data));
    let running = is_locked(data);
    checks.push(match running {
        Some(true) => check("running", Health::Ok, "a relay has the directory open"),
        Some(false) => check(
            "running",
            Health::Failed,
            "no relay runs here; start it with `madang relay`",
        ),
        None => check("running", Health::Unknown, "there is no lock file yet"),
    });
    checks.push(disk_of(data));
    checks.push(clock_of(data));
    let places = fs::read_to_string(data.join(PLACES)).ok();
    let places: Option<Places> = places.and_then(|text| serde_json::from_str(&text).ok());
    let places = places.filter(|_| running == Some(true));
    if let Some(places) = &places {
        checks.push(listening(&places.addresses).await);
        let message = format!("admission is {}; version {}", places.admission, places.version);
        checks.push(check("admission", Health::Ok, message));
    }
    let at = metrics
        .map(|url| url.trim_start_matches("http://").trim_end_matches('/').to_owned())
        .or_else(|| {
            places
                .and_then(|places| places.metrics)
                .map(|address| address.to_string())
        });
    match at {
        Some(at) => checks.extend(figures(&at).await),
        None => checks.push(check(
            "metrics",
            Health::Unknown,
            "the relay serves none; start it with --metrics ADDR to have quotas, flushes and queues looked at",
        )),
    }
    checks
}

fn check(name: &'static str, health: Health, message: impl Into<String>) -> Check {
    Check {
        name,
        health,
        message: message.into(),
    }
}

fn format_of(data: &Path) -> Check {
    let text = fs::read_to_string(data.join("format")).unwrap_or_default();
    let format: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let field = |name: &str| {
        format
            .as_ref()
            .and_then(|format| format.get(name))
            .cloned()
            .unwrap_or_default()
    };
    match (field("format").as_u64(), field("kind").as_str()) {
        (Some(version), Some("relay")) => check("format", Health::Ok, format!("format {version}")),
        (Some(_), Some(kind)) => check(
            "format",
            Health::Failed,
            format!("this is the data of a {kind}, not of a relay"),
        ),
        _ => check(
            "format",
            Health::Failed,
            "there is no readable file `format`: not a relay's data, or damaged",
        ),
    }
}

/// Whether somebody holds the lock; `None` if there is none.
fn is_locked(data: &Path) -> Option<bool> {
    let file = File::open(data.join("lock")).ok()?;
    // A lock taken here ends with the file, at once.
    Some(matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

fn disk_of(data: &Path) -> Check {
    let used = disk::used_bytes(data);
    let Some(free) = disk::free_bytes(data) else {
        return check(
            "disk",
            Health::Unknown,
            format!("{} used; the system doesn't say what is free", bytes(used)),
        );
    };
    let message = format!("{} used, {} free", bytes(used), bytes(free));
    if free < LOW_DISK {
        let message =
            format!("{message}: make room, or lower --quota-total-mib; without room the relay takes no deposits");
        return check("disk", Health::Warning, message);
    }
    check("disk", Health::Ok, message)
}

fn clock_of(data: &Path) -> Check {
    let now = SystemTime::now();
    let now_s = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now_s < EARLIEST_S {
        return check(
            "clock",
            Health::Failed,
            "the clock is before 2026: set it, or nothing expires when it should",
        );
    }
    let newest = fs::read_dir(data).into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max();
    let ahead = newest.and_then(|newest| newest.duration_since(now).ok());
    match ahead {
        Some(ahead) if ahead.as_secs() > FUTURE_S => check(
            "clock",
            Health::Warning,
            format!(
                "files of the directory were written {} s in the future: the clock went back",
                ahead.as_secs()
            ),
        ),
        _ => check("clock", Health::Ok, format!("Unix time {now_s}")),
    }
}

/// Tries the TCP addresses; QUIC ones can't be told from silence.
async fn listening(addresses: &[String]) -> Check {
    let mut silent = Vec::new();
    let mut tried = 0;
    for address in addresses {
        let parts: Vec<&str> = address.split('/').collect();
        let ["", "ip4" | "ip6", ip, "tcp", port, ..] = parts.as_slice() else {
            continue;
        };
        let ip = match *ip {
            "0.0.0.0" => "127.0.0.1",
            "::" => "::1",
            ip => ip,
        };
        let (Ok(ip), Ok(port)) = (ip.parse::<std::net::IpAddr>(), port.parse::<u16>()) else {
            continue;
        };
        tried += 1;
        if !matches!(timeout(PATIENCE, TcpStream::connect((ip, port))).await, Ok(Ok(_))) {
            silent.push(address.as_str());
        }
    }
    if silent.is_empty() {
        let message = format!("{} addresses, {tried} of them TCP and answering", addresses.len());
        return check("listening", Health::Ok, message);
    }
    let message = format!(
        "nobody answers at {}; look at firewalls and addresses of this machine",
        silent.join(", ")
    );
    check("listening", Health::Failed, message)
}

async fn figures(at: &str) -> Vec<Check> {
    let (status, text) = match get(at, "/metrics").await {
        Ok(answer) => answer,
        Err(reason) => {
            let message = format!("http://{at}/metrics doesn't answer: {reason}");
            return vec![check("metrics", Health::Failed, message)];
        }
    };
    if status != 200 {
        let message = format!("http://{at}/metrics answers {status}");
        return vec![check("metrics", Health::Failed, message)];
    }
    let ready = match get(at, "/ready").await {
        Ok((200, _)) => check("ready", Health::Ok, "takes deposits"),
        Ok((_, reason)) => check("ready", Health::Failed, format!("takes no deposits: {}", reason.trim())),
        Err(reason) => check("ready", Health::Failed, format!("/ready doesn't answer: {reason}")),
    };
    let mut checks = vec![check("metrics", Health::Ok, format!("http://{at}/metrics")), ready];
    checks.extend(judged(&values(&text)));
    checks
}

/// What the figures say.
fn judged(values: &BTreeMap<String, f64>) -> Vec<Check> {
    let value = |name: &str| values.get(&format!("madang_relay_{name}")).copied().unwrap_or(0.0);
    let overhead = madang_protocol::custody::relay::ENVELOPE_OVERHEAD_BYTES as f64;
    let charged = value("envelopes_bytes") + value("envelopes") * overhead;
    let quota = value("quota_bytes");
    let share = if quota > 0.0 { charged / quota } else { 0.0 };
    let topics = if value("quota_topics") > 0.0 {
        value("topics") / value("quota_topics")
    } else {
        0.0
    };
    let message = format!(
        "{} envelopes in {} topics: {:.1} % of {}, {:.1} % of the topics",
        value("envelopes"),
        value("topics"),
        share * 100.0,
        bytes(quota as u64),
        topics * 100.0
    );
    let quota = if share.max(topics) >= 1.0 {
        check(
            "quota",
            Health::Failed,
            format!("{message}: full, deposits are refused"),
        )
    } else if share.max(topics) > FULL_SHARE {
        check("quota", Health::Warning, format!("{message}: nearly full"))
    } else {
        check("quota", Health::Ok, message)
    };
    let next = value("next_expiry_timestamp_seconds");
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    let expiry = if next == 0.0 {
        check("expiry", Health::Ok, "nothing is kept")
    } else if next < now_s - 600.0 {
        let message = format!(
            "the oldest should have gone {:.0} s ago: the relay lags, or doesn't believe its clock",
            now_s - next
        );
        check("expiry", Health::Warning, message)
    } else {
        check(
            "expiry",
            Health::Ok,
            format!("the next envelope goes in {:.0} s", (next - now_s).max(0.0)),
        )
    };
    let flush = |part: &str| value(&format!("duration_seconds_{part}{{operation=\"flush\"}}"));
    let mean = if flush("count") > 0.0 {
        flush("sum") / flush("count")
    } else {
        0.0
    };
    let message = format!("{} flushes, {:.2} ms on average", flush("count"), mean * 1000.0);
    let flushes = if mean > SLOW_FLUSH_S {
        check(
            "flush",
            Health::Warning,
            format!("{message}: the disk is slow or shared"),
        )
    } else {
        check("flush", Health::Ok, message)
    };
    let mut checks = vec![quota, expiry, flushes];
    if value("clock_suspect") > 0.0 {
        let message = "the clock has leapt ahead; nothing expires until it has stood for an hour";
        checks.push(check("clock_leap", Health::Warning, message));
    }
    let damaged = value("damaged_rows_total");
    if damaged > 0.0 {
        let message = format!("{damaged} rows were damaged since the start and left out: look at the disk");
        checks.push(check("damage", Health::Warning, message));
    }
    let shed = value("deposits_shed_total");
    if shed > 0.0 {
        let message = format!("{shed} deposits were refused since the start because the disk didn't follow");
        checks.push(check("load", Health::Warning, message));
    }
    checks
}

/// The samples of an exposition, by name and labels.
fn values(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    lines.filter_map(sample).collect()
}

/// One request: the status and the body.
async fn get(at: &str, path: &str) -> Result<(u16, String), String> {
    let conversation = async {
        let mut stream = TcpStream::connect(at).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = match timeout(PATIENCE, conversation).await {
        Ok(answer) => answer.map_err(|error| error.to_string())?,
        Err(_) => return Err("no answer in time".into()),
    };
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or("no HTTP status")?, body.to_owned()))
}

fn bytes(count: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    if count < 10 * MIB {
        format!("{} KiB", count / 1024)
    } else {
        format!("{} MiB", count / MIB)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn health(checks: &[Check], name: &str) -> Option<Health> {
        checks.iter().find(|check| check.name == name).map(|check| check.health)
    }

    #[tokio::test]
    async fn a_directory_without_a_relay_is_said_to_be_one() {
        let dir = tempfile::tempdir().unwrap();
        let checks = relay_doctor(&dir.path().join("absent"), None).await;
        assert_eq!(health(&checks, "directory"), Some(Health::Failed));
        assert_eq!(checks.len(), 1);

        fs::write(dir.path().join("format"), r#"{"format": 2, "kind": "node"}"#).unwrap();
        fs::write(dir.path().join("lock"), "").unwrap();
        let checks = relay_doctor(dir.path(), Some("http://127.0.0.1:1/")).await;
        for name in ["format", "running", "metrics"] {
            assert_eq!(health(&checks, name), Some(Health::Failed), "{name}");
        }
    }

    #[test]
    fn figures_are_judged() {
        let text = |envelopes: u64, flush: f64| {
            format!(
                "# HELP x y\nmadang_relay_envelopes {envelopes}\nmadang_relay_envelopes_bytes {}\nmadang_relay_quota_bytes 1000000\n\
                 madang_relay_duration_seconds_sum{{operation=\"flush\"}} {flush}\n\
                 madang_relay_duration_seconds_count{{operation=\"flush\"}} 10\nmadang_relay_damaged_rows_total 1\n",
                envelopes * 244
            )
        };
        let checks = judged(&values(&text(100, 0.01)));
        assert_eq!(health(&checks, "quota"), Some(Health::Ok));
        assert_eq!(health(&checks, "flush"), Some(Health::Ok));
        assert_eq!(health(&checks, "damage"), Some(Health::Warning));
        let checks = judged(&values(&text(1900, 3.0)));
        assert_eq!(health(&checks, "quota"), Some(Health::Warning));
        assert_eq!(health(&checks, "flush"), Some(Health::Warning));
        assert_eq!(
            health(&judged(&values(&text(2000, 0.1))), "quota"),
            Some(Health::Failed)
        );
    }
}
