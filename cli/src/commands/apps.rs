//! The commands around apps and their tokens.

use serde_json::{Map, Value, json};

use super::{id_for, print_list};
use crate::args::AppCommand;
use crate::client::Client;
use crate::fault::Fault;
use crate::out::Out;
use crate::resolve::APP;
use crate::show;

pub(super) async fn app(client: &Client, action: AppCommand, out: &Out) -> Result<(), Fault> {
    match action {
        AppCommand::List => list(client, out).await,
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
            out.print(&approved, || show::table(&[row(&approved, show::now_ms())]))
        }
        AppCommand::Revoke { app } => {
            let app = id_for(client, APP, "app.list", &app).await?;
            let done = client.call("app.revoke", json!({ "app": app })).await?;
            out.print(&done, || {
                "its token works no more, and its connections are closed".to_owned()
            })
        }
        AppCommand::Token {
            name,
            scopes,
            expires_in_s,
        } => {
            let params = json!({ "name": name, "scopes": scopes, "expires_in_s": expires_in_s });
            let made = client.call("app.mint", params).await?;
            out.print(&made, || show::field(&made, "token"))?;
            out.remark("it is shown only now; `madang app revoke` ends it");
            Ok(())
        }
    }
}

async fn list(client: &Client, out: &Out) -> Result<(), Fault> {
    let items = client.list("app.list").await?;
    let now = show::now_ms();
    print_list(out, &items, "no apps", |item| row(item, now))?;
    if items.iter().any(|item| show::text_of(item, "state") == "requested") {
        out.remark("`madang app approve APP` lets one in that asks, `madang app revoke APP` turns it away");
    }
    Ok(())
}

fn row(app: &Value, now_ms: u64) -> Vec<String> {
    let scopes = show::items_of(app, "scopes").iter().filter_map(Value::as_str);
    let until = show::time_of(app, "expires_ms", now_ms);
    vec![
        show::short(show::text_of(app, "app")),
        show::name_or(app, "app"),
        show::field(app, "state"),
        scopes.map(show::line).collect::<Vec<_>>().join(" "),
        show::field(app, "origin"),
        if until.is_empty() {
            until
        } else {
            format!("until {until}")
        },
    ]
}
