//! What is reported to the operator: a file for each post in `reports` of the data directory, which `madang relay reports` reads beside the
//! running relay. The operator dismisses one by removing its file.
//!
//! Nothing in them says who reported: peers are there as marks that only this relay can make, so that each counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use madang_protocol::channel::{Act, Statement};
use madang_protocol::custody::Refusal;
use madang_protocol::custody::relay::CheckedReport;
use madang_protocol::envelope::Envelope;
use serde::{Deserialize, Serialize};

use super::admission::{self, fault, replace};
use crate::clock::now_ms;
use crate::config::NodeError;

/// The folder in the data directory.
const FOLDER: &str = "reports";
/// Posts that reports are kept of; the one with the fewest gives way, of those the oldest (guess: what an operator can look through).
const MAX_POSTS: usize = 4_096;
/// Posts of one channel (guess: then it is about the channel).
const MAX_POSTS_OF_CHANNEL: usize = 64;
/// Bytes of all files.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of one: two envelopes in base64 and notes.
const MAX_FILE: u64 = 256 * 1024;
/// Reporters of one post who are told apart; more of them count once each time.
const MAX_MARKS: usize = 256;
/// Notes that are kept of one post, the newest.
const MAX_NOTES: usize = 16;
/// Seconds after its last report that a post is kept here: as long as files of posts, thrice (guess).
const KEPT_S: u64 = 90 * 24 * 3600;

/// What was reported of one post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayReport {
    /// The post, by which the operator names it.
    pub post: String,
    /// Whose.
    pub channel: String,
    /// Unix seconds of the first report.
    pub first_s: u64,
    /// Unix seconds of the last one.
    pub last_s: u64,
    /// How many peers reported it.
    pub count: u64,
    /// How many for which reason.
    pub reasons: BTreeMap<String, u64>,
    /// What they said, the newest last.
    pub notes: Vec<ReportNote>,
    /// The post's envelope in base64, and that of the edit that counted, which anybody can check.
    pub envelopes: Vec<String>,
    /// Who reported, as marks.
    marks: BTreeSet<String>,
}

/// What somebody said who reported a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportNote {
    /// Unix seconds.
    pub at_s: u64,
    /// Why.
    pub reason: String,
    /// In their words.
    pub text: String,
}

impl RelayReport {
    /// What the post says, the newest last; anybody else's signature is not shown.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let envelopes = self
            .envelopes
            .iter()
            .filter_map(|text| BASE64.decode(text.as_bytes()).ok());
        let verified = envelopes.filter_map(|bytes| Envelope::verify(&bytes).ok());
        let said = |envelope: Envelope| match Statement::decode(envelope.body()).ok()? {
            Statement::Entry(entry) => match entry.act {
                Act::Post(post) | Act::Edit { post, .. } => Some(post.text),
                _ => None,
            },
            _ => None,
        };
        verified.filter_map(said).collect()
    }

    fn take(&mut self, report: CheckedReport, now_s: u64) -> bool {
        let mark = format!("{:016x}", report.mark);
        if self.marks.contains(&mark) {
            return false;
        }
        if self.marks.len() < MAX_MARKS {
            self.marks.insert(mark);
        }
        let reason = report.reason.name().to_owned();
        self.last_s = now_s;
        self.count += 1;
        *self.reasons.entry(reason.clone()).or_default() += 1;
        if !report.text.trim().is_empty() {
            self.notes.push(ReportNote {
                at_s: now_s,
                reason,
                text: report.text,
            });
            let beyond = self.notes.len().saturating_sub(MAX_NOTES);
            self.notes.drain(..beyond);
        }
        // An edit that came to be known later is evidence too.
        if report.envelopes.len() > self.envelopes.len() {
            self.envelopes = report.envelopes.iter().map(|bytes| BASE64.encode(bytes)).collect();
        }
        true
    }
}

/// Lists what was reported to a relay's operator, what most reported first.
///
/// # Errors
/// [`NodeError::Store`] if a file can't be read.
pub fn relay_reports(data: &Path) -> Result<Vec<RelayReport>, NodeError> {
    let mut found = Vec::new();
    for post in posts(data).map_err(|reason| fault(data, reason))? {
        found.extend(read(data, &post).map_err(|reason| fault(data, reason))?);
    }
    found.sort_by_key(|report| (std::cmp::Reverse((report.count, report.last_s)), report.post.clone()));
    Ok(found)
}

