//! The one codec of every wire format: RFC 9420's presentation language (fixed-size big-endian integers; vectors behind a minimal
//! variable-size length, RFC 9420 section 2.1.2), with errors that name the field.
//!
//! Our own reader rather than `tls_codec`: that one asserts in debug builds on truncated input and can't say which field broke which
//! limit. It checks every length against its limit and against what is left before it allocates.

/// A byte string isn't what its format says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends inside a field.
    #[error("{field}: the input ends inside this field")]
    Truncated {
        /// The field.
        field: &'static str,
    },
    /// A vector is longer than the format allows.
    #[error("{field}: {found} is over the limit of {limit}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// What the input claims, in bytes or items.
        found: u64,
        /// What is allowed, in the same unit.
        limit: u64,
    },
    /// A length isn't written in the fewest bytes, or uses the reserved form.
    #[error("{field}: its length isn't minimally encoded")]
    Length {
        /// The field.
        field: &'static str,
    },
    /// Bytes are left after the last field.
    #[error("{found} bytes follow the last field")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// A version that this program doesn't speak.
    #[error("{field}: version {found} is not supported")]
    Version {
        /// The format.
        field: &'static str,
        /// The version found.
        found: u16,
    },
    /// A value that the format doesn't allow.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
}

/// A type with a wire format.
pub trait Wire: Sized {
    /// Appends the encoding.
    fn write(&self, w: &mut Writer);

    /// Reads one value and leaves what follows.
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Encodes alone.
    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write(&mut w);
        w.into_bytes()
    }

    /// Decodes all of `bytes`; what is left over is an error.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let value = Self::read(&mut r)?;
        r.finish()?;
        Ok(value)
    }
}

/// Appends fields.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// The bytes written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Writes a big-endian `uint16`.
    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a big-endian `uint32`.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes a big-endian `uint64`.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Writes bytes without a length.
    pub fn fixed(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
    }

    /// Writes `opaque<V>`: the length, then the bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.length(value.len());
        self.bytes.extend_from_slice(value);
    }

    /// Writes `T<V>`: the length of all items in bytes, then the items.
    pub fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Writer, &T)) {
        let mut inner = Writer::default();
        for value in items {
            item(&mut inner, value);
        }
        self.bytes(&inner.bytes);
    }

    /// Writes `optional<T>`: 0, or 1 and the value.
    pub fn option<T>(&mut self, value: Option<&T>, item: impl FnOnce(&mut Writer, &T)) {
        match value {
            None => self.u8(0),
            Some(value) => {
                self.u8(1);
                item(self, value);
            }
        }
    }

    /// A length as RFC 9420 section 2.1.2 writes it. Lengths are below 2^30: every writer's input is bounded far lower.
    fn length(&mut self, length: usize) {
        let length = length as u64;
        if length < 1 << 6 {
            self.u8(length as u8);
        } else if length < 1 << 14 {
            self.u16(length as u16 | 0x4000);
        } else {
            self.u32(length as u32 | 0x8000_0000);
        }
    }
}

