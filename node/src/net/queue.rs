//! The outbound queue of one side of a peer: bounded by bytes, drained in batches.
//!
//! A frame names the stream that it is for, and goes nowhere else: on a successor, a page of a topic would move its reader's cursor
//! past pages that were lost with the stream before (`INV-NET-OWN-STREAM`).
//!
//! Overflow rule: the queue is emptied and its stream closed, since a reader that far behind resumes by cursor anyway.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use libp2p::bytes::Bytes;
use tokio::sync::Notify;

use super::limits::{MAX_FRAME_BYTES, WRITE_BATCH_BYTES};

/// Bytes of a frame's length prefix, an unsigned big-endian integer.
pub(super) const PREFIX: usize = 4;

/// Numbers the streams of this process.
static STREAMS: AtomicU64 = AtomicU64::new(1);

pub(super) struct OutQueue {
    state: Mutex<State>,
    bound: usize,
    filled: Notify,
    overflowed: Notify,
}

#[derive(Default)]
struct State {
    stream: Option<u64>,
    overflowed: bool,
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// The writer has taken frames and not come back for more.
    writing: bool,
}

/// What became of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    Queued,
    /// The stream it is for isn't open; the frame is gone.
    Closed,
    /// The bound was reached: the frame and all before it are gone, the stream is being closed.
    Overflow,
    /// Larger than any peer accepts; the frame is gone.
    TooLarge,
}

/// Keeps the queue open; closes and empties it when dropped.
pub(super) struct Opened<'a> {
    queue: &'a OutQueue,
    /// The stream's number.
    pub(super) stream: u64,
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        *self.queue.lock() = State::default();
    }
}

impl OutQueue {
    pub(super) fn new(bound: usize) -> Self {
        Self {
            state: Mutex::default(),
            bound,
            filled: Notify::new(),
            overflowed: Notify::new(),
        }
    }

    /// Starts to take frames for a new stream.
    pub(super) fn open(&self) -> Opened<'_> {
        let stream = STREAMS.fetch_add(1, Ordering::Relaxed);
        *self.lock() = State {
            stream: Some(stream),
            ..State::default()
        };
        Opened { queue: self, stream }
    }

    pub(super) fn push(&self, stream: u64, frame: Bytes) -> Push {
        if frame.len() > MAX_FRAME_BYTES {
            return Push::TooLarge;
        }
        let mut state = self.lock();
        if state.stream != Some(stream) {
            return Push::Closed;
        }
        let bytes = state.bytes + PREFIX + frame.len();
        if bytes > self.bound {
            *state = State {
                overflowed: true,
                ..State::default()
            };
            self.overflowed.notify_one();
            return Push::Overflow;
        }
        state.bytes = bytes;
        state.frames.push_back(frame);
        self.filled.notify_one();
        Push::Queued
    }

    /// Waits for frames and appends them, prefixed, to `batch`, until it holds [`WRITE_BATCH_BYTES`] or the queue is empty.
    pub(super) async fn next_batch(&self, batch: &mut Vec<u8>) {
        loop {
            if self.take(batch) {
                return;
            }
            self.filled.notified().await;
        }
    }

    /// Waits until the queue has overflowed.
    pub(super) async fn overflowed(&self) {
        while !self.lock().overflowed {
            self.overflowed.notified().await;
        }
    }

    /// Bytes that wait, or at least one while the writer is at work.
    pub(super) fn waiting(&self) -> usize {
        let state = self.lock();
        state.bytes.max(usize::from(state.writing))
    }

    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let mut state = self.lock();
        while batch.len() < WRITE_BATCH_BYTES {
            let Some(frame) = state.frames.pop_front() else {
                break;
            };
            let Ok(length) = u32::try_from(frame.len()) else {
                continue;
            };
            state.bytes = state.bytes.saturating_sub(PREFIX + frame.len());
            batch.reserve(PREFIX + frame.len());
            batch.extend_from_slice(&length.to_be_bytes());
            batch.extend_from_slice(&frame);
        }
        state.writing = !batch.is_empty();
        state.writing
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
