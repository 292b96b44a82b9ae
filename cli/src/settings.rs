//! Settings: what a flag doesn't say comes from the environment, then from the configuration file, then from the defaults.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Value};

use crate::fault::{Fault, Message, shown};
use crate::safe;
use crate::text::Texts;

mod check;
mod file;

/// Bytes of a configuration file at most (guess: all settings together take less than 4 KiB).
pub const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Names another configuration file; empty means that there is none.
pub const FILE_VARIABLE: &str = "MADANG_CONFIG";

/// A setting.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file; a dot leads into a table.
    pub name: &'static str,
    /// The environment variable that goes before the file.
    pub variable: &'static str,
    /// Whether it holds several values.
    pub list: bool,
    /// What holds if nobody says anything.
    pub default: &'static str,
    /// Says why a value can't be used.
    check: fn(&str) -> Result<(), Message>,
}

/// The data directory of a personal node.
pub const DATA: Key = key("data", "MADANG_DATA", "", check::path);
/// The data directory of a relay.
pub const RELAY_DATA: Key = key("relay.data", "MADANG_RELAY_DATA", "", check::path);
/// The name that contacts see.
pub const NAME: Key = key("name", "MADANG_NAME", "", check::name);
/// Relays that hold messages.
pub const RELAYS: Key = list("relays", "MADANG_RELAYS", check::relay);
/// Where the node listens.
pub const LISTEN: Key = list("listen", "MADANG_LISTEN", check::multiaddr);
/// Where the JSON-RPC listens.
pub const RPC: Key = key("rpc", "MADANG_RPC", "127.0.0.1:0", check::socket);
/// Where the JSON-RPC listens for TLS as well.
pub const RPC_TLS: Key = key("rpc_tls", "MADANG_RPC_TLS", "", check::socket);
/// The file that holds its certificate.
pub const RPC_TLS_CERT: Key = key("rpc_tls_cert", "MADANG_RPC_TLS_CERT", "", check::path);
/// The file that holds the certificate's key.
pub const RPC_TLS_KEY: Key = key("rpc_tls_key", "MADANG_RPC_TLS_KEY", "", check::path);
/// Names under which other machines reach the JSON-RPC.
pub const RPC_HOSTS: Key = list("rpc_hosts", "MADANG_RPC_HOSTS", check::host);
/// MiB that files may take.
pub const FILES_MIB: Key = key("files_mib", "MADANG_FILES_MIB", "", check::mib);
/// The file that holds the passphrase of the data directory.
pub const PASSPHRASE_FILE: Key = key("passphrase_file", "MADANG_PASSPHRASE_FILE", "", check::path);
/// What is logged.
pub const LOG: Key = key("log", "MADANG_LOG", "warn", check::log);
/// The language of what is printed for people.
pub const LANGUAGE: Key = key("language", "MADANG_LANG", "auto", check::language);
/// When to colour.
pub const COLOUR: Key = key("colour", "MADANG_COLOUR", "auto", check::colour);

/// All settings, in the order in which they are listed.
pub const KEYS: [&Key; 15] = [
    &DATA,
    &RELAY_DATA,
    &NAME,
    &RELAYS,
    &LISTEN,
    &RPC,
    &RPC_TLS,
    &RPC_TLS_CERT,
    &RPC_TLS_KEY,
    &RPC_HOSTS,
    &FILES_MIB,
    &PASSPHRASE_FILE,
    &LOG,
    &LANGUAGE,
    &COLOUR,
];

const fn key(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    check: fn(&str) -> Result<(), Message>,
) -> Key {
    Key {
        name,
        variable,
        list: false,
        default,
        check,
    }
}