/// Dismisses what was reported of a post; false if nothing was. Whoever reports it again is listened to.
///
/// # Errors
/// [`NodeError::Store`] if its file can't be removed.
pub fn dismiss_relay_report(data: &Path, post: &str) -> Result<bool, NodeError> {
    if !is_post(post) {
        return Ok(false);
    }
    match fs::remove_file(file(data, post)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(fault(data, format!("can't remove the report: {error}"))),
    }
}

/// What is known of a post's file.
struct Known {
    channel: String,
    count: u64,
    last_s: u64,
    bytes: u64,
}

/// The reports of a running relay.
pub(super) struct Reports {
    data: PathBuf,
    known: BTreeMap<String, Known>,
}

impl Reports {
    /// Looks at what is there; a file that can't be read is left alone and counts for nothing.
    pub fn open(data: &Path) -> Self {
        let mut reports = Self {
            data: data.to_owned(),
            known: BTreeMap::new(),
        };
        for post in posts(data).unwrap_or_default() {
            match read(data, &post) {
                Ok(Some(report)) => reports.note(&report),
                Ok(None) => {}
                Err(reason) => tracing::warn!(reason, "a report is left out"),
            }
        }
        reports
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Keeps a report, durably; otherwise why it isn't.
    pub fn take(&mut self, report: CheckedReport) -> Result<(), Refusal> {
        let now_s = now_ms() / 1000;
        let post = hex::encode(report.post.0);
        let channel = hex::encode(report.channel.0);
        let before = read(&self.data, &post).unwrap_or_default();
        let fresh = before.is_none();
        let mut kept = before.unwrap_or_else(|| RelayReport {
            post: post.clone(),
            channel: channel.clone(),
            first_s: now_s,
            last_s: now_s,
            count: 0,
            reasons: BTreeMap::new(),
            notes: Vec::new(),
            envelopes: Vec::new(),
            marks: BTreeSet::new(),
        });
        if !kept.take(report, now_s) {
            return Ok(());
        }
        if fresh {
            self.known.remove(&post);
            self.make_room(&channel);
        }
        self.write(&kept).map_err(|reason| {
            tracing::error!(reason, "a report couldn't be kept");
            Refusal::ReadOnly
        })?;
        self.note(&kept);
        Ok(())
    }

    /// Lets go of what is past its time, and notes what the operator has dismissed.
    pub fn tick(&mut self) {
        let now_s = now_ms() / 1000;
        let over = |known: &Known| known.last_s.saturating_add(KEPT_S) < now_s;
        let gone = self.known.iter().filter(|(_, known)| over(known));
        let gone: Vec<String> = gone.map(|(post, _)| post.clone()).collect();
        for post in gone {
            self.remove(&post);
        }
        if let Ok(there) = posts(&self.data) {
            self.known.retain(|post, _| there.contains(post));
        }
    }

    /// Room for one more post: of its channel, and in all, those that the fewest reported give way.
    fn make_room(&mut self, channel: &str) {
        let of_channel = |known: &Known| known.channel == channel;
        while self.known.values().filter(|known| of_channel(known)).count() >= MAX_POSTS_OF_CHANNEL {
            if !self.remove_least(of_channel) {
                return;
            }
        }
        let bytes = |known: &BTreeMap<String, Known>| known.values().map(|known| known.bytes).sum::<u64>();
        while self.known.len() >= MAX_POSTS || bytes(&self.known) + MAX_FILE > MAX_BYTES {
            if !self.remove_least(|_| true) {
                return;
            }
        }
    }

    fn remove_least(&mut self, among: impl Fn(&Known) -> bool) -> bool {
        let all = self.known.iter().filter(|(_, known)| among(known));
        let least = all.min_by_key(|(_, known)| (known.count, known.last_s));
        let least = least.map(|(post, _)| post.clone());
        least.is_some_and(|post| {
            self.remove(&post);
            true
        })
    }

    fn remove(&mut self, post: &str) {
        self.known.remove(post);
        if let Err(error) = fs::remove_file(file(&self.data, post))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "a report couldn't be removed");
        }
    }

    fn note(&mut self, report: &RelayReport) {
        let bytes = fs::metadata(file(&self.data, &report.post)).map_or(0, |meta| meta.len());
        let known = Known {
            channel: report.channel.clone(),
            count: report.count,
            last_s: report.last_s,
            bytes,
        };
        self.known.insert(report.post.clone(), known);
    }

    fn write(&self, report: &RelayReport) -> Result<(), String> {
        let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
        let folder = self.data.join(FOLDER);
        let written =
            fs::create_dir_all(&folder).and_then(|()| replace(&file(&self.data, &report.post), text.as_bytes()));
        written.map_err(|error| format!("can't write into {}: {error}", folder.display()))
    }
}

