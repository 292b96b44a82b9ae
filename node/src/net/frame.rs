//! Length-prefixed frames over a byte stream: a prefix of four bytes, big-endian, then as many bytes.

use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::limits::{MAX_FRAME_BYTES, READ_CHUNK_BYTES, READ_IDLE_BYTES, SLOWEST_BYTES_PER_SECOND};
use super::queue::{OutQueue, PREFIX};

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamEnd {
    #[error("the peer or the connection closed it")]
    Closed,
    #[error("the peer announced a frame of {bytes} bytes, over the limit")]
    Oversize { bytes: usize },
    #[error("the peer began a frame and didn't finish it in time")]
    Stalled,
    #[error("the peer didn't take what was written in time")]
    Unread,
    #[error("the outbound queue reached its bound")]
    Overflowed,
    #[error("the node is stopping")]
    Stopping,
}

/// Reads frames. Its memory follows what arrived, never what a prefix announces.
pub(super) struct FrameReader<R> {
    io: R,
    deadline: Duration,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    busy: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(io: R, deadline: Duration) -> Self {
        Self {
            io,
            deadline,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            busy: false,
        }
    }

    /// Waits for the next frame, for ever before its first byte, with a deadline after it.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, StreamEnd> {
        let mut began = None;
        loop {
            let wanted = match self.announced() {
                Some(bytes) if bytes > MAX_FRAME_BYTES => {
                    return Err(StreamEnd::Oversize { bytes });
                }
                Some(bytes) => PREFIX + bytes,
                None => PREFIX,
            };
            if self.announced().is_some() && self.end - self.start >= wanted {
                let frame = self
                    .buffer
                    .get(self.start + PREFIX..self.start + wanted)
                    .unwrap_or_default()
                    .to_vec();
                self.start += wanted;
                return Ok(frame);
            }
            let waiting = self.start == self.end;
            self.make_room(wanted);
            let Some(spare) = self.buffer.get_mut(self.end..) else {
                return Err(StreamEnd::Closed);
            };
            let room = spare.len();
            let read = self.io.read(spare);
            let count = if waiting {
                read.await
            } else {
                let until = *began.get_or_insert_with(Instant::now) + self.deadline + slack(wanted);
                timeout_at(until, read).await.map_err(|_| StreamEnd::Stalled)?
            };
            match count {
                Ok(count) if count > 0 => self.end += count,
                _ => return Err(StreamEnd::Closed),
            }
            self.busy = self.end == self.buffer.len() && room > 0;
        }
    }

    fn announced(&self) -> Option<usize> {
        let prefix = self.buffer.get(self.start..self.end)?.first_chunk::<PREFIX>()?;
        usize::try_from(u32::from_be_bytes(*prefix)).ok()
    }

    /// Moves what is unread to the front and sizes the buffer: small while nothing comes, growing while each read fills it, and for a
    /// frame that began as large as the frame and a little more, so that a full buffer means that there is more.
    fn make_room(&mut self, wanted: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let size = match self.end {
            0 if !self.busy => READ_IDLE_BYTES,
            0 => (4 * self.buffer.len()).min(READ_CHUNK_BYTES),
            have => (wanted + READ_IDLE_BYTES).min(have + READ_CHUNK_BYTES),
        };
        if self.end == 0 && self.buffer.len() > size {
            self.buffer = Vec::new();
        }
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }
}

/// Writes what the queue holds, one flush a batch, until the stream ends.
pub(super) async fn write_frames<W: AsyncWrite + Unpin>(mut io: W, queue: &OutQueue, deadline: Duration) -> StreamEnd {
    loop {
        // A new one each time, so that a stream that waits holds none.
        let mut batch = Vec::new();
        queue.next_batch(&mut batch).await;
        let write = async {
            io.write_all(&batch).await?;
            io.flush().await
        };
        match timeout(deadline + slack(batch.len()), write).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return StreamEnd::Closed,
            Err(_) => return StreamEnd::Unread,
        }
    }
}

fn slack(bytes: usize) -> Duration {
    Duration::from_secs((bytes / SLOWEST_BYTES_PER_SECOND) as u64)
}
