//! What arrives at the relay, and the work that is done on it before the keeper takes it.
//!
//! Verifying an envelope costs more than keeping it, so that it is done on several threads while the keeper commits. The order in which
//! frames arrived stays. While the disk is slow, deposits beyond a few are refused as `busy` instead of waiting for it.

use std::time::{Duration, Instant};

use madang_protocol::custody::relay::{Door, RelayInput, Verified};
use madang_protocol::keys::TransportKey;

use crate::net::{Payload, PeerKey};

/// Bytes of frames that are verified by the keeper itself if nothing else is going on: a lone deposit shall not wait for a thread.
const INLINE_BYTES: usize = 2 * 1024;
/// Bytes of frames that one thread verifies at a time: some forty short envelopes, two milliseconds.
pub(super) const JOB_BYTES: usize = 16 * 1024;
/// A turn that took longer is slow: the disk doesn't follow (guess: a thousand times a quiet disk's flush).
const SLOW_TURN: Duration = Duration::from_secs(1);
/// Inputs that wait above which deposits are refused after a slow turn (guess: what was sent before anybody could know).
const SHED_ABOVE: usize = 64;
/// Seconds until a retry, at the least and at the most, of what was refused so (guess).
const SHED_RETRY_S: (u64, u64) = (5, 120);
/// The first byte of a deposit frame (`spec/custody.md`).
const TAG_DEPOSIT: u8 = 1;
/// The first byte of a frame that puts chunks of a blob.
const TAG_PUT_BLOB: u8 = 6;

/// What happened outside.
#[derive(Debug)]
pub(super) enum Incoming {
    /// With the stream's number.
    Opened(PeerKey, u64),
    Closed(PeerKey),
    Frame(PeerKey, Payload),
    /// Our own stream to another relay is ready, with its number; is gone; brought a frame.
    OtherOpened(PeerKey, u64),
    OtherClosed(PeerKey),
    OtherFrame(PeerKey, Payload),
    /// A verified deposit.
    Deposit {
        peer: PeerKey,
        deposit: Verified,
        /// The frame that it came in, whose place in memory it still takes.
        _frame: Payload,
    },
    /// A deposit that is refused as `busy`, with the seconds until a retry makes sense.
    Shed(PeerKey, Payload, u32),
    /// The operator changed whom the relay admits.
    Door(Door),
    Tick,
}

/// An input and when it arrived.
#[derive(Debug)]
pub(super) struct Arrived {
    pub at: Instant,
    pub what: Incoming,
}

/// What a frame asks for, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Deposit,
    Watch,
    Unwatch,
    Ack,
    Hello,
    PutBlob,
    GetBlob,
    Reconcile,
    Push,
    Expiry,
    Flush,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Watch => "watch",
            Self::Unwatch => "unwatch",
            Self::Ack => "ack",
            Self::Hello => "hello",
            Self::PutBlob => "put_blob",
            Self::GetBlob => "get_blob",
            Self::Reconcile => "reconcile",
            Self::Push => "push",
            Self::Expiry => "expiry",
            Self::Flush => "flush",
        }
    }
}

impl Arrived {
    pub(super) fn now(what: Incoming) -> Self {
        Self {
            at: Instant::now(),
            what,
        }
    }

    /// What it asks for, if it is a request of a peer.
    pub(super) fn operation(&self) -> Option<Operation> {
        match &self.what {
            Incoming::Frame(_, bytes) => match bytes.first()? {
                1 => Some(Operation::Deposit),
                2 => Some(Operation::Watch),
                3 => Some(Operation::Unwatch),
                4 => Some(Operation::Ack),
                5 => Some(Operation::Hello),
                6 => Some(Operation::PutBlob),
                7 => Some(Operation::GetBlob),
                8 => Some(Operation::Reconcile),
                _ => None,
            },
            Incoming::Deposit { .. } | Incoming::Shed(..) => Some(Operation::Deposit),
            _ => None,
        }
    }

    /// Bytes of a deposit that somebody has to verify.
    pub(super) fn bytes_to_verify(&self) -> usize {
        match &self.what {
            Incoming::Frame(_, bytes) if bytes.first() == Some(&TAG_DEPOSIT) => bytes.len(),
            _ => 0,
        }
    }

    /// Verifies a deposit; everything else stays as it is, a frame that can't be read too: the state machine judges it.
    pub(super) fn verified(self) -> Self {
        let Self { at, what } = self;
        let what = match what {
            Incoming::Frame(peer, bytes) if bytes.first() == Some(&TAG_DEPOSIT) => match Verified::check(&bytes) {
                Some(deposit) => Incoming::Deposit {
                    peer,
                    deposit,
                    _frame: bytes,
                },
                None => Incoming::Frame(peer, bytes),
            },
            other => other,
        };
        Self { at, what }
    }
}