fn file(data: &Path, post: &str) -> PathBuf {
    data.join(FOLDER).join(post).with_extension("json")
}

fn is_post(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The posts of which there are files.
fn posts(data: &Path) -> Result<BTreeSet<String>, String> {
    let folder = data.join(FOLDER);
    let told = |error: std::io::Error| format!("can't read {}: {error}", folder.display());
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries.map_err(told)?,
    };
    let mut posts = BTreeSet::new();
    for entry in entries {
        let name = entry.map_err(told)?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
        posts.extend(name.filter(|name| is_post(name)).map(str::to_owned));
    }
    Ok(posts)
}

/// None if it is gone.
fn read(data: &Path, post: &str) -> Result<Option<RelayReport>, String> {
    let path = file(data, post);
    let told = |error: &dyn std::fmt::Display| format!("can't read {}: {error}", path.display());
    let Some(text) = admission::read(&path, 2 * MAX_FILE)? else {
        return Ok(None);
    };
    let report: RelayReport = serde_json::from_str(&text).map_err(|error| told(&error))?;
    if report.post != post {
        return Err(told(&"it is of another post"));
    }
    Ok(Some(report))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use madang_protocol::custody::Reason;
    use madang_protocol::keys::{ChannelId, EnvelopeId};

    fn report(channel: u8, post: u16, mark: u64, text: &str) -> CheckedReport {
        let mut id = [0; 32];
        id.iter_mut().zip(post.to_be_bytes()).for_each(|(to, from)| *to = from);
        CheckedReport {
            channel: ChannelId([channel; 32]),
            post: EnvelopeId(id),
            reason: Reason::Spam,
            text: text.into(),
            envelopes: vec![b"an envelope".to_vec()],
            mark,
        }
    }

    #[test]
    fn each_peer_counts_once_and_what_is_dismissed_is_gone_also_for_the_running_relay() {
        let dir = tempfile::tempdir().unwrap();
        let mut reports = Reports::open(dir.path());
        for (mark, text) in [(1, "every day"), (1, "again"), (2, "")] {
            reports.take(report(5, 1, mark, text)).unwrap();
        }
        reports.take(report(5, 2, 1, "")).unwrap();
        let listed = relay_reports(dir.path()).unwrap();
        let counts: Vec<u64> = listed.iter().map(|report| report.count).collect();
        assert_eq!(counts, [2, 1], "what most reported first");
        let first = listed.first().unwrap();
        assert_eq!((first.reasons.get("spam"), first.notes.len()), (Some(&2), 1));

        // It knows them after a restart.
        let mut reports = Reports::open(dir.path());
        assert_eq!(reports.len(), 2);
        reports.take(report(5, 1, 2, "")).unwrap();
        assert!(dismiss_relay_report(dir.path(), &first.post).unwrap());
        assert!(!dismiss_relay_report(dir.path(), &first.post).unwrap());
        assert!(!dismiss_relay_report(dir.path(), "../tokens").unwrap());
        reports.tick();
        assert_eq!((reports.len(), relay_reports(dir.path()).unwrap().len()), (1, 1));
    }

    #[test]
    fn f21_of_a_channels_posts_those_that_most_reported_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut reports = Reports::open(dir.path());
        for mark in 0..3 {
            reports.take(report(5, 0, mark, "")).unwrap();
        }
        for post in 1..=2 * MAX_POSTS_OF_CHANNEL as u16 {
            reports.take(report(5, post, 1, "")).unwrap();
        }
        reports.take(report(6, 999, 1, "")).unwrap();
        assert_eq!(reports.len(), MAX_POSTS_OF_CHANNEL + 1);
        let listed = relay_reports(dir.path()).unwrap();
        assert_eq!(listed.len(), MAX_POSTS_OF_CHANNEL + 1);
        assert_eq!(listed.first().unwrap().count, 3);
    }

    #[test]
    fn f28_a_file_that_is_torn_is_said_and_the_relay_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut reports = Reports::open(dir.path());
        reports.take(report(5, 1, 1, "")).unwrap();
        let post = relay_reports(dir.path()).unwrap().first().unwrap().post.clone();
        fs::write(file(dir.path(), &post), "{").unwrap();
        assert!(relay_reports(dir.path()).is_err());
        let mut reports = Reports::open(dir.path());
        reports.take(report(5, 1, 1, "")).unwrap();
        assert_eq!(relay_reports(dir.path()).unwrap().len(), 1, "it begins anew");
    }
}
