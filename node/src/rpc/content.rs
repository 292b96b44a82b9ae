//! Files over HTTP, at `/blob/ID`: `PATCH` writes an upload from `Upload-Offset` on (as tus 1.0 names it), `GET` and `HEAD` read a content,
//! with `Range`.
//!
//! Nothing is kept in memory but the part under way: a body is taken no faster than it is sealed and on disk, an answer is read from disk
//! no faster than it is taken.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE,
};
use http::{Method, Request, StatusCode};
use hyper::body::{Body, Bytes, Frame};
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpBody, HttpResponse};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::access::{Grant, Need};
use super::api::{Api, ApiResult};
use super::dispatch::logged;
use super::error::{ApiError, ErrorData};
use super::ids::BlobId;
use super::limits::{BLOB_CHUNK, BLOB_WRITE, MAX_BLOB_PART};
use super::types::Written;

/// Where contents and uploads are.
const PATH: &str = "/blob/";
/// Where a `PATCH` begins.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// Parts of an answer that wait to be taken.
const READ_AHEAD: usize = 2;
/// Times that a busy node is asked again.
const RETRIES: usize = 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a request to a file wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its content, or only how long that is.
    Read { id: BlobId, head: bool },
    /// More of it is coming.
    Write { id: BlobId },
}

/// What a path and a method want of a file; `None` if the path is none of a file's, an error if the method isn't.
pub(super) fn wanted(path: &str, method: &Method) -> Option<Result<Wanted, ()>> {
    let id: BlobId = path.strip_prefix(PATH)?.parse().ok()?;
    Some(match *method {
        Method::GET => Ok(Wanted::Read { id, head: false }),
        Method::HEAD => Ok(Wanted::Read { id, head: true }),
        Method::PATCH => Ok(Wanted::Write { id }),
        _ => Err(()),
    })
}

/// Answers a request to a file.
pub(super) async fn serve<A, B>(
    api: Arc<A>,
    grant: &Grant,
    wanted: Wanted,
    request: Request<B>,
    idle: Duration,
) -> HttpResponse
where
    A: Api,
    B: Body<Data = Bytes> + Unpin,
{
    let answered = match wanted {
        Wanted::Read { id, head } => match allowed(grant, "blob.get", "read") {
            Ok(()) => read(api, id, request.headers(), head).await,
            Err(error) => Err(error),
        },
        Wanted::Write { id } => match allowed(grant, "blob.write", "write") {
            Ok(()) => write(&*api, id, request, idle).await,
            Err(error) => Err(error),
        },
    };
    answered.unwrap_or_else(|error| failure(logged(error)))
}

fn allowed(grant: &Grant, method: &str, action: &'static str) -> ApiResult<()> {
    if grant.allows(method, Need::all("blob", action)) {
        return Ok(());
    }
    Err(ApiError::ScopeMissing {
        scope: format!("blob:{action}"),
    })
}

/// Takes a body into an upload.
async fn write<A: Api, B: Body<Data = Bytes> + Unpin>(
    api: &A,
    id: BlobId,
    request: Request<B>,
    idle: Duration,
) -> ApiResult<HttpResponse> {
    let offset = request.headers().get(&UPLOAD_OFFSET);
    let offset = offset.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(mut offset) = offset else {
        return Err(ApiError::invalid(
            "Upload-Offset",
            "must be given: where the upload goes on",
        ));
    };
    let length_bytes = api.blob_stat(id).await?.length_bytes;
    let mut body = request.into_body();
    let mut waiting: Vec<u8> = Vec::new();
    // What comes after an error or a pause is lost; what came before is kept, and the answer to `blob.stat` says how much that is.
    loop {
        let next = timeout(idle, std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await;
        let Ok(Some(Ok(frame))) = next else {
            let ended = matches!(next, Ok(None));
            let left = offset.saturating_add(waiting.len() as u64) >= length_bytes;
            if !(ended && left) {
                waiting.truncate(waiting.len() / BLOB_CHUNK * BLOB_CHUNK);
            }
            break;
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        waiting.extend_from_slice(&data);
        while waiting.len() >= BLOB_WRITE {
            let rest = waiting.split_off(BLOB_WRITE);
            let part = std::mem::replace(&mut waiting, rest);
            offset = seal(api, id, offset, part).await?.written_bytes;
        }
    }
    let written = seal(api, id, offset, waiting).await?;
    Ok(json(StatusCode::OK, &written))
}

/// Hands over a part, again while the node is busy.
async fn seal<A: Api>(api: &A, id: BlobId, offset: u64, part: Vec<u8>) -> ApiResult<Written> {
    let mut retries = 0;
    loop {
        match api.blob_write(id, offset, part.clone()).await {
            Err(ApiError::Overloaded { retry_after_ms }) if retries < RETRIES => {
                retries += 1;
                sleep(Duration::from_millis(retry_after_ms)).await;
            }
            answer => return answer,
        }
    }
}

/// Answers with a content, or a range of it.
async fn read<A: Api>(api: Arc<A>, id: BlobId, headers: &HeaderMap, head: bool) -> ApiResult<HttpResponse> {
    // That it can be read at all shows before the answer begins.
    let (length, _) = api.blob_read(id, 0, 1).await?;
    let range = match headers.get(RANGE).map(|value| ranged(value, length)) {
        None | Some(Ranged::Whole) => None,
        Some(Ranged::Part(from, to)) => Some((from, to)),
        Some(Ranged::Unsatisfiable) => {
            let mut response = HttpResponse::new(HttpBody::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
    };
    let (from, to) = range.unwrap_or((0, length));
    let body = if head || from == to {
        HttpBody::empty()
    } else {
        let (sender, parts) = mpsc::channel(READ_AHEAD);
        tokio::spawn(pour(api, id, from, to, sender));
        HttpBody::new(Parts(parts))
    };
    let mut response = HttpResponse::new(body);
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        set(
            &mut response,
            CONTENT_RANGE,
            &format!("bytes {from}-{}/{length}", to.saturating_sub(1)),
        );
    }
    set(&mut response, CONTENT_LENGTH, &(to - from).to_string());
    set(&mut response, ACCEPT_RANGES, "bytes");
    // What others sent is never shown as a page of this server.
    set(&mut response, CONTENT_TYPE, "application/octet-stream");
    set(
        &mut response,
        HeaderName::from_static("x-content-type-options"),
        "nosniff",
    );
    set(&mut response, http::header::CONTENT_DISPOSITION, "attachment");
    Ok(response)
}

/// Reads a content part by part; ends early if it can't be read, which the reader sees by the length.
async fn pour<A: Api>(api: Arc<A>, id: BlobId, from: u64, to: u64, sender: mpsc::Sender<Result<Bytes, BoxError>>) {
    let mut at = from;
    while at < to {
        let limit = (to - at).min(MAX_BLOB_PART as u64) as usize;
        let part = match api.blob_read(id, at, limit).await {
            Ok((_, part)) if !part.is_empty() => part,
            Ok(_) => return,
            Err(error) => {
                let error: BoxError = logged(error).to_string().into();
                sender.send(Err(error)).await.ok();
                return;
            }
        };
        at += part.len() as u64;
        if sender.send(Ok(part.into())).await.is_err() {
            return;
        }
    }
}

/// Parts of a content as a body.
struct Parts(mpsc::Receiver<Result<Bytes, BoxError>>);

impl Body for Parts {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|part| part.map(|part| part.map(Frame::data)))
    }
}

/// What a `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Ranged {
    /// All, also where it asks for something else than one range of bytes (RFC 9110, section 14.2).
    Whole,
    /// From the first to below the second.
    Part(u64, u64),
    Unsatisfiable,
}

