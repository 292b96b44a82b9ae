//! Compaction: a new generation takes the commits while what the old one has is copied into a base.
//!
//! | step | on disk | point | a crash after it |
//! |---|---|---|---|
//! | make a generation with a fresh key | `g5/` beside `g4/` | `compact.made` | `g5/` is removed |
//! | name it, between two commits | `current`: `5 over 4` | `compact.frozen` | both are opened, copying starts again |
//! | copy rows, in order, in chunks | `g5/base.new` | `compact.copied_chunk` | `base.new` is removed, likewise |
//! | write the end, sync, read it all back | | `compact.before_sync` | likewise |
//! | rename | `g5/base` | `compact.before_switch` | `base` is removed, likewise |
//! | name it, between two commits | `current`: `5 base` | `compact.after_switch` | `g4/` is removed |
//! | destroy the old key | `g4/` without `key` | `compact.before_remove` | `g4/` is removed |
//! | remove the old generation | | | |
//!
//! Nothing changes in the old generation while it is copied, so that commits neither wait for the copying nor are written twice: they
//! wait twice for `current` to be replaced. What fails, a full disk above all, gives the copying up; it is tried again after a pause that
//! doubles from [`FIRST_PAUSE`] to [`LAST_PAUSE`].
//!
//! **Trigger**: bytes of logs and base exceed twice those of the rows known to live, which are the base's less those deleted since,
//! by [`FLOOR`]. Each compaction at least doubles what it takes to the next, or has as much garbage to remove, so that a row is copied
//! a bounded number of times on average; nothing has to be counted at opening. The old and the new generation together stay below
//! 4 × live + 2 × [`FLOOR`]. Many tombstones start one too, for the sake of reads. A generation that was written to is compacted after [`MAX_AGE`] all the same, so that what a quiet node
//! erases doesn't stay for months.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::base::{Base, Builder};
use super::generation::{self, BASE_FILE, BASE_TEMP, Current, DATA_KEY_FILE, Generation};
use super::levels::merged;
use super::quarantine::Damage;
use super::rows::{Failure, PIECES};
use super::{Inner, Store, StoreError, Writer, files, lock, read, write};
use crate::failpoint;

/// Bytes on disk beyond twice the live ones that start a compaction: 16 segments, some 10,000 short messages (guess).
pub(super) const FLOOR: u64 = 8 * 1024 * 1024;
/// Age at which a generation that was written to is compacted (guess): how long a used secret may stay in the files at most, while the
/// program runs.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// Time between two looks at the age (guess).
const AGE_CHECK: Duration = Duration::from_secs(3600);
/// Tombstones that start a compaction, beside a sixteenth of the base's rows (guess): a walk that begins where rows were deleted passes
/// all of them, some microseconds each.
const TOMBSTONES: u64 = 10_000;
/// Bytes of rows after which the copying thread looks whether it is to stop, and rests: some milliseconds of work (guess).
const CHUNK: usize = 256 * 1024;
/// Rest after a chunk, as a multiple of the time that it took: the copying takes a quarter of a core (guess). No rest while commits
/// write so much that the space would get out of bounds.
const REST: u32 = 3;
/// Pause before a compaction that failed is tried again, at first (guess).
const FIRST_PAUSE: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(10)
};
/// The longest such pause (guess).
const LAST_PAUSE: Duration = Duration::from_secs(600);

/// What the copying thread and those who ask for a compaction share.
pub(super) struct Compaction {
    /// Held by whoever compacts.
    running: Mutex<()>,
    signal: Mutex<Signal>,
    changed: Condvar,
    stop: AtomicBool,
    /// Commits so far, for `MADANG_COMPACT_EVERY`.
    commits: AtomicU64,
    #[cfg(test)]
    pub(super) hook: Mutex<Option<Hook>>,
    #[cfg(test)]
    pub(super) trigger_off: AtomicBool,
}

/// What a test does at each point of a compaction; an error is one of the disk.
#[cfg(test)]
pub(super) type Hook = Box<dyn FnMut(&'static str) -> Result<(), StoreError> + Send>;

#[derive(Default)]
struct Signal {
    wanted: bool,
    /// No sooner than this, after a failure.
    not_before: Option<Instant>,
}

/// How much of a core a compaction takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// All of it: somebody waits.
    Full,
    /// A part: see [`REST`].
    Gentle,
}

/// Space that a store takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Logs and base.
    pub on_disk: u64,
    /// Rows that were there at the last compaction, less those deleted since; those written since are not counted.
    pub live: u64,
}

