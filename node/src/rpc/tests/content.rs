//! Files over HTTP: what comes in, what is told, and what isn't.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::apps::{bearer, grant};
use super::client::{Reply, connect};
use super::fake::CONTENT_BYTES;
use super::{House, within};
use crate::rpc::limits::BLOB_CHUNK;
use crate::rpc::server::Deadlines;

/// A content as long as the node expects, of letters.
fn content() -> Vec<u8> {
    (0..CONTENT_BYTES).map(|at| b'a' + (at % 23) as u8).collect()
}

fn path() -> String {
    format!("/blob/{}", "05".repeat(32))
}

impl House {
    /// A house that has the content whole.
    async fn furnished() -> Self {
        let house = Self::open().await;
        *house.api.content.lock().unwrap() = content();
        house
    }

    fn written(&self) -> usize {
        self.api.content.lock().unwrap().len()
    }

    fn host(&self) -> String {
        format!("Host: 127.0.0.1:{}\r\n", self.port())
    }

    fn owner(&self) -> String {
        format!("{}Authorization: Bearer {}\r\n", self.host(), self.token)
    }

    async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        let length = match method {
            "GET" | "HEAD" => String::new(),
            _ => format!("Content-Length: {}\r\n", body.len()),
        };
        let head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}{length}\r\n");
        self.raw([head.as_bytes(), body].concat()).await
    }

    async fn patch(&self, offset: &str, body: &[u8]) -> Reply {
        let headers = format!("{}Upload-Offset: {offset}\r\n", self.owner());
        self.ask("PATCH", &path(), &headers, body).await
    }

    async fn range(&self, range: &str) -> Reply {
        let headers = format!("{}Range: {range}\r\n", self.owner());
        self.ask("GET", &path(), &headers, &[]).await
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_is_and_nowhere_else() {
    let (house, content) = (House::open().await, content());
    let (first, rest) = content.split_at(20 * BLOB_CHUNK);

    let begun = house.patch("0", first).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    assert_eq!(begun.json()["written_bytes"], first.len());
    for wrong in [0, first.len() - 1, first.len() + 1] {
        let refused = house.patch(&wrong.to_string(), rest).await;
        assert_eq!(refused.status, 409, "{wrong}");
        assert_eq!(refused.json()["field"], "offset_bytes");
    }
    for none in ["", "-1", "x", "18446744073709551616"] {
        let refused = house.patch(none, rest).await;
        assert_eq!(refused.status, 400, "{none}");
        assert_eq!(refused.json()["field"], "Upload-Offset");
    }
    let bare = house.ask("PATCH", &path(), &house.owner(), rest).await;
    assert_eq!(bare.status, 400);
    assert_eq!(house.written(), first.len());

    let done = house.patch(&first.len().to_string(), rest).await;
    assert_eq!(done.json()["blob"], "06".repeat(32));
    assert!(*house.api.content.lock().unwrap() == content);
}

#[tokio::test]
async fn a_body_longer_than_the_upload_is_refused() {
    let (house, mut long) = (House::open().await, content());
    long.push(b'!');

    let refused = house.patch("0", &long).await;

    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.json()["field"], "data");
    assert!(house.written() < long.len() - 1, "the last part isn't taken");

    // One without a length, and without an end.
    let house = House::open().await;
    let mut stream = connect(house.port()).await;
    let head = format!(
        "PATCH {} HTTP/1.1\r\n{}Upload-Offset: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        path(),
        house.owner()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let part = [
        format!("{BLOB_CHUNK:x}\r\n").as_bytes(),
        &vec![b'x'; BLOB_CHUNK],
        b"\r\n",
    ]
    .concat();
    within(async { while stream.write_all(&part).await.is_ok() {} }).await;
    assert!(house.written() as u64 <= CONTENT_BYTES);
}

#[tokio::test]
async fn f06_what_came_before_a_body_stalls_is_kept_in_whole_chunks() {
    let deadlines = Deadlines {
        body: Duration::from_millis(300),
        ..Deadlines::default()
    };
    let house = House::open_at("127.0.0.1:0", deadlines).await;
    let head = format!(
        "PATCH {} HTTP/1.1\r\nConnection: close\r\n{}Upload-Offset: 0\r\nContent-Length: {CONTENT_BYTES}\r\n\r\n",
        path(),
        house.owner()
    );
    let mut stream = connect(house.port()).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 2 * BLOB_CHUNK + 7]).await.unwrap();

    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains(&format!("\"written_bytes\":{}", 2 * BLOB_CHUNK)),
        "{answer}"
    );
    assert_eq!(house.written(), 2 * BLOB_CHUNK);
}

