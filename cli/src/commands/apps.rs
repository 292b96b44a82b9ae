//! The commands around apps and their tokens.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::{id_for, print_list};
use crate::args::{AppCommand, WebhookCommand};
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::APP;
use crate::safe::{self, Names};
use crate::show;
use crate::text::Texts;

/// Bytes of a picture of which more is read than the node takes, so that the node says what its limit is.
const MAX_PICTURE_BYTES: u64 = 256 * 1024;

pub(super) async fn app(client: &Client, action: AppCommand, out: &Out) -> Result<(), Fault> {
    match action {
        AppCommand::List => list(client, out).await,
        AppCommand::New { .. } | AppCommand::Vouch { .. } => Err(super::asks_no_node()),
        AppCommand::Approve {
            app,
            scopes,
            expires_in_s,
        } => {
            let app = id_for(client, APP, "app.list", &app).await?;
            let mut params = Map::from_iter([("app".to_owned(), json!(app))]);
            if !scopes.is_empty() {
                params.insert("scopes".to_owned(), json!(scopes));
            }
            if let Some(seconds) = expires_in_s {
                params.insert("expires_in_s".to_owned(), json!(seconds));
            }
            let approved = client.call("app.approve", Value::Object(params)).await?;
            print_app(&approved, out)
        }
        AppCommand::Revoke { app } => {
            let app = id_for(client, APP, "app.list", &app).await?;
            let done = client.call("app.revoke", json!({ "app": app })).await?;
            out.print(&done, || out.t().app_ended.to_owned())
        }
        AppCommand::Webhook { action } => webhook(client, action, out).await,
        AppCommand::Token {
            name,
            scopes,
            expires_in_s,
        } => {
            let params = json!({ "name": name, "scopes": scopes, "expires_in_s": expires_in_s });
            let made = client.call("app.mint", params).await?;
            out.print(&made, || show::field(&made, "token"))?;
            out.remark(out.t().token_once);
            Ok(())
        }
        AppCommand::Request {
            name,
            scopes,
            origin,
            icon,
        } => {
            let icon = icon.as_deref().map(picture).transpose()?;
            let params = json!({ "name": name, "scopes": scopes, "origin": origin, "icon": icon });
            let asked = client.call_at_door("app.request", params).await?;
            out.print(&asked, || show::field(&asked, "token"))?;
            out.remark(&(out.t().app_asked)(&show::short(show::text_of(&asked, "app"))));
            Ok(())
        }
        AppCommand::Itself => {
            let app = client.call("app.self", json!({})).await?;
            print_app(&app, out)
        }
    }
}

async fn webhook(client: &Client, action: WebhookCommand, out: &Out) -> Result<(), Fault> {
    let whose = async |app: Option<String>| match app {
        Some(app) => id_for(client, APP, "app.list", &app).await.map(Some),
        None => Ok(None),
    };
    let t = out.t();
    match action {
        WebhookCommand::List => {
            let page = client.call("event.webhooks", json!({})).await?;
            let now = show::now_ms();
            print_list(out, show::items_of(&page, "items"), t.no_webhooks, |item| {
                webhook_row(item, now, t)
            })
        }
        WebhookCommand::Set { url, app, kinds, after } => {
            let kinds = (!kinds.is_empty()).then_some(kinds);
            let params = json!({ "url": url, "app": whose(app).await?, "after": after, "filter": { "kinds": kinds } });
            let made = client.call("event.webhook_set", params).await?;
            out.print(&made, || show::field(&made, "secret"))?;
            out.remark(t.webhook_secret_once);
            Ok(())
        }
        WebhookCommand::Remove { app } => {
            let params = json!({ "app": whose(app).await? });
            let done = client.call("event.webhook_remove", params).await?;
            out.print(&done, || t.webhook_ended.to_owned())
        }
    }
}

fn webhook_row(hook: &Value, now_ms: u64, t: &Texts) -> Vec<String> {
    let app = show::text_of(hook, "app");
    let next = hook.get("next_try_ms").and_then(Value::as_u64);
    vec![
        if app.is_empty() {
            t.yours.to_owned()
        } else {
            show::short(app)
        },
        (t.node_says)(&show::field(hook, "state")),
        show::field(hook, "cursor"),
        next.map_or_else(String::new, |ms| (t.tried_again)(&show::time(ms, now_ms))),
        (t.node_says)(&show::field(hook, "last_error")),
        show::field(hook, "url"),
    ]
}

/// Reads a picture, and gives it in base64.
pub(super) fn picture(path: &Path) -> Result<String, Fault> {
    use std::io::Read as _;
    let fault = |e: &std::io::Error| Fault::file(|t| t.to_read, path, e);
    let file = std::fs::File::open(path).map_err(|e| fault(&e))?;
    let mut bytes = Vec::new();
    file.take(MAX_PICTURE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| fault(&e))?;
    Ok(BASE64.encode(&bytes))
}

async fn list(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("app.list").await?;
    let names = Names::of(&items, "app");
    let (now, t) = (show::now_ms(), out.t());
    print_list(out, &items, t.no_apps, |item| row(item, &names, now, t))?;
    let asks = |item: &Value| show::text_of(item, "state") == "requested" || !show::items_of(item, "wants").is_empty();
    if items.iter().any(asks) {
        out.remark(t.apps_advice);
    }
    Ok(())
}

fn print_app(app: &Value, out: &Out) -> Result<(), Fault> {
    out.print(app, || {
        out.table(&[row(app, &Names::default(), show::now_ms(), out.t())])
    })
}

fn row(app: &Value, names: &Names, now_ms: u64, t: &Texts) -> Vec<String> {
    let named = |member: &str| {
        let scopes = show::items_of(app, member).iter().filter_map(Value::as_str);
        scopes.map(safe::line).collect::<Vec<_>>().join(" ")
    };
    let (has, wants) = (named("scopes"), named("wants"));
    let until = app.get("expires_ms").and_then(Value::as_u64);
    vec![
        show::short(show::text_of(app, "app")),
        show::marked(app, "app", names, t),
        (t.node_says)(&show::field(app, "state")),
        until.map_or_else(String::new, |ms| (t.until)(&show::time(ms, now_ms))),
        show::field(app, "origin"),
        if wants.is_empty() {
            has
        } else {
            (t.wants_scopes)(&has, &wants)
        },
    ]
}
