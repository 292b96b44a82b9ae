//! A share in a chat: the card, and the files of its pictures (`spec/message.md`, section 3).

use super::body::invalid;
use super::files::{Attachment, Media};
use crate::limits;
use crate::share::SharedCard;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// A share in a chat: `{SharedCard card; Picture pictures<V>;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// What is shown, and who stands for it.
    #[serde(with = "card")]
    pub card: SharedCard,
    /// Files of the card's pictures, ascending by their places, at most [`limits::ATTACHMENTS`].
    pub pictures: Vec<Picture>,
}

/// The file of a card's picture: `{uint8 place; Attachment file;}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Which of the card's pictures ([`Card::images`](crate::share::Card::images)), from 0.
    pub place: u8,
    /// The file, an image.
    pub file: Attachment,
}

impl Shared {
    /// Requires what the format asks of a share in a chat; signatures must hold.
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        self.card
            .verify()
            .map_err(|_| invalid("shared.signature", "doesn't hold"))?;
        let places: Vec<u8> = self.pictures.iter().map(|picture| picture.place).collect();
        let ascend = places.iter().zip(places.iter().skip(1)).all(|(one, next)| one < next);
        let known = self.card.share.card().images().len();
        if !ascend || places.iter().any(|place| usize::from(*place) >= known) {
            return Err(invalid(
                "pictures.place",
                "must ascend and be places of the card's pictures",
            ));
        }
        for Picture { file, .. } in &self.pictures {
            file.check()?;
            let small = i64::try_from(file.blob.length_bytes).is_ok_and(|length| length <= limits::SHARE_IMAGE_BYTES);
            if !small || !matches!(file.media, Media::Image(_)) {
                return Err(invalid("pictures.file", "must be an image of at most 5 MiB"));
            }
        }
        Ok(())
    }
}

impl Wire for Shared {
    fn write(&self, w: &mut Writer) {
        self.card.write(w);
        w.list(&self.pictures, |w, picture| picture.write(w));
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let shared = Self {
            card: SharedCard::read(r)?,
            pictures: r.list("shared.pictures", limits::ATTACHMENTS, Picture::read)?,
        };
        shared.check()?;
        Ok(shared)
    }
}

impl Wire for Picture {
    fn write(&self, w: &mut Writer) {
        w.u8(self.place);
        self.file.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            place: r.u8("picture.place")?,
            file: Attachment::read(r)?,
        })
    }
}

/// A card in a row, as it travels; what is in a row was checked before.
mod card {
    use crate::share::SharedCard;
    use crate::wire::Wire;
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(card: &SharedCard, serializer: S) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(&card.encode(), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SharedCard, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        SharedCard::decode(&bytes).map_err(D::Error::custom)
    }
}
