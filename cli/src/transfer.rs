//! Contents of files to and from a node, over HTTP at `/blob/ID`: read from and written to disk part by part, and taken up again where
//! they were when the node went away in between.

use std::fs::{File, Metadata};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::client::Client;
use crate::fault::{Fault, shown};
use crate::out::Out;
use crate::progress::Progress;
use crate::safe;
use crate::show::{number, text_of};

/// Bytes that are read from a file at once.
const PART: usize = 256 * 1024;
/// Parts that wait to be sent.
const READ_AHEAD: usize = 2;
/// Bytes of an error's body at most.
const MAX_ERROR: usize = 64 * 1024;
/// How long a node that went away is waited for (guess: a restart), and between two looks.
const RETURN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(200));
/// How often a fetch is looked at.
const LOOK: Duration = Duration::from_millis(150);

/// Writes a file into the node; gives its content's id.
///
/// # Errors
/// [`Fault::Failed`] if the file can't be read or changes meanwhile, [`Fault::Refused`] with the node's code.
pub async fn upload(client: &Client, path: &Path, strip: bool, out: &Out) -> Result<String, Fault> {
    let source = Source::open(path)?;
    let begun = client
        .call(
            "blob.put",
            json!({ "length_bytes": source.length(), "strip_metadata": strip }),
        )
        .await?;
    let upload = text_of(&begun, "upload").to_owned();
    let name = safe::line(&path.file_name().unwrap_or_default().to_string_lossy());
    let progress = out.transfer((out.t().sending_file)(&name), source.length());
    let sent = send(client, &source, &upload, begun, &progress).await;
    if sent.is_err() {
        // What is here of it goes in a day if this can't be said now.
        if let Ok(client) = client.again() {
            client.call("blob.cancel", json!({ "blob": upload })).await.ok();
        }
    }
    sent
}

async fn send(
    client: &Client,
    source: &Source,
    upload: &str,
    begun: Value,
    progress: &Progress,
) -> Result<String, Fault> {
    let mut written = begun;
    let mut gone_since: Option<Instant> = None;
    loop {
        if let Some(blob) = written.get("blob").and_then(Value::as_str) {
            source.check()?;
            return Ok(blob.to_owned());
        }
        let offset = number(&written, "written_bytes");
        progress.at(offset);
        match patch(client, source, upload, offset, progress).await {
            Ok(answer) => {
                gone_since = None;
                written = answer;
            }
            Err(Broken::Fault(fault)) => return Err(fault),
            Err(Broken::Gone) => {
                source.check()?;
                let since = *gone_since.get_or_insert_with(Instant::now);
                written = returned(client, upload, since).await?;
            }
        }
    }
}

/// Waits for a node that went away, and asks it how far it got.
async fn returned(client: &Client, upload: &str, since: Instant) -> Result<Value, Fault> {
    let stat = stat(client, upload, since).await?;
    // Not the blob: writing the rest, even if that is nothing, ends what the node does with a file.
    Ok(json!({ "written_bytes": number(&stat, "here_bytes") }))
}

/// Asks how a file is, and waits for a node that went away.
async fn stat(client: &Client, id: &str, since: Instant) -> Result<Value, Fault> {
    let (longest, look) = RETURN;
    loop {
        let asked = match client.again() {
            Ok(found) => found.call("blob.stat", json!({ "blob": id })).await,
            Err(fault) => Err(fault),
        };
        match asked {
            Ok(stat) => return Ok(stat),
            Err(fault @ Fault::Refused { .. }) => return Err(fault),
            Err(fault) if since.elapsed() >= longest => return Err(fault),
            Err(_) => sleep(look).await,
        }
    }
}

