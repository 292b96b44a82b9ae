//! Files of people: sealed part by part, over restarts, attached once, fetched from all who have them, and gone with their message.

use super::*;
use crate::client::history::{blob, read_blob};
use crate::client::{BlobState, FileContent, FilesContent, ReadError};
use crate::custody::{ChunkRange, GetBlob};
use crate::keys::BlobId;
use crate::message::Media;

/// More chunks than four answers hold.
const LENGTH: usize = 40 * limits::BLOB_CHUNK_BYTES + 17;

fn content() -> Vec<u8> {
    (0..LENGTH).map(|at| (at % 251) as u8).collect()
}

impl World {
    fn begin_file(&mut self, length: usize) -> [u8; 32] {
        let now = self.now(ALICE);
        let begun = self.nodes[ALICE].client.file_begin(now, length as u64, false).unwrap();
        self.input(ALICE, Input::Tick);
        match begun {
            Reply::Written { upload, blob: None, .. } => upload,
            other => panic!("{other:?}"),
        }
    }

    fn write_file(
        &mut self,
        upload: [u8; 32],
        offset: usize,
        bytes: &[u8],
    ) -> Result<(u64, Option<BlobId>), CommandError> {
        let now = self.now(ALICE);
        let node = &mut self.nodes[ALICE];
        let written = node.client.file_write(now, upload, offset as u64, bytes, &node.disk);
        self.input(ALICE, Input::Tick);
        match written? {
            Reply::Written {
                written_bytes, blob, ..
            } => Ok((written_bytes, blob)),
            other => panic!("{other:?}"),
        }
    }

    /// Seals the content in one go.
    fn seal_file(&mut self) -> BlobId {
        let upload = self.begin_file(LENGTH);
        self.write_file(upload, 0, &content()).unwrap().1.unwrap()
    }

    fn attach(&mut self, chat: ChatId, blob: BlobId, name: &str) -> Result<MessageId, CommandError> {
        let item = FileContent {
            blob,
            name: name.to_owned(),
            media_type: "text/plain".to_owned(),
            caption: String::new(),
            media: Media::File,
        };
        let content = Content::Files(FilesContent {
            items: vec![item],
            text: String::new(),
        });
        let now = self.now(ALICE);
        let node = &mut self.nodes[ALICE];
        let sent = node.client.send_content(now, chat, content, None, &node.disk);
        self.input(ALICE, Input::Tick);
        match sent? {
            Reply::Sent(message) => Ok(message),
            other => panic!("{other:?}"),
        }
    }

    fn state(&self, place: usize, id: [u8; 32]) -> Option<BlobState> {
        blob(&self.nodes[place].disk, &id).unwrap().map(|view| view.state)
    }

    fn read(&self, place: usize, id: &BlobId) -> Result<Vec<u8>, ReadError> {
        read_blob(&self.nodes[place].disk, id, 0, LENGTH)
    }
}

#[test]
fn a_file_is_sealed_part_by_part_over_a_restart() {
    let mut w = World::new();
    let upload = w.begin_file(LENGTH);
    let (first, rest) = content().split_at(7 * limits::BLOB_CHUNK_BYTES).to_owned_pair();
    assert_eq!(w.write_file(upload, 0, &first).unwrap(), (first.len() as u64, None));
    w.restart(ALICE);
    assert_eq!(w.state(ALICE, upload), Some(BlobState::Sealing));
    let (written, blob) = w.write_file(upload, first.len(), &rest).unwrap();
    assert_eq!(written, LENGTH as u64);
    let blob = blob.unwrap();
    assert_eq!(w.state(ALICE, blob.0), Some(BlobState::Sealed));
    assert_eq!(
        w.state(ALICE, upload),
        Some(BlobState::Sealed),
        "whoever missed the answer finds it"
    );
    assert_eq!(w.read(ALICE, &blob).unwrap(), content());
    assert_eq!(
        w.write_file(upload, 0, &[]).unwrap(),
        (LENGTH as u64, Some(blob)),
        "asked again"
    );
}

trait Owned {
    fn to_owned_pair(self) -> (Vec<u8>, Vec<u8>);
}

impl Owned for (&[u8], &[u8]) {
    fn to_owned_pair(self) -> (Vec<u8>, Vec<u8>) {
        (self.0.to_vec(), self.1.to_vec())
    }
}

#[test]
fn f49_a_file_that_isnt_what_was_announced_is_refused() {
    let mut w = World::new();
    let upload = w.begin_file(100_000);
    let invalid =
        |error: CommandError, wanted: &str| matches!(error, CommandError::Invalid { field, .. } if field == wanted);
    assert!(invalid(w.write_file(upload, 5, &[1; 9]).unwrap_err(), "offset_bytes"));
    assert!(
        invalid(w.write_file(upload, 0, &[1; 9]).unwrap_err(), "data"),
        "no whole chunk"
    );
    assert!(
        invalid(w.write_file(upload, 0, &[1; 100_001]).unwrap_err(), "data"),
        "too much"
    );
    assert!(w.write_file(upload, 0, &[1; 100_000]).unwrap().1.is_some());
    let now = w.now(ALICE);
    let client = &mut w.nodes[ALICE].client;
    let too_large = client.file_begin(now, limits::FILE_BYTES + 1, false).unwrap_err();
    assert!(matches!(
        too_large,
        CommandError::TooLarge {
            field: "length_bytes",
            ..
        }
    ));
    client.set_free_bytes(Some(1 << 20));
    assert!(matches!(
        client.file_begin(now, 1 << 20, false),
        Err(CommandError::DiskFull)
    ));
}

