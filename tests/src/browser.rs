//! A real browser: Chromium, led through its WebDriver, and sites that it visits.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fantoccini::{Client, ClientBuilder};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::process::Process;
use crate::tools::{lacks, repository};
use crate::world::DEADLINE;

/// The WebDriver of Chromium.
const DRIVER: &str = "chromedriver";
/// How long a page is left alone before it is looked at again.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// A browser with an empty profile. Dropping it ends it with its driver.
pub struct Browser {
    page: Client,
    _driver: Process,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it; `None`, with a word to standard error, where there is no Chromium with its driver. `MADANG_REQUIRE_ALL=1` makes that a
    /// failure.
    pub async fn start(log: &Path) -> Option<Self> {
        if lacks("the browser", DRIVER) {
            return None;
        }
        let profile = tempfile::Builder::new().prefix("madang-browser-").tempdir().unwrap();
        let driver = Process::start_at_once(Path::new(DRIVER), &["--port=0".into()], &[], log);
        // "ChromeDriver was started successfully on port N."
        let port = driver.finds(|line| {
            line.split_once("started successfully on port ")?
                .1
                .trim_end_matches('.')
                .parse::<u16>()
                .ok()
        });
        let port = port.await;
        let mut arguments = vec![
            format!("--user-data-dir={}", profile.path().display()),
            "--window-size=900,700".to_owned(),
        ];
        let fixed = [
            "headless",
            // Tests may run as root, and visit nothing but their own pages.
            "no-sandbox",
            "disable-gpu",
            "disable-dev-shm-usage",
            "no-first-run",
            "disable-background-networking",
            "disable-component-update",
            "disable-sync",
        ];
        arguments.extend(fixed.map(|argument| format!("--{argument}")));
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        let page = ClientBuilder::new(connector())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Some(Self {
            page,
            _driver: driver,
            _profile: profile,
        })
    }

    /// Goes to an address.
    pub async fn visit(&self, url: &str) {
        self.page.goto(url).await.unwrap();
    }

    /// Runs the body of an async function in the page, and returns what it returns, or the text of what it throws as `{"error": …}`.
    pub async fn run(&self, body: &str, arguments: Vec<Value>) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async (...given) => {{ {body} }})(...Array.from(arguments).slice(0, -1))
                 .then((value) => done(value === undefined ? null : value), (error) => done({{ error: String(error) }}));"
        );
        self.page.execute_async(&script, arguments).await.unwrap()
    }

    /// Returns the text that the page shows, and its frames of the same origin.
    pub async fn text(&self) -> String {
        let script = "
            const frames = Array.from(document.querySelectorAll('iframe'), (frame) => frame.contentDocument);
            return [document, ...frames].map((shown) => shown?.body?.innerText ?? '').join('\\n')";
        let text = self.run(script, Vec::new()).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows a text.
    pub async fn shows(&self, wanted: &str) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let text = self.text().await;
            if text.contains(wanted) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the page doesn't show {wanted:?} but {text:?}"
            );
            sleep(LOOK).await;
        }
    }

    /// Waits until a script in the page says yes.
    pub async fn until(&self, what: &str, script: &str) {
        let deadline = Instant::now() + DEADLINE;
        while self.run(script, Vec::new()).await != true {
            assert!(Instant::now() < deadline, "{what}: {}", self.text().await);
            sleep(LOOK).await;
        }
    }

    /// Clicks on what a CSS selector names.
    pub async fn click(&self, selector: &str) {
        let found = self.page.find(fantoccini::Locator::Css(selector)).await;
        found.unwrap().click().await.unwrap();
    }

    /// Goes to one of its windows, in the order in which they were opened.
    pub async fn to_window(&self, number: usize) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let windows = self.page.windows().await.unwrap();
            if let Some(window) = windows.into_iter().nth(number) {
                self.page.switch_to_window(window).await.unwrap();
                return;
            }
            assert!(Instant::now() < deadline, "there is no window {number}");
            sleep(LOOK).await;
        }
    }

    /// Closes the window and goes back to the first.
    pub async fn close_window(&self) {
        self.page.close_window().await.unwrap();
        self.to_window(0).await;
    }

    /// Returns the text that the page's first frame shows.
    pub async fn text_of_frame(&self) -> String {
        self.page.enter_frame(0).await.unwrap();
        let text = self.text().await;
        self.page.enter_parent_frame().await.unwrap();
        text
    }

    /// Makes the window so large, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        self.page.set_window_size(width, height).await.unwrap();
    }

    /// Writes what is seen to a PNG file, in the folder that `MADANG_SCREENSHOTS` names, or else in `target/screenshots`.
    pub async fn keep(&self, name: &str) {
        let folder = std::env::var_os("MADANG_SCREENSHOTS");
        let folder = folder.map_or_else(|| repository("target/screenshots"), PathBuf::from);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), self.page.screenshot().await.unwrap()).unwrap();
    }

    /// Ends the browser.
    pub async fn close(self) {
        self.page.close().await.unwrap();
    }
}

/// Connections to the driver, which is on this machine and speaks plain HTTP.
fn connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// A site of its own origin: files at paths, on loopback.
pub struct Site {
    origin: String,
    task: JoinHandle<()>,
}

impl Site {
    /// Serves files by their paths, as `/` and `/app.js`; what they are follows from their names' ends.
    pub async fn serve(files: impl IntoIterator<Item = (&str, String)>) -> Self {
        let files = files.into_iter().map(|(path, content)| (path.to_owned(), content));
        let files: Arc<BTreeMap<String, String>> = Arc::new(files.collect());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let files = Arc::clone(&files);
                let service = service_fn(move |request| {
                    let answer = answer(&files, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                // A browser that goes away in the middle is no matter.
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { origin, task }
    }

    /// Returns its origin, which is also the address of its first page.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer<B>(files: &BTreeMap<String, String>, request: &Request<B>) -> Response<String> {
    let path = request.uri().path();
    let kind = match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => "text/html; charset=utf-8",
    };
    let (status, content) = match files.get(path) {
        Some(content) => (StatusCode::OK, content.clone()),
        None => (StatusCode::NOT_FOUND, String::new()),
    };
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, kind)
        .body(content)
        .unwrap()
}
