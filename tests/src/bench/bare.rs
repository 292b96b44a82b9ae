//! OpenMLS alone: the floor of groups, with the same provider, leaves and settings, its rows in memory.

use std::time::Instant;

use ed25519_dalek::{Signer as _, SigningKey};
use madang_protocol::chat::{LeafIdentity, key_package};
use madang_protocol::contact::CardPackage;
use madang_protocol::identity::DeviceLog;
use madang_protocol::keys::{AccountSecret, DeviceSecret};
use madang_protocol::limits;
use madang_protocol::mls::{Crypto, GroupRows, GroupStorage, Provider, Suite};
use madang_protocol::wire::Wire as _;
use openmls::group::{
    JoinBuilder, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig,
    ProcessedWelcome,
};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, CredentialWithKey, Extension, ExtensionType, KeyPackage,
    LeafNodeParameters, Lifetime, MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolVersion,
    SenderRatchetConfiguration, UnknownExtension,
};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use crate::bench::floors::{TEXT_BYTES, ms};

/// The extension type by which leaves say that they know the settings of chats.
const SETTINGS: u16 = madang_protocol::chat::ChatContext::EXTENSION;

/// A device with a key package, and nobody behind it.
pub struct Leaf {
    /// Whose it is.
    pub log: DeviceLog,
    /// The package by which it is added.
    pub package: CardPackage,
    /// What a Welcome to it needs.
    pub rows: GroupRows,
}

/// Makes so many devices, each of an account of its own.
pub fn crowd(crypto: &Crypto, suite: Suite, count: usize, now_s: u64) -> Vec<Leaf> {
    (0..count)
        .map(|_| {
            let device = DeviceSecret::from_bytes(crypto.random());
            let log = DeviceLog::create(&AccountSecret::from_bytes(crypto.random()), device.public());
            let identity = LeafIdentity {
                log: log.clone(),
                device: device.public(),
            };
            let (from, to) = (now_s - 1, now_s + 30 * 24 * 3600);
            let (package, rows) = key_package(crypto, &device, &identity, suite, true, from, to).unwrap();
            Leaf { log, package, rows }
        })
        .collect()
}

struct Key(SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

/// One member's group.
struct Seat {
    storage: GroupStorage,
    group: MlsGroup,
}

/// A group of which two members do something: its maker, and who joined last.
pub struct Bare {
    crypto: Crypto,
    key: Key,
    alice: Seat,
    bob: Option<Seat>,
}

/// What a step took, and what travels because of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Took {
    /// Milliseconds.
    pub ms: f64,
    /// Bytes of the commit or message.
    pub bytes: usize,
    /// Bytes of the Welcome.
    pub welcome_bytes: usize,
}

fn suite_of(suite: Suite) -> Ciphersuite {
    match suite {
        Suite::XWing => Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
        Suite::X25519 => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
    }
}

fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(limits::RATCHET_OUT_OF_ORDER, limits::RATCHET_FORWARD)
}

fn packages(crypto: &Crypto, leaves: &[Leaf]) -> Vec<KeyPackage> {
    leaves
        .iter()
        .map(|leaf| {
            let message = MlsMessageIn::tls_deserialize_exact_bytes(&leaf.package.bytes).unwrap();
            let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
                panic!("not a key package");
            };
            package.validate(crypto, ProtocolVersion::Mls10).unwrap()
        })
        .collect()
}