/// Takes fields off the front of a byte string.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What hasn't been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes over what is left: the content of a kind that this version doesn't know.
    pub fn skip_rest(&mut self) {
        self.rest = &[];
    }

    /// Requires that everything was read.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            found => Err(DecodeError::Trailing { found }),
        }
    }

    /// Reads one byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    /// Reads a big-endian `uint16`.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// Reads a big-endian `uint32`.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// Reads a big-endian `uint64`.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    /// Reads `N` bytes.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N, field)?;
        <[u8; N]>::try_from(taken).map_err(|_| DecodeError::Truncated { field })
    }

    /// Reads `opaque<V>` of at most `limit` bytes, without copying.
    pub fn bytes(&mut self, field: &'static str, limit: usize) -> Result<&'a [u8], DecodeError> {
        let length = self.length(field)?;
        if length > limit as u64 {
            return Err(DecodeError::TooLong {
                field,
                found: length,
                limit: limit as u64,
            });
        }
        self.take(length as usize, field)
    }

    /// Reads UTF-8 text of at most `limit` bytes.
    pub fn text(&mut self, field: &'static str, limit: usize) -> Result<String, DecodeError> {
        let bytes = self.bytes(field, limit)?;
        let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid {
            field,
            reason: "not UTF-8",
        })?;
        Ok(text.to_owned())
    }

    /// Reads `T<V>` of at most `limit` items.
    pub fn list<T>(
        &mut self,
        field: &'static str,
        limit: usize,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let length = self.length(field)?;
        let mut inner = Reader::new(self.take(usize::try_from(length).unwrap_or(usize::MAX), field)?);
        let mut items = Vec::new();
        while !inner.rest.is_empty() {
            if items.len() == limit {
                return Err(DecodeError::TooLong {
                    field,
                    found: limit as u64 + 1,
                    limit: limit as u64,
                });
            }
            items.push(item(&mut inner)?);
        }
        Ok(items)
    }

    /// Reads `optional<T>`.
    pub fn option<T>(
        &mut self,
        field: &'static str,
        item: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.u8(field)? {
            0 => Ok(None),
            1 => Ok(Some(item(self)?)),
            _ => Err(DecodeError::Invalid {
                field,
                reason: "neither absent (0) nor present (1)",
            }),
        }
    }

    /// Requires that a version is `supported`.
    pub fn version(&mut self, field: &'static str, supported: u16) -> Result<(), DecodeError> {
        match self.u16(field)? {
            found if found == supported => Ok(()),
            found => Err(DecodeError::Version { field, found }),
        }
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(DecodeError::Truncated { field });
        };
        self.rest = rest;
        Ok(taken)
    }

    fn length(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        let first = self.u8(field)?;
        let (length, least) = match first >> 6 {
            0 => return Ok(u64::from(first)),
            1 => {
                let second = self.u8(field)?;
                (u64::from(u16::from_be_bytes([first & 0x3f, second])), 1 << 6)
            }
            2 => {
                let [second, third, fourth] = self.array(field)?;
                let length = u32::from_be_bytes([first & 0x3f, second, third, fourth]);
                (u64::from(length), 1 << 14)
            }
            _ => return Err(DecodeError::Length { field }),
        };
        if length < least {
            return Err(DecodeError::Length { field });
        }
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read_bytes(input: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
        let mut r = Reader::new(input);
        let bytes = r.bytes("body", limit)?.to_vec();
        r.finish()?;
        Ok(bytes)
    }

    #[test]
    fn lengths_of_every_form_round_trip() {
        for length in [0, 1, 63, 64, 16_383, 16_384, 70_000] {
            let value = vec![7; length];
            let mut w = Writer::default();
            w.bytes(&value);
            assert_eq!(read_bytes(&w.into_bytes(), 1 << 20).unwrap(), value);
        }
    }

    #[test]
    fn f08_overlong_truncated_and_trailing_input_is_refused() {
        assert_eq!(read_bytes(&[0x40, 1, 9], 9), Err(DecodeError::Length { field: "body" }));
        assert_eq!(
            read_bytes(&[0x80, 0, 0, 1, 9], 9),
            Err(DecodeError::Length { field: "body" })
        );
        assert_eq!(read_bytes(&[0xc0], 9), Err(DecodeError::Length { field: "body" }));
        assert_eq!(read_bytes(&[3, 1, 2], 9), Err(DecodeError::Truncated { field: "body" }));
        assert_eq!(read_bytes(&[1, 1, 2], 9), Err(DecodeError::Trailing { found: 1 }));
    }

    #[test]
    fn f07_a_length_over_the_limit_is_refused_before_anything_is_taken() {
        assert_eq!(
            read_bytes(&[0xbf, 0xff, 0xff, 0xff], 9),
            Err(DecodeError::TooLong {
                field: "body",
                found: (1 << 30) - 1,
                limit: 9
            })
        );
    }
}
