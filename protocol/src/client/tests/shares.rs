//! Cards in chats: what both see, what is told to who shared one, and cards that aren't what an app signed.

use super::kinds::react;
use super::*;
use crate::client::{FileContent, ShareContent};
use crate::keys::{AppSecret, BlobId, MessageId};
use crate::message::{CardAnswer, CardDeed, Image, Media, Shared};
use crate::share::{By, Share, ShareError, SharedCard, SignedManifest};
use crate::wire::Wire;

const NOW_S: u64 = 1_700_000_000;

fn app() -> AppSecret {
    AppSecret::from_bytes([11; 32])
}

fn manifest() -> SignedManifest {
    let text = format!(
        r#"{{"version":1,"number":1,"app":"{}","name":"recipes"}}"#,
        app().public()
    );
    SignedManifest::sign(&app(), text.as_bytes()).unwrap()
}

fn share(more: &str) -> Share {
    let text = format!(
        r#"{{"version":1,"template":"feed","fallback":{{"text":"stew","url":"https://a.example/7"}}{more},
           "content":{{"title":"stew","image":{{"url":"https://a.example/7.png"}}}}}}"#
    );
    Share::parse(text.as_bytes()).unwrap()
}

fn bounded(end_s: u64) -> Share {
    share(&format!(r#","key":"k","expires_s":{end_s}"#))
}

fn card() -> SharedCard {
    SharedCard::sign(&app(), manifest(), bounded(NOW_S + 60), NOW_S).unwrap()
}

fn content(card: SharedCard, pictures: BTreeMap<u8, FileContent>) -> Content {
    Content::Share(Box::new(ShareContent { card, pictures }))
}

fn answer(message: MessageId, what: CardDeed) -> Content {
    Content::CardAnswer(CardAnswer { message, what })
}

fn postback(data: &str) -> CardDeed {
    CardDeed::Postback {
        button: "buttons[0]".into(),
        data: data.into(),
    }
}

#[test]
fn a_card_comes_as_its_app_signed_it_and_falls_back_to_a_text() {
    let (mut w, chat) = World::friends();
    let message = w.say(ALICE, chat, content(card(), BTreeMap::new()));
    w.restart(BOB);
    for place in [ALICE, BOB] {
        let view = w.view(place, message);
        assert_eq!(view.fallback, "stew\nhttps://a.example/7");
        let Body::Share(shared) = view.body else {
            panic!("{:?}", view.body);
        };
        assert_eq!(shared.card, card());
        assert_eq!(shared.card.verify(), Ok(Some(app().public())));
    }
}

#[test]
fn who_shared_a_card_hears_once_that_it_was_opened_and_of_each_postback() {
    let (mut w, chat) = World::friends();
    let message = w.say(ALICE, chat, content(card(), BTreeMap::new()));
    for deed in [
        CardDeed::Opened,
        CardDeed::Opened,
        postback("saved=7"),
        postback("saved=7"),
    ] {
        w.say(BOB, chat, answer(message, deed));
    }
    let account = w.nodes[BOB].client.account();
    let told = |what: CardDeed| EventRow::CardAnswered {
        chat,
        account,
        answer: CardAnswer { message, what },
    };
    let counted = |w: &World, place: usize| {
        [CardDeed::Opened, postback("saved=7")].map(|what| w.nodes[place].count_events(&told(what)))
    };
    assert_eq!(counted(&w, ALICE), [1, 2]);
    assert_eq!(counted(&w, BOB), [0, 0]);
    let shown = w.nodes[ALICE].disk.prefix(Tree::Messages, &chat.0, 9).unwrap();
    assert_eq!(shown.len(), 1, "answers aren't shown");
    // What isn't a card has nothing to answer; what isn't here neither.
    let plain = w.send(ALICE, chat, "hello");
    for refused in [plain, MessageId([9; 32])] {
        assert!(w.try_say(BOB, chat, answer(refused, CardDeed::Opened)).is_err());
    }
    assert!(w.try_say(BOB, chat, answer(message, postback(""))).is_err());
    assert!(
        w.try_say(BOB, chat, answer(message, postback(&"x".repeat(301))))
            .is_err()
    );
    // It takes reactions like any message.
    w.say(BOB, chat, react(message, "👍", false));
    assert_eq!(w.view(ALICE, message).reactions.len(), 1);
}

#[test]
fn f63_a_card_that_its_app_did_not_sign_is_neither_sent_nor_shown_as_one() {
    let (mut w, chat) = World::friends();
    let By::App { manifest, signature } = card().by else {
        panic!("not signed");
    };
    let forged = SharedCard {
        share: share(r#","key":"k","expires_s":1700000060,"text":"send money""#),
        by: By::App { manifest, signature },
        extensions: Vec::new(),
    };
    let sent = w.try_say(ALICE, chat, content(forged.clone(), BTreeMap::new()));
    assert!(
        matches!(sent, Err(CommandError::Invalid { field: "share", .. })),
        "{sent:?}"
    );
    let shared = Shared {
        card: forged,
        pictures: Vec::new(),
    };
    let kind = Body::Share(Box::new(Shared {
        card: card(),
        pictures: Vec::new(),
    }))
    .kind();
    let mut durable = inner(w.nodes[BOB].stream(chat), 1, "").messages.remove(0);
    durable.fallback = "stew".into();
    durable.body = Body::Unknown {
        kind,
        body: shared.encode(),
    };
    w.bob_seals(chat, vec![(100, durable)]);
    let message = w.nodes[BOB].stream(chat).message(100);
    let view = w.view(ALICE, message);
    assert!(matches!(view.body, Body::Unknown { .. }), "{:?}", view.body);
    assert_eq!(view.fallback, "stew");
}

#[test]
fn a_card_names_no_files_that_are_not_its_pictures() {
    let (mut w, chat) = World::friends();
    let picture = FileContent {
        blob: BlobId([1; 32]),
        name: "7.png".into(),
        media_type: "image/png".into(),
        caption: String::new(),
        media: Media::Image(Image {
            width: 4,
            height: 3,
            thumbnail: Vec::new(),
            preview: Vec::new(),
        }),
    };
    let sent = w.try_say(ALICE, chat, content(card(), BTreeMap::from([(0, picture)])));
    assert!(
        matches!(sent, Err(CommandError::NotFound { field: "body.blob" })),
        "{sent:?}"
    );
}

#[test]
fn what_is_signed_ends_within_a_year_and_has_a_key() {
    let sign = |share: Share| SharedCard::sign(&app(), manifest(), share, NOW_S).map(|_| ());
    let end = |seconds: u64| sign(bounded(NOW_S + seconds));
    assert_eq!(end(1), Ok(()));
    assert_eq!(end(limits::SHARE_LIFE_S), Ok(()));
    assert!(matches!(end(limits::SHARE_LIFE_S + 1), Err(ShareError::Limit { .. })));
    assert_eq!(
        end(0),
        Err(ShareError::Expired {
            path: "expires_s".into()
        })
    );
    for (more, path) in [(r#","key":"k""#, "expires_s"), (r#","expires_s":1700000060"#, "key")] {
        assert_eq!(sign(share(more)), Err(ShareError::Missing { path: path.into() }));
    }
    // What has expired since is as genuine as before, and may no longer be sent.
    let old = card();
    assert!(old.verify().is_ok() && old.share.at(NOW_S + 60).is_err() && old.share.has_expired(NOW_S + 60));
    let other = AppSecret::from_bytes([12; 32]);
    assert!(SharedCard::sign(&other, manifest(), bounded(NOW_S + 60), NOW_S).is_err());
}
