//! The values that shares and manifests are made of, each with its limits: reading, writing and the published schema go by the same ones.

use super::json::MOST;
use super::url;
use crate::channel::{ChannelLink, is_domain};
use crate::limits;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// What a [`Checked`] text must be.
pub trait Form {
    /// What it is called in the schema.
    const NAME: &'static str;
    /// Characters at the least.
    const LEAST: usize = 1;
    /// Characters at the most.
    const MOST: usize;
    /// What matches it, in JavaScript's and Rust's regular expressions alike.
    const PATTERN: &'static str;
    /// What it must be.
    const MUST: &'static str;

    /// Whether a text of this length is one.
    fn holds(text: &str) -> bool;
}

/// A text of one form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Checked<F>(String, #[serde(skip)] PhantomData<F>);

/// Lines of text for people, from `LEAST` to `MOST` characters (Unicode scalar values).
///
/// Any of them but control characters: what turns, hides or imitates is accepted, and made safe where it is shown.
pub type Text<const LEAST: usize, const MOST: usize> = Checked<Words<LEAST, MOST>>;

impl<F: Form> Checked<F> {
    /// Takes a text that is of this form.
    ///
    /// # Errors
    ///
    /// Says what it must be.
    pub fn new(text: impl Into<String>) -> Result<Self, super::ShareError> {
        Self::of(text.into())
    }

    fn of<E: Error>(text: String) -> Result<Self, E> {
        let length = text.chars().count();
        if length < F::LEAST || length > F::MOST {
            return Err(E::invalid_length(
                length,
                &within(F::LEAST, F::MOST, "characters").as_str(),
            ));
        }
        if !F::holds(&text) {
            return Err(E::custom(F::MUST));
        }
        Ok(Self(text, PhantomData))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<F> Deref for Checked<F> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<F> fmt::Debug for Checked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<F> fmt::Display for Checked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de, F: Form> Deserialize<'de> for Checked<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(String::deserialize(deserializer)?)
    }
}

impl<F: Form> JsonSchema for Checked<F> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        F::NAME.into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": F::LEAST,
            "maxLength": F::MOST,
            "pattern": F::PATTERN,
        })
    }
}

fn within(least: usize, most: usize, unit: &str) -> String {
    if least == 0 {
        format!("at most {most} {unit}")
    } else {
        format!("{least} to {most} {unit}")
    }
}

/// See [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Words<const LEAST: usize, const MOST: usize>;

impl<const L: usize, const M: usize> Form for Words<L, M> {
    const NAME: &'static str = "Text";
    const LEAST: usize = L;
    const MOST: usize = M;
    const PATTERN: &'static str = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$";
    const MUST: &'static str = "must not hold control characters";
    fn holds(text: &str) -> bool {
        !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
    }
}

