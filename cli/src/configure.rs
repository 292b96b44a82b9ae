//! `madang config`: what is set, and where it comes from.

use serde_json::{Value, json};

use crate::args::ConfigCommand;
use crate::fault::{Fault, shown};
use crate::out::Out;
use crate::resolve::{SETTING, not_found};
use crate::safe;
use crate::settings::{Effective, KEYS, Key, Origin, Settings};
use crate::text::Texts;

/// Runs one of its commands.
///
/// # Errors
/// [`Fault::NotFound`] for a setting that there isn't, [`Fault::Config`] for a value that can't be used.
pub fn config(action: ConfigCommand, mut settings: Settings, out: &Out) -> Result<(), Fault> {
    match action {
        ConfigCommand::List => list(&settings, out),
        ConfigCommand::Get { key } => {
            let key = known(&key)?;
            let effective = settings.effective(key)?;
            if effective.values.is_empty() {
                return Err(Fault::failed(|t| (t.setting_unset)(key.name)));
            }
            out.print(&document(key, &effective), || {
                let lines = effective.values.iter().map(|value| safe::line(value));
                lines.collect::<Vec<_>>().join("\n")
            })
        }
        ConfigCommand::Set { key, values } => {
            let key = known(&key)?;
            settings.set(key, &values)?;
            let effective = settings.effective(key)?;
            out.print(&document(key, &effective), || {
                (out.t().setting_written)(&settings.path().map(shown).unwrap_or_default())
            })?;
            if effective.origin == Origin::Environment {
                out.remark(&(out.t().setting_covered)(key.variable));
            }
            Ok(())
        }
        ConfigCommand::Unset { key } => {
            let key = known(&key)?;
            let was_set = settings.unset(key)?;
            out.print(&json!({ "key": key.name, "removed": was_set }), || {
                if was_set {
                    (out.t().setting_written)(&settings.path().map(shown).unwrap_or_default())
                } else {
                    (out.t().setting_unset)(key.name)
                }
            })
        }
        ConfigCommand::Path => {
            let path = settings.path()?;
            out.print(&json!({ "path": path }), || shown(path))
        }
    }
}

fn known(name: &str) -> Result<&'static Key, Fault> {
    KEYS.into_iter()
        .find(|key| key.name == name)
        .ok_or_else(|| not_found(SETTING, name))
}

fn list(settings: &Settings, out: &Out) -> Result<(), Fault> {
    let mut items = Vec::new();
    let mut rows = Vec::new();
    for key in KEYS {
        let effective = settings.effective(key)?;
        items.push(document(key, &effective));
        rows.push(row(key, &effective, out.t()));
    }
    out.print(&json!({ "items": items }), || out.table(&rows))
}

fn document(key: &Key, effective: &Effective) -> Value {
    let value = match (key.list, effective.values.first()) {
        (true, _) => json!(effective.values),
        (false, Some(value)) => json!(value),
        (false, None) => Value::Null,
    };
    let origin = match effective.origin {
        Origin::Environment => "environment",
        Origin::File => "file",
        Origin::Default => "default",
    };
    json!({ "key": key.name, "value": value, "origin": origin, "variable": key.variable })
}

fn row(key: &Key, effective: &Effective, t: &Texts) -> Vec<String> {
    let value = effective.values.iter().map(|value| safe::line(value));
    let value = value.collect::<Vec<_>>().join(" ");
    vec![
        key.name.to_owned(),
        match effective.origin {
            Origin::Environment => key.variable.to_owned(),
            Origin::File => t.from_file.to_owned(),
            Origin::Default => t.by_default.to_owned(),
        },
        if value.is_empty() { "-".to_owned() } else { value },
    ]
}
