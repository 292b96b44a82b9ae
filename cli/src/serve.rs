//! `madang up` and `madang relay`: run until told to stop.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use madang_node::{Admission, NodeConfig, NodeReady, RelayConfig, RelayQuotas, RelayReady, TlsConfig, Zeroizing};
use serde_json::{Value, json};

use crate::args::{AdmissionArg, PassphraseArgs, RelayArgs, UpArgs};
use crate::fault::{EXIT_FAILED, Fault};
use crate::out::Out;
use crate::show;

/// Bytes of a passphrase at most (guess).
const MAX_PASSPHRASE_BYTES: u64 = 1024;
/// Environment variable that sets what is logged, as `tracing_subscriber::EnvFilter` reads it.
const LOG_VARIABLE: &str = "MADANG_LOG";
/// What is logged without it.
const LOG_DEFAULT: &str = "warn";

/// Runs a personal node until SIGINT or SIGTERM.
///
/// # Errors
/// What the node says; see [`Fault`].
pub async fn up(args: UpArgs, data: PathBuf, out: &Out) -> Result<(), Fault> {
    log_to_stderr();
    let stop = Stop::listen()?;
    let config = NodeConfig {
        data: data.clone(),
        passphrase: passphrase(&args.passphrase)?,
        rpc: args.rpc,
        rpc_tls: tls(args.rpc_tls, args.rpc_tls_cert, args.rpc_tls_key),
        rpc_hosts: args.rpc_host,
        listen: args.listen,
        relays: args.relay,
        relay_tokens: args.relay_token.into_iter().map(Zeroizing::new).collect(),
        name: args.name,
    };
    let mut printed = Ok(());
    let ready = |ready: NodeReady| printed = print_node(out, &data, &ready);
    madang_node::run_node(config, ready, stop.wait()).await?;
    printed
}

/// Runs a relay until SIGINT or SIGTERM.
///
/// # Errors
/// What the relay says; see [`Fault`].
pub async fn relay(args: RelayArgs, data: PathBuf, out: &Out) -> Result<(), Fault> {
    log_to_stderr();
    let stop = Stop::listen()?;
    let config = RelayConfig {
        data: data.clone(),
        passphrase: passphrase(&args.passphrase)?,
        listen: args.listen,
        metrics: args.metrics,
        admission: match (args.admission, args.admission_list) {
            (AdmissionArg::Open, _) => Admission::Open,
            (AdmissionArg::Token, _) => Admission::Token,
            (AdmissionArg::List, file) => Admission::List(file.unwrap_or_default()),
        },
        quotas: RelayQuotas {
            total_bytes: args.quota_total_mib.map(mib),
            topic_bytes: args.quota_topic_mib.map(mib),
            depositor_bytes_per_day: args.quota_depositor_mib.map(mib),
        },
        peers: args.peer,
    };
    let mut printed = Ok(());
    let ready = |ready: RelayReady| printed = print_relay(out, &data, &ready);
    madang_node::run_relay(config, ready, stop.wait()).await?;
    printed
}

fn print_node(out: &Out, data: &Path, ready: &NodeReady) -> Result<(), Fault> {
    let document = json!({
        "event": "ready", "data": data, "account": ready.account, "device": ready.device, "http": ready.http,
        "ws": ready.ws, "https": ready.https, "listen": ready.listen, "created": ready.created,
    });
    out.print(&document, || node_text(data, ready))
}

fn node_text(data: &Path, ready: &NodeReady) -> String {
    let mut rows = vec![
        vec!["account".to_owned(), ready.account.clone()],
        vec!["device".to_owned(), ready.device.clone()],
        vec!["data".to_owned(), data.display().to_string()],
        vec!["rpc".to_owned(), format!("{}  {}", ready.http, ready.ws)],
    ];
    rows.extend(ready.https.iter().map(|https| vec!["rpc".to_owned(), https.clone()]));
    rows.extend(
        ready
            .listen
            .iter()
            .map(|address| vec!["listen".to_owned(), show::line(address)]),
    );
    let mut text = show::table(&rows);
    if ready.created {
        text = format!(
            "created a new account\n{text}\nits recovery phrase: `madang phrase --data {}`; write it down",
            data.display()
        );
    }
    text + "\nready"
}

