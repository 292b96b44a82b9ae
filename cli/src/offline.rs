//! What needs no node: making an app, and signing, checking and showing its shares. The one place of the command line that knows the
//! protocol.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use madang_protocol::channel::{Vouch, is_domain};
use madang_protocol::keys::AppSecret;
use madang_protocol::limits;
use madang_protocol::share::{self, By, Share, ShareError, SharedCard, SignedManifest, View};
use madang_protocol::wire::Wire as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::args::{FileCommand, SignArgs};
use crate::fault::{Fault, shown};
use crate::out::Out;
use crate::safe;
use crate::show;
use crate::text::{Language, Texts};

/// The app's secret in its directory.
const KEY_FILE: &str = "app.key";
/// Its manifest there.
const MANIFEST_FILE: &str = "manifest.json";
/// Seconds until a signed share ends where nothing is said (guess).
const SHARE_SECONDS: u64 = 30 * 24 * 3600;
/// Bytes of a file that is read: the longest, a link to a signed share.
const FILE_BYTES: u64 = 2 * limits::SHARED_JSON_BYTES as u64;

/// Makes an app: a directory with its key and a manifest to edit.
///
/// # Errors
/// [`Fault::Failed`] if the directory has one already, or can't be written.
pub fn new_app(dir: &Path, name: &str, out: &Out) -> Result<(), Fault> {
    let app = make_app(dir, name)?;
    let document = json!({ "app": app, "key": dir.join(KEY_FILE), "manifest": dir.join(MANIFEST_FILE) });
    out.print(&document, || {
        (out.t().app_made)(&app, &shown(&dir.join(KEY_FILE)), &shown(&dir.join(MANIFEST_FILE)))
    })
}

/// Makes an app, and returns its key.
///
/// # Errors
/// [`Fault::Failed`] if the directory has one already, or can't be written.
pub fn make_app(dir: &Path, name: &str) -> Result<String, Fault> {
    let secret = AppSecret::from_bytes(random()?);
    let app = secret.public().to_string();
    // In the order in which people read it.
    let manifest = format!(
        "{{\n  \"version\": 1,\n  \"number\": 1,\n  \"app\": \"{app}\",\n  \"name\": {},\n  \"domains\": [],\n  \"handlers\": [],\n  \
         \"events\": []\n}}\n",
        json!(name)
    );
    // What can't be signed isn't begun with.
    SignedManifest::sign(&secret, manifest.as_bytes()).map_err(|error| refused(&error))?;
    fs::create_dir_all(dir).map_err(|error| Fault::file(|t| t.to_make_directory, dir, &error))?;
    let key = format!("{}\n", data_encoding::HEXLOWER.encode(secret.to_bytes().as_slice()));
    write_new(&dir.join(KEY_FILE), key.as_bytes(), true)?;
    write_new(&dir.join(MANIFEST_FILE), manifest.as_bytes(), false)?;
    Ok(app)
}

/// Bytes that nobody can guess.
///
/// # Errors
/// [`Fault::Failed`] if the system has none.
pub fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::io(|t| t.to_get_random, &error.into()))?;
    Ok(bytes)
}

/// Prints what a domain publishes to vouch for an app.
///
/// # Errors
/// [`Fault::Failed`] if the app can't be read, or its manifest doesn't name the domain.
pub fn vouch(dir: &Path, domain: &str, out: &Out) -> Result<(), Fault> {
    let (secret, manifest) = app(dir)?;
    let named = manifest.manifest().domains.iter().any(|known| known.as_str() == domain);
    if !is_domain(domain) || !named {
        let (domain, manifest) = (safe::line(domain), shown(&dir.join(MANIFEST_FILE)));
        return Err(Fault::failed(move |t| (t.domain_unnamed)(&domain, &manifest)));
    }
    let vouch = BASE64URL_NOPAD.encode(&Vouch::of_app(&secret, domain).encode());
    let file = json!({ "madang": 1, "apps": [vouch] });
    let url = format!("https://{domain}/.well-known/madang.json");
    out.remark(&(out.t().to_be_published)(&url));
    out.print(&json!({ "url": url, "file": file }), || format!("{file:#}"))
}

