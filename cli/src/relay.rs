//! `madang relay token`, `madang relay reports` and `madang relay doctor`: what an operator does beside running a relay.

use std::path::{Path, PathBuf};

use madang_node::{Check, Health, RelayToken};
use serde_json::{Value, json};

use crate::args::{RelayTool, TokenTool};
use crate::fault::Fault;
use crate::out::{Out, green, red};
use crate::relay_reports;
use crate::resolve::{RELAY_TOKEN, not_found};
use crate::safe;
use crate::text::Texts;

/// Runs a tool on the data directory of a relay.
///
/// # Errors
/// What the tool says; for the doctor, that a check failed.
pub async fn tool(tool: RelayTool, data: PathBuf, out: &Out) -> Result<(), Fault> {
    match tool {
        RelayTool::Token(TokenTool::New { label }) => new_token(&data, &label, out),
        RelayTool::Token(TokenTool::List) => list_tokens(&data, out),
        RelayTool::Token(TokenTool::Revoke { id }) => revoke(&data, &id, out),
        RelayTool::Reports(tool) => relay_reports::tool(tool, &data, out),
        RelayTool::Doctor { metrics } => doctor(&data, metrics.as_deref(), out).await,
    }
}

fn new_token(data: &Path, label: &str, out: &Out) -> Result<(), Fault> {
    let (token, text) = madang_node::new_relay_token(data, label)?;
    let mut document = shown(&token);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("token".to_owned(), Value::String((*text).clone()));
    }
    out.print(&document, || (*text).clone())?;
    out.remark(&(out.t().relay_token_once)(&token.id));
    Ok(())
}

fn list_tokens(data: &Path, out: &Out) -> Result<(), Fault> {
    let tokens = madang_node::relay_tokens(data)?;
    let items: Vec<Value> = tokens.iter().map(shown).collect();
    out.print(&json!({ "items": items }), || {
        if tokens.is_empty() {
            return out.t().no_tokens.to_owned();
        }
        let row = |token: &RelayToken| vec![token.id.clone(), safe::line(&token.label)];
        out.table(&tokens.iter().map(row).collect::<Vec<_>>())
    })
}

fn revoke(data: &Path, id: &str, out: &Out) -> Result<(), Fault> {
    if !madang_node::revoke_relay_token(data, id)? {
        return Err(not_found(RELAY_TOKEN, id));
    }
    out.print(&json!({ "id": id }), || (out.t().revoked)(&safe::line(id)))
}

fn shown(token: &RelayToken) -> Value {
    json!({ "id": token.id, "label": token.label, "created_s": token.created_s })
}

async fn doctor(data: &Path, metrics: Option<&str>, out: &Out) -> Result<(), Fault> {
    let looking = out.progress(out.t().examining);
    let checks = madang_node::relay_doctor(data, metrics).await;
    drop(looking);
    let failed: Vec<&str> = checks
        .iter()
        .filter(|check| check.health == Health::Failed)
        .map(|check| check.name)
        .collect();
    let items: Vec<Value> = checks
        .iter()
        .map(|check| json!({ "name": check.name, "health": word(check.health), "message": check.message }))
        .collect();
    out.print(&json!({ "ok": failed.is_empty(), "checks": items }), || {
        let row = |check: &Check| {
            vec![
                painted(check.health, out.t()),
                (out.t().node_says)(check.name),
                (out.t().node_says)(&safe::line(&check.message)),
            ]
        };
        out.table(&checks.iter().map(row).collect::<Vec<_>>())
    })?;
    if failed.is_empty() {
        return Ok(());
    }
    let failed = failed.join(", ");
    Err(Fault::failed(move |t| (t.checks_failed)(&failed)))
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Failed => "failed",
        Health::Unknown => "unknown",
    }
}

fn painted(health: Health, t: &Texts) -> String {
    let shown = (t.node_says)(word(health));
    match health {
        Health::Ok => green(&shown),
        Health::Failed => red(&shown),
        Health::Warning | Health::Unknown => shown,
    }
}
