//! The recovery phrase: 24 words (BIP-39) from which the account's root key comes.

use crate::keys::{AccountSecret, derive};
use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

/// A phrase can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Not 24 words of the English list with a matching checksum.
    #[error("the recovery phrase must be the 24 English words that were shown: {reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// 256 bits of entropy as words.
#[derive(Clone)]
pub struct Phrase {
    entropy: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phrase(..)")
    }
}

impl Phrase {
    /// From entropy: fresh, or stored.
    pub fn from_entropy(entropy: [u8; 32]) -> Self {
        Self {
            entropy: Zeroizing::new(entropy),
        }
    }

    /// From the words.
    pub fn from_words(words: &str) -> Result<Self, PhraseError> {
        let invalid = |reason: String| PhraseError::Invalid { reason };
        let words = Zeroizing::new(words.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        let mnemonic =
            Mnemonic::parse_in_normalized(Language::English, &words).map_err(|error| invalid(error.to_string()))?;
        let entropy = Zeroizing::new(mnemonic.to_entropy());
        let entropy = <[u8; 32]>::try_from(entropy.as_slice()).map_err(|_| invalid("not 24 words".into()))?;
        Ok(Self::from_entropy(entropy))
    }

    /// The 24 words.
    pub fn words(&self) -> Result<Zeroizing<String>, PhraseError> {
        Ok(Zeroizing::new(self.mnemonic()?.words().collect::<Vec<_>>().join(" ")))
    }

    /// The entropy, to be stored sealed.
    pub fn entropy(&self) -> &[u8; 32] {
        &self.entropy
    }

    /// The account's root key: BIP-39's seed without a passphrase, separated for this use.
    pub fn account(&self) -> Result<AccountSecret, PhraseError> {
        let seed = Zeroizing::new(self.mnemonic()?.to_seed_normalized(""));
        Ok(AccountSecret::from_bytes(derive(
            "madang 1 account root",
            &[seed.as_slice()],
        )))
    }

    fn mnemonic(&self) -> Result<Mnemonic, PhraseError> {
        Mnemonic::from_entropy(self.entropy.as_slice()).map_err(|error| PhraseError::Invalid {
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_words_restore_the_same_account() {
        let phrase = Phrase::from_entropy([5; 32]);
        let words = phrase.words().unwrap();
        assert_eq!(words.split(' ').count(), 24);
        let restored = Phrase::from_words(&format!("  {}\n", words.to_uppercase())).unwrap();
        assert_eq!(restored.account().unwrap().public(), phrase.account().unwrap().public());
    }

    #[test]
    fn a_wrong_word_is_refused() {
        let words = Phrase::from_entropy([5; 32]).words().unwrap();
        let wrong = words.replacen(words.split(' ').next().unwrap(), "zoo", 1);
        assert!(Phrase::from_words(&wrong).is_err());
        assert!(Phrase::from_words("zoo").is_err());
    }

    #[test]
    fn f65_the_phrase_is_not_in_debug_output() {
        assert_eq!(format!("{:?}", Phrase::from_entropy([5; 32])), "Phrase(..)");
    }
}
