//! X-Wing chats between our provider (RustCrypto with a seeded HPKE) and OpenMLS's libcrux provider: key packages, Welcomes, messages and
//! commits, both ways, under all rules of `Group`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "common/raw.rs"]
mod raw;
#[path = "common/session.rs"]
mod session;

use madang_protocol::chat::{ChatContext, Group, JoinInfo, Plan};
use madang_protocol::contact::CardPackage;
use madang_protocol::keys::{ChatId, NodeId, TopicSecret};
use madang_protocol::mls::{Crypto, Suite};
use madang_protocol::padding;
use madang_protocol::seal::{self, Purpose};
use madang_protocol::wire::{Reader, Wire, Writer};
use openmls::group::{
    GroupId, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, ProcessedWelcome, StagedWelcome,
};
use openmls::prelude::{
    Ciphersuite, Extension, Extensions, KeyPackage, LeafNodeParameters, Lifetime, MlsMessageBodyIn, MlsMessageIn,
    MlsMessageOut, ProcessedMessageContent, ProtocolVersion, UnknownExtension,
};
use openmls_libcrux_crypto::Provider;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType};
use raw::{RawSigner, bytes, capabilities, credential, join_config, required};
use session::{ALICE, BOB, CHAT, Person};
use tls_codec::DeserializeBytes;

const SUITE: Ciphersuite = Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519;

/// A member that runs OpenMLS with libcrux and knows our formats from their specification alone.
struct Foreign {
    provider: Provider,
    signer: RawSigner,
    mls: MlsGroup,
    node: NodeId,
}

fn hashed(context: &str, part: &[u8]) -> NodeId {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(&(part.len() as u64).to_be_bytes());
    hasher.update(part);
    NodeId(*hasher.finalize().as_bytes())
}

fn read(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).unwrap()
}

fn foreign_package(provider: &Provider, person: &Person) -> Vec<u8> {
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities(SUITE))
        .key_package_lifetime(Lifetime::init(0, u64::MAX))
        .build(SUITE, provider, &RawSigner::of(person), credential(&person.identity()))
        .unwrap();
    bytes(&MlsMessageOut::from(bundle.key_package().clone()))
}

impl Foreign {
    fn create(person: &Person, chat: ChatId) -> Self {
        let provider = Provider::new().unwrap();
        let settings = UnknownExtension(ChatContext::one_to_one().encode());
        let settings = Extension::Unknown(ChatContext::EXTENSION, settings);
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(capabilities(SUITE))
            .lifetime(Lifetime::init(0, u64::MAX))
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .with_group_context_extensions(Extensions::from_vec(vec![required(), settings]).unwrap())
            .build();
        let signer = RawSigner::of(person);
        let id = GroupId::from_slice(&chat.0);
        let mls = MlsGroup::new_with_group_id(&provider, &signer, &config, id, credential(&person.identity())).unwrap();
        Self {
            provider,
            signer,
            mls,
            node: hashed("madang 1 first node", &chat.0),
        }
    }

    fn join(provider: Provider, person: &Person, welcome: &[u8], node: NodeId) -> (Self, JoinInfo) {
        let MlsMessageBodyIn::Welcome(welcome) = read(welcome).extract() else {
            panic!("not a Welcome");
        };
        let config = join_config(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY);
        let processed = ProcessedWelcome::new_from_welcome(&provider, &config, welcome).unwrap();
        let extensions = processed.unverified_group_info().extensions();
        let info = JoinInfo::decode(&extensions.unknown(JoinInfo::EXTENSION).unwrap().0).unwrap();
        let staged: StagedWelcome = processed.into_staged_welcome(&provider, None).unwrap();
        let mls = staged.into_group(&provider).unwrap();
        let signer = RawSigner::of(person);
        (
            Self {
                provider,
                signer,
                mls,
                node,
            },
            info,
        )
    }

    fn add(&mut self, package: &[u8]) -> (Vec<u8>, TopicSecret) {
        let MlsMessageBodyIn::KeyPackage(package) = read(package).extract() else {
            panic!("not a key package");
        };
        let package = package
            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
            .unwrap();
        let secret = self
            .mls
            .export_secret(self.provider.crypto(), "madang 1 topic", &[], 32)
            .unwrap();
        let topic = TopicSecret::from_bytes(secret.try_into().unwrap());
        let info = JoinInfo {
            topic: Some(topic.clone()),
            parent: self.node,
            profiles: Vec::new(),
            past: Vec::new(),
        };
        let (_, welcome) = self.commit(vec![package], Some(info));
        (welcome.unwrap(), topic)
    }

    fn commit(&mut self, add: Vec<KeyPackage>, info: Option<JoinInfo>) -> (Vec<u8>, Option<Vec<u8>>) {
        self.mls.set_aad(self.node.0.to_vec());
        let mut builder = self
            .mls
            .commit_builder()
            .force_self_update(true)
            .leaf_node_parameters(LeafNodeParameters::default())
            .propose_adds(add)
            .load_psks(self.provider.storage())
            .unwrap();
        if let Some(info) = info {
            let extension = Extension::Unknown(JoinInfo::EXTENSION, UnknownExtension(info.encode()));
            builder = builder.create_group_info_with_extensions([extension]).unwrap();
        }
        let bundle = builder
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        let welcome = bundle.to_welcome_msg().map(|welcome| bytes(&welcome));
        let commit = bytes(&bundle.into_commit());
        self.mls.merge_pending_commit(&self.provider).unwrap();
        self.node = hashed("madang 1 node", &commit);
        (commit, welcome)
    }

