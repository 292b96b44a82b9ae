//! The device log: hash-linked statements by which an account adds, rotates and revokes its devices.

use crate::keys::{AccountId, AccountSecret, DeviceId, DeviceSecret, Domain, derive};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A device log isn't valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceLogError {
    /// It can't be read.
    #[error("device log: {0}")]
    Decode(#[from] DecodeError),
    /// A statement doesn't continue the one before it.
    #[error("device log: statement {at} doesn't continue the one before it")]
    Link {
        /// Its place, from 0.
        at: usize,
    },
    /// A statement's signature doesn't hold, or its author isn't active at that place.
    #[error("device log: statement {at} isn't signed by the root or an active device")]
    Author {
        /// Its place, from 0.
        at: usize,
    },
    /// A statement makes no sense at its place (adds a known device, revokes an unknown one).
    #[error("device log: statement {at} doesn't apply")]
    Inapplicable {
        /// Its place, from 0.
        at: usize,
    },
    /// The log has no active device.
    #[error("device log: no device is active")]
    Empty,
}

/// Who signs a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    /// The account's root key.
    Root,
    /// A device that is active at that place.
    Device(DeviceId),
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatementBody {
    /// A device joins the account.
    Add {
        /// The device.
        device: DeviceId,
    },
    /// A device leaves; what it wrote beyond the named message is void.
    Revoke {
        /// The device.
        device: DeviceId,
        /// The last sequence accepted from it.
        last_sequence: u64,
        /// That message's hash.
        last_hash: [u8; 32],
    },
    /// A device takes a new key.
    Rotate {
        /// The old key.
        old: DeviceId,
        /// The new key.
        new: DeviceId,
    },
}

/// One link of the log.
///
/// `struct { opaque previous[32]; uint8 body_kind; select body; uint8 author_kind; optional device; opaque signature[64]; }`, where body
/// 1 is add `{device}`, 2 revoke `{device, uint64 last_sequence, opaque last_hash[32]}`, 3 rotate `{old, new}`, and author 0 the
/// root, 1 `{device}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Hash of the statement before; of the account for the first.
    pub previous: [u8; 32],
    /// What it does.
    pub body: StatementBody,
    /// Who says so.
    pub author: Author,
    /// By the author, over account and statement.
    #[serde(with = "serde_bytes")]
    pub signature: [u8; 64],
}

/// An account's devices and the proof of each: `struct { uint16 version = 1; opaque account[32]; Statement statements<V>; }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLog {
    /// The account.
    pub account: AccountId,
    /// In order, at most [`limits::DEVICE_STATEMENTS`].
    pub statements: Vec<Statement>,
}

const VERSION: u16 = 1;

impl DeviceLog {
    /// A new account's log, with its first device.
    pub fn create(root: &AccountSecret, device: DeviceId) -> Self {
        let mut log = Self {
            account: root.public(),
            statements: Vec::new(),
        };
        log.push(StatementBody::Add { device }, Author::Root, |message| {
            root.sign(Domain::DeviceStatement, message)
        });
        log
    }

    /// Appends a statement by the root.
    pub fn append_by_root(&mut self, root: &AccountSecret, body: StatementBody) {
        self.push(body, Author::Root, |message| {
            root.sign(Domain::DeviceStatement, message)
        });
    }

    /// Appends a statement by a device.
    pub fn append_by_device(&mut self, device: &DeviceSecret, body: StatementBody) {
        self.push(body, Author::Device(device.public()), |message| {
            device.sign(Domain::DeviceStatement, message)
        });
    }

    /// Checks every link, author and signature; gives the active devices in the order they were added.
    pub fn verify(&self) -> Result<Vec<DeviceId>, DeviceLogError> {
        let mut previous = self.start();
        let mut active: BTreeMap<DeviceId, usize> = BTreeMap::new();
        let mut known: BTreeMap<DeviceId, ()> = BTreeMap::new();
        for (at, statement) in self.statements.iter().enumerate() {
            if statement.previous != previous {
                return Err(DeviceLogError::Link { at });
            }
            let signed = self.signed(statement);
            let holds = match statement.author {
                Author::Root => self
                    .account
                    .verify(Domain::DeviceStatement, &signed, &statement.signature)
                    .is_ok(),
                Author::Device(device) => {
                    active.contains_key(&device)
                        && device
                            .verify(Domain::DeviceStatement, &signed, &statement.signature)
                            .is_ok()
                }
            };
            if !holds {
                return Err(DeviceLogError::Author { at });
            }
            let applies = match statement.body {
                StatementBody::Add { device } => {
                    active.insert(device, at);
                    known.insert(device, ()).is_none()
                }
                StatementBody::Revoke { device, .. } => active.remove(&device).is_some(),
                StatementBody::Rotate { old, new } => {
                    let place = active.remove(&old);
                    if let Some(place) = place {
                        active.insert(new, place);
                    }
                    place.is_some() && known.insert(new, ()).is_none()
                }
            };
            if !applies {
                return Err(DeviceLogError::Inapplicable { at });
            }
            previous = Self::hash(&signed, &statement.signature);
        }
        if active.is_empty() {
            return Err(DeviceLogError::Empty);
        }
        let mut devices: Vec<_> = active.into_iter().collect();
        devices.sort_by_key(|(_, at)| *at);
        Ok(devices.into_iter().map(|(device, _)| device).collect())
    }

    /// Whether a valid log certifies a device.
    pub fn certifies(&self, device: DeviceId) -> Result<bool, DeviceLogError> {
        Ok(self.verify()?.contains(&device))
    }

