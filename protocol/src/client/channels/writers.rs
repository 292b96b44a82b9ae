//! Who else may write on a channel: keys and their certificates, their end, and handing the channel over to another root.

use super::beacons::Further;
use super::own::{check_manifest, refused};
use super::rows::{GrantRow, OwnRow, PenRow};
use super::{Channel, NOT_ROOT};
use crate::address::PeerAddress;
use crate::channel::{Authority, Beacon, ChannelLink, Revocation, Scopes, Signatory, WriterCertificate, is_category};
use crate::client::{Client, CommandError, EventRow, Reply};
use crate::keys::{ChannelId, EnvelopeId, WriterId, WriterSecret};
use crate::limits;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use data_encoding::BASE64URL_NOPAD;

const VERSION: u16 = 1;
const CERTIFICATE: &str = "madang:writer?d=";
const RECOVERY: &str = "madang:recovery?d=";

/// Whom a root lets write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterGrant {
    /// The holder's key.
    pub writer: WriterId,
    /// What for.
    pub scopes: Scopes,
    /// In which of the channel's categories; all if there are none.
    pub categories: Vec<String>,
    /// Unix seconds.
    pub until_s: u64,
}

/// What takes a channel back.
///
/// | bytes | field |
/// |---|---|
/// | 2 | version, 1 |
/// | 32 | secret |
/// | V | certificates from the channel's key to this one's |
/// | V | relays |
/// | V | the channel's name |
///
/// The text is `madang:recovery?d=` and base64url of these bytes.
struct RecoveryKey {
    secret: WriterSecret,
    chain: Vec<WriterCertificate>,
    relays: Vec<PeerAddress>,
    name: String,
}

impl Wire for RecoveryKey {
    fn write(&self, w: &mut Writer) {
        w.u16(VERSION);
        w.fixed(&*self.secret.to_bytes());
        w.list(&self.chain, |w, certificate| certificate.write(w));
        crate::address::write_all(w, &self.relays);
        w.bytes(self.name.as_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("recovery.version", VERSION)?;
        Ok(Self {
            secret: WriterSecret::from_bytes(r.array("recovery.secret")?),
            chain: read_chain(r)?,
            relays: crate::address::read_all(r, "recovery.relays", limits::RELAYS)?,
            name: r.text("recovery.name", limits::NAME_BYTES)?,
        })
    }
}

fn read_chain(r: &mut Reader<'_>) -> Result<Vec<WriterCertificate>, DecodeError> {
    r.list("certificates", limits::CERTIFICATE_CHAIN, WriterCertificate::read)
}

/// A chain as it is kept and given to its holder: `{uint16 version = 1; WriterCertificate chain<V>;}`.
struct Chain(Vec<WriterCertificate>);

impl Wire for Chain {
    fn write(&self, w: &mut Writer) {
        w.u16(VERSION);
        w.list(&self.0, |w, certificate| certificate.write(w));
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("certificates.version", VERSION)?;
        Ok(Self(read_chain(r)?))
    }
}

fn text(begin: &str, value: &impl Wire) -> String {
    format!("{begin}{}", BASE64URL_NOPAD.encode(&value.encode()))
}

fn read<T: Wire>(field: &'static str, begin: &str, given: &str) -> Result<T, CommandError> {
    let damaged = CommandError::Invalid {
        field,
        reason: "it is damaged or of another kind; ask for it again",
    };
    let bytes = given
        .trim()
        .strip_prefix(begin)
        .filter(|encoded| encoded.len() <= 2 * limits::CHANNEL_LINK_BYTES)
        .and_then(|encoded| BASE64URL_NOPAD.decode(encoded.as_bytes()).ok());
    bytes.and_then(|bytes| T::decode(&bytes).ok()).ok_or(damaged)
}

impl PenRow {
    /// A key that has written nothing yet.
    pub(super) fn new(secret: WriterSecret) -> Self {
        Self {
            secret,
            chain: Vec::new(),
            number: 0,
            previous: EnvelopeId([0; 32]),
        }
    }
}

impl Channel {
    /// What we write with; none if we may not.
    pub(super) fn signatory(&self, id: &ChannelId) -> Option<Signatory> {
        let pen = self.row.pen.as_ref()?;
        let chain = match pen.chain.is_empty() {
            true => Vec::new(),
            false => Chain::decode(&pen.chain).ok()?.0,
        };
        let certified = !chain.is_empty() || pen.secret.public() == id.root();
        certified.then(|| Signatory {
            channel: *id,
            secret: pen.secret.clone(),
            chain,
        })
    }

    /// What a beacon says that our key has signed isn't signed again under the same numbers.
    pub(super) fn go_on_from(&mut self, beacon: &Beacon) {
        if let Some(pen) = &mut self.row.pen
            && let Some(head) = beacon.head(&pen.secret.public())
            && pen.number < head.number
        {
            (pen.number, pen.previous) = (head.number, head.id);
        }
    }