    fn seal(&mut self, inner: &[u8]) -> Vec<u8> {
        self.mls.set_aad(self.node.0.to_vec());
        let message = self
            .mls
            .create_message(&self.provider, &self.signer, &padding::pad(inner))
            .unwrap();
        bytes(&message)
    }

    fn process(&mut self, bytes: &[u8]) -> ProcessedMessageContent {
        let message = read(bytes).try_into_protocol_message().unwrap();
        let processed = self.mls.process_message(&self.provider, message).unwrap();
        assert_eq!(processed.aad(), self.node.0);
        processed.into_content()
    }

    fn open(&mut self, bytes: &[u8]) -> Vec<u8> {
        let ProcessedMessageContent::ApplicationMessage(message) = self.process(bytes) else {
            panic!("not a message");
        };
        padding::unpad(&message.into_bytes(), 1 << 16).unwrap().to_vec()
    }

    fn apply(&mut self, commit: &[u8]) {
        let ProcessedMessageContent::StagedCommitMessage(staged) = self.process(commit) else {
            panic!("not a commit");
        };
        self.mls.merge_staged_commit(&self.provider, *staged).unwrap();
        self.node = hashed("madang 1 node", commit);
    }
}

/// Messages both ways and a commit by one of the two, for several epochs.
fn talk(crypto: &Crypto, person: &Person, mut ours: Group, theirs: &mut Foreign) {
    for round in 0..4_u8 {
        assert_eq!(ours.node(), theirs.node, "round {round}");
        assert_eq!(ours.epoch(), theirs.mls.epoch().as_u64());
        for size in [0, 100, 10_000] {
            let inner = vec![round; size];
            assert_eq!(
                theirs.open(&ours.seal(crypto, &person.device(), None, &inner).unwrap()),
                inner
            );
            assert_eq!(ours.open(crypto, &theirs.seal(&inner)).unwrap().inner, inner);
        }
        // Whoever it is, a commit needs no turn.
        if round.is_multiple_of(2) {
            let change = ours.update_leaf(crypto, &person.device()).unwrap();
            theirs.apply(&change.commit);
            ours = change.group;
        } else {
            let (commit, _) = theirs.commit(Vec::new(), None);
            ours = ours.apply(crypto, &commit).unwrap().group.unwrap();
        }
    }
    assert_eq!(ours.node(), theirs.node);
}

#[test]
fn a_libcrux_member_joins_our_chat_and_both_talk_and_commit() {
    let (crypto, provider) = (ALICE.crypto(), Provider::new().unwrap());
    let package = CardPackage {
        not_before_s: 0,
        not_after_s: u64::MAX,
        last_resort: false,
        bytes: foreign_package(&provider, &BOB),
    };
    let (device, settings) = (ALICE.device(), ChatContext::one_to_one());
    let (group, topic) = Group::create(&crypto, &device, &ALICE.identity(), Suite::XWing, CHAT, settings).unwrap();
    let change = group
        .commit(&crypto, &device, &Plan::adding(&[package]), &topic)
        .unwrap();
    let (mut theirs, info) = Foreign::join(provider, &BOB, &change.welcome.unwrap(), change.group.node());
    assert_eq!((info.topic, info.parent), (Some(topic), group.node()));
    talk(&crypto, &ALICE, change.group, &mut theirs);
}

#[test]
fn we_join_a_libcrux_members_chat_and_both_talk_and_commit() {
    let crypto = BOB.crypto();
    let (package, rows) = BOB.package(&crypto, Suite::XWing, false);
    let mut theirs = Foreign::create(&ALICE, CHAT);
    let first = theirs.node;
    let (welcome, topic) = theirs.add(&package.bytes);
    let joined = Group::join(&crypto, rows, &welcome, theirs.node).unwrap();
    assert_eq!((joined.info.topic, joined.info.parent), (Some(topic), first));
    assert_eq!(joined.inviter.device, ALICE.device().public());
    talk(&crypto, &BOB, joined.group, &mut theirs);
}

#[test]
fn requests_sealed_by_one_provider_open_with_the_other() {
    let (ours, provider) = (ALICE.crypto(), Provider::new().unwrap());
    let theirs = provider.crypto();
    let topic = TopicSecret::from_bytes([7; 32]).public();
    let info = b"madang 1 contact request";
    let config = || {
        HpkeConfig(
            HpkeKemType::XWingKemDraft6,
            HpkeKdfType::HkdfSha256,
            HpkeAeadType::ChaCha20Poly1305,
        )
    };
    let pair = theirs.derive_hpke_keypair(config(), &[3; 32]).unwrap();
    assert_eq!(
        pair.public,
        ours.derive_hpke_keypair(config(), &[3; 32]).unwrap().public
    );
    let private: &[u8] = pair.private.as_ref();

    let sealed = seal::seal_to(&ours, Suite::XWing, &pair.public, Purpose::Request, topic, b"content").unwrap();
    let mut r = Reader::new(&sealed);
    let ciphertext = HpkeCiphertext {
        kem_output: r.bytes("kem_output", 2000).unwrap().to_vec().into(),
        ciphertext: r.bytes("ciphertext", 2000).unwrap().to_vec().into(),
    };
    let opened = theirs
        .hpke_open(config(), &ciphertext, private, info, &topic.0)
        .unwrap();
    assert_eq!(padding::unpad(&opened, 100).unwrap(), b"content");

    let sealed = theirs
        .hpke_seal(config(), &pair.public, info, &topic.0, &padding::pad(b"content"))
        .unwrap();
    let mut w = Writer::default();
    w.bytes(sealed.kem_output.as_slice());
    w.bytes(sealed.ciphertext.as_slice());
    let opened = seal::open_with(&ours, Suite::XWing, private, Purpose::Request, topic, &w.into_bytes()).unwrap();
    assert_eq!(opened, b"content");
}
