//! `/metrics`, `/health` and `/ready` over HTTP/1.1: one request a connection, bounded in time, size and number.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::metrics::Metrics;
use crate::config::NodeError;

/// Connections served at once; the next waits in the system's queue (guess).
const CONNECTIONS: usize = 16;
/// How long a request's head may take.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long a connection may take in all.
const DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of a request's head; 8 KiB is the least that hyper takes.
const HEAD_BYTES: usize = 8 * 1024;
/// Pause after the system refused a connection, as when file handles are used up (guess).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const OPENMETRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The responder; it stops when this is dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves until the handle is dropped.
pub(super) async fn serve(address: SocketAddr, metrics: Arc<Metrics>) -> Result<Server, NodeError> {
    let refused = |error: std::io::Error| NodeError::Network {
        reason: format!("can't listen on {address} for metrics: {error}; choose another with --metrics"),
    };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let task = tokio::spawn(accept(listener, metrics)).abort_handle();
    Ok(Server { address, task })
}

async fn accept(listener: TcpListener, metrics: Arc<Metrics>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    // Aborted with this task, since the set ends with it.
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let metrics = metrics.clone();
                connections.spawn(async move {
                    converse(stream, metrics).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a metrics connection was not accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), &metrics);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(DEADLINE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a metrics connection ended"),
        Err(_) => tracing::debug!("a metrics connection took too long"),
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics) -> Response<String> {
    if method != Method::GET {
        return respond(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n".into());
    }
    match path {
        "/metrics" => match metrics.text() {
            Ok(text) => respond(StatusCode::OK, OPENMETRICS, text),
            Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("{error}\n")),
        },
        "/health" => respond(StatusCode::OK, PLAIN, "ok\n".into()),
        "/ready" => match metrics.not_ready() {
            None => respond(StatusCode::OK, PLAIN, "ok\n".into()),
            Some(reason) => respond(StatusCode::SERVICE_UNAVAILABLE, PLAIN, format!("{reason}\n")),
        },
        _ => respond(
            StatusCode::NOT_FOUND,
            PLAIN,
            "see /metrics, /health and /ready\n".into(),
        ),
    }
}

fn respond(status: StatusCode, kind: HeaderValue, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