    /// What its root signs with, if that is us.
    pub(super) fn root(&self, id: &ChannelId) -> Option<Signatory> {
        self.row.own.as_ref()?;
        self.signatory(id)
    }
}

impl Client {
    pub(super) fn writer_key(&mut self, id: ChannelId) -> Result<Reply, CommandError> {
        let secret = WriterSecret::from_bytes(self.crypto.random());
        let channel = self.channel_mut(&id)?;
        if !channel.is_open() {
            return Err(CommandError::NotFound { field: "channel" });
        }
        channel.dirty = true;
        let pen = channel.row.pen.get_or_insert_with(|| PenRow::new(secret));
        Ok(Reply::Writer(pen.secret.public()))
    }

    pub(super) fn certify(&mut self, now_ms: u64, id: ChannelId, grant: WriterGrant) -> Result<Reply, CommandError> {
        let manifest = self.own_manifest(&id)?;
        let invalid = |field, reason| Err(CommandError::Invalid { field, reason });
        let now_s = now_ms / 1000;
        if grant.until_s <= now_s {
            return invalid("until_ms", "must be in the future");
        }
        if grant.scopes == Scopes::default() {
            return invalid("scopes", "must name at least one");
        }
        let known = |of: &String| is_category(of) && manifest.categories.iter().any(|known| known.id == *of);
        if !grant.categories.iter().all(known) {
            return invalid("categories", "the channel has no such category");
        }
        let channel = self.channel_mut(&id)?;
        let root = channel.root(&id).ok_or(NOT_ROOT)?;
        let beacon = channel.latest();
        if grant.writer == id.root() || grant.writer == root.secret.public() {
            return invalid("writer", "this key is the channel's root");
        }
        if beacon.is_some_and(|beacon| beacon.revocation(&grant.writer).is_some()) {
            return invalid("writer", "this key was revoked; its holder needs another");
        }
        let certificate = certify(&root, now_s, &grant);
        let chain = longer(&root, certificate)?;
        let row = GrantRow {
            writer: grant.writer,
            scopes: grant.scopes,
            categories: grant.categories,
            from_s: now_s,
            until_s: grant.until_s,
        };
        if let Some(own) = &mut channel.row.own {
            own.granted
                .retain(|known| known.writer != grant.writer && known.until_s > now_s);
            // One head of a beacon is ours.
            if own.granted.len() + 1 >= limits::CHANNEL_WRITERS {
                return Err(CommandError::Limit {
                    what: "writers",
                    limit: limits::CHANNEL_WRITERS,
                });
            }
            own.granted.push(row);
        }
        channel.dirty = true;
        self.event(&EventRow::ChannelUpdated { channel: id });
        Ok(Reply::Certificate(text(CERTIFICATE, &chain)))
    }

    pub(super) fn use_certificate(&mut self, now_ms: u64, given: &str) -> Result<Reply, CommandError> {
        let chain: Chain = read("certificate", CERTIFICATE, given)?;
        let invalid = |reason| CommandError::Invalid {
            field: "certificate",
            reason,
        };
        let first = chain.0.first().ok_or(invalid("it is empty"))?;
        let id = first.channel;
        let authority = Authority::of(id.topic(), chain.0.clone());
        if authority.verify(id.topic()).is_err() {
            return Err(invalid("its signatures don't hold"));
        }
        if !authority.holds_at(now_ms / 1000) {
            return Err(invalid("it has expired"));
        }
        let channel = self
            .channel_mut(&id)
            .map_err(|_| invalid("its channel isn't followed here; follow it first"))?;
        let pen = channel.row.pen.as_mut();
        let pen = pen.filter(|pen| pen.secret.public() == authority.writer);
        pen.ok_or(invalid("it is for another key"))?.chain = chain.encode();
        self.take_over(now_ms, id, &authority);
        Ok(Reply::Channel(id))
    }

    /// From now on we write with what a channel's row holds, and are its root if that is a root's.
    fn take_over(&mut self, now_ms: u64, id: ChannelId, authority: &Authority) {
        if let Some(channel) = self.channels.by_id.get_mut(&id) {
            channel.dirty = true;
            if authority.is_root() {
                // Its first beacon follows upon the last one of the root before.
                channel.row.own = Some(OwnRow {
                    beacon: channel.latest().map_or(0, |beacon| beacon.number),
                    beacon_due_ms: now_ms,
                    ..OwnRow::default()
                });
            }
        }
        self.event(&EventRow::ChannelUpdated { channel: id });
    }