/// Runs one of the commands about shares.
///
/// # Errors
/// [`Fault::Failed`] if a file can't be read, or what is in it is refused.
pub fn share(action: FileCommand, out: &Out) -> Result<(), Fault> {
    match action {
        FileCommand::Validate { file } => {
            let card = read_card(&file)?;
            let described = card.share.card();
            let document = json!({
                "template": described.template.name(),
                "length_bytes": card.share.canonical().len(),
                "images": paths(described.images()),
                "buttons": paths(described.all_buttons()),
            });
            out.print(&document, || {
                (out.t().share_valid)(described.template.name(), card.share.canonical().len())
            })
        }
        FileCommand::Preview { file, html } => preview(&file, html, out),
        FileCommand::Sign(args) => sign(args, out),
        FileCommand::Verify { file } => verify(&file, out),
        FileCommand::FromKakao { file, page } => {
            let converted = share::from_kakao(&read(&file)?, page.as_deref()).map_err(|error| refused(&error))?;
            if !converted.left_out.is_empty() {
                out.remark(&(out.t().left_out)(&safe::line(&converted.left_out.join(", "))));
            }
            print_share(&converted.share, out)
        }
    }
}

fn preview(file: &Path, html: bool, out: &Out) -> Result<(), Fault> {
    let card = read_card(file)?;
    let pictures = BTreeMap::new();
    let view = view(out.t(), &pictures);
    let (text, page) = (share::text(&card, &view), share::html(&card, &view));
    let document = json!({ "text": text, "html": page });
    out.print(&document, || if html { page } else { text.trim_end().to_owned() })
}

fn view<'a>(t: &Texts, pictures: &'a BTreeMap<usize, String>) -> View<'a> {
    View {
        language: match t.language {
            Language::English => share::Language::English,
            Language::Korean => share::Language::Korean,
        },
        now_s: now_s(),
        resolved: None,
        proven: &[],
        pictures,
    }
}

/// A share of a message as lines of text, without who stands for it; none if it can't be read.
#[must_use]
pub fn lines(share: &Value, t: &Texts) -> Option<Vec<String>> {
    let share = Share::parse(share.to_string().as_bytes()).ok()?;
    let text = share::text_of(&share, &view(t, &BTreeMap::new()));
    let shown = text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line));
    Some(shown.map(str::to_owned).collect())
}

/// A card as methods take it.
///
/// # Errors
/// [`Fault::Failed`] if the file can't be read, or what is in it is refused.
pub fn card(file: &Path) -> Result<Value, Fault> {
    let card = read_card(file)?;
    Ok(serde_json::from_str(&card.to_json()).unwrap_or_default())
}

fn sign(args: SignArgs, out: &Out) -> Result<(), Fault> {
    let signed = signed(&args.app, &read_card(&args.file)?.share, args.key, args.expires_in_s)?;
    if args.link {
        let link = signed.to_link();
        return out.print(&json!({ "link": link }), || link);
    }
    let text = signed.to_json();
    let document = serde_json::from_str(&text).unwrap_or_default();
    out.print(&document, || text)
}

/// Signs a share as the app of a directory; returns what methods take.
///
/// # Errors
/// [`Fault::Failed`] if the app can't be read, or the share is refused.
pub fn sign_share(app: &Path, share: &Value) -> Result<Value, Fault> {
    let share = Share::parse(share.to_string().as_bytes()).map_err(|error| refused(&error))?;
    let signed = signed(app, &share, None, None)?;
    Ok(serde_json::from_str(&signed.to_json()).unwrap_or_default())
}

fn signed(dir: &Path, share: &Share, key: Option<String>, expires_in_s: Option<u64>) -> Result<SharedCard, Fault> {
    let (secret, manifest) = app(dir)?;
    let mut value: Value = serde_json::from_str(share.canonical()).unwrap_or_default();
    let Some(members) = value.as_object_mut() else {
        return Err(refused(&ShareError::Missing { path: "share".into() }));
    };
    if expires_in_s.is_some() || share.card().expires_s.is_none() {
        let seconds = expires_in_s.unwrap_or(SHARE_SECONDS);
        members.insert("expires_s".to_owned(), now_s().saturating_add(seconds).into());
    }
    let key = match (key, &share.card().key) {
        (Some(key), _) => Some(key),
        // The same share has the same key, however often it is signed.
        (None, None) => {
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(share.canonical().as_bytes()));
            Some(hash.chars().take(32).collect())
        }
        (None, Some(_)) => None,
    };
    if let Some(key) = key {
        members.insert("key".to_owned(), key.into());
    }
    Share::parse(value.to_string().as_bytes())
        .and_then(|share| SharedCard::sign(&secret, manifest, share, now_s()))
        .map_err(|error| refused(&error))
}

