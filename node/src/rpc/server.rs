//! Serving: the listener, its connections and their bounds, start and stop.
//!
//! jsonrpsee's own listener reads request heads without a deadline and lets idle connections grow without bound, so this one accepts
//! by itself and gives jsonrpsee what came through the `guard`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::core::{BoxError, RegisterMethodError};
use jsonrpsee::server::{
    BatchRequestConfig, HttpRequest, HttpResponse, PingConfig, ServerBuilder, ServerConfig, ServerHandle, StopHandle,
    stop_channel,
};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::access::Grant;
use super::api::Api;
use super::calls::CallsLayer;
use super::content;
use super::deliver;
use super::dispatch::Shared;
use super::files::{self, Places, Token};
use super::guard::{Entry, Guard, Refusal, pass, preflight, told, turn_away};
use super::ids::AppKey;
use super::limits::{
    ACCEPT_PAUSE, BODY_DEADLINE, HEAD_DEADLINE, MAX_AT_DOOR, MAX_BATCH, MAX_CONNECTIONS, MAX_HEAD, MAX_REQUEST,
    MAX_RESPONSE, MAX_STRANGERS, MAX_SUBSCRIPTIONS, PING_LIMIT, PING_PERIOD, SEND_BUFFER, STOP_DEADLINE, TOKEN_LOOK,
};
use super::listen::{Arrived, Arriving, Listeners};
use super::methods;
use super::pages::Pages;
use super::picker;
use super::picks::Picks;
use super::socket::{Cut, Socket};
use super::tls::{Secure, TlsConfig};
use crate::clock::now_ms;

/// Where the JSON-RPC listens and leaves its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcConfig {
    /// The address; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where it listens for TLS as well.
    pub tls: Option<TlsConfig>,
    /// Names under which this machine is reached, besides its addresses.
    pub hosts: Vec<String>,
    /// The data directory, which exists.
    pub data_dir: PathBuf,
}

impl RpcConfig {
    /// Listens on a free port of loopback.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            tls: None,
            hosts: Vec::new(),
            data_dir: data_dir.into(),
        }
    }
}

/// Why the JSON-RPC can't be served.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The address can't be listened on.
    #[error("can't listen on {address} for the JSON-RPC: {source}; choose another with --rpc")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The certificate or its key can't be used.
    #[error("can't use {path} for TLS: {reason}", path = path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file of the data directory can't be read or written.
    #[error("can't use {path}: {source}; check the directory's owner and free space", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {reason}")]
    Entropy {
        /// What it says.
        reason: String,
    },
    /// The table of methods contradicts itself.
    #[error("the JSON-RPC's methods can't be registered: {source}")]
    Methods {
        /// How.
        source: RegisterMethodError,
    },
}

/// A server that runs. It stops when it is told to, or when the last handle is dropped.
#[derive(Clone)]
pub struct RpcHandle {
    address: SocketAddr,
    secure: Option<SocketAddr>,
    server: ServerHandle,
    done: watch::Receiver<bool>,
}

impl RpcHandle {
    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address where it listens for TLS.
    pub fn secure_addr(&self) -> Option<SocketAddr> {
        self.secure
    }

    /// Takes no more requests, ends long polls and subscriptions, and removes `rpc.json`. Does nothing the second time.
    pub fn stop(&self) {
        if self.server.stop().is_err() {
            tracing::debug!("the JSON-RPC has stopped already");
        }
    }

    /// Waits until it has stopped; calls that still run are given 5 s.
    pub async fn stopped(&self) {
        if self.done.clone().wait_for(|done| *done).await.is_err() {
            tracing::debug!("the JSON-RPC's runtime is gone");
        }
    }
}

#[cfg(test)]
impl RpcHandle {
    pub(super) fn done(&self) -> watch::Receiver<bool> {
        self.done.clone()
    }
}

