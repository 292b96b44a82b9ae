//! The link by which a share comes from a page or another program: the share itself, in base64url (`spec/share.md`, section 7).

use super::{ShareError, SharedCard};
use crate::limits;
use data_encoding::BASE64URL_NOPAD;

const LINK: &str = "madang:share?d=";

impl SharedCard {
    /// The link. A page makes one without knowing more than base64: it is the JSON of [`SharedCard::to_json`].
    #[must_use]
    pub fn to_link(&self) -> String {
        format!("{LINK}{}", BASE64URL_NOPAD.encode(self.to_json().as_bytes()))
    }

    /// Reads a link, or a web address that carries one in its fragment.
    ///
    /// # Errors
    ///
    /// When it isn't one; says which member of the share isn't as it must be.
    pub fn from_link(text: &str) -> Result<Self, ShareError> {
        let text = text.trim();
        let link = text.split_once('#').map_or(text, |(_, fragment)| fragment);
        let data = link
            .strip_prefix(LINK)
            .ok_or_else(|| ShareError::invalid("link", "not a share's link; it begins with `madang:share?`"))?;
        if data.len() > limits::SHARED_JSON_BYTES.div_ceil(3) * 4 {
            return Err(ShareError::Limit {
                path: "link".into(),
                found: data.len() as u64,
                limit: format!("at most {} bytes of JSON in base64url", limits::SHARED_JSON_BYTES),
            });
        }
        let bytes = BASE64URL_NOPAD
            .decode(data.as_bytes())
            .map_err(|_| ShareError::invalid("link", "is damaged: no base64url without padding"))?;
        Self::from_json(&bytes)
    }
}
