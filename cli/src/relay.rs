//! `madang relay token` and `madang relay doctor`: what an operator does beside running a relay.

use std::path::{Path, PathBuf};

use madang_node::{Check, Health, RelayToken};
use serde_json::{Value, json};

use crate::args::{RelayTool, TokenTool};
use crate::fault::Fault;
use crate::out::Out;
use crate::show;

/// Runs a tool on the data directory of a relay.
///
/// # Errors
/// What the tool says; for the doctor, that a check failed.
pub async fn tool(tool: RelayTool, data: PathBuf, out: &Out) -> Result<(), Fault> {
    match tool {
        RelayTool::Token(TokenTool::New { label }) => new_token(&data, &label, out),
        RelayTool::Token(TokenTool::List) => list_tokens(&data, out),
        RelayTool::Token(TokenTool::Revoke { id }) => revoke(&data, &id, out),
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
    out.remark(&format!(
        "This is shown once. Whoever has it may use the relay; take it back with `madang relay token revoke {}`.",
        token.id
    ));
    Ok(())
}

fn list_tokens(data: &Path, out: &Out) -> Result<(), Fault> {
    let tokens = madang_node::relay_tokens(data)?;
    let items: Vec<Value> = tokens.iter().map(shown).collect();
    out.print(&json!({ "items": items }), || {
        let row = |token: &RelayToken| vec![token.id.clone(), show::line(&token.label)];
        show::table(&tokens.iter().map(row).collect::<Vec<_>>())
    })
}

fn revoke(data: &Path, id: &str, out: &Out) -> Result<(), Fault> {
    if !madang_node::revoke_relay_token(data, id)? {
        return Err(Fault::NotFound {
            what: "token",
            given: id.to_owned(),
            list: "relay token list",
        });
    }
    out.print(&json!({ "id": id }), || format!("revoked {id}"))
}

fn shown(token: &RelayToken) -> Value {
    json!({ "id": token.id, "label": token.label, "created_s": token.created_s })
}

async fn doctor(data: &Path, metrics: Option<&str>, out: &Out) -> Result<(), Fault> {
    let checks = madang_node::relay_doctor(data, metrics).await;
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
                word(check.health).to_owned(),
                check.name.to_owned(),
                show::line(&check.message),
            ]
        };
        show::table(&checks.iter().map(row).collect::<Vec<_>>())
    })?;
    if failed.is_empty() {
        return Ok(());
    }
    Err(Fault::Failed {
        message: format!("these checks failed: {}", failed.join(", ")),
    })
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Ok => "ok",
        Health::Warning => "warning",
        Health::Failed => "failed",
        Health::Unknown => "unknown",
    }
}
