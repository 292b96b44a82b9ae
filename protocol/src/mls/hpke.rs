//! HPKE whose randomness is given: `hpke-rs` asks its backend for a generator without arguments, so this backend takes one from a
//! slot that its only caller, [`super::crypto`], fills first.

use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_crypto::{HpkeCrypto, HpkeTestRng};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use std::cell::Cell;
use std::convert::Infallible;
use x_wing::{Encapsulate, TryKeyInit};

thread_local! {
    static SEED: Cell<Option<[u8; 32]>> = const { Cell::new(None) };
}

/// Runs one HPKE operation with its generator seeded.
pub(super) fn with_seed<T>(seed: [u8; 32], operation: impl FnOnce() -> T) -> T {
    SEED.set(Some(seed));
    let result = operation();
    SEED.set(None);
    result
}

/// RustCrypto's HPKE backend with a seeded generator.
#[derive(Debug)]
pub(super) struct SeededHpke;

/// The generator of one operation.
pub(super) struct SeededPrng(ChaCha20Rng);

impl zeroize::Zeroize for SeededPrng {
    fn zeroize(&mut self) {
        self.0 = ChaCha20Rng::from_seed([0; 32]);
    }
}

impl TryRng for SeededPrng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SeededPrng {}

impl HpkeTestRng for SeededPrng {
    type Error = Infallible;
    fn try_fill_test_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.try_fill_bytes(bytes)
    }
    fn seed(&mut self, _seed: &[u8]) {}
}

impl HpkeCrypto for SeededHpke {
    type HpkePrng = SeededPrng;

    fn name() -> String {
        "RustCrypto, seeded".into()
    }
    fn supports_kdf(alg: KdfAlgorithm) -> Result<(), Error> {
        HpkeRustCrypto::supports_kdf(alg)
    }
    fn supports_kem(alg: KemAlgorithm) -> Result<(), Error> {
        match alg {
            KemAlgorithm::DhKem25519 | KemAlgorithm::XWingDraft06 => Ok(()),
            _ => Err(Error::UnknownKemAlgorithm),
        }
    }
    fn supports_aead(alg: AeadAlgorithm) -> Result<(), Error> {
        HpkeRustCrypto::supports_aead(alg)
    }
    fn prng() -> SeededPrng {
        // An empty slot is a context that draws nothing (opening, deriving): a fixed seed keeps it so, and `kem_encaps` and
        // `kem_key_gen` are only reached through `with_seed`.
        SeededPrng(ChaCha20Rng::from_seed(SEED.take().unwrap_or_default()))
    }
    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kdf_extract(alg, salt, ikm)
    }
    fn kdf_expand(alg: KdfAlgorithm, prk: &[u8], info: &[u8], size: usize) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kdf_expand(alg, prk, info, size)
    }
    fn dh(alg: KemAlgorithm, pk: &[u8], sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::dh(alg, pk, sk)
    }
    fn secret_to_public(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::secret_to_public(alg, sk)
    }
    fn kem_key_gen(alg: KemAlgorithm, prng: &mut SeededPrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut seed = [0; 32];
        prng.0.fill_bytes(&mut seed);
        match alg {
            KemAlgorithm::DhKem25519 => {
                let public = HpkeRustCrypto::secret_to_public(alg, &seed)?;
                Ok((public, seed.to_vec()))
            }
            _ => HpkeRustCrypto::kem_key_gen_derand(alg, &seed),
        }
    }
    fn kem_key_gen_derand(alg: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeRustCrypto::kem_key_gen_derand(alg, seed)
    }
    fn kem_encaps(alg: KemAlgorithm, pk_r: &[u8], prng: &mut SeededPrng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if alg != KemAlgorithm::XWingDraft06 {
            return Err(Error::UnsupportedKemOperation);
        }
        let key = x_wing::EncapsulationKey::new_from_slice(pk_r).map_err(|_| Error::KemInvalidPublicKey)?;
        let (ciphertext, secret) = key.encapsulate_with_rng(prng);
        Ok((secret.as_slice().to_vec(), ciphertext.as_slice().to_vec()))
    }
    fn kem_decaps(alg: KemAlgorithm, ct: &[u8], sk_r: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kem_decaps(alg, ct, sk_r)
    }
    fn dh_validate_sk(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::dh_validate_sk(alg, sk)
    }
    fn aead_seal(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::aead_seal(alg, key, nonce, aad, msg)
    }
    fn aead_open(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::aead_open(alg, key, nonce, aad, msg)
    }
}