macro_rules! form {
    ($(#[$doc:meta])* $alias:ident, $form:ident, $least:expr, $most:expr, $pattern:expr, $must:expr, $holds:expr) => {
        $(#[$doc])*
        pub type $alias = Checked<$form>;

        #[doc = concat!("See [`", stringify!($alias), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $form;

        impl Form for $form {
            const NAME: &'static str = stringify!($alias);
            const LEAST: usize = $least;
            const MOST: usize = $most;
            const PATTERN: &'static str = $pattern;
            const MUST: &'static str = $must;
            fn holds(text: &str) -> bool {
                let holds: fn(&str) -> bool = $holds;
                holds(text)
            }
        }
    };
}

form! {
    /// The address of a page: `https` or `http`.
    PageUrl, PageForm, 8, limits::URL_BYTES, url::PAGE, url::PAGE_MUST, url::is_page
}
form! {
    /// An address that is only read over TLS: `https`.
    SecureUrl, SecureForm, 9, limits::URL_BYTES, url::SECURE, url::SECURE_MUST, url::is_secure
}
form! {
    /// Where a card or a button may lead: a page, a place, a telephone or a mail address.
    ActionUrl, ActionForm, 5, limits::URL_BYTES, url::ACTION, url::ACTION_MUST, url::is_action
}
form! {
    /// Whose page it was: scheme, host and perhaps a port (RFC 6454).
    Origin, OriginForm, 8, limits::DOMAIN_BYTES + 16, url::ORIGIN, url::ORIGIN_MUST, url::is_origin
}
form! {
    /// What opens an app, and what parameters are appended to: a scheme of the app's own and perhaps a path.
    ExecuteUrl, ExecuteForm, 5, 256, url::EXECUTE, url::EXECUTE_MUST, url::is_execute
}
form! {
    /// A domain's name.
    DomainName, DomainForm, 3, limits::DOMAIN_BYTES, r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", "must be a domain's name in lower case", is_domain
}
form! {
    /// 32 bytes as 64 lower-case hexadecimal digits.
    Hex32, Hex32Form, 64, 64, "^[0-9a-f]{64}$", "must be 64 lower-case hexadecimal digits",
    |text| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
form! {
    /// A currency (ISO 4217).
    Currency, CurrencyForm, 3, 3, "^[A-Z]{3}$", "must be a code of ISO 4217, like KRW",
    |text| text.bytes().all(|b| b.is_ascii_uppercase())
}
form! {
    /// The name of an event or of an app's own kind of share.
    Label, LabelForm, 1, 64, "^[A-Za-z0-9._-]+$", "must be letters, digits, dots, hyphens and underscores", is_label
}
form! {
    /// A key by which a share that is sent twice is the same one.
    Key, KeyForm, 1, limits::IDEMPOTENCY_KEY_BYTES, "^[!-~]+$", "must be printable ASCII without spaces",
    |text| text.bytes().all(|b| b.is_ascii_graphic())
}
form! {
    /// What a button hands back to its app, at most 300 bytes of UTF-8.
    Postback, PostbackForm, 1, limits::SHARE_POSTBACK_BYTES, r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$",
    "must be at most 300 bytes without control characters",
    |text| text.len() <= limits::SHARE_POSTBACK_BYTES && Words::<1, { limits::SHARE_POSTBACK_BYTES }>::holds(text)
}
form! {
    /// A channel's link.
    ChannelUrl, ChannelForm, 1, 2 * limits::CHANNEL_LINK_BYTES, r"^madang:channel\?d=[A-Za-z0-9_-]+$",
    "must be a channel's link, `madang:channel?…`",
    |text| text.starts_with("madang:") && ChannelLink::from_link(text).is_ok()
}
form! {
    /// A small picture, in base64.
    IconData, IconForm, 4, limits::APP_ICON_BYTES.div_ceil(3) * 4, "^[A-Za-z0-9+/]+={0,2}$", "must be base64 with padding",
    |text| data_encoding::BASE64.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() <= limits::APP_ICON_BYTES)
}

fn is_label(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// `LEAST` to `MOST` of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const LEAST: usize, const MOST: usize>(Vec<T>);

impl<T, const L: usize, const M: usize> List<T, L, M> {
    /// Takes as many as may be.
    ///
    /// # Errors
    ///
    /// Says how many that are.
    pub fn new(items: Vec<T>) -> Result<Self, super::ShareError> {
        Self::of(items)
    }

    fn of<E: Error>(items: Vec<T>) -> Result<Self, E> {
        if items.len() < L || items.len() > M {
            return Err(E::invalid_length(items.len(), &within(L, M, "items").as_str()));
        }
        Ok(Self(items))
    }
}

impl<T, const M: usize> Default for List<T, 0, M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const L: usize, const M: usize> Deref for List<T, L, M> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>, const L: usize, const M: usize> Deserialize<'de> for List<T, L, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Vec::deserialize(deserializer)?)
    }
}

impl<T: JsonSchema, const L: usize, const M: usize> JsonSchema for List<T, L, M> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": L,
            "maxItems": M,
        })
    }
}

/// Parameters by name: what an app is opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<String, String>);

type Param = Words<0, { limits::SHARE_PARAM_CHARS }>;

impl Params {
    /// Takes parameters.
    ///
    /// # Errors
    ///
    /// Says which one can't be one.
    pub fn new(params: BTreeMap<String, String>) -> Result<Self, super::ShareError> {
        Self::of(params)
    }

    fn of<E: Error>(params: BTreeMap<String, String>) -> Result<Self, E> {
        if params.len() > limits::SHARE_PARAMS {
            return Err(E::invalid_length(
                params.len(),
                &within(0, limits::SHARE_PARAMS, "parameters").as_str(),
            ));
        }
        for (name, value) in &params {
            if !(1..=LabelForm::MOST).contains(&name.len()) || !is_label(name) {
                return Err(E::custom(format_args!("a parameter's name {}", LabelForm::MUST)));
            }
            Checked::<Param>::of::<E>(value.clone())?;
        }
        Ok(Self(params))
    }
}

impl Params {
    /// The parameters.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl Deref for Params {
    type Target = BTreeMap<String, String>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(BTreeMap::deserialize(deserializer)?)
    }
}

impl JsonSchema for Params {
    fn schema_name() -> Cow<'static, str> {
        "Params".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Parameters by name.",
            "type": "object",
            "maxProperties": limits::SHARE_PARAMS,
            "propertyNames": { "pattern": LabelForm::PATTERN, "maxLength": LabelForm::MOST },
            "additionalProperties": generator.subschema_for::<Checked<Param>>(),
        })
    }
}

/// An integer from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Integer<const LEAST: i64, const MOST: i64>(i64);

/// A count, an amount of money in the currency's smallest unit, or Unix seconds.
pub type Count = Integer<0, { MOST as i64 }>;

impl<const L: i64, const M: i64> Integer<L, M> {
    /// Takes a number within its limits.
    ///
    /// # Errors
    ///
    /// Says what they are.
    pub fn new(number: i64) -> Result<Self, super::ShareError> {
        Self::of(number)
    }

    fn of<E: Error>(number: i64) -> Result<Self, E> {
        if number < L || number > M {
            return Err(E::custom(format_args!("must be from {L} to {M}")));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The number, where it can't be less than nothing.
    #[must_use]
    pub fn unsigned(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl<'de, const L: i64, const M: i64> Deserialize<'de> for Integer<L, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(i64::deserialize(deserializer)?)
    }
}

impl<const L: i64, const M: i64> JsonSchema for Integer<L, M> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Integer".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": L, "maximum": M })
    }
}