/// Why a transfer ended before its end.
pub enum Broken {
    /// The node went away, or found that it lacks a part.
    Gone,
    /// Anything else.
    Fault(Fault),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

async fn patch(
    client: &Client,
    source: &Source,
    upload: &str,
    offset: u64,
    progress: &Progress,
) -> Result<Value, Broken> {
    let (sender, parts) = mpsc::channel(READ_AHEAD);
    let (path, length) = (source.path.clone(), source.length());
    let reading = tokio::task::spawn_blocking(move || pour(&path, offset, length, &sender));
    let (taken, mut seen) = watch::channel(offset);
    let body = Parts {
        parts,
        taken,
        left: length - offset,
    };
    let request = Request::patch(format!("/blob/{upload}"))
        .header("upload-offset", offset)
        .header("content-length", length - offset);
    let sending = client.http(request, body);
    tokio::pin!(sending);
    let answer = loop {
        tokio::select! {
            answer = &mut sending => break answer,
            changed = seen.changed() => match changed {
                Ok(()) => progress.at(*seen.borrow()),
                Err(_) => break sending.await,
            },
        }
    };
    // What the file gave comes before what the node said of too little of it.
    match reading.await {
        Ok(Ok(())) => {}
        Ok(Err(fault)) => return Err(Broken::Fault(fault)),
        Err(_) => return Err(Broken::Gone),
    }
    let response = answer.map_err(|_| Broken::Gone)?;
    let is_fine = response.status() == StatusCode::OK;
    let Some(answer) = small(response).await else {
        return Err(Broken::Gone);
    };
    if is_fine {
        Ok(answer)
    } else if text_of(&answer, "code") == "read_only" {
        Err(Broken::Gone)
    } else {
        Err(Broken::Fault(refused(&answer)))
    }
}

/// Hands over a file from an offset on.
fn pour(path: &Path, offset: u64, length: u64, sender: &mpsc::Sender<Bytes>) -> Result<(), Fault> {
    let failed = |error| Fault::file(|t| t.to_read, path, &error);
    let mut file = File::open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut left = length - offset;
    while left > 0 {
        let mut part = vec![0; PART.min(usize::try_from(left).unwrap_or(PART))];
        let read = file.read(&mut part).map_err(failed)?;
        if read == 0 {
            return Err(changed(path));
        }
        part.truncate(read);
        left -= read as u64;
        if sender.blocking_send(part.into()).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A file that is sent.
struct Source {
    path: PathBuf,
    before: Metadata,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Fault> {
        let before = std::fs::metadata(path).map_err(|error| Fault::file(|t| t.to_read, path, &error))?;
        if !before.is_file() {
            let path = shown(path);
            return Err(Fault::failed(move |t| (t.not_a_file)(&path)));
        }
        Ok(Self {
            path: path.to_owned(),
            before,
        })
    }

    fn length(&self) -> u64 {
        self.before.len()
    }

    /// Requires that it is still as it was.
    fn check(&self) -> Result<(), Fault> {
        let is_same = std::fs::metadata(&self.path)
            .is_ok_and(|now| now.len() == self.before.len() && now.modified().ok() == self.before.modified().ok());
        if is_same { Ok(()) } else { Err(changed(&self.path)) }
    }
}

fn changed(path: &Path) -> Fault {
    let path = shown(path);
    Fault::failed(move |t| (t.file_changed)(&path))
}

/// A file's parts as a body of known length.
struct Parts {
    parts: mpsc::Receiver<Bytes>,
    taken: watch::Sender<u64>,
    left: u64,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.parts.poll_recv(cx) {
            Poll::Ready(Some(part)) => {
                let bytes = part.len() as u64;
                self.left = self.left.saturating_sub(bytes);
                self.taken.send_modify(|taken| *taken += bytes);
                Poll::Ready(Some(Ok(Frame::data(part))))
            }
            // The file ended too soon: the request must not look whole.
            Poll::Ready(None) if self.left > 0 => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Waits until a file is here whole; gives how it is then.
///
/// # Errors
/// [`Fault::Refused`] with the node's code; [`Fault::Failed`] if nobody gave it in time.
pub async fn fetched(client: &Client, blob: &str, progress: &Progress) -> Result<(), Fault> {
    loop {
        let stat = stat(client, blob, Instant::now()).await?;
        progress.at(number(&stat, "here_bytes"));
        match text_of(&stat, "state") {
            "fetching" => sleep(LOOK).await,
            "lost" => return Err(Fault::failed(|t| t.file_lost.to_owned())),
            _ => return Ok(()),
        }
    }
}

/// Writes a content that is here whole to a new file in a directory, under a free name like the given one; gives its path.
///
/// # Errors
/// [`Fault::Failed`] if the file can't be written, [`Fault::Refused`] with the node's code.
pub async fn download(client: &Client, blob: &str, to: &Target, progress: &Progress) -> Result<PathBuf, Broken> {
    let request = Request::get(format!("/blob/{blob}"));
    let answer = client.http(request, String::new()).await;
    let response = answer.map_err(|_| client.no_node())?;
    if response.status() != StatusCode::OK {
        let answer = small(response).await.unwrap_or_default();
        let lacks = ["blob_damaged", "not_whole"].contains(&text_of(&answer, "code"));
        return Err(if lacks { Broken::Gone } else { refused(&answer).into() });
    }
    let length = response.headers().get("content-length");
    let length: Option<u64> = length.and_then(|value| value.to_str().ok()?.parse().ok());
    let failed = |error: std::io::Error| Fault::file(|t| t.to_write, &to.dir, &error);
    let mut file = tempfile::Builder::new()
        .prefix(".madang-")
        .tempfile_in(&to.dir)
        .map_err(failed)?;
    let mut body = response.into_body();
    let mut written = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Some(data) = frame.ok().and_then(|frame| frame.into_data().ok()) else {
            break;
        };
        file.write_all(&data).map_err(failed)?;
        written += data.len() as u64;
        progress.at(written);
    }
    if Some(written) != length {
        return Err(Broken::Gone);
    }
    file.as_file().sync_all().map_err(failed)?;
    Ok(to.keep(file)?)
}

/// Where a content is written.
#[derive(Debug)]
pub struct Target {
    dir: PathBuf,
    name: String,
    /// The user chose the name.
    exact: bool,
}

impl Target {
    /// From what the user typed: a directory, a new file's path, or nothing for the current directory.
    #[must_use]
    pub fn of(typed: Option<&Path>, name: &str) -> Self {
        match typed {
            Some(path) if !path.is_dir() => Self {
                dir: path
                    .parent()
                    .filter(|dir| !dir.as_os_str().is_empty())
                    .unwrap_or(Path::new("."))
                    .to_owned(),
                name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                exact: true,
            },
            dir => Self {
                dir: dir.unwrap_or(Path::new(".")).to_owned(),
                name: name.to_owned(),
                exact: false,
            },
        }
    }

    /// Gives a written file its name; never that of another one.
    fn keep(&self, mut file: tempfile::NamedTempFile) -> Result<PathBuf, Fault> {
        let (stem, ending) = match self.name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
            _ => (self.name.as_str(), String::new()),
        };
        for number in 1_u32.. {
            let name = match number {
                1 => self.name.clone(),
                number => format!("{stem} ({number}){ending}"),
            };
            let path = self.dir.join(name);
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                Err(kept) if kept.error.kind() == std::io::ErrorKind::AlreadyExists && !self.exact => file = kept.file,
                Err(kept) => return Err(Fault::file(|t| t.to_write, &path, &kept.error)),
            }
        }
        Err(Fault::failed(|t| t.file_broken.to_owned()))
    }
}

/// Reads a short JSON answer.
async fn small(response: Response<Incoming>) -> Option<Value> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        bytes.extend_from_slice(&frame.ok()?.into_data().unwrap_or_default());
        if bytes.len() > MAX_ERROR {
            return None;
        }
    }
    serde_json::from_slice(&bytes).ok()
}

fn refused(answer: &Value) -> Fault {
    Fault::Refused {
        message: safe::line(text_of(answer, "message")),
        code: safe::line(text_of(answer, "code")),
        data: answer.clone(),
    }
}

/// Sends one HTTP request over a connection of its own.
pub(crate) async fn request<B>(address: &str, request: Request<B>) -> Result<Response<Incoming>, std::io::Error>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(std::io::Error::other)?;
    // How it ends shows at the request.
    tokio::spawn(async move { connection.await.ok() });
    sender.send_request(request).await.map_err(std::io::Error::other)
}