/// Whether some inputs are few enough to be verified by the keeper.
pub(super) fn is_little(batch: &[Arrived]) -> bool {
    batch.iter().map(Arrived::bytes_to_verify).sum::<usize>() <= INLINE_BYTES
}

/// How much there is to do.
#[derive(Debug, Default)]
pub(super) struct Load {
    slow: Option<Duration>,
}

impl Load {
    /// Notes how long a turn took.
    pub(super) fn note(&mut self, took: Duration) {
        self.slow = (took > SLOW_TURN).then_some(took);
    }

    /// Whether a deposit that arrives behind `waiting` others is to be refused, and until when.
    pub(super) fn sheds(&self, waiting: usize) -> Option<u32> {
        let slow = self.slow.filter(|_| waiting >= SHED_ABOVE)?;
        let (least, most) = SHED_RETRY_S;
        u32::try_from((slow.as_secs() * 4).clamp(least, most)).ok()
    }

    /// Refuses a deposit or put that is too much.
    pub(super) fn judge(&self, arrived: Arrived, waiting: usize) -> Arrived {
        let Arrived { at, what } = arrived;
        let what = match (what, self.sheds(waiting)) {
            (Incoming::Frame(peer, bytes), Some(retry_after_s))
                if matches!(bytes.first(), Some(&(TAG_DEPOSIT | TAG_PUT_BLOB))) =>
            {
                Incoming::Shed(peer, bytes, retry_after_s)
            }
            (what, _) => what,
        };
        Arrived { at, what }
    }
}

/// The state machine's word for an input; `None` for what isn't its own.
pub(super) fn input(incoming: Incoming) -> Option<RelayInput> {
    let key = |peer: PeerKey| TransportKey(peer.0);
    Some(match incoming {
        Incoming::Opened(peer, _) => RelayInput::Connected { peer: key(peer) },
        Incoming::Closed(peer) => RelayInput::Disconnected { peer: key(peer) },
        Incoming::Frame(peer, bytes) => RelayInput::Frame {
            peer: key(peer),
            bytes: bytes.to_vec(),
        },
        Incoming::Deposit { peer, deposit, .. } => RelayInput::Deposit {
            peer: key(peer),
            deposit,
        },
        Incoming::Shed(peer, bytes, retry_after_s) => RelayInput::Shed {
            peer: key(peer),
            bytes: bytes.to_vec(),
            retry_after_s,
        },
        Incoming::OtherOpened(peer, _) => RelayInput::OtherOpened { peer: key(peer) },
        Incoming::OtherClosed(peer) => RelayInput::OtherClosed { peer: key(peer) },
        Incoming::OtherFrame(peer, bytes) => RelayInput::OtherFrame {
            peer: key(peer),
            bytes: bytes.to_vec(),
        },
        Incoming::Tick => RelayInput::Tick,
        Incoming::Door(_) => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use madang_protocol::custody::{ClientFrame, Deposit};
    use madang_protocol::wire::Wire;

    fn frame(bytes: Vec<u8>) -> Arrived {
        Arrived::now(Incoming::Frame(PeerKey([1; 32]), bytes.into()))
    }

    fn deposit() -> Vec<u8> {
        ClientFrame::Deposit(Deposit {
            request: 1,
            envelopes: vec![b"junk".to_vec()],
        })
        .encode()
    }

    #[test]
    fn only_deposits_are_verified_beforehand() {
        assert!(matches!(frame(deposit()).verified().what, Incoming::Deposit { .. }));
        for other in [vec![4, 0, 0], vec![1, 2, 3], vec![]] {
            assert!(matches!(frame(other).verified().what, Incoming::Frame(..)));
        }
        assert!(is_little(&[frame(deposit())]));
        let much = frame([deposit(), vec![0; INLINE_BYTES]].concat());
        assert!(!is_little(&[much]));
    }

    #[test]
    fn deposits_that_queue_behind_a_slow_disk_are_refused_until_it_follows() {
        let mut load = Load::default();
        load.note(Duration::from_millis(20));
        assert_eq!(load.sheds(10_000), None);
        load.note(Duration::from_secs(3));
        assert_eq!(load.sheds(SHED_ABOVE - 1), None, "what was sent before is still taken");
        assert_eq!(load.sheds(SHED_ABOVE), Some(12));
        assert!(matches!(
            load.judge(frame(deposit()), 100).what,
            Incoming::Shed(_, _, 12)
        ));
        assert!(matches!(
            load.judge(frame(vec![TAG_PUT_BLOB]), 100).what,
            Incoming::Shed(_, _, 12)
        ));
        assert!(
            matches!(load.judge(frame(vec![4]), 100).what, Incoming::Frame(..)),
            "acknowledgements aren't"
        );
        load.note(Duration::from_millis(20));
        assert_eq!(load.sheds(10_000), None);
    }
}