fn verify(file: &Path, out: &Out) -> Result<(), Fault> {
    let card = read_card(file)?;
    let app = card.verify().map_err(|error| refused(&error))?;
    let expired = card.share.has_expired(now_s());
    let t = out.t();
    let (document, said) = match (&card.by, app) {
        (By::App { manifest, .. }, Some(app)) => {
            let manifest = manifest.manifest();
            let (app, name) = (app.to_string(), manifest.name.as_str());
            let said = (t.signed_by)(&app, &safe::line(name));
            let number = manifest.number.get();
            (
                json!({ "app": app, "name": name, "number": number, "expired": expired }),
                said,
            )
        }
        (By::Page(origin), _) => {
            let document = json!({ "origin": origin.as_str(), "expired": expired });
            (document, (t.signed_by_nobody)(origin))
        }
        _ => (json!({ "expired": expired }), (t.signed_by_nobody)("")),
    };
    out.print(&document, || {
        if expired {
            format!("{said}\n{}", t.has_expired)
        } else {
            said
        }
    })
}

fn print_share(share: &Share, out: &Out) -> Result<(), Fault> {
    let document: Value = serde_json::from_str(share.canonical()).unwrap_or_default();
    out.print(&document, || format!("{document:#}"))
}

fn paths<T>(found: Vec<(String, T)>) -> Vec<String> {
    found.into_iter().map(|(path, _)| path).collect()
}

/// A share, one with whoever stands for it, or a link that holds that.
fn read_card(file: &Path) -> Result<SharedCard, Fault> {
    let text = read(file)?;
    let said = String::from_utf8_lossy(&text);
    let said = said.trim();
    let read = if said.starts_with("madang:") || said.starts_with("https://") || said.starts_with("http://") {
        SharedCard::from_link(said)
    } else if is_shared(said) {
        SharedCard::from_json(said.as_bytes())
    } else {
        Share::parse(said.as_bytes()).map(|share| SharedCard::unsigned(share, None))
    };
    read.map_err(|error| refused(&error))
}

/// Whether a JSON object is a share with whoever stands for it.
fn is_shared(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    value.get("share").is_some() && value.get("template").is_none()
}

/// An app's secret, and its manifest signed.
fn app(dir: &Path) -> Result<(AppSecret, SignedManifest), Fault> {
    let path = dir.join(KEY_FILE);
    let text = if path.exists() { read(&path)? } else { Vec::new() };
    let seed = data_encoding::HEXLOWER.decode(text.trim_ascii());
    let seed: Option<[u8; 32]> = seed.ok().and_then(|bytes| bytes.try_into().ok());
    let Some(seed) = seed else {
        let path = shown(&path);
        return Err(Fault::failed(move |t| (t.no_app_key)(&path)));
    };
    let secret = AppSecret::from_bytes(seed);
    let manifest = read(&dir.join(MANIFEST_FILE))?;
    let signed = SignedManifest::sign(&secret, &manifest).map_err(|error| refused(&error))?;
    Ok((secret, signed))
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        let read = std::io::stdin().lock().take(FILE_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| Fault::io(|t| t.to_read_stdin, &error))
    } else {
        let read = fs::File::open(path).and_then(|file| file.take(FILE_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| Fault::file(|t| t.to_read, path, &error))
    };
    if read? as u64 > FILE_BYTES {
        let path = shown(path);
        return Err(Fault::failed(move |t| {
            (t.failed_to)(t.to_read, &path, &(t.over_bytes)(FILE_BYTES))
        }));
    }
    Ok(bytes)
}

/// Writes a file that isn't there yet; a secret one for the user alone.
fn write_new(path: &Path, content: &[u8], secret: bool) -> Result<(), Fault> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|error| {
        if error.kind() == ErrorKind::AlreadyExists {
            let path = shown(path);
            return Fault::failed(move |t| (t.app_exists)(&path));
        }
        Fault::file(|t| t.to_write, path, &error)
    })
}

/// What is wrong with a share, with its path.
fn refused(error: &ShareError) -> Fault {
    let error = error.clone();
    Fault::failed(move |t| says(&error, t))
}

fn says(error: &ShareError, t: &Texts) -> String {
    let path = safe::line(error.path());
    match error {
        ShareError::Limit { found, limit, .. } => (t.share_limit)(&path, *found, limit),
        ShareError::Missing { .. } => (t.share_missing)(&path),
        ShareError::Invalid { reason, .. } => (t.share_invalid)(&path, &safe::multiline(reason, "")),
        ShareError::Json { reason, .. } => (t.share_no_json)(&path, &safe::multiline(reason, "")),
        ShareError::Signature(_) => t.share_forged.to_owned(),
        ShareError::Expired { .. } => t.has_expired.to_owned(),
    }
}

fn now_s() -> u64 {
    show::now_ms() / 1000
}
