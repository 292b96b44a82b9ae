//! Builds a share as an app, signs it, and reads it back as a stranger would: with the protocol crate alone.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use madang_protocol::keys::AppSecret;
use madang_protocol::share::{Device, Language, Os, Platform, Share, SharedCard, SignedManifest, View, resolve, text};
use serde_json::json;

/// Seconds that what is signed here lives.
const LIFE_S: u64 = 7 * 24 * 3600;

fn main() -> Result<(), Box<dyn Error>> {
    let key = std::env::args().nth(1).ok_or("usage: madang-offline-share KEY_FILE")?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let secret = app(Path::new(&key))?;

    let link = share(&secret, now_s)?;
    println!("{link}");
    let shown = receive(&link, now_s)?;
    print!("{shown}");
    Ok(())
}

/// The app's key; made where there is none.
fn app(path: &Path) -> Result<AppSecret, Box<dyn Error>> {
    let mut seed = [0; 32];
    if path.exists() {
        std::fs::File::open(path)?.read_exact(&mut seed)?;
    } else {
        getrandom::fill(&mut seed)?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        std::io::Write::write_all(&mut options.open(path)?, &seed)?;
    }
    Ok(AppSecret::from_bytes(seed))
}

/// What the app offers, as a link that holds all of it.
fn share(secret: &AppSecret, now_s: u64) -> Result<String, Box<dyn Error>> {
    let manifest = json!({
        "version": 1,
        "number": 1,
        "app": secret.public().to_string(),
        "name": "Recipes",
        "handlers": [{ "os": "linux", "execute": "recipes://open", "web": "https://recipes.example/" }],
    });
    let manifest = SignedManifest::sign(secret, manifest.to_string().as_bytes())?;
    let card = json!({
        "version": 1,
        "template": "feed",
        "fallback": { "text": "Kimchi stew", "url": "https://recipes.example/r/7" },
        "key": "recipe-7",
        "expires_s": now_s + LIFE_S,
        "content": { "title": "Kimchi stew", "description": "Done in half an hour" },
        "link": { "platforms": [{ "os": "linux", "execute": { "recipe": "7" } }] },
        "buttons": [{ "label": "Cook it", "action": "open" }, { "label": "Saved", "action": "postback", "data": "saved=7" }],
    });
    // Whatever isn't as the format asks is refused here, with its path.
    let share = Share::parse(card.to_string().as_bytes())?;
    let signed = SharedCard::sign(secret, manifest, share, now_s)?;
    Ok(signed.to_link())
}

/// What a stranger on a Linux machine sees of a link.
fn receive(link: &str, now_s: u64) -> Result<String, Box<dyn Error>> {
    let card = SharedCard::from_link(link)?;
    let Some(app) = card.verify()? else {
        return Err("nobody signed it".into());
    };
    card.share.at(now_s)?;
    let here = Platform {
        os: Os::Linux,
        device: Device::Desktop,
        registered: false,
        schemes: BTreeSet::from(["recipes".to_owned()]),
        proven: BTreeSet::new(),
    };
    let resolved = resolve(&card, &here, now_s)?;
    let view = View {
        language: Language::English,
        now_s,
        resolved: Some(&resolved),
        proven: &[],
        pictures: &BTreeMap::new(),
    };
    Ok(format!(
        "{}A tap does: {:?}\nSigned by {app}\n",
        text(&card, &view),
        resolved.body
    ))
}
