//! One side of a peer: opening or acknowledging its custody stream, and moving frames until it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, OpenStreamError};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, timeout};

use super::frame::{FrameReader, StreamEnd, write_frames};
use super::limits::{NetLimits, REOPEN_DELAY, REOPEN_RESET};
use super::penalty::Offence;
use super::queue::OutQueue;
use super::stats::Counters;
use super::{NetEvent, Payload, PeerKey, Side};

/// The protocol of custody streams.
pub(super) const CUSTODY: StreamProtocol = StreamProtocol::new("/madang/custody/1");
/// What the acceptor of a stream writes first: inbound opens are dropped when `accept` lags, so an opener that doesn't
/// read it knows to try again.
const ACCEPTED: u8 = 1;

/// What all streams of a node share.
pub(super) struct Shared {
    pub(super) events: mpsc::Sender<NetEvent>,
    /// Bytes that may wait for the core.
    pub(super) room: Arc<Semaphore>,
    pub(super) offences: mpsc::Sender<(PeerKey, Offence)>,
    pub(super) counters: Arc<Counters>,
    pub(super) limits: NetLimits,
}

impl Shared {
    /// Reports an offence to the Swarm task.
    pub(super) fn accuse(&self, peer: PeerKey, offence: Offence) {
        if self.offences.try_send((peer, offence)).is_err() {
            tracing::debug!(%peer, ?offence, "offence not punished");
        }
    }
}

/// One side of a peer, over all its streams in turn.
pub(super) struct Link {
    peer: PeerKey,
    side: Side,
    pub(super) queue: OutQueue,
    /// Whether the core has been told of an open stream and not yet of its end.
    reported: AtomicBool,
}

impl Link {
    pub(super) fn new(peer: PeerKey, side: Side, queue_bytes: usize) -> Self {
        Self {
            peer,
            side,
            queue: OutQueue::new(queue_bytes),
            reported: AtomicBool::new(false),
        }
    }

    /// Keeps a stream open that we opened: opens, acknowledges, runs, and again with a growing jittered delay.
    pub(super) async fn keep_open(&self, shared: &Shared, control: &mut Control, peer: PeerId) {
        let (shortest, longest) = REOPEN_DELAY;
        let mut delay = shortest;
        loop {
            match open(control, peer, shared.limits.open_deadline).await {
                Ok(stream) => {
                    let since = Instant::now();
                    self.run(shared, Box::new(stream)).await;
                    if since.elapsed() >= REOPEN_RESET {
                        delay = shortest;
                    }
                }
                // The peer speaks no custody; its connection ends by itself if nothing else holds it.
                Err(OpenStreamError::UnsupportedProtocol(_)) => return,
                Err(error) => tracing::debug!(peer = %self.peer, %error, "no custody stream yet"),
            }
            sleep(jittered(delay)).await;
            delay = (delay * 2).min(longest);
        }
    }

    /// Acknowledges a stream that the peer opened and runs it until it ends. The stream is boxed: each future on the way would keep room
    /// for two.
    pub(super) async fn serve(&self, shared: &Shared, mut stream: Box<Stream>) {
        // The stream that this one replaces was dropped without a word.
        self.report_closed(shared).await;
        let acknowledge = async {
            stream.write_all(&[ACCEPTED]).await?;
            stream.flush().await
        };
        if let Ok(Ok(())) = timeout(shared.limits.open_deadline, acknowledge).await {
            self.run(shared, stream).await;
        }
    }

    /// Tells the core that the stream it was told of has ended.
    pub(super) async fn report_closed(&self, shared: &Shared) {
        if self.reported.load(Ordering::Relaxed) {
            let told = shared
                .events
                .send(NetEvent::StreamClosed {
                    peer: self.peer,
                    side: self.side,
                })
                .await;
            self.reported.store(false, Ordering::Relaxed);
            if told.is_err() {
                tracing::debug!("the core is gone");
            }
        }
    }

    async fn run(&self, shared: &Shared, stream: Box<Stream>) {
        let opened = self.queue.open();
        let end = self.move_frames(shared, stream, opened.stream).await;
        drop(opened);
        tracing::debug!(peer = %self.peer, side = ?self.side, %end, "custody stream ended");
        self.account(shared, end);
        self.report_closed(shared).await;
    }

    async fn move_frames(&self, shared: &Shared, stream: Box<Stream>, number: u64) -> StreamEnd {
        if shared
            .events
            .send(NetEvent::StreamOpen {
                peer: self.peer,
                side: self.side,
                stream: number,
            })
            .await
            .is_err()
        {
            return StreamEnd::Stopping;
        }
        self.reported.store(true, Ordering::Relaxed);
        let deadline = shared.limits.frame_deadline;
        let (read, write) = stream.split();
        tokio::select! {
            end = self.read_frames(shared, FrameReader::new(read, deadline)) => end,
            end = write_frames(write, &self.queue, deadline) => end,
            () = self.queue.overflowed() => StreamEnd::Overflowed,
        }
    }

    /// Hands frames to the core. It waits for room there, so a slow core stops this stream's reading and nothing else.
    async fn read_frames<R: futures::AsyncRead + Unpin>(
        &self,
        shared: &Shared,
        mut reader: FrameReader<R>,
    ) -> StreamEnd {
        loop {
            let frame = match reader.next().await {
                Ok(frame) => frame,
                Err(end) => return end,
            };
            let Some(bytes) = Payload::wait(frame, &shared.room).await else {
                return StreamEnd::Stopping;
            };
            let event = NetEvent::Frame {
                peer: self.peer,
                side: self.side,
                bytes,
            };
            if shared.events.send(event).await.is_err() {
                return StreamEnd::Stopping;
            }
        }
    }

    fn account(&self, shared: &Shared, end: StreamEnd) {
        let counters = &shared.counters;
        match end {
            StreamEnd::Oversize { .. } => {
                counters.oversize_frames.add();
                shared.accuse(self.peer, Offence::OversizeFrame);
            }
            StreamEnd::Stalled => {
                counters.stalled_frames.add();
                shared.accuse(self.peer, Offence::StalledFrame);
            }
            StreamEnd::Unread => counters.unread_streams.add(),
            StreamEnd::Overflowed => counters.overflowed_streams.add(),
            StreamEnd::Closed | StreamEnd::Stopping => {}
        }
    }
}

/// Opens a stream and waits for its acknowledgement.
async fn open(control: &mut Control, peer: PeerId, deadline: Duration) -> Result<Stream, OpenStreamError> {
    let attempt = async {
        let mut stream = control.open_stream(peer, CUSTODY).await?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await?;
        if answer != [ACCEPTED] {
            return Err(OpenStreamError::UnsupportedProtocol(CUSTODY));
        }
        Ok(stream)
    };
    timeout(deadline, attempt)
        .await
        .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}

/// Between half and one and a half times `delay`, so that peers cut off together don't return together.
fn jittered(delay: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    delay.mul_f64(0.5 + f64::from(random) / f64::from(u32::MAX))
}
