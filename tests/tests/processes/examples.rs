//! The example programs, which know nothing but the JSON-RPC. The page is in `browser.rs`.

use std::ffi::OsString;
use std::path::Path;

use madang_tests::tools::{lacks, lacks_packages, lacks_typescript, repository};
use madang_tests::{Person, Process, World, join};
use serde_json::json;

use crate::MADANG;
use crate::handlers::new_app;
use crate::kinds::by_hand;

/// A person's echo bot; it keeps its token in the world's directory.
fn bot(world: &World, person: &Person) -> Process {
    let script = repository("examples/echo-bot/echo_bot.py");
    let mut args: Vec<OsString> = vec![
        script.into(),
        "--data".into(),
        person.data().into(),
        "--approve-all".into(),
    ];
    args.extend(["--token-file".into(), world.dir().join("echo.token").into()]);
    let client = repository("examples/clients/python");
    let envs = [("PYTHONPATH", client.to_str().unwrap())];
    Process::start_at_once(Path::new("python3"), &args, &envs, &world.dir().join("bot"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_echo_bot_answers_each_text_once_also_over_kills() {
    if lacks("the echo bot", "python3") {
        return;
    }
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut node = world.person_up("robot", &[]).await;
    let mut echo = bot(&world, &node);
    echo.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&node, &["app", "approve", "Echo bot"]).await;
    echo.says(|line| line == "ready").await;
    let invite = node.ask("contact.invite", json!({})).await["invite"].clone();
    let chat = alice.ask("contact.accept", json!({ "invite": invite })).await["chat"].clone();
    let chat = chat.as_str().unwrap().to_owned();
    // The bot approves.
    alice.is_active(&chat).await;

    let mut sent = Vec::new();
    for n in 0..30 {
        sent.push(format!("text {n}"));
        alice.send(&chat, &sent[n]).await;
        match n {
            5 | 11 | 17 => {
                echo.kill().await;
                echo = bot(&world, &node);
            }
            8 | 20 => {
                node.kill().await;
                node.up().await;
            }
            _ => {}
        }
    }
    alice
        .until("all texts are answered", async |alice| {
            let said = alice.said(&chat).await;
            (said.iter().filter(|said| !said.own).count() >= sent.len()).then_some(())
        })
        .await;
    // One more round trip: whatever would be answered twice has been answered by then.
    sent.push("last".to_owned());
    alice.send(&chat, "last").await;
    alice
        .event("the last answer arrives", |kind, data| {
            kind == "message.received" && data["body"]["text"] == "last"
        })
        .await;
    let said = alice.said(&chat).await;
    let mut answers: Vec<&str> = said
        .iter()
        .filter(|said| !said.own)
        .map(|said| said.text.as_str())
        .collect();
    // The bot answers as texts arrive, which over a kill need not be in order.
    answers.sort_unstable();
    sent.sort_unstable();
    assert_eq!(answers, sent);
    echo.kill().await;
}

/// A person's notifier; it keeps its token in the world's directory.
fn notifier(world: &World, person: &Person) -> Process {
    let script = repository("examples/notifier/dist/notifier.js");
    let mut args: Vec<OsString> = vec![script.into(), "--data".into(), person.data().into()];
    args.extend(["--token-file".into(), world.dir().join("notifier.token").into()]);
    Process::start_at_once(Path::new("node"), &args, &[], &world.dir().join("notifier"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notifier_tells_of_what_came_while_it_was_away_and_of_nothing_before_it() {
    let folder = repository("examples/notifier");
    if lacks("the notifier", "node")
        || lacks_packages("the notifier", &folder)
        || lacks_typescript("the notifier", &folder).await
    {
        return;
    }
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let old = alice.send(&chat, "old news").await;
    bob.receives(&old).await;

    let first = notifier(&world, &bob);
    first.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&bob, &["app", "approve", "Notifier"]).await;
    first.says(|line| line == "ready").await;
    alice.send(&chat, "one").await;
    first.says(|line| line == "alice: one").await;
    assert!(first.lines().iter().all(|line| !line.contains("old news")));
    first.kill().await;

    // Characters that steer a terminal are gone.
    let missed = alice.send(&chat, "two\u{1b}[31m \u{202e}back").await;
    bob.receives(&missed).await;
    bob.kill().await;
    bob.up().await;
    let second = notifier(&world, &bob);
    second.says(|line| line == "alice: two [31m back").await;
    alice.send(&chat, "three").await;
    second.says(|line| line == "alice: three").await;
    second.kill().await;
}

/// A person's bridge; it keeps its token in the world's directory.
fn bridge(world: &World, person: &Person, chat: &str, from: &Path) -> Process {
    let program = Path::new(env!("CARGO_BIN_EXE_bridge-under-test"));
    let mut args: Vec<OsString> = vec!["--data".into(), person.data().into(), "--chat".into(), chat.into()];
    args.extend(["--from".into(), from.into()]);
    args.extend(["--token-file".into(), world.dir().join("bridge.token").into()]);
    Process::start_at_once(program, &args, &[], &world.dir().join("bridge"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bridge_posts_each_new_file_once_also_over_kills() {
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let from = world.dir().join("scans");
    std::fs::create_dir(&from).unwrap();
    let mut running = bridge(&world, &bob, &chat, &from);
    running.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&bob, &["app", "approve", "Bridge"]).await;
    running.says(|line| line == "ready").await;

    let mut names = Vec::new();
    for n in 0..8_usize {
        let name = format!("scan {n}.txt");
        std::fs::write(from.join(&name), format!("page {n}").repeat(n * 40_000)).unwrap();
        match n {
            2 | 5 => {
                running.kill().await;
                running = bridge(&world, &bob, &chat, &from);
            }
            3 => {
                bob.kill().await;
                bob.up().await;
            }
            _ => {}
        }
        names.push(name);
    }
    for name in &names {
        let posted = from.join("posted").join(name);
        bob.until("the file is posted", async |_| posted.exists().then_some(()))
            .await;
    }
    // As if it had been killed between sending and moving: the node knows the message.
    running.kill().await;
    std::fs::rename(from.join("posted").join(&names[7]), from.join(&names[7])).unwrap();
    running = bridge(&world, &bob, &chat, &from);
    running.says(|line| line == "posted scan 7.txt").await;
    running.kill().await;

    alice
        .until("all files are there", async |alice| {
            let messages = alice.rpc().messages(&chat).await;
            let mut found: Vec<&str> = messages
                .iter()
                .filter_map(|message| message["body"]["file"]["name"].as_str())
                .collect();
            found.sort_unstable();
            (found == names).then_some(())
        })
        .await;
    // The token is for that chat and for writing.
    let token = std::fs::read_to_string(world.dir().join("bridge.token")).unwrap();
    let app = bob.rpc().of_app(Some(token.trim()));
    for (method, params) in [
        ("chat.list", json!({})),
        ("blob.get", json!({ "blob": "00".repeat(32) })),
    ] {
        assert_eq!(
            app.call(method, params).await.unwrap_err().code(),
            "scope_missing",
            "{method}"
        );
    }
}

/// A brand's publisher; it keeps its token and notes in the world's directory.
fn publisher(world: &World, person: &Person, channel: &str, feed: &Path) -> Process {
    let script = repository("examples/publisher/publisher.py");
    let mut args: Vec<OsString> = vec![script.into(), "--data".into(), person.data().into()];
    args.extend(["--channel".into(), channel.into(), "--feed".into(), feed.into()]);
    args.extend(["--token-file".into(), world.dir().join("publisher.token").into()]);
    args.extend(["--posted".into(), world.dir().join("publisher.posted").into()]);
    args.extend(["--every".into(), "0.1".into()]);
    let client = repository("examples/clients/python");
    let envs = [("PYTHONPATH", client.to_str().unwrap())];
    Process::start_at_once(Path::new("python3"), &args, &envs, &world.dir().join("publisher"))
}

/// Writes a feed in one step.
fn feed(file: &Path, items: &str) {
    let next = file.with_extension("next");
    std::fs::write(&next, format!("<rss version=\"2.0\"><channel>{items}</channel></rss>")).unwrap();
    std::fs::rename(next, file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publisher_posts_each_item_once_also_over_kills_and_plans_those_of_later() {
    if lacks("the publisher", "python3") {
        return;
    }
    let world = World::new(MADANG);
    let relay = world.relay().await;
    let mut brand = world.person_up("brand", relay.addresses()).await;
    let made = brand
        .ask(
            "channel.create",
            json!({ "name": "Bakery", "categories": [{ "id": "bread", "name": "Bread" }] }),
        )
        .await;
    let channel = made["channel"].as_str().unwrap().to_owned();
    let file = world.dir().join("news.xml");
    let mut items =
        "<item><guid>0</guid><title>first</title><category>bread</category><category>none</category></item>".to_owned();
    feed(&file, &items);
    let mut running = publisher(&world, &brand, &channel, &file);
    running.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&brand, &["app", "approve", "Publisher"]).await;
    running.says(|line| line == "posted first").await;
    for n in 1..6 {
        items +=
            &format!("<item><guid>{n}</guid><title>news {n}</title><link>https://bakery.example/{n}</link></item>");
        feed(&file, &items);
        match n {
            2 | 4 => {
                running.kill().await;
                running = publisher(&world, &brand, &channel, &file);
            }
            3 => {
                brand.kill().await;
                brand.up().await;
            }
            _ => {}
        }
    }
    items += "<item><guid>later</guid><title>tomorrow</title><pubDate>Fri, 01 Jan 2100 06:00:00 +0900</pubDate></item>";
    feed(&file, &items);
    running.says(|line| line == "planned tomorrow").await;
    running.kill().await;
    // As if it had been killed before it noted the last one: the node knows it.
    let noted = world.dir().join("publisher.posted");
    std::fs::write(&noted, "\"0\"\n").unwrap();
    running = publisher(&world, &brand, &channel, &file);
    running.says(|line| line == "planned tomorrow").await;
    running.kill().await;

    let page = brand.ask("channel.posts", json!({ "channel": channel })).await;
    let posts = page["items"].as_array().unwrap();
    let mut titles: Vec<&str> = posts
        .iter()
        .map(|post| {
            post["body"]["card"]["title"]
                .as_str()
                .or(post["body"]["text"].as_str())
                .unwrap()
        })
        .collect();
    titles.sort_unstable();
    assert_eq!(titles, ["first", "news 1", "news 2", "news 3", "news 4", "news 5"]);
    let categories: Vec<_> = posts
        .iter()
        .filter(|post| post["categories"] == json!(["bread"]))
        .collect();
    assert_eq!(categories.len(), 1);
    let plans = brand.ask("channel.plans", json!({ "channel": channel })).await;
    assert_eq!(plans["items"].as_array().unwrap().len(), 1, "{plans}");
}

/// The recipe app; it keeps its token in the world's directory.
fn recipes(world: &World, person: &Person, args: &[&str]) -> Process {
    let script = repository("examples/recipes/dist/recipes.js");
    let mut all: Vec<OsString> = vec![script.into()];
    all.extend(args.iter().map(OsString::from));
    all.extend(["--data".into(), person.data().into()]);
    all.extend(["--token-file".into(), world.dir().join("recipes.token").into()]);
    Process::start_at_once(Path::new("node"), &all, &[], &world.dir().join("recipes"))
}

/// Its receiver.
fn kitchen(world: &World, person: &Person, app: &str) -> Process {
    let script = repository("examples/recipes/kitchen.py");
    let mut args: Vec<OsString> = vec![script.into(), "--data".into(), person.data().into()];
    args.extend(["--app".into(), app.into()]);
    args.extend(["--token-file".into(), world.dir().join("kitchen.token").into()]);
    let client = repository("examples/clients/python");
    let envs = [("PYTHONPATH", client.to_str().unwrap())];
    Process::start_at_once(Path::new("python3"), &args, &envs, &world.dir().join("kitchen"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_shared_in_typescript_opens_in_python_and_its_answer_comes_back() {
    let folder = repository("examples/recipes");
    if lacks("the recipes", "node")
        || lacks("the recipes", "python3")
        || lacks_packages("the recipes", &folder)
        || lacks_typescript("the recipes", &folder).await
    {
        return;
    }
    let world = World::new(MADANG);
    let mut alice = world.person_up("alice", &[]).await;
    let mut bob = world.person_up("bob", &[]).await;
    let chat = join(&mut alice, &mut bob).await;
    let (app, key) = new_app(&world, "Recipes").await;

    // Shared, once the user has chosen where to.
    let sharer = recipes(&world, &alice, &["share", "--app", app.to_str().unwrap()]);
    sharer.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&alice, &["app", "approve", "Recipes"]).await;
    sharer.says(|line| line.starts_with("choose where it goes: http")).await;
    let picks = alice.ask("share.picks", json!({})).await;
    let pick = picks["items"][0]["pick"].as_str().unwrap().to_owned();
    by_hand(&alice, &["share", "confirm", &pick, "--to", &chat]).await;
    sharer.says(|line| line == "shared with 1").await;
    let card = bob
        .event("the card arrives", |kind, data| {
            kind == "message.received" && data["body"]["kind"] == "share"
        })
        .await;
    assert_eq!(card["body"]["card"]["by"]["app"], key, "{card}");

    // The receiver gets what was opened while it was killed, node and all.
    let first = kitchen(&world, &bob, &key);
    first.says(|line| line.starts_with("waiting for you")).await;
    by_hand(&bob, &["app", "approve", "Kitchen"]).await;
    first.says(|line| line == "ready").await;
    first.kill().await;
    let open = json!({ "message": card["message"], "button": "buttons[0]", "os": "linux" });
    let opened = bob.ask("share.open", open).await;
    assert_eq!(opened["action"]["kind"], "handler", "{opened}");
    bob.kill().await;
    bob.up().await;
    let second = kitchen(&world, &bob, &key);
    second.says(|line| line == "Kimchi stew (kimchi-stew, for 2)").await;
    second.says(|line| line == "  kimchi: 300 g").await;
    second.says(|line| line == "answered").await;

    let answers = recipes(&world, &alice, &["answers"]);
    let told = answers.finds(|line| {
        line.strip_prefix("kimchi-stew, direct chat ")?
            .split_once(": ")
            .map(|(_, answer)| answer.to_owned())
    });
    assert_eq!(told.await, "cooking for 4");
    answers.kill().await;
    second.kill().await;
}