    fn push(&mut self, body: StatementBody, author: Author, sign: impl FnOnce(&[u8]) -> [u8; 64]) {
        let previous = match self.statements.last() {
            None => self.start(),
            Some(last) => Self::hash(&self.signed(last), &last.signature),
        };
        let mut statement = Statement {
            previous,
            body,
            author,
            signature: [0; 64],
        };
        statement.signature = sign(&self.signed(&statement));
        self.statements.push(statement);
    }

    fn start(&self) -> [u8; 32] {
        derive("madang 1 device log start", &[&self.account.0])
    }

    fn hash(signed: &[u8], signature: &[u8; 64]) -> [u8; 32] {
        derive("madang 1 device statement hash", &[signed, signature])
    }

    fn signed(&self, statement: &Statement) -> Vec<u8> {
        let mut w = Writer::default();
        w.u16(VERSION);
        self.account.write(&mut w);
        statement.write_unsigned(&mut w);
        w.into_bytes()
    }
}

impl Wire for DeviceLog {
    fn write(&self, w: &mut Writer) {
        w.u16(VERSION);
        self.account.write(w);
        w.list(&self.statements, |w, statement| {
            statement.write_unsigned(w);
            w.fixed(&statement.signature);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("device_log.version", VERSION)?;
        Ok(Self {
            account: AccountId::read(r)?,
            statements: r.list("device_log.statements", limits::DEVICE_STATEMENTS, Statement::read)?,
        })
    }
}

impl Statement {
    fn write_unsigned(&self, w: &mut Writer) {
        w.fixed(&self.previous);
        match &self.body {
            StatementBody::Add { device } => {
                w.u8(1);
                device.write(w);
            }
            StatementBody::Revoke {
                device,
                last_sequence,
                last_hash,
            } => {
                w.u8(2);
                device.write(w);
                w.u64(*last_sequence);
                w.fixed(last_hash);
            }
            StatementBody::Rotate { old, new } => {
                w.u8(3);
                old.write(w);
                new.write(w);
            }
        }
        match self.author {
            Author::Root => w.u8(0),
            Author::Device(device) => {
                w.u8(1);
                device.write(w);
            }
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let previous = r.array("statement.previous")?;
        let body = match r.u8("statement.body")? {
            1 => StatementBody::Add {
                device: DeviceId::read(r)?,
            },
            2 => StatementBody::Revoke {
                device: DeviceId::read(r)?,
                last_sequence: r.u64("statement.last_sequence")?,
                last_hash: r.array("statement.last_hash")?,
            },
            3 => StatementBody::Rotate {
                old: DeviceId::read(r)?,
                new: DeviceId::read(r)?,
            },
            _ => {
                return Err(DecodeError::Invalid {
                    field: "statement.body",
                    reason: "a kind that this version doesn't know",
                });
            }
        };
        let author = match r.u8("statement.author")? {
            0 => Author::Root,
            1 => Author::Device(DeviceId::read(r)?),
            _ => {
                return Err(DecodeError::Invalid {
                    field: "statement.author",
                    reason: "neither root (0) nor device (1)",
                });
            }
        };
        Ok(Self {
            previous,
            body,
            author,
            signature: r.array("statement.signature")?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn root() -> AccountSecret {
        AccountSecret::from_bytes([1; 32])
    }
    fn device(n: u8) -> DeviceSecret {
        DeviceSecret::from_bytes([n; 32])
    }

    #[test]
    fn a_device_adds_another_and_the_root_revokes_the_first() {
        let mut log = DeviceLog::create(&root(), device(2).public());
        log.append_by_device(
            &device(2),
            StatementBody::Add {
                device: device(3).public(),
            },
        );
        log.append_by_root(
            &root(),
            StatementBody::Revoke {
                device: device(2).public(),
                last_sequence: 9,
                last_hash: [0; 32],
            },
        );
        let read = DeviceLog::decode(&log.encode()).unwrap();
        assert_eq!(read, log);
        assert_eq!(read.verify().unwrap(), vec![device(3).public()]);
    }

    #[test]
    fn f52_a_device_added_by_a_stranger_or_a_revoked_device_is_refused() {
        let mut log = DeviceLog::create(&root(), device(2).public());
        log.append_by_device(
            &device(9),
            StatementBody::Add {
                device: device(3).public(),
            },
        );
        assert_eq!(log.verify(), Err(DeviceLogError::Author { at: 1 }));

        let mut log = DeviceLog::create(&root(), device(2).public());
        log.append_by_device(
            &device(2),
            StatementBody::Add {
                device: device(3).public(),
            },
        );
        log.append_by_device(
            &device(3),
            StatementBody::Revoke {
                device: device(2).public(),
                last_sequence: 0,
                last_hash: [0; 32],
            },
        );
        log.append_by_device(
            &device(2),
            StatementBody::Add {
                device: device(4).public(),
            },
        );
        assert_eq!(log.verify(), Err(DeviceLogError::Author { at: 3 }));
    }

    #[test]
    fn f52_a_log_moved_to_another_account_or_with_a_statement_left_out_is_refused() {
        let mut log = DeviceLog::create(&root(), device(2).public());
        log.append_by_device(
            &device(2),
            StatementBody::Add {
                device: device(3).public(),
            },
        );
        let mut foreign = log.clone();
        foreign.account = AccountSecret::from_bytes([8; 32]).public();
        assert!(foreign.verify().is_err());
        log.statements.remove(0);
        assert_eq!(log.verify(), Err(DeviceLogError::Link { at: 0 }));
    }
}