#[test]
fn a_file_is_fetched_from_all_who_have_it_at_once() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let blob = w.seal_file();
    let message = w.attach(chat, blob, "a.txt").unwrap();
    w.pass(10_000);
    assert_eq!(w.state(ALICE, blob.0), Some(BlobState::Sent));
    assert_eq!(
        w.state(BOB, blob.0),
        Some(BlobState::Fetched),
        "it is small, and came by itself"
    );
    assert_eq!(w.read(BOB, &blob).unwrap(), content());

    w.connect(ALICE, BOB);
    w.nodes[BOB].client.blob_forget(&blob);
    w.input(BOB, Input::Tick);
    assert_eq!(w.state(BOB, blob.0), None);
    w.nodes[BOB].sent.clear();
    let command = Command::FetchFiles { chat, message };
    w.input(BOB, Input::Command { token: 7, command });

    let mut asked: BTreeMap<TransportKey, u32> = BTreeMap::new();
    for (to, _, frame) in &w.nodes[BOB].sent {
        if let Ok(ClientFrame::GetBlob(get)) = ClientFrame::decode(frame) {
            *asked.entry(*to).or_default() += get.chunks.iter().map(|range| range.count).sum::<u32>();
        }
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
    let all = content().len().div_ceil(limits::BLOB_CHUNK_BYTES) as u32;
    assert!(
        asked.values().sum::<u32>() <= all + 4,
        "none is asked for twice: {asked:?}"
    );
    assert_eq!(w.read(BOB, &blob).unwrap(), content());
}

#[test]
fn a_file_belongs_to_one_message_and_goes_with_it() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let blob = w.seal_file();
    let message = w.attach(chat, blob, "a.txt").unwrap();
    assert!(matches!(
        w.attach(chat, blob, "a.txt"),
        Err(CommandError::Invalid { field: "body.blob", .. })
    ));
    assert!(matches!(
        w.attach(chat, BlobId([9; 32]), "a"),
        Err(CommandError::NotFound { field: "body.blob" })
    ));
    let other = w.seal_file();
    assert!(matches!(
        w.attach(chat, other, "../a"),
        Err(CommandError::Invalid { field: "body", .. })
    ));
    assert!(w.nodes[ALICE].client.file_cancel(blob.0).is_err(), "a message names it");
    w.pass(10_000);
    assert_eq!(w.state(BOB, blob.0), Some(BlobState::Fetched));

    let now = w.now(ALICE);
    let node = &mut w.nodes[ALICE];
    node.client
        .send_content(now, chat, Content::Delete { message }, None, &node.disk)
        .unwrap();
    w.input(ALICE, Input::Tick);
    w.pass(10_000);

    for place in [ALICE, BOB] {
        assert_eq!(w.state(place, blob.0), None);
    }
    assert_eq!(w.nodes[BOB].disk.count(Tree::BlobChunks), 0);
    w.pass(2 * 24 * 3_600_000);
    assert_eq!(
        w.nodes[ALICE].disk.count(Tree::BlobChunks),
        0,
        "what no message names goes in a day"
    );
    assert_eq!(w.nodes[ALICE].disk.count(Tree::BlobLeaves), 0);
}

#[test]
fn f30_chunks_that_are_lost_where_they_lie_are_fetched_again() {
    let mut w = World::relayed();
    let chat = w.befriend();
    let blob = w.seal_file();
    w.attach(chat, blob, "a.txt").unwrap();
    w.pass(10_000);
    assert_eq!(w.state(BOB, blob.0), Some(BlobState::Fetched));
    let lose = |w: &mut World, index: u32| {
        let key = [[b'g'].as_slice(), &blob.0, &index.to_be_bytes()].concat();
        let mut lost = Batch::default();
        lost.delete(Tree::BlobChunks, key);
        w.nodes[BOB].disk.apply(&lost);
    };
    lose(&mut w, 7);
    assert!(matches!(w.read(BOB, &blob), Err(ReadError::Damaged)));

    let mend = |offset_bytes| Command::MendFile {
        blob,
        offset_bytes,
        length_bytes: limits::BLOB_CHUNK_BYTES as u64,
    };
    let command = mend(0);
    w.input(BOB, Input::Command { token: 7, command });
    assert_eq!(w.state(BOB, blob.0), Some(BlobState::Fetched), "that part is well");
    let command = mend(7 * limits::BLOB_CHUNK_BYTES as u64);
    w.input(BOB, Input::Command { token: 8, command });
    w.pass(10_000);
    assert_eq!(w.read(BOB, &blob).unwrap(), content());

    // Or when somebody asks for it.
    lose(&mut w, 3);
    w.connect(ALICE, BOB);
    let get = GetBlob {
        request: 1,
        topic: w.nodes[BOB].client.chats[&chat].row.topic.public(),
        blob,
        chunks: ChunkRange::of(3..5),
    };
    let frame = ClientFrame::GetBlob(get).encode();
    let peer = w.key(ALICE);
    w.input(
        BOB,
        Input::Frame {
            peer,
            side: Side::Server,
            bytes: frame,
        },
    );
    w.input(BOB, Input::Tick);
    w.pass(10_000);
    assert_eq!(w.read(BOB, &blob).unwrap(), content());
}
