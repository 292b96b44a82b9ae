//! The OpenMLS crypto provider: RustCrypto's primitives, the two suites we use, and a generator that is given.

use super::hpke::{SeededHpke, with_seed};
use hpke_rs::{Hpke, Mode};
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use tls_codec::SecretVLBytes;

/// The cipher suites that chats use. The number is ours and goes on the wire: the draft's code point of X-Wing may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u16)]
pub enum Suite {
    /// X-Wing (X25519 + ML-KEM-768), ChaCha20-Poly1305, SHA-256, Ed25519: every chat's.
    XWing = 1,
    /// X25519, ChaCha20-Poly1305, SHA-256, Ed25519: for the simulator's speed (ADR 0013).
    X25519 = 2,
}

impl Suite {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The suite of a number on the wire.
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::XWing),
            2 => Some(Self::X25519),
            _ => None,
        }
    }

    pub(crate) fn mls(self) -> Ciphersuite {
        match self {
            Self::XWing => Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
            Self::X25519 => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        }
    }

    pub(crate) fn hpke(self) -> HpkeConfig {
        let kem = match self {
            Self::XWing => HpkeKemType::XWingKemDraft6,
            Self::X25519 => HpkeKemType::DhKem25519,
        };
        HpkeConfig(kem, HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305)
    }
}

/// Crypto and randomness for OpenMLS, and the one generator of a state machine.
pub struct Crypto {
    inner: RustCrypto,
    rng: Mutex<ChaCha20Rng>,
}

impl std::fmt::Debug for Crypto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Crypto(..)")
    }
}

impl Crypto {
    /// From 32 bytes of entropy. A state machine that is loaded again must be given fresh entropy.
    pub fn new(entropy: [u8; 32]) -> Self {
        Self {
            inner: RustCrypto::default(),
            rng: Mutex::new(ChaCha20Rng::from_seed(entropy)),
        }
    }

    /// Draws `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Draws a random number.
    pub fn random_u64(&self) -> u64 {
        u64::from_be_bytes(self.random())
    }

    /// Where its generator is.
    #[cfg(feature = "sim")]
    pub(crate) fn drawn(&self) -> ChaCha20Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes back to where its generator was.
    #[cfg(feature = "sim")]
    pub(crate) fn draw_again(&self, from: &ChaCha20Rng) {
        *self.rng.lock().unwrap_or_else(PoisonError::into_inner) = from.clone();
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(bytes);
    }

    /// Makes an HPKE key pair (private, public).
    pub(crate) fn hpke_key_pair(&self, suite: Suite) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let pair = self.derive_hpke_keypair(suite.hpke(), &self.random::<32>())?;
        Ok((pair.private.as_ref().to_vec(), pair.public))
    }
}

/// The generator can't fail; OpenMLS wants a type for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness")]
pub struct NoRandomness;

impl OpenMlsRand for Crypto {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        Ok(self.random())
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        Ok(bytes)
    }
}

fn hpke(config: HpkeConfig) -> Result<Hpke<SeededHpke>, CryptoError> {
    let kem = match config.0 {
        HpkeKemType::DhKem25519 => KemAlgorithm::DhKem25519,
        HpkeKemType::XWingKemDraft6 => KemAlgorithm::XWingDraft06,
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    let (HpkeKdfType::HkdfSha256, HpkeAeadType::ChaCha20Poly1305) = (config.1, config.2) else {
        return Err(CryptoError::UnsupportedCiphersuite);
    };
    Ok(Hpke::new(
        Mode::Base,
        kem,
        KdfAlgorithm::HkdfSha256,
        AeadAlgorithm::ChaCha20Poly1305,
    ))
}

impl OpenMlsCrypto for Crypto {
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        if suite == Suite::XWing.mls() || suite == Suite::X25519.mls() {
            Ok(())
        } else {
            Err(CryptoError::UnsupportedCiphersuite)
        }
    }
    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![Suite::XWing.mls(), Suite::X25519.mls()]
    }
    fn hkdf_extract(&self, hash: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hkdf_extract(hash, salt, ikm)
    }
    fn hmac(&self, hash: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hmac(hash, key, message)
    }
    fn hkdf_expand(&self, hash: HashType, prk: &[u8], info: &[u8], len: usize) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hkdf_expand(hash, prk, info, len)
    }
    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.hash(hash, data)
    }
    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_encrypt(alg, key, data, nonce, aad)
    }
    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_decrypt(alg, key, data, nonce, aad)
    }
    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let SignatureScheme::ED25519 = alg else {
            return Err(CryptoError::UnsupportedSignatureScheme);
        };
        let secret = ed25519_dalek::SigningKey::from_bytes(&self.random());
        Ok((secret.to_bytes().to_vec(), secret.verifying_key().to_bytes().to_vec()))
    }
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.verify_signature(alg, data, pk, signature)
    }
    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.sign(alg, data, key)
    }
    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        with_seed(self.random(), || {
            let (kem_output, ciphertext) = hpke(config)?
                .seal(&pk_r.into(), info, aad, ptxt, None, None, None)
                .map_err(|_| CryptoError::HpkeEncryptionError)?;
            Ok(HpkeCiphertext {
                kem_output: kem_output.into(),
                ciphertext: ciphertext.into(),
            })
        })
    }
    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.hpke_open(config, input, sk_r, info, aad)
    }
    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        with_seed(self.random(), || {
            let (kem_output, context) = hpke(config)?
                .setup_sender(&pk_r.into(), info, None, None, None)
                .map_err(|_| CryptoError::SenderSetupError)?;
            let exported = context
                .export(exporter_context, exporter_length)
                .map_err(|_| CryptoError::ExporterError)?;
            Ok((kem_output, exported.into()))
        })
    }
    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.inner
            .hpke_setup_receiver_and_export(config, enc, sk_r, info, exporter_context, exporter_length)
    }
    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.inner.derive_hpke_keypair(config, ikm)
    }
}