impl fmt::Debug for RpcHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RpcHandle")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Serves the JSON-RPC; `cookie` and `rpc.json` are there when it returns.
///
/// # Errors
/// [`RpcError`], with nothing left running.
pub async fn serve<A: Api>(api: Arc<A>, config: RpcConfig) -> Result<RpcHandle, RpcError> {
    serve_with(api, config, Deadlines::default()).await
}

/// How long a request may take to arrive; tests shorten it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    pub(super) head: Duration,
    pub(super) body: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: HEAD_DEADLINE,
            body: BODY_DEADLINE,
        }
    }
}

pub(super) async fn serve_with<A: Api>(
    api: Arc<A>,
    config: RpcConfig,
    deadlines: Deadlines,
) -> Result<RpcHandle, RpcError> {
    let bind_error = |source| RpcError::Bind {
        address: config.bind,
        source,
    };
    let listener = TcpListener::bind(config.bind).await.map_err(bind_error)?;
    let bound = listener.local_addr().map_err(bind_error)?;
    let (secure, secure_bound) = match &config.tls {
        Some(tls) => Secure::bind(tls)
            .await
            .map(|(secure, bound)| (Some(secure), Some(bound)))?,
        None => (None, None),
    };
    let token = Token::load(&config.data_dir)?;
    let grants = api.grants();
    let delivering = Arc::clone(&api);
    let files_api = Arc::clone(&api);
    let (stop, server) = stop_channel();
    let shared = Shared {
        api,
        pages: Pages::default(),
        picks: Picks::default(),
        site: picker::site(bound),
        stop: stop.clone(),
    };
    let methods = methods::module(shared).map_err(|source| RpcError::Methods { source })?;
    let builder = ServerBuilder::new()
        .set_config(settings())
        .set_rpc_middleware(RpcServiceBuilder::new().layer(CallsLayer))
        .to_service_builder();
    let mut listener = Listeners::new(listener, secure);
    let places = Places {
        plain: bound,
        secure: secure_bound,
        name: config.hosts.first().cloned(),
        socket: private_socket(&mut listener, &config.data_dir),
    };
    files::publish(&config.data_dir, &places)?;

    let (done_sender, done) = watch::channel(false);
    let house = House {
        guard: Guard {
            token,
            grants,
            bound,
            secure: secure_bound,
            hosts: config.hosts.clone(),
        },
        door: Semaphore::new(MAX_AT_DOOR),
        cuts: Mutex::default(),
        deadlines,
        slots: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        stop: stop.clone(),
    };
    let service = move || builder.clone().build(methods.clone(), stop.clone());
    let house = Arc::new(house);
    tokio::spawn(async move {
        let running = tokio::select! {
            never = deliver::run(delivering) => match never {},
            running = accept(files_api, listener, Arc::clone(&house), service) => running,
            never = watch_tokens(&house) => match never {},
        };
        if let Err(error) = files::withdraw(&config.data_dir) {
            tracing::warn!(%error, "rpc.json stays behind");
        }
        running.end().await;
        done_sender.send_replace(true);
    });
    Ok(RpcHandle {
        address: bound,
        secure: secure_bound,
        server,
        done,
    })
}

/// Listens on the data directory's Unix socket too, where that is possible.
#[cfg(unix)]
fn private_socket(listener: &mut Listeners, data: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(data.join(files::SOCKET)).ok()?;
    match listener.add_unix(&path) {
        Ok(()) => Some(path),
        Err(error) => {
            // For instance because the path is too long for the system.
            tracing::warn!(%error, path = %path.display(), "no Unix socket for the JSON-RPC");
            None
        }
    }
}

#[cfg(not(unix))]
fn private_socket(_: &mut Listeners, _: &Path) -> Option<PathBuf> {
    None
}

fn settings() -> ServerConfig {
    let pings = PingConfig::new()
        .ping_interval(PING_PERIOD)
        .inactive_limit(PING_LIMIT)
        .max_failures(1);
    ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST)
        .max_response_body_size(MAX_RESPONSE)
        .max_connections(u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX))
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .set_message_buffer_capacity(SEND_BUFFER)
        .enable_ws_ping(pings)
        .build()
}

