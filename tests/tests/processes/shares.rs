//! Apps and their shares by the command line alone, without a node.

use std::path::Path;
use std::process::Output;

use madang_tests::tools::repository;
use madang_tests::{DEADLINE, World, run_with};
use serde_json::Value;

use crate::MADANG;

async fn typed(args: &[&str]) -> Output {
    run_with(Path::new(MADANG), args, &[], DEADLINE).await
}

async fn said(args: &[&str]) -> String {
    let output = typed(args).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

async fn refused(args: &[&str]) -> String {
    let output = typed(args).await;
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_made_and_what_it_signs_is_checked_by_whoever_has_it() {
    let world = World::new(MADANG);
    let place = |name: &str| world.dir().join(name).to_str().unwrap().to_owned();
    let (app, share, signed, link) = (
        place("app"),
        place("share.json"),
        place("signed.json"),
        place("link.txt"),
    );
    let made: Value =
        serde_json::from_str(&said(&["app", "new", &app, "--name", "민지네 레시피", "--json"]).await).unwrap();
    let key = made["app"].as_str().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(made["key"].as_str().unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A key is never overwritten.
    assert!(
        refused(&["app", "new", &app, "--name", "other"])
            .await
            .contains("app.key is there already")
    );

    let template = repository("protocol/tests/kakao/feed.json");
    let converted = said(&["share", "from-kakao", template.to_str().unwrap()]).await;
    std::fs::write(&share, &converted).unwrap();
    assert!(said(&["share", "validate", &share]).await.contains("feed"));
    let printed = said(&["share", "sign", &share, "--app", &app, "--expires-in-s", "3600"]).await;
    std::fs::write(&signed, &printed).unwrap();
    std::fs::write(&link, said(&["share", "sign", &share, "--app", &app, "--link"]).await).unwrap();
    for file in [&signed, &link] {
        let verified: Value = serde_json::from_str(&said(&["share", "verify", file, "--json"]).await).unwrap();
        assert_eq!(verified["app"], key);
        assert_eq!(
            (&verified["name"], &verified["expired"]),
            (&"민지네 레시피".into(), &false.into())
        );
        let shown = said(&["share", "preview", file, "--lang", "ko"]).await;
        let first = format!("서명한 앱(스스로 밝힌 이름): «민지네 레시피» ({}…)", &key[..16]);
        assert_eq!(shown.lines().next(), Some(first.as_str()));
        assert!(shown.contains("  [2: 앱으로 이동]"), "{shown}");
    }
    let page = said(&["share", "preview", &signed, "--html"]).await;
    assert!(
        page.starts_with("<article class=\"card\"><p class=\"signer\">"),
        "{page}"
    );

    std::fs::write(&signed, printed.replacen("15,000원", "1원", 1)).unwrap();
    assert!(
        refused(&["share", "verify", &signed])
            .await
            .contains("the signature doesn't hold")
    );
    std::fs::write(
        &share,
        converted.replacen("https://dessert.example/today", "javascript:alert(1)", 1),
    )
    .unwrap();
    let complaint = refused(&["share", "validate", &share]).await;
    assert!(
        complaint.contains("buttons[0].link.url: must begin with https://"),
        "{complaint}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_signs_with_the_protocol_crate_alone_what_the_command_line_verifies() {
    let world = World::new(MADANG);
    let (key, link) = (world.dir().join("recipe.key"), world.dir().join("link.txt"));
    let example = Path::new(env!("CARGO_BIN_EXE_offline-share-under-test"));
    let mut apps = Vec::new();
    for _ in 0..2 {
        let output = run_with(example, &[&key], &[], DEADLINE).await;
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("  [1: Cook it] opens the app"), "{said}");
        assert!(said.contains("recipes://open?recipe=7"), "{said}");
        std::fs::write(&link, said.lines().next().unwrap()).unwrap();
        let verified = said_json(&["share", "verify", link.to_str().unwrap(), "--json"]).await;
        assert!(said.ends_with(&format!("Signed by {}\n", verified["app"].as_str().unwrap())));
        apps.push(verified["app"].clone());
    }
    assert_eq!(apps[0], apps[1], "the key is kept");
}

async fn said_json(args: &[&str]) -> Value {
    serde_json::from_str(&said(args).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_vouches_only_for_an_app_that_names_it() {
    let world = World::new(MADANG);
    let app = world.dir().join("app");
    let typed = app.to_str().unwrap();
    said(&["app", "new", typed, "--name", "shop"]).await;
    let complaint = refused(&["app", "vouch", typed, "shop.example"]).await;
    assert!(complaint.contains("doesn't name shop.example"), "{complaint}");
    let manifest = std::fs::read_to_string(app.join("manifest.json")).unwrap();
    std::fs::write(
        app.join("manifest.json"),
        manifest.replacen("\"domains\": []", "\"domains\": [\"shop.example\"]", 1),
    )
    .unwrap();
    let file: Value = serde_json::from_str(&said(&["app", "vouch", typed, "shop.example"]).await).unwrap();
    assert_eq!(file["madang"], 1);
    assert_eq!(file["apps"].as_array().unwrap().len(), 1);
}