impl Bare {
    /// Makes a group of its maker alone.
    pub fn new(suite: Suite) -> Self {
        let crypto = Crypto::new([1; 32]);
        let device = DeviceSecret::from_bytes([1; 32]);
        let identity = LeafIdentity {
            log: DeviceLog::create(&AccountSecret::from_bytes([2; 32]), device.public()),
            device: device.public(),
        };
        let capabilities = Capabilities::builder()
            .ciphersuites(vec![suite_of(suite)])
            .extensions(vec![ExtensionType::Unknown(SETTINGS), ExtensionType::LastResort])
            .build();
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite_of(suite))
            .capabilities(capabilities)
            .lifetime(Lifetime::init(0, u64::MAX))
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .max_past_epochs(0)
            .sender_ratchet_configuration(ratchets())
            .build();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(identity.encode()).into(),
            signature_key: device.public().0.to_vec().into(),
        };
        let key = Key(SigningKey::from_bytes(&[1; 32]));
        let storage = GroupStorage::default();
        let provider = Provider {
            crypto: &crypto,
            storage: &storage,
        };
        let group = MlsGroup::new(&provider, &key, &config, credential).unwrap();
        Self {
            alice: Seat { storage, group },
            bob: None,
            key,
            crypto,
        }
    }

    /// Adds devices with one commit, which renews the maker's leaf too; gives the Welcome beside.
    pub fn add(&mut self, leaves: &[Leaf]) -> (Took, Vec<u8>) {
        let began = Instant::now();
        let added = packages(&self.crypto, leaves);
        let (commit, welcome) = self.commit(added);
        let welcome = welcome.expect("somebody was added");
        let took = Took {
            ms: ms(began),
            bytes: commit.len(),
            welcome_bytes: welcome.len(),
        };
        (took, welcome)
    }

    fn commit(&mut self, added: Vec<KeyPackage>) -> (Vec<u8>, Option<Vec<u8>>) {
        let provider = Provider {
            crypto: &self.crypto,
            storage: &self.alice.storage,
        };
        let adds = !added.is_empty();
        let builder = self.alice.group.commit_builder().force_self_update(true);
        let builder = builder
            .leaf_node_parameters(LeafNodeParameters::default())
            .propose_adds(added);
        let mut builder = builder.load_psks(&self.alice.storage).unwrap();
        if adds {
            let told = Extension::Unknown(0xf0ff, UnknownExtension(vec![7; 96]));
            builder = builder.create_group_info_with_extensions([told]).unwrap();
        }
        let builder = builder.build(&self.crypto, &self.crypto, &self.key, |_| true).unwrap();
        let bundle = builder.stage_commit(&provider).unwrap();
        let welcome = bundle.to_welcome_msg();
        let welcome = welcome.map(|welcome| welcome.tls_serialize_detached().unwrap());
        let commit = bundle.into_commit().tls_serialize_detached().unwrap();
        self.alice.group.merge_pending_commit(&provider).unwrap();
        (commit, welcome)
    }

    /// Joins by a Welcome with a leaf's key package, and takes the place of who joined before.
    pub fn join(&mut self, leaf: &Leaf, welcome: &[u8]) -> Took {
        let storage = GroupStorage::new(leaf.rows.clone());
        let provider = Provider {
            crypto: &self.crypto,
            storage: &storage,
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .max_past_epochs(0)
            .sender_ratchet_configuration(ratchets())
            .build();
        let began = Instant::now();
        let message = MlsMessageIn::tls_deserialize_exact_bytes(welcome).unwrap();
        let MlsMessageBodyIn::Welcome(message) = message.extract() else {
            panic!("not a Welcome");
        };
        let processed = ProcessedWelcome::new_from_welcome(&provider, &config, message).unwrap();
        let staged = JoinBuilder::new(&provider, processed)
            .skip_lifetime_validation()
            .build();
        let group = staged.unwrap().into_group(&provider).unwrap();
        let ms = ms(began);
        self.bob = Some(Seat { storage, group });
        Took {
            ms,
            bytes: 0,
            welcome_bytes: welcome.len(),
        }
    }

    /// The maker seals a message of 256 B, and who joined last opens it.
    pub fn message(&mut self) -> (Took, f64) {
        let provider = Provider {
            crypto: &self.crypto,
            storage: &self.alice.storage,
        };
        let began = Instant::now();
        let text = [b'x'; TEXT_BYTES];
        let sealed = self.alice.group.create_message(&provider, &self.key, &text).unwrap();
        let sealed = sealed.tls_serialize_detached().unwrap();
        let sent = Took {
            ms: ms(began),
            bytes: sealed.len(),
            welcome_bytes: 0,
        };
        let began = Instant::now();
        self.process(&sealed);
        (sent, ms(began))
    }

    /// The maker renews its leaf, and who joined last processes the commit.
    pub fn update(&mut self) -> (Took, f64) {
        let began = Instant::now();
        let (commit, _) = self.commit(Vec::new());
        let made = Took {
            ms: ms(began),
            bytes: commit.len(),
            welcome_bytes: 0,
        };
        let began = Instant::now();
        self.process(&commit);
        (made, ms(began))
    }

    fn process(&mut self, bytes: &[u8]) {
        let seat = self.bob.as_mut().expect("somebody has joined");
        let provider = Provider {
            crypto: &self.crypto,
            storage: &seat.storage,
        };
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes).unwrap();
        let message = message.try_into_protocol_message().unwrap();
        let processed = seat.group.process_message(&provider, message).unwrap();
        if let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() {
            seat.group.merge_staged_commit(&provider, *staged).unwrap();
        }
    }
}