/// Ends the connections of tokens that end, as long as the server runs.
async fn watch_tokens(house: &House) -> Infallible {
    let mut grants = house.guard.grants.clone();
    loop {
        grants.borrow_and_update();
        let next_ms = house.cut_ended();
        let wait = next_ms.map_or(TOKEN_LOOK, |ends| Duration::from_millis(ends.saturating_sub(now_ms())));
        tokio::select! {
            changed = grants.changed() => if changed.is_err() {
                // The core is gone, and with it soon the server.
                std::future::pending::<()>().await;
            },
            () = sleep(wait.min(TOKEN_LOOK)) => {}
        }
    }
}

/// What all connections share.
struct House {
    /// Requests without a token under way.
    door: Semaphore,
    /// How the connections of apps are ended.
    cuts: Mutex<Vec<(AppKey, Weak<Cut>)>>,
    guard: Guard,
    deadlines: Deadlines,
    slots: Arc<Semaphore>,
    stop: StopHandle,
}

impl House {
    /// Remembers that a connection is an app's.
    fn belongs(&self, app: AppKey, cut: &Arc<Cut>) {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.retain(|(_, cut)| cut.strong_count() > 0);
        let same = |(known, other): &(AppKey, Weak<Cut>)| *known == app && other.as_ptr() == Arc::as_ptr(cut);
        if !cuts.iter().any(same) {
            cuts.push((app, Arc::downgrade(cut)));
        }
    }

    /// Ends the connections of tokens that have ended; gives when the next of the others does.
    fn cut_ended(&self) -> Option<u64> {
        let (grants, now_ms) = (self.guard.grants.borrow().clone(), now_ms());
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        cuts.retain(|(app, cut)| {
            let lives = grants.of_app(app).is_some_and(|grant| !grant.has_ended(now_ms));
            if let (false, Some(cut)) = (lives, cut.upgrade()) {
                cut.now();
            }
            lives && cut.strong_count() > 0
        });
        let ends = cuts.iter().filter_map(|(app, _)| grants.of_app(app)?.expires_ms);
        ends.min()
    }
}

/// One connection: a stranger until a request of it has shown the token, then a guest that holds one of the slots.
#[derive(Default)]
struct Visit {
    slot: OnceLock<Arc<OwnedSemaphorePermit>>,
}

impl Visit {
    /// Takes a slot, once. A WebSocket's task outlives the HTTP connection, so it gets a share of it.
    fn admit(&self, slots: &Arc<Semaphore>) -> Result<Arc<OwnedSemaphorePermit>, Refusal> {
        if let Some(slot) = self.slot.get() {
            return Ok(Arc::clone(slot));
        }
        let slot = Arc::clone(slots).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        Ok(Arc::clone(self.slot.get_or_init(|| Arc::new(slot))))
    }

    fn is_guest(&self) -> bool {
        self.slot.get().is_some()
    }
}