fn print_relay(out: &Out, data: &Path, ready: &RelayReady) -> Result<(), Fault> {
    let document = json!({
        "event": "ready", "data": data, "relay": ready.relay, "addresses": ready.addresses,
        "metrics": ready.metrics.map(|a| a.to_string()).map_or(Value::Null, Value::String),
    });
    out.remark(&format!("relay   {}\ndata    {}", ready.relay, data.display()));
    if let Some(metrics) = ready.metrics {
        out.remark(&format!("metrics http://{metrics}/metrics"));
    }
    out.print(&document, || format!("{}\nready", ready.addresses.join("\n")))
}

/// TLS, if all of it is given, as the command line demands.
fn tls(bind: Option<SocketAddr>, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<TlsConfig> {
    Some(TlsConfig {
        bind: bind?,
        certificate: certificate?,
        key: key?,
    })
}

/// Bytes of so many MiB; the command line's bounds keep it from overflowing.
fn mib(count: u64) -> u64 {
    count.saturating_mul(1024 * 1024)
}

fn passphrase(args: &PassphraseArgs) -> Result<Option<Zeroizing<String>>, Fault> {
    let Some(path) = &args.passphrase_file else {
        return Ok(None);
    };
    let file = std::fs::File::open(path).map_err(|e| Fault::file("open the passphrase file", path, &e))?;
    // One allocation of the whole bound, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(MAX_PASSPHRASE_BYTES as usize + 64));
    file.take(MAX_PASSPHRASE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| Fault::file("read the passphrase file", path, &e))?;
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() || text.len() as u64 > MAX_PASSPHRASE_BYTES {
        return Err(Fault::Failed {
            message: format!(
                "{} holds no passphrase in its first line, or more than {MAX_PASSPHRASE_BYTES} bytes",
                path.display()
            ),
        });
    }
    Ok(Some(Zeroizing::new(first.to_owned())))
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env(LOG_VARIABLE)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LOG_DEFAULT));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    // A program that embeds this one may have set up its own.
    drop(logging);
}

/// The signals that ask to stop: SIGINT, and SIGTERM where there is one. A second one ends the process at once; nothing is lost by that,
/// since what was acknowledged is flushed.
#[derive(Debug)]
pub struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Begins to catch the signals.
    ///
    /// # Errors
    /// [`Fault::Failed`] if the system refuses.
    pub fn listen() -> Result<Self, Fault> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let catch = |kind| signal(kind).map_err(|e| Fault::io("catch signals", &e));
            Ok(Self {
                interrupt: catch(SignalKind::interrupt())?,
                terminate: catch(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the first signal.
    pub async fn wait(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(i32::from(EXIT_FAILED));
        });
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ready(created: bool) -> NodeReady {
        NodeReady {
            https: None,
            account: "madang1x".to_owned(),
            device: "ab".to_owned(),
            http: "http://127.0.0.1:1".to_owned(),
            ws: "ws://127.0.0.1:1".to_owned(),
            listen: vec!["/ip4/127.0.0.1/tcp/2".to_owned()],
            created,
        }
    }

    #[test]
    fn a_new_account_is_told_where_its_phrase_is() {
        let text = node_text(Path::new("/d"), &ready(true));
        assert!(text.starts_with("created a new account\n"));
        assert!(text.contains("madang phrase --data /d"));
        assert!(text.ends_with("\nready"));
        assert!(!node_text(Path::new("/d"), &ready(false)).contains("phrase"));
    }

    #[test]
    fn the_passphrase_is_the_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            passphrase(&PassphraseArgs {
                passphrase_file: Some(path.clone()),
            })
        };
        assert_eq!(read("one two \r\nrest").unwrap().unwrap().as_str(), "one two ");
        assert!(read("\nx").is_err());
        assert!(read(&"x".repeat(2000)).is_err());
        assert!(passphrase(&PassphraseArgs { passphrase_file: None }).unwrap().is_none());
    }
}