impl Compaction {
    /// The first look is at opening: a compaction may have been cut short, or be due by age.
    pub(super) fn new() -> Self {
        Self {
            running: Mutex::default(),
            signal: Mutex::new(Signal {
                wanted: true,
                not_before: None,
            }),
            changed: Condvar::new(),
            stop: false.into(),
            commits: 0.into(),
            #[cfg(test)]
            hook: Mutex::default(),
            #[cfg(test)]
            trigger_off: false.into(),
        }
    }

    /// Makes the thread end, in the middle of a chunk at the latest.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // Under the lock, so that the thread can't go to sleep in between.
        drop(lock(&self.signal));
        self.changed.notify_all();
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn want(&self) {
        lock(&self.signal).wanted = true;
        self.changed.notify_all();
    }

    /// Waits until a compaction may be due; `false` if the thread is to end.
    fn wait(&self) -> bool {
        let mut signal = lock(&self.signal);
        loop {
            if self.stopped() {
                return false;
            }
            let pause = signal.not_before.map(|t| t.saturating_duration_since(Instant::now()));
            match (signal.wanted, pause) {
                (true, None | Some(Duration::ZERO)) => {
                    *signal = Signal::default();
                    return true;
                }
                (true, Some(pause)) => {
                    let woken = self.changed.wait_timeout(signal, pause);
                    signal = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
                (false, _) => {
                    let woken = self.changed.wait_timeout(signal, AGE_CHECK);
                    let (guard, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    signal = guard;
                    signal.wanted |= timeout.timed_out();
                }
            }
        }
    }

    fn retry_after(&self, pause: Duration) {
        *lock(&self.signal) = Signal {
            wanted: true,
            not_before: Some(Instant::now() + pause),
        };
    }
}

/// Starts the thread that compacts.
pub(super) fn spawn(inner: &Arc<Inner>) -> std::io::Result<JoinHandle<()>> {
    let inner = Arc::clone(inner);
    std::thread::Builder::new().name("store-compact".to_owned()).spawn(move || {
        let mut pause = FIRST_PAUSE;
        while inner.compaction.wait() {
            match inner.compact_if_due() {
                Ok(()) => pause = FIRST_PAUSE,
                Err(_) if inner.compaction.stopped() => return,
                Err(error) => {
                    tracing::warn!(%error, pause_s = pause.as_secs(), "the store could not be compacted, trying again later");
                    inner.compaction.retry_after(pause);
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    })
}

impl Store {
    /// Compacts now and returns when it is done: what was erased before this call can't be read any more.
    ///
    /// Commits go on meanwhile. After an error everything is as it was, apart from files that the next try or opening removes.
    pub fn compact_now(&self) -> Result<(), StoreError> {
        let _one = lock(&self.0.compaction.running);
        if read(&self.0.live).levels.frozen.is_some() {
            self.0.copy(Pace::Full)?;
        }
        self.0.freeze()?;
        self.0.copy(Pace::Full)
    }

    /// The space that the store takes.
    pub fn space(&self) -> Result<Space, StoreError> {
        let writer = lock(&self.0.writer);
        self.0.space(&writer)
    }
}

impl Inner {
    /// Asks for a compaction if there is enough to gain; to be called after a commit.
    pub(super) fn consider_compaction(&self, writer: &Writer) {
        let commits = self.compaction.commits.fetch_add(1, Ordering::Relaxed) + 1;
        let forced = failpoint::compact_every().is_some_and(|every| commits.is_multiple_of(every));
        if forced || self.is_due(writer) {
            self.compaction.want();
        }
    }

    fn is_due(&self, writer: &Writer) -> bool {
        #[cfg(test)]
        if self.compaction.trigger_off.load(Ordering::SeqCst) {
            return false;
        }
        // While one is under way, or waits to be tried again, there is nothing to ask for.
        if writer.frozen_extent.is_some() {
            return false;
        }
        let rows = read(&self.live).levels.base.as_ref().map_or(0, |base| base.rows());
        writer.tombstones > TOMBSTONES + rows / 16
            || self
                .space(writer)
                .is_ok_and(|space| space.on_disk > 2 * space.live + FLOOR)
    }

    pub(super) fn is_old(&self) -> Result<bool, StoreError> {
        let live = read(&self.live);
        let top = &live.levels.top;
        let key = top.dir.join(DATA_KEY_FILE);
        let made = std::fs::metadata(&key).and_then(|meta| meta.modified());
        let made = made.map_err(StoreError::io("read", &key))?;
        // A clock that was set back makes it young.
        if !made.elapsed().is_ok_and(|age| age >= MAX_AGE) {
            return Ok(false);
        }
        let mut rows = top.engine().map_err(compaction)?.iter(&[0], &[PIECES], false);
        Ok(rows.next().is_some())
    }

    fn space(&self, writer: &Writer) -> Result<Space, StoreError> {
        let live = read(&self.live);
        let on_disk = live.levels.disk().map_err(|reason| StoreError::Commit { reason })?;
        let base = live.levels.base.as_ref().map_or(0, |base| base.len());
        Ok(Space {
            on_disk,
            live: base.saturating_sub(writer.extent.deleted),
        })
    }

    fn compact_if_due(&self) -> Result<(), StoreError> {
        let _one = lock(&self.compaction.running);
        if read(&self.live).levels.frozen.is_none() {
            let forced = failpoint::compact_every().is_some();
            if !forced && !self.is_due(&lock(&self.writer)) && !self.is_old()? {
                return Ok(());
            }
            self.freeze()?;
        }
        self.copy(Pace::Gentle)?;
        // It may have grown beyond the bound meanwhile.
        if self.is_due(&lock(&self.writer)) {
            self.compaction.want();
        }
        Ok(())
    }

    /// Makes a new generation take the commits.
    fn freeze(&self) -> Result<(), StoreError> {
        if let Some(reason) = &read(&self.live).failed {
            let reason = format!("the store is read-only: {reason}");
            return Err(StoreError::Compaction { reason });
        }
        let last = generation::numbers(&self.dir)?.into_iter().max().unwrap_or_default();
        let number = last + 1;
        let frozen = self.make_and_name(number);
        if frozen.is_err() && !Current::read(&self.dir).is_ok_and(|current| current.newest == number) {
            // Unless the file system can't say which one is named: then both are kept, and the new one is empty.
            generation::remove(&self.dir, number)?;
        }
        frozen?;
        self.point("compact.frozen")
    }

    fn make_and_name(&self, number: u64) -> Result<(), StoreError> {
        let (top, extent) = Generation::create(&self.dir, number, &self.store_key, self.kind)?;
        self.point("compact.made")?;
        let mut writer = lock(&self.writer);
        let current = {
            let live = read(&self.live);
            // It may have been closed by a commit that failed meanwhile.
            live.levels.top.engine().map_err(compaction)?;
            Current {
                newest: number,
                below: Some(live.levels.top.number),
                base: live.levels.base.is_some(),
            }
        };
        if let Err(error) = current.write(&self.dir) {
            let before = Current {
                newest: current.below.unwrap_or(number),
                below: None,
                ..current
            };
            before.write(&self.dir)?;
            return Err(error);
        }
        let mut live = write(&self.live);
        let old = std::mem::replace(&mut live.levels.top, top);
        live.levels.frozen = Some(Arc::new(old));
        writer.frozen_extent = Some(std::mem::replace(&mut writer.extent, extent));
        writer.split.clear();
        writer.tombstones = 0;
        Ok(())
    }

    /// Copies what is below the newest generation into a base of that generation, and removes what was copied.
    fn copy(&self, pace: Pace) -> Result<(), StoreError> {
        let (dir, number, data_key, frozen, base) = {
            let live = read(&self.live);
            let top = &live.levels.top;
            let Some(frozen) = live.levels.frozen.clone() else {
                return Ok(());
            };
            let base = live.levels.base.clone();
            (top.dir.clone(), top.number, top.data_key.clone(), frozen, base)
        };
        let temp = dir.join(BASE_TEMP);
        let built = Builder::create(&temp, &data_key).and_then(|builder| {
            let rows = self.copy_rows(builder, &frozen, base.as_deref(), pace)?;
            let copy = Base::open(&temp, &data_key)?;
            self.check(&copy, rows, pace)?;
            std::fs::rename(&temp, dir.join(BASE_FILE)).map_err(StoreError::io("rename", &temp))?;
            files::sync_dir(&dir)?;
            Ok(copy)
        });
        let copy = match built {
            Ok(copy) => copy,
            Err(error) => {
                files::remove_if_there(&temp)?;
                return Err(error);
            }
        };
        self.point("compact.before_switch")?;
        drop((frozen, base));
        self.switch(number, copy)?;
        self.point("compact.after_switch")?;
        // The rows are safe: what is left of the old generation is removed at the next opening at the latest.
        if let Err(error) = self.remove_all_but(number) {
            tracing::warn!(%error, "what was compacted could not be removed");
        }
        Ok(())
    }

    fn copy_rows(
        &self,
        mut builder: Builder,
        frozen: &Generation,
        base: Option<&Base>,
        pace: Pace,
    ) -> Result<u64, StoreError> {
        let mut chunk = Chunk::begin(pace);
        for row in merged(std::iter::once(frozen), base, &[0], &[PIECES], false) {
            match row {
                Ok((key, value)) => {
                    builder.push(&key, &value)?;
                    if chunk.add(key.len() + value.len()) {
                        self.point("compact.copied_chunk")?;
                        self.rest(&mut chunk)?;
                    }
                }
                Err(failure) => self.put_aside(frozen, base, failure)?,
            }
        }
        let rows = builder.rows();
        let complete = builder.complete()?;
        self.point("compact.before_sync")?;
        complete.sync()?;
        Ok(rows)
    }

    /// Puts what can't be read in the quarantine, since a compaction that stopped at it would never end.
    fn put_aside(&self, frozen: &Generation, base: Option<&Base>, failure: Failure) -> Result<(), StoreError> {
        let Failure::Row { key, unreadable } = &failure else {
            return Err(compaction(failure));
        };
        let damage = Damage::find(std::iter::once(frozen), base, key).map_err(compaction)?;
        let Some(damage) = damage else {
            return Err(compaction(failure));
        };
        damage.keep(&self.dir, key)?;
        tracing::error!(
            tree = key.first().copied().unwrap_or_default(),
            key = hex::encode(super::rows::row_key(key)),
            "a record was put aside by the compaction: {unreadable}"
        );
        Ok(())
    }

    /// Reads a base that was written from beginning to end.
    fn check(&self, copy: &Base, rows: u64, pace: Pace) -> Result<(), StoreError> {
        let mut chunk = Chunk::begin(pace);
        let mut found = 0;
        for row in copy.iter(&[0], &[PIECES], false) {
            let (key, value) = row.map_err(compaction)?;
            found += 1;
            if chunk.add(key.len() + value.len()) {
                self.rest(&mut chunk)?;
            }
        }
        if found != rows || copy.rows() != rows {
            let reason = format!("{rows} rows were copied, {found} are there");
            return Err(StoreError::Compaction { reason });
        }
        Ok(())
    }

    fn switch(&self, number: u64, copy: Base) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let current = Current {
            newest: number,
            below: None,
            base: true,
        };
        // If this fails after the file was replaced, the base that it names has the same rows as what is open.
        current.write(&self.dir)?;
        let (frozen, extent) = {
            let mut live = write(&self.live);
            live.levels.base = Some(Arc::new(copy));
            (live.levels.frozen.take(), writer.frozen_extent.take())
        };
        drop((writer, extent));
        if let Some(engine) = frozen.and_then(Arc::into_inner).and_then(|frozen| frozen.engine) {
            // Its files go anyway; closing waits until sled's threads have let go of them.
            if let Err(reason) = engine.close() {
                tracing::warn!(%reason, "what was compacted could not be closed in order");
            }
        }
        Ok(())
    }

    /// Removes what was compacted, and what an earlier try has left.
    fn remove_all_but(&self, newest: u64) -> Result<(), StoreError> {
        for number in generation::numbers(&self.dir)? {
            if number != newest {
                generation::destroy_key(&self.dir, number)?;
                self.point("compact.before_remove")?;
                generation::remove(&self.dir, number)?;
            }
        }
        Ok(())
    }

    fn rest(&self, chunk: &mut Chunk) -> Result<(), StoreError> {
        if self.compaction.stopped() {
            return Err(StoreError::Compaction {
                reason: "the store is being closed".to_owned(),
            });
        }
        let busy = read(&self.live)
            .levels
            .top
            .engine
            .as_ref()
            .is_none_or(|engine| engine.len().is_ok_and(|len| len > FLOOR / 2));
        chunk.end(busy);
        Ok(())
    }

    /// A point of a compaction at which tests kill, copy or fail.
    fn point(&self, name: &'static str) -> Result<(), StoreError> {
        failpoint::hit(name);
        #[cfg(test)]
        if let Some(hook) = lock(&self.compaction.hook).as_mut() {
            hook(name)?;
        }
        Ok(())
    }
}

fn compaction(failure: Failure) -> StoreError {
    StoreError::Compaction {
        reason: failure.to_string(),
    }
}

/// Work between two rests.
struct Chunk {
    pace: Pace,
    began: Instant,
    bytes: usize,
}

impl Chunk {
    fn begin(pace: Pace) -> Self {
        Self {
            pace,
            began: Instant::now(),
            bytes: 0,
        }
    }

    /// Counts bytes; whether the chunk is full.
    fn add(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.bytes >= CHUNK
    }

    fn end(&mut self, busy: bool) {
        if self.pace == Pace::Gentle && !busy {
            std::thread::sleep(self.began.elapsed() * REST);
        }
        *self = Self::begin(self.pace);
    }
}