#[tokio::test]
async fn a_content_is_read_whole_or_by_a_range() {
    let (house, content) = (House::furnished().await, content());
    let whole = house.ask("GET", &path(), &house.owner(), &[]).await;
    assert_eq!(whole.status, 200);
    assert!(whole.body.as_bytes() == content);
    for header in [
        format!("content-length: {CONTENT_BYTES}"),
        "accept-ranges: bytes".to_owned(),
        "content-type: application/octet-stream".to_owned(),
        "x-content-type-options: nosniff".to_owned(),
        "content-disposition: attachment".to_owned(),
    ] {
        assert!(whole.head.contains(&header), "{header} in {}", whole.head);
    }

    let part = house.range("bytes=1000000-1999999").await;
    assert_eq!(part.status, 206);
    assert!(
        part.head
            .contains(&format!("content-range: bytes 1000000-1999999/{CONTENT_BYTES}"))
    );
    assert!(part.body.as_bytes() == &content[1_000_000..2_000_000]);
    let end = house.range("bytes=-7").await;
    assert_eq!((end.status, end.body.as_bytes()), (206, &content[content.len() - 7..]));
}

#[tokio::test]
async fn a_range_that_cannot_be_is_refused_and_one_that_makes_no_sense_is_passed_over() {
    let house = House::furnished().await;
    for beyond in [format!("bytes={CONTENT_BYTES}-"), "bytes=-0".to_owned()] {
        let refused = house.range(&beyond).await;
        assert_eq!((refused.status, refused.body.as_str()), (416, ""), "{beyond}");
        assert!(
            refused
                .head
                .contains(&format!("content-range: bytes */{CONTENT_BYTES}")),
            "{}",
            refused.head
        );
    }
    for odd in ["bytes=5-4", "bytes=0-1,3-4", "bytes=a-b", "lines=1-2", "bytes", ""] {
        let whole = house.range(odd).await;
        assert_eq!((whole.status, whole.body.len() as u64), (200, CONTENT_BYTES), "{odd}");
    }
}

#[tokio::test]
async fn head_tells_the_length_and_gives_no_content() {
    let house = House::furnished().await;
    let told = house.ask("HEAD", &path(), &house.owner(), &[]).await;
    assert_eq!((told.status, told.body.as_str()), (200, ""));
    assert!(told.head.contains(&format!("content-length: {CONTENT_BYTES}")));

    let headers = format!("{}Range: bytes=10-19\r\n", house.owner());
    let part = house.ask("HEAD", &path(), &headers, &[]).await;
    assert_eq!((part.status, part.body.as_str()), (206, ""));
    assert!(part.head.contains("content-length: 10"));
}

#[tokio::test]
async fn f53_f54_f55_files_are_behind_the_same_door_as_all_else() {
    let house = House::furnished().await;
    let (host, owner) = (house.host(), house.owner());
    let shut = [
        (401, host.clone()),
        (401, format!("{host}Authorization: Bearer {}\r\n", "0".repeat(64))),
        (403, format!("{owner}Origin: https://evil.example\r\n")),
        (403, format!("{owner}Origin: null\r\n")),
        (403, owner.replace("127.0.0.1", "evil.example")),
        (403, owner.replace(&host, "")),
    ];
    for (status, headers) in &shut {
        for method in ["GET", "HEAD", "PATCH"] {
            let headers = format!("{headers}Upload-Offset: {CONTENT_BYTES}\r\n");
            let reply = house.ask(method, &path(), &headers, &[]).await;
            assert_eq!(reply.status, *status, "{method} {headers}");
            assert!(reply.body.len() < 1000, "{method} {headers}");
        }
    }
}

#[tokio::test]
async fn f58_an_app_reads_or_writes_files_only_with_that_scope() {
    let house = House::furnished().await;
    let headers = format!("{}{}Upload-Offset: {CONTENT_BYTES}\r\n", house.host(), bearer());
    for (scope, read, written) in [
        ("chat:read", 403, 403),
        ("blob:read", 200, 403),
        ("blob:write", 403, 200),
        ("*", 200, 200),
    ] {
        house.admit(grant(&[scope]));
        let got = house.ask("GET", &path(), &headers, &[]).await;
        let head = house.ask("HEAD", &path(), &headers, &[]).await;
        let put = house.ask("PATCH", &path(), &headers, &[]).await;
        assert_eq!((got.status, head.status, put.status), (read, read, written), "{scope}");
        for (reply, missing) in [(got, "blob:read"), (put, "blob:write")] {
            if reply.status == 403 {
                let told = reply.json();
                assert_eq!(
                    (&told["code"], &told["scope"]),
                    (&json!("scope_missing"), &json!(missing))
                );
            }
        }
    }
}

#[tokio::test]
async fn other_verbs_and_paths_of_files_are_refused() {
    let house = House::furnished().await;
    let typed = format!("{}Content-Type: application/json\r\n", house.owner());
    for verb in ["POST", "PUT", "DELETE"] {
        assert_eq!(house.ask(verb, &path(), &typed, b"{}").await.status, 405, "{verb}");
    }
    for other in ["/blob/", "/blob/05", "/blob/../cookie", &format!("{}/x", path())] {
        assert_eq!(
            house.ask("GET", other, &house.owner(), &[]).await.status,
            404,
            "{other}"
        );
    }
}