fn ranged(value: &HeaderValue, length: u64) -> Ranged {
    let range = value.to_str().ok().and_then(|text| text.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.trim().split_once('-')) else {
        return Ranged::Whole;
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(from), Ok(last)) if from <= last => (from, last.saturating_add(1).min(length)),
        (Ok(from), Err(_)) if last.is_empty() => (from, length),
        (Err(_), Ok(0)) if first.is_empty() => return Ranged::Unsatisfiable,
        (Err(_), Ok(last)) if first.is_empty() => (length.saturating_sub(last), length),
        _ => return Ranged::Whole,
    };
    if from >= length {
        Ranged::Unsatisfiable
    } else {
        Ranged::Part(from, to)
    }
}

/// An error as HTTP has it, with the same data as by JSON-RPC.
fn failure(error: ApiError) -> HttpResponse {
    #[derive(Serialize)]
    struct Failure {
        message: String,
        #[serde(flatten)]
        data: ErrorData,
    }
    let status = match &error {
        ApiError::NotFound { .. } => StatusCode::NOT_FOUND,
        ApiError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        ApiError::ScopeMissing { .. } | ApiError::NotAllowed { .. } => StatusCode::FORBIDDEN,
        ApiError::TokenEnded => StatusCode::UNAUTHORIZED,
        ApiError::InvalidParams { field, .. } if field == "offset_bytes" => StatusCode::CONFLICT,
        ApiError::NotWhole { .. } => StatusCode::CONFLICT,
        ApiError::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        ApiError::Overloaded { .. } | ApiError::ReadOnly { .. } => StatusCode::SERVICE_UNAVAILABLE,
        ApiError::Internal { .. } | ApiError::BlobDamaged => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let told = Failure {
        message: error.to_string(),
        data: error.data(),
    };
    json(status, &told)
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> HttpResponse {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut response = HttpResponse::new(HttpBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn set(response: &mut HttpResponse, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        let cases = [
            ("bytes=0-0", Ranged::Part(0, 1)),
            ("bytes=10-", Ranged::Part(10, 100)),
            ("bytes=-10", Ranged::Part(90, 100)),
            ("bytes=-1000", Ranged::Part(0, 100)),
            ("bytes=90-1000", Ranged::Part(90, 100)),
            ("bytes=100-", Ranged::Unsatisfiable),
            ("bytes=-0", Ranged::Unsatisfiable),
            ("bytes=5-4", Ranged::Whole),
            ("bytes=0-1,5-6", Ranged::Whole),
            ("bytes=x-", Ranged::Whole),
            ("chunks=0-1", Ranged::Whole),
            ("bytes=18446744073709551615-", Ranged::Unsatisfiable),
            ("bytes=0-18446744073709551615", Ranged::Part(0, 100)),
        ];
        for (header, expected) in cases {
            assert_eq!(ranged(&HeaderValue::from_static(header), 100), expected, "{header}");
        }
    }

    #[test]
    fn paths_and_methods_of_files_are_told_from_others() {
        let id = "ab".repeat(32);
        let path = format!("/blob/{id}");
        let of = |path: &str, method| wanted(path, &method);
        assert!(matches!(
            of(&path, Method::GET),
            Some(Ok(Wanted::Read { head: false, .. }))
        ));
        assert!(matches!(
            of(&path, Method::HEAD),
            Some(Ok(Wanted::Read { head: true, .. }))
        ));
        assert!(matches!(of(&path, Method::PATCH), Some(Ok(Wanted::Write { .. }))));
        assert_eq!(of(&path, Method::POST), Some(Err(())));
        for other in ["/", "/blob/", "/blob/../etc", &format!("{path}/"), &path.to_uppercase()] {
            assert_eq!(of(other, Method::GET), None, "{other}");
        }
    }
}