/// Keeps a connection's slot taken while a request's extensions live.
#[derive(Clone)]
struct Seat(#[expect(dead_code, reason = "held for its drop")] Arc<OwnedSemaphorePermit>);

/// The connections that are left when the listener has closed.
struct Running {
    tasks: JoinSet<()>,
    slots: Arc<Semaphore>,
}

impl Running {
    /// Waits for the connections, WebSockets included, but not longer than [`STOP_DEADLINE`].
    async fn end(mut self) {
        let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        let gone = async {
            while self.tasks.join_next().await.is_some() {}
            drop(self.slots.acquire_many(all).await);
        };
        if timeout(STOP_DEADLINE, gone).await.is_err() {
            tracing::debug!("connections of the JSON-RPC were cut");
        }
        self.tasks.abort_all();
    }
}

/// Accepts until told to stop.
async fn accept<A: Api, S>(api: Arc<A>, listener: Listeners, house: Arc<House>, service: impl Fn() -> S) -> Running
where
    S: tower::Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let mut tasks = JoinSet::new();
    let mut strangers: VecDeque<(Arc<Visit>, AbortHandle)> = VecDeque::new();
    let stop = house.stop.clone().shutdown();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let caller = match accepted {
            Ok(caller) => caller,
            Err(error) => {
                tracing::warn!(%error, "a connection to the JSON-RPC was not accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        strangers.retain(|(visit, task)| !visit.is_guest() && !task.is_finished());
        if strangers.len() >= MAX_STRANGERS
            && let Some((_, oldest)) = strangers.pop_front()
        {
            oldest.abort();
        }
        let visit = Arc::new(Visit::default());
        let serving = connection(
            Arc::clone(&api),
            caller,
            Arc::clone(&house),
            Arc::clone(&visit),
            service(),
        );
        strangers.push_back((visit, tasks.spawn(serving)));
    }
    Running {
        tasks,
        slots: Arc::clone(&house.slots),
    }
}

async fn connection<A: Api, S>(api: Arc<A>, caller: Arriving, house: Arc<House>, visit: Arc<Visit>, service: S)
where
    S: tower::Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let head_deadline = house.deadlines.head;
    let Ok(Ok(stream)) = timeout(head_deadline, caller.enter()).await else {
        tracing::debug!("a connection to the JSON-RPC did not come about");
        return;
    };
    let Ok(arrived) = stream.arrived() else {
        return;
    };
    if let Err(error) = stream.set_nodelay() {
        tracing::debug!(%error, "a connection to the JSON-RPC keeps Nagle's delay");
    }
    let stop = house.stop.clone().shutdown();
    let socket = Socket::new(stream);
    let cut = socket.cut();
    let handle = service_fn(move |request: Request<Incoming>| {
        let (api, house, visit, service, cut) = (
            Arc::clone(&api),
            Arc::clone(&house),
            Arc::clone(&visit),
            service.clone(),
            Arc::clone(&cut),
        );
        async move { Ok::<_, Infallible>(answer(&api, request, arrived, &house, &visit, &cut, service).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_deadline)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(socket), handle)
        .with_upgrades();
    tokio::pin!(serving, stop);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = &mut stop => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the JSON-RPC broke");
    }
}

async fn answer<A: Api, S>(
    api: &Arc<A>,
    mut request: Request<Incoming>,
    arrived: Arrived,
    house: &House,
    visit: &Visit,
    cut: &Arc<Cut>,
    service: S,
) -> HttpResponse
where
    S: tower::Service<HttpRequest, Response = HttpResponse, Error = BoxError>,
{
    let refused = |refusal| {
        tracing::debug!(?refusal, "a request to the JSON-RPC was turned away");
        turn_away(refusal)
    };
    match house.guard.check(&request, arrived) {
        Ok(Entry::Guest {
            grant,
            web_socket,
            page,
        }) => {
            let slot = match visit.admit(&house.slots) {
                Ok(slot) => slot,
                Err(refusal) => return refused(refusal),
            };
            if let Some(app) = grant.app {
                house.belongs(app, cut);
            }
            request.extensions_mut().insert(Seat(slot));
            told(
                pass(request, grant, web_socket, house.deadlines.body, service).await,
                page,
            )
        }
        Ok(Entry::Content { grant, wanted, page }) => {
            if let Err(refusal) = visit.admit(&house.slots) {
                return refused(refusal);
            }
            if let Some(app) = grant.app {
                house.belongs(app, cut);
            }
            told(
                content::serve(Arc::clone(api), &grant, wanted, request, house.deadlines.body).await,
                page,
            )
        }
        Ok(Entry::Knock { page }) => match house.door.try_acquire() {
            Ok(_standing) => {
                let asks = page.as_ref().and_then(|page| page.to_str().ok()).map(str::to_owned);
                let grant = Arc::new(Grant::door(asks));
                told(pass(request, grant, false, house.deadlines.body, service).await, page)
            }
            Err(_) => refused(Refusal::Busy),
        },
        Ok(Entry::Preflight { page }) => preflight(page),
        Ok(Entry::Picker { file, head }) => picker::serve(file, head),
        Err(refusal) => refused(refusal),
    }
}
