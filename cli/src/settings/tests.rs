//! Precedence, bounds and what stays of a configuration file.

use super::*;
use crate::text::EN;

fn environment(said: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<OsString> {
    move |name| {
        said.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| OsString::from(value))
    }
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn the_environment_goes_before_the_file_and_the_file_before_defaults() {
    let (_dir, path) = file("name = \"File\"\nlog = \"info\"\nrelays = [\"/a/p2p/x\"]\n[relay]\ndata = \"/r\"\n");
    let settings = Settings::load(
        Some(&path),
        &environment(&[
            ("MADANG_NAME", "Env"),
            ("MADANG_RELAYS", "/b/p2p/x, /c/p2p/y"),
            ("MADANG_LOG", ""),
        ]),
    )
    .unwrap();
    let said = |key| {
        let effective = settings.effective(key).unwrap();
        (effective.values.join(" "), effective.origin)
    };
    assert_eq!(said(&NAME), ("Env".to_owned(), Origin::Environment));
    assert_eq!(said(&RELAYS), ("/b/p2p/x /c/p2p/y".to_owned(), Origin::Environment));
    assert_eq!(
        said(&LOG),
        ("info".to_owned(), Origin::File),
        "an empty variable says nothing"
    );
    assert_eq!(said(&RELAY_DATA), ("/r".to_owned(), Origin::File));
    assert_eq!(said(&RPC), ("127.0.0.1:0".to_owned(), Origin::Default));
    assert_eq!(said(&DATA), (String::new(), Origin::Default));
}

#[test]
fn a_bad_value_is_refused_with_its_key_and_limit() {
    for (text, key, wanted) in [
        ("rpc = \"nowhere\"", &RPC, "rpc ("),
        ("rpc = 5", &RPC, "rpc ("),
        ("rpc_tls = \"443\"", &RPC_TLS, "rpc_tls ("),
        ("rpc_hosts = [\"node.example:443\"]", &RPC_HOSTS, "without a port"),
        ("files_mib = \"0\"", &FILES_MIB, "MiB from 1"),
        ("files_mib = \"8 GiB\"", &FILES_MIB, "files_mib ("),
        ("relays = \"/a/p2p/x\"", &RELAYS, "relays ("),
        ("relays = [\"/a\"]", &RELAYS, "/p2p/"),
        ("language = \"fr\"", &LANGUAGE, "auto, en, ko"),
        ("colour = \"red\"", &COLOUR, "always"),
        ("log = \"a=b=c\"", &LOG, "log ("),
    ] {
        let (_dir, path) = file(text);
        let settings = Settings::load(Some(&path), &environment(&[])).unwrap();
        let fault = settings.effective(key).unwrap_err();
        assert_eq!(fault.exit_code(), 7, "{text}");
        assert!(fault.to_string().contains(wanted), "{fault}");
    }
    let (_dir, path) = file(&format!("name = \"{}\"", "x".repeat(200)));
    let settings = Settings::load(Some(&path), &environment(&[])).unwrap();
    let fault = settings.effective(&NAME).unwrap_err();
    assert!(fault.text(&EN).contains("128 bytes"), "{fault}");
}

#[test]
fn no_file_of_any_kind_makes_it_panic() {
    for text in ["= 1", "name = ", "[relay", "relay = 1", "name.x = 1", "\u{0}"] {
        let (_dir, path) = file(text);
        if let Ok(settings) = Settings::load(Some(&path), &environment(&[])) {
            for key in KEYS {
                drop(settings.effective(key));
            }
            settings.unknown();
        }
    }
    let (_dir, path) = file(&"#".repeat(70_000));
    let fault = Settings::load(Some(&path), &environment(&[])).unwrap_err();
    assert!(fault.to_string().contains("65536"), "{fault}");
    let (dir, _) = file("");
    assert_eq!(
        Settings::load(Some(dir.path()), &environment(&[]))
            .unwrap_err()
            .exit_code(),
        7
    );
}

#[test]
fn writing_keeps_comments_and_what_a_later_version_knows() {
    let (_dir, path) = file("# mine\nlater = 3\nname = \"Old\" # short\n[later_table]\nx = 1\n");
    let mut settings = Settings::load(Some(&path), &environment(&[])).unwrap();
    assert_eq!(settings.unknown(), ["later", "later_table.x"]);
    settings.set(&NAME, &["민지".to_owned()]).unwrap();
    settings
        .set(&RELAYS, &["/a/p2p/x".to_owned(), "/b/p2p/y".to_owned()])
        .unwrap();
    settings.set(&RELAY_DATA, &["/r".to_owned()]).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for kept in [
        "# mine\n",
        "later = 3\n",
        "name = \"민지\" # short\n",
        "[later_table]\nx = 1\n",
        "[relay]\ndata = \"/r\"\n",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    let again = Settings::load(Some(&path), &environment(&[])).unwrap();
    assert_eq!(again.effective(&RELAYS).unwrap().values, ["/a/p2p/x", "/b/p2p/y"]);
    assert!(settings.unset(&NAME).unwrap());
    assert!(!settings.unset(&NAME).unwrap());
    assert!(!std::fs::read_to_string(&path).unwrap().contains("민지"));
}

#[test]
fn a_refused_value_leaves_the_file_as_it_was() {
    let (_dir, path) = file("name = \"Old\"\n");
    let mut settings = Settings::load(Some(&path), &environment(&[])).unwrap();
    assert_eq!(settings.set(&NAME, &["a\nb".to_owned()]).unwrap_err().exit_code(), 7);
    assert_eq!(
        settings
            .set(&NAME, &["a".to_owned(), "b".to_owned()])
            .unwrap_err()
            .exit_code(),
        7
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "name = \"Old\"\n");
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_linked_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, path) = file("");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let link = dir.path().join("link.toml");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut settings = Settings::load(Some(&link), &environment(&[])).unwrap();
    settings.set(&NAME, &["New".to_owned()]).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert!(std::fs::read_to_string(&path).unwrap().contains("New"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn an_empty_variable_means_no_file() {
    let settings = Settings::load(None, &environment(&[("MADANG_CONFIG", "")])).unwrap();
    assert_eq!(settings.path().unwrap_err().exit_code(), 7);
}
