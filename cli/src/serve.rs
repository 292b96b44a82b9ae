//! `madang up` and `madang relay`: run until told to stop.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use madang_node::{Admission, NodeConfig, NodeReady, RelayConfig, RelayQuotas, RelayReady, TlsConfig, Zeroizing};
use serde_json::{Value, json};

use crate::args::{AdmissionArg, RelayArgs, UpArgs};
use crate::fault::{EXIT_FAILED, Fault, shown};
use crate::out::Out;
use crate::safe;
use crate::settings::{
    FILES_MIB, LISTEN, LOG, NAME, PASSPHRASE_FILE, RELAYS, RPC_HOSTS, RPC_TLS, RPC_TLS_CERT, RPC_TLS_KEY, Settings,
};
use crate::text::Texts;

mod catch_up;

pub use catch_up::Caught;

/// Bytes of a passphrase at most (guess).
const MAX_PASSPHRASE_BYTES: u64 = 1024;
/// The line that says to programs that it serves; the same in every language.
const READY: &str = "ready";

/// Runs a personal node until SIGINT or SIGTERM.
///
/// # Errors
/// What the node says; see [`Fault`].
pub async fn up(args: UpArgs, data: PathBuf, settings: &Settings, out: &Out) -> Result<(), Fault> {
    log_to_stderr(settings, out)?;
    let stop = Stop::listen()?;
    let file = match args.passphrase.passphrase_file {
        Some(file) => Some(file),
        None => settings.one(&PASSPHRASE_FILE)?.map(PathBuf::from),
    };
    let config = NodeConfig {
        data: data.clone(),
        passphrase: passphrase(file.as_deref())?,
        rpc: match args.rpc {
            Some(rpc) => rpc,
            None => settings.rpc()?,
        },
        rpc_tls: tls((args.rpc_tls, args.rpc_tls_cert, args.rpc_tls_key), settings)?,
        rpc_hosts: given_or(args.rpc_host, || settings.effective(&RPC_HOSTS).map(|e| e.values))?,
        listen: given_or(args.listen, || settings.effective(&LISTEN).map(|e| e.values))?,
        relays: given_or(args.relay, || settings.effective(&RELAYS).map(|e| e.values))?,
        relay_tokens: args.relay_token.into_iter().map(Zeroizing::new).collect(),
        file_bytes: match args.files_mib {
            Some(mib) => Some(mib),
            // It was checked as it was read.
            None => settings.one(&FILES_MIB)?.and_then(|mib| mib.parse().ok()),
        }
        .map(mib),
        name: match args.name {
            Some(name) => Some(name),
            None => settings.one(&NAME)?,
        },
    };
    let mut printed = Ok(());
    let mut starting = Some(out.progress(out.t().starting));
    let (say, ready_to_watch) = tokio::sync::oneshot::channel();
    let ready = |ready: NodeReady| {
        starting.take();
        printed = print_node(out, &data, &ready);
        // Whoever watches may have given up.
        say.send(()).ok();
    };
    let node = madang_node::run_node(config, ready, stop.wait());
    let watch = async {
        if ready_to_watch.await.is_ok() {
            catch_up::watch(&data, out).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = node => ended?,
        () = watch => {}
    }
    printed
}

/// What was typed, or else what the settings say.
fn given_or(given: Vec<String>, settings: impl FnOnce() -> Result<Vec<String>, Fault>) -> Result<Vec<String>, Fault> {
    if given.is_empty() { settings() } else { Ok(given) }
}

/// Runs a relay until SIGINT or SIGTERM.
///
/// # Errors
/// What the relay says; see [`Fault`].
pub async fn relay(args: RelayArgs, data: PathBuf, settings: &Settings, out: &Out) -> Result<(), Fault> {
    log_to_stderr(settings, out)?;
    let stop = Stop::listen()?;
    let config = RelayConfig {
        data: data.clone(),
        passphrase: passphrase(args.passphrase.passphrase_file.as_deref())?,
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
            topic_blob_bytes: args.quota_topic_files_mib.map(mib),
            depositor_bytes_per_day: args.quota_depositor_mib.map(mib),
        },
        directory: !args.no_directory,
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
    out.print(&document, || node_text(data, ready, out.t()))
}

fn node_text(data: &Path, ready: &NodeReady, t: &Texts) -> String {
    let data = shown(data);
    let mut rows = vec![
        vec![t.account.to_owned(), ready.account.clone()],
        vec![t.device.to_owned(), ready.device.clone()],
        vec![t.data.to_owned(), data.clone()],
        vec!["rpc".to_owned(), format!("{}  {}", ready.http, ready.ws)],
    ];
    rows.extend(ready.https.iter().map(|https| vec!["rpc".to_owned(), https.clone()]));
    rows.extend(
        ready
            .listen
            .iter()
            .map(|address| vec![t.listens.to_owned(), safe::line(address)]),
    );
    // Addresses stay whole, so that they can be copied.
    let mut text = crate::layout::table(&rows, None);
    if ready.created {
        text = format!("{}\n{text}\n{}", t.account_created, (t.phrase_is_at)(&data));
    }
    format!("{text}\n{READY}")
}

fn print_relay(out: &Out, data: &Path, ready: &RelayReady) -> Result<(), Fault> {
    let document = json!({
        "event": "ready", "data": data, "relay": ready.relay, "addresses": ready.addresses,
        "metrics": ready.metrics.map(|a| a.to_string()).map_or(Value::Null, Value::String),
    });
    let t = out.t();
    let mut rows = vec![
        vec![t.relay.to_owned(), ready.relay.clone()],
        vec![t.data.to_owned(), shown(data)],
    ];
    if let Some(metrics) = ready.metrics {
        rows.push(vec![t.metrics.to_owned(), format!("http://{metrics}/metrics")]);
    }
    out.remark(&crate::layout::table(&rows, None));
    out.print(&document, || format!("{}\n{READY}", ready.addresses.join("\n")))
}

/// TLS, if all of it is given, as the command line demands.
/// What TLS of the JSON-RPC takes: all three, or nothing.
fn tls(
    flags: (Option<SocketAddr>, Option<PathBuf>, Option<PathBuf>),
    settings: &Settings,
) -> Result<Option<TlsConfig>, Fault> {
    let (bind, certificate, key) = flags;
    let file = |given: Option<PathBuf>, key| match given {
        Some(file) => Ok(Some(file)),
        None => settings.one(key).map(|file| file.map(PathBuf::from)),
    };
    let bind = match bind {
        Some(bind) => Some(bind),
        None => settings.rpc_tls()?,
    };
    match (bind, file(certificate, &RPC_TLS_CERT)?, file(key, &RPC_TLS_KEY)?) {
        (None, None, None) => Ok(None),
        (Some(bind), Some(certificate), Some(key)) => Ok(Some(TlsConfig { bind, certificate, key })),
        (bind, certificate, _) => {
            let missing = match (bind, certificate) {
                (None, _) => &RPC_TLS,
                (_, None) => &RPC_TLS_CERT,
                _ => &RPC_TLS_KEY,
            };
            Err(Fault::config(|t| (t.tls_lacks)(missing.name)))
        }
    }
}

/// Bytes of so many MiB; the command line's bounds keep it from overflowing.
fn mib(count: u64) -> u64 {
    count.saturating_mul(1024 * 1024)
}

fn passphrase(path: Option<&Path>) -> Result<Option<Zeroizing<String>>, Fault> {
    let Some(path) = path else {
        return Ok(None);
    };
    let fault = |e: &std::io::Error| Fault::file(|t| t.to_read_passphrase, path, e);
    let file = std::fs::File::open(path).map_err(|e| fault(&e))?;
    // One allocation of the whole bound, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(MAX_PASSPHRASE_BYTES as usize + 64));
    file.take(MAX_PASSPHRASE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| fault(&e))?;
    let first = text.lines().next().unwrap_or_default();
    if first.is_empty() || text.len() as u64 > MAX_PASSPHRASE_BYTES {
        let path = shown(path);
        return Err(Fault::failed(move |t| {
            (t.no_passphrase_in)(&path, MAX_PASSPHRASE_BYTES)
        }));
    }
    Ok(Some(Zeroizing::new(first.to_owned())))
}

fn log_to_stderr(settings: &Settings, out: &Out) -> Result<(), Fault> {
    let filter = settings.one(&LOG)?.unwrap_or_default();
    let (writer, coloured) = out.log_writer();
    let logging = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_ansi(coloured)
        .with_writer(writer)
        .try_init();
    // A program that embeds this one may have set up its own.
    drop(logging);
    Ok(())
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
            let catch = |kind| signal(kind).map_err(|e| Fault::io(|t| t.to_catch_signals, &e));
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
        let text = node_text(Path::new("/d"), &ready(true), &crate::text::EN);
        assert!(text.starts_with("created a new account\n"));
        assert!(text.contains("madang phrase --data /d"));
        assert!(text.ends_with("\nready"));
        assert!(!node_text(Path::new("/d"), &ready(false), &crate::text::EN).contains("phrase"));
        assert!(node_text(Path::new("/d"), &ready(true), &crate::text::KO).ends_with("\nready"));
    }

    #[test]
    fn the_passphrase_is_the_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            passphrase(Some(&path))
        };
        assert_eq!(read("one two \r\nrest").unwrap().unwrap().as_str(), "one two ");
        assert!(read("\nx").is_err());
        assert!(read(&"x".repeat(2000)).is_err());
        assert!(passphrase(None).unwrap().is_none());
    }
}
