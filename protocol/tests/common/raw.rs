//! OpenMLS without our rules: what a hostile or foreign member can send.
#![allow(dead_code, clippy::unwrap_used)]

use super::session::{Person, rows_of};
use ed25519_dalek::{Signer as _, SigningKey};
use madang_protocol::chat::{ChatContext, Group, LeafIdentity};
use madang_protocol::mls::{Crypto, GroupStorage, Provider, Suite};
use madang_protocol::wire::Wire;
use openmls::group::{
    GroupId, MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY,
    WireFormatPolicy,
};
use openmls::prelude::{
    BasicCredential, Capabilities, CredentialWithKey, Extension, ExtensionType, Extensions, GroupContext, KeyPackage,
    LeafNodeIndex, LeafNodeParameters, Lifetime, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProtocolVersion,
    RequiredCapabilitiesExtension,
};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::{Ciphersuite, SignatureScheme};
use tls_codec::{DeserializeBytes, Serialize};

/// Signs as a leaf.
pub struct RawSigner(SigningKey);

impl RawSigner {
    pub fn of(person: &Person) -> Self {
        Self(SigningKey::from_bytes(&person.device_seed))
    }
}

impl Signer for RawSigner {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_bytes().to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

pub fn credential(identity: &LeafIdentity) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(identity.encode()).into(),
        signature_key: identity.device.0.to_vec().into(),
    }
}

pub fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::builder()
        .ciphersuites(vec![suite])
        .extensions(vec![
            ExtensionType::Unknown(ChatContext::EXTENSION),
            ExtensionType::LastResort,
        ])
        .build()
}

pub fn join_config(policy: WireFormatPolicy) -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(policy)
        .use_ratchet_tree_extension(true)
        .max_past_epochs(0)
        .build()
}

/// A member that takes its state out of our rules' hands.
pub struct Raw<'a> {
    crypto: &'a Crypto,
    signer: RawSigner,
    storage: GroupStorage,
    pub mls: MlsGroup,
}

impl<'a> Raw<'a> {
    /// Takes over a state whose rows were not taken yet.
    pub fn take(group: &Group, crypto: &'a Crypto, person: &Person) -> Self {
        let chat = group.chat().unwrap();
        let storage = GroupStorage::new(rows_of(group));
        let mls = MlsGroup::load(&storage, &GroupId::from_slice(&chat.0))
            .unwrap()
            .unwrap();
        Self {
            crypto,
            signer: RawSigner::of(person),
            storage,
            mls,
        }
    }

    fn provider(&self) -> Provider<'_> {
        Provider {
            crypto: self.crypto,
            storage: &self.storage,
        }
    }

    /// Seals any plaintext with any authenticated data.
    pub fn seal(&mut self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        self.mls.set_aad(aad.to_vec());
        let provider = Provider {
            crypto: self.crypto,
            storage: &self.storage,
        };
        let message = self.mls.create_message(&provider, &self.signer, plain).unwrap();
        bytes(&message)
    }

    /// Proposes a leaf update, as a public message if asked.
    pub fn propose(&mut self, aad: &[u8], public: bool) -> Vec<u8> {
        let policy = if public {
            PURE_PLAINTEXT_WIRE_FORMAT_POLICY
        } else {
            MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY
        };
        self.mls.set_configuration(&self.storage, &join_config(policy)).unwrap();
        self.mls.set_aad(aad.to_vec());
        let provider = Provider {
            crypto: self.crypto,
            storage: &self.storage,
        };
        let (message, _) = self
            .mls
            .propose_self_update(&provider, &self.signer, LeafNodeParameters::default())
            .unwrap();
        bytes(&message)
    }

    /// Commits a leaf whose credential and key are another's.
    pub fn commit_as(&mut self, aad: &[u8], other: &Person) -> Vec<u8> {
        self.mls.set_aad(aad.to_vec());
        let (provider, other_signer) = (
            Provider {
                crypto: self.crypto,
                storage: &self.storage,
            },
            RawSigner::of(other),
        );
        let bundle = openmls::prelude::NewSignerBundle {
            signer: &other_signer,
            credential_with_key: credential(&other.identity()),
        };
        let staged = self
            .mls
            .commit_builder()
            .load_psks(&self.storage)
            .unwrap()
            .build_with_new_signer(self.crypto, self.crypto, &self.signer, bundle, |_| true)
            .unwrap()
            .stage_commit(&provider)
            .unwrap();
        bytes(&staged.into_commit())
    }

    /// Commits anything; without a path, only what MLS allows then.
    pub fn commit(
        &mut self,
        aad: &[u8],
        add: &[&[u8]],
        remove: &[u32],
        settings: Option<Extensions<GroupContext>>,
        path: bool,
    ) -> Vec<u8> {
        self.mls.set_aad(aad.to_vec());
        let provider = Provider {
            crypto: self.crypto,
            storage: &self.storage,
        };
        let packages: Vec<KeyPackage> = add.iter().map(|package| package_of(self.crypto, package)).collect();
        let mut builder = self
            .mls
            .commit_builder()
            .force_self_update(path)
            .leaf_node_parameters(LeafNodeParameters::default())
            .propose_removals(remove.iter().map(|leaf| LeafNodeIndex::new(*leaf)))
            .propose_adds(packages);
        if let Some(settings) = settings {
            builder = builder.propose_group_context_extensions(settings).unwrap();
        }
        let bundle = builder
            .load_psks(&self.storage)
            .unwrap()
            .build(self.crypto, self.crypto, &self.signer, |_| true)
            .unwrap()
            .stage_commit(&provider)
            .unwrap();
        bytes(&bundle.into_commit())
    }

    /// Adds the owner of a key package without telling it our join info; gives the Welcome.
    pub fn add(&mut self, package: &[u8]) -> Vec<u8> {
        let package = package_of(self.crypto, package);
        let provider = Provider {
            crypto: self.crypto,
            storage: &self.storage,
        };
        let (_, welcome, _) = self.mls.add_members(&provider, &self.signer, &[package]).unwrap();
        bytes(&welcome)
    }
}

fn package_of(crypto: &Crypto, package: &[u8]) -> KeyPackage {
    let MlsMessageBodyIn::KeyPackage(package) = MlsMessageIn::tls_deserialize_exact_bytes(package).unwrap().extract()
    else {
        unreachable!("not a key package");
    };
    package.validate(crypto, ProtocolVersion::Mls10).unwrap()
}

/// What every member must know, as our groups require it.
pub fn required() -> Extension {
    let known = [ExtensionType::Unknown(ChatContext::EXTENSION)];
    Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&known, &[], &[]))
}

pub fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

/// A key package whose MLS lifetime isn't open.
pub fn limited_package(person: &Person, suite: Suite) -> Vec<u8> {
    let (crypto, storage) = (person.crypto(), GroupStorage::default());
    let provider = Provider {
        crypto: &crypto,
        storage: &storage,
    };
    let number = match suite {
        Suite::XWing => Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
        Suite::X25519 => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
    };
    let bundle = KeyPackage::builder()
        .leaf_node_capabilities(capabilities(number))
        .key_package_lifetime(Lifetime::init(0, u64::MAX - 1))
        .build(
            number,
            &provider,
            &RawSigner::of(person),
            credential(&person.identity()),
        )
        .unwrap();
    bytes(&MlsMessageOut::from(bundle.key_package().clone()))
}