const fn list(name: &'static str, variable: &'static str, check: fn(&str) -> Result<(), Message>) -> Key {
    Key {
        name,
        variable,
        list: true,
        default: "",
        check,
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The environment.
    Environment,
    /// The file.
    File,
    /// Nobody said anything.
    Default,
}

/// A setting's values as they hold, and where they come from; none if it isn't set.
#[derive(Debug)]
pub struct Effective {
    /// The values; one at most unless the setting is a list.
    pub values: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
}

/// What the environment and the file say.
#[derive(Debug)]
pub struct Settings {
    environment: BTreeMap<&'static str, String>,
    file: Option<PathBuf>,
    document: DocumentMut,
}

impl Settings {
    /// Reads the file, `given` or the environment's or the platform's; an absent one is empty.
    ///
    /// # Errors
    /// [`Fault::Config`] if it can't be read or is no TOML. What its settings hold is checked when they are used.
    pub fn load(given: Option<&Path>, environment: &impl Fn(&str) -> Option<OsString>) -> Result<Self, Fault> {
        let file = match (given, environment(FILE_VARIABLE)) {
            (Some(given), _) => Some(given.to_owned()),
            (None, Some(named)) if named.is_empty() => None,
            (None, Some(named)) => Some(PathBuf::from(named)),
            (None, None) => {
                directories::BaseDirs::new().map(|dirs| dirs.config_dir().join("madang").join("config.toml"))
            }
        };
        let document = match &file {
            Some(path) => file::read(path)?,
            None => DocumentMut::new(),
        };
        let mut said = BTreeMap::new();
        for key in KEYS {
            let Some(value) = environment(key.variable).filter(|value| !value.is_empty()) else {
                continue;
            };
            let value = value
                .into_string()
                .map_err(|_| Fault::config(|t| (t.setting_bad)(key.variable, t.not_unicode)))?;
            said.insert(key.name, value);
        }
        Ok(Self {
            environment: said,
            file,
            document,
        })
    }

    /// Returns where the file is, or would be.
    ///
    /// # Errors
    /// [`Fault::Config`] if there is none: the user has no home directory, or MADANG_CONFIG is empty.
    pub fn path(&self) -> Result<&Path, Fault> {
        self.file
            .as_deref()
            .ok_or_else(|| Fault::config(|t| t.no_config_file.to_owned()))
    }

    /// Returns what the file holds that this version doesn't know.
    pub fn unknown(&self) -> Vec<String> {
        file::leaves(&self.document)
            .into_iter()
            .filter(|name| KEYS.iter().all(|key| key.name != name))
            .map(|name| safe::line(&name))
            .collect()
    }

    /// Returns a setting as it holds.
    ///
    /// # Errors
    /// [`Fault::Config`] if it can't be used.
    pub fn effective(&self, key: &'static Key) -> Result<Effective, Fault> {
        if let Some(text) = self.environment.get(key.name) {
            let values = if key.list {
                text.split([',', ' ', '\n'])
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect()
            } else {
                vec![text.clone()]
            };
            checked(key, key.variable.to_owned(), &values)?;
            return Ok(Effective {
                values,
                origin: Origin::Environment,
            });
        }
        let Some(item) = file::item(&self.document, key.name) else {
            let values = Some(key.default.to_owned()).filter(|d| !d.is_empty());
            return Ok(Effective {
                values: values.into_iter().collect(),
                origin: Origin::Default,
            });
        };
        let place = self.file.as_deref().map(shown).unwrap_or_default();
        let place = format!("{} ({place})", key.name);
        let values = texts(item, key.list).ok_or_else(|| {
            let place = place.clone();
            let want: fn(&Texts) -> &'static str = if key.list { |t| t.want_texts } else { |t| t.want_text };
            Fault::config(move |t| (t.setting_bad)(&place, want(t)))
        })?;
        checked(key, place, &values)?;
        Ok(Effective {
            values,
            origin: Origin::File,
        })
    }

    /// Returns the value of a setting that has one at most.
    ///
    /// # Errors
    /// As [`Settings::effective`].
    pub fn one(&self, key: &'static Key) -> Result<Option<String>, Fault> {
        Ok(self.effective(key)?.values.into_iter().next())
    }

    /// Returns where the JSON-RPC listens.
    ///
    /// # Errors
    /// As [`Settings::effective`].
    pub fn rpc(&self) -> Result<SocketAddr, Fault> {
        let text = self.one(&RPC)?.unwrap_or_default();
        text.parse()
            .map_err(|_| Fault::config(|t| (t.setting_bad)(RPC.name, t.want_socket)))
    }

    /// Returns where the JSON-RPC listens for TLS as well, if it does.
    ///
    /// # Errors
    /// As [`Settings::effective`].
    pub fn rpc_tls(&self) -> Result<Option<SocketAddr>, Fault> {
        let Some(text) = self.one(&RPC_TLS)? else {
            return Ok(None);
        };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| Fault::config(|t| (t.setting_bad)(RPC_TLS.name, t.want_socket)))
    }

    /// Writes a setting into the file.
    ///
    /// # Errors
    /// [`Fault::Config`] if the values can't be used, [`Fault::Failed`] if the file can't be written.
    pub fn set(&mut self, key: &'static Key, values: &[String]) -> Result<(), Fault> {
        if !key.list && values.len() > 1 {
            return Err(Fault::config(|t| (t.setting_bad)(key.name, t.want_one)));
        }
        checked(key, key.name.to_owned(), values)?;
        let value = match values {
            [one] if !key.list => Value::from(one.as_str()),
            several => Value::from_iter(several.iter().map(String::as_str)),
        };
        file::put(&mut self.document, key.name, value)
            .ok_or_else(|| Fault::config(|t| (t.setting_bad)(key.name, t.want_table)))?;
        file::write(self.path()?, &self.document)
    }

    /// Removes a setting from the file; returns whether it was there.
    ///
    /// # Errors
    /// [`Fault::Failed`] if the file can't be written.
    pub fn unset(&mut self, key: &'static Key) -> Result<bool, Fault> {
        if !file::remove(&mut self.document, key.name) {
            return Ok(false);
        }
        file::write(self.path()?, &self.document)?;
        Ok(true)
    }
}

fn checked(key: &'static Key, place: String, values: &[String]) -> Result<(), Fault> {
    if values.len() > check::MAX_VALUES {
        return Err(Fault::config(move |t| {
            (t.setting_bad)(&place, &(t.want_at_most)(check::MAX_VALUES))
        }));
    }
    for value in values {
        if let Err(why) = (key.check)(value) {
            return Err(Fault::config(move |t| (t.setting_bad)(&place, &why.text(t))));
        }
    }
    Ok(())
}

fn texts(item: &Item, list: bool) -> Option<Vec<String>> {
    if !list {
        return Some(vec![item.as_str()?.to_owned()]);
    }
    let array = item.as_array()?;
    array.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