    pub(super) fn revoke_writer(
        &mut self,
        now_ms: u64,
        id: ChannelId,
        writer: WriterId,
    ) -> Result<Reply, CommandError> {
        let manifest = self.own_manifest(&id)?;
        let channel = self.channel_mut(&id)?;
        let ours = channel.row.pen.as_ref().map(|pen| pen.secret.public());
        if ours == Some(writer) {
            return Err(CommandError::Invalid {
                field: "writer",
                reason: "this key is the channel's root",
            });
        }
        let Some(beacon) = channel.latest() else {
            return Err(CommandError::NotFound { field: "channel" });
        };
        if beacon.revocation(&writer).is_some() {
            return Ok(Reply::Done);
        }
        if beacon.revocations.len() >= limits::CHANNEL_REVOCATIONS {
            return Err(CommandError::Limit {
                what: "revocations",
                limit: limits::CHANNEL_REVOCATIONS,
            });
        }
        let head = beacon.head(&writer);
        let revocation = Revocation {
            writer,
            last: head.map_or(0, |head| head.number),
            id: head.map_or(EnvelopeId([0; 32]), |head| head.id),
        };
        if let Some(own) = &mut channel.row.own {
            own.granted.retain(|known| known.writer != writer);
        }
        let further = Further {
            revocations: vec![revocation],
            ..Further::default()
        };
        self.send_beacon_with(now_ms, id, manifest, further)?;
        Ok(Reply::Done)
    }

    pub(super) fn recovery_key(&mut self, now_ms: u64, id: ChannelId) -> Result<Reply, CommandError> {
        let mut manifest = self.own_manifest(&id)?;
        let secret = WriterSecret::from_bytes(self.crypto.random());
        let root = self.channel_mut(&id)?.root(&id).ok_or(NOT_ROOT)?;
        let grant = WriterGrant {
            writer: secret.public(),
            scopes: Scopes::ROOT.with(Scopes::RECOVERY),
            categories: Vec::new(),
            until_s: u64::MAX,
        };
        let chain = longer(&root, certify(&root, now_ms / 1000, &grant))?;
        manifest.number = manifest.number.saturating_add(1);
        manifest.recovery = Some(grant.writer);
        check_manifest(&manifest)?;
        let key = RecoveryKey {
            secret,
            chain: chain.0,
            relays: manifest.relays.clone(),
            name: manifest.name.clone(),
        };
        self.send_beacon(now_ms, id, manifest)?;
        Ok(Reply::Certificate(text(RECOVERY, &key)))
    }

    pub(super) fn recover_channel(&mut self, now_ms: u64, given: &str) -> Result<Reply, CommandError> {
        let key: RecoveryKey = read("key", RECOVERY, given)?;
        let invalid = |reason| CommandError::Invalid { field: "key", reason };
        let first = key.chain.first().ok_or(invalid("it is empty"))?;
        let id = first.channel;
        let authority = Authority::of(id.topic(), key.chain.clone());
        if authority.verify(id.topic()).is_err() || !authority.is_root() {
            return Err(invalid("its signatures don't hold"));
        }
        if authority.writer != key.secret.public() {
            return Err(invalid("it is for another key"));
        }
        if !self.channels.by_id.get(&id).is_some_and(Channel::is_open) {
            let link = ChannelLink {
                channel: id,
                relays: key.relays,
                name: key.name,
                extensions: Vec::new(),
            };
            self.follow(now_ms, &link.to_link(), false)?;
        }
        let channel = self.channel_mut(&id)?;
        if channel
            .row
            .pen
            .as_ref()
            .is_none_or(|pen| pen.secret.public() != authority.writer)
        {
            channel.row.pen = Some(PenRow::new(key.secret));
            // It may have written before, from elsewhere: it goes on from there.
            if let Some(beacon) = channel.latest().cloned() {
                channel.go_on_from(&beacon);
            }
        }
        if let Some(pen) = &mut channel.row.pen {
            pen.chain = Chain(key.chain).encode();
        }
        self.take_over(now_ms, id, &authority);
        Ok(Reply::Channel(id))
    }
}

fn certify(root: &Signatory, now_s: u64, grant: &WriterGrant) -> WriterCertificate {
    let unsigned = WriterCertificate {
        channel: root.channel,
        writer: grant.writer,
        scopes: grant.scopes,
        categories: grant.categories.clone(),
        from_s: now_s,
        until_s: grant.until_s,
        extensions: Vec::new(),
        signature: [0; 64],
    };
    unsigned.signed(&root.secret)
}

/// A root's chain with one more certificate.
fn longer(root: &Signatory, certificate: WriterCertificate) -> Result<Chain, CommandError> {
    if root.chain.len() >= limits::CERTIFICATE_CHAIN {
        return Err(CommandError::Limit {
            what: "certificates of one key",
            limit: limits::CERTIFICATE_CHAIN,
        });
    }
    let chain = root.chain.iter().cloned().chain([certificate]).collect();
    let chain = Chain(chain);
    // As it will be read.
    Chain::decode(&chain.encode()).map_err(refused)?;
    Ok(chain)
}
