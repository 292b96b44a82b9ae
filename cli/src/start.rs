//! From what was typed to what is to be done: language and colours first, since they decide how everything else is said.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::args::{Cli, ColourArg, Command, LanguageArg};
use crate::fault::{EXIT_USAGE, Fault, shown};
use crate::out::Out;
use crate::settings::{COLOUR, LANGUAGE, Settings};
use crate::text::{self, Language};

/// What is to be done, the settings unless they can't be read, and where it is printed.
pub type Started = (Cli, Result<Settings, Fault>, Out);

/// Reads a command line.
///
/// # Errors
/// The exit code, once help or what is wrong with the command line is printed.
pub fn start(typed: &[OsString], environment: &impl Fn(&str) -> Option<OsString>) -> Result<Started, ExitCode> {
    let early = Early::of(typed);
    let settings = Settings::load(early.config.as_deref(), environment);
    let known = settings.as_ref().ok();
    let language = early
        .language
        .or_else(|| named(known?.one(&LANGUAGE).ok()??.as_str()))
        .unwrap_or_else(|| Language::of_locale(environment));
    let colour = early
        .colour
        .or_else(|| colour_named(known?.one(&COLOUR).ok()??.as_str()))
        .unwrap_or(ColorChoice::Auto);

    let command = text::spoken(Cli::command(), language).color(match colour {
        ColorChoice::Always | ColorChoice::AlwaysAnsi => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
        ColorChoice::Auto => clap::ColorChoice::Auto,
    });
    let parsed = command
        .clone()
        .try_get_matches_from(typed)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let out = Out::new(early.json, language.texts(), colour);
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return Err(refuse(error, language, &out)),
    };
    let settings = settings.and_then(|settings| checked(settings, &cli, &out));
    Ok((cli, settings, out))
}

/// Warns of what isn't known, and refuses what would otherwise be ignored in silence.
fn checked(settings: Settings, cli: &Cli, out: &Out) -> Result<Settings, Fault> {
    settings.one(&LANGUAGE)?;
    settings.one(&COLOUR)?;
    for name in settings.unknown() {
        out.remark(&(out.t().setting_unknown)(&name));
    }
    if let (Some(config), false) = (&cli.config, matches!(cli.command, Command::Config { .. }))
        && !config.exists()
    {
        let path = shown(config);
        return Err(Fault::config(move |t| (t.config_unreadable)(&path, t.is_absent)));
    }
    Ok(settings)
}

/// Prints help, the version, or what is wrong with the command line.
fn refuse(error: clap::Error, language: Language, out: &Out) -> ExitCode {
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(EXIT_USAGE));
    if !error.use_stderr() {
        // Nothing is left to tell a caller whose terminal is gone.
        drop(error.print());
        return code;
    }
    out.report_usage(&error, &text::usage_error(&error, language));
    code
}

/// What decides how things are said, found before the command line is understood.
#[derive(Debug, Default)]
struct Early {
    json: bool,
    language: Option<Language>,
    colour: Option<ColorChoice>,
    config: Option<PathBuf>,
}

impl Early {
    fn of(typed: &[OsString]) -> Self {
        let mut early = Self::default();
        let mut rest = typed.iter().skip(1).take_while(|arg| *arg != OsStr::new("--"));
        while let Some(arg) = rest.next() {
            let Some(arg) = arg.to_str() else { continue };
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(OsString::from(value))),
                None => (arg, None),
            };
            match name {
                "--json" => early.json = true,
                "--lang" | "--colour" | "--color" | "--config" => {
                    let Some(value) = value.or_else(|| rest.next().cloned()) else {
                        continue;
                    };
                    let text = value.to_str().unwrap_or_default();
                    match name {
                        "--lang" => early.language = named(text),
                        "--config" => early.config = Some(PathBuf::from(value)),
                        _ => early.colour = colour_named(text),
                    }
                }
                _ => {}
            }
        }
        early
    }
}

fn named(language: &str) -> Option<Language> {
    let known = <LanguageArg as clap::ValueEnum>::from_str(language, false).ok()?;
    Some(match known {
        LanguageArg::En => Language::English,
        LanguageArg::Ko => Language::Korean,
    })
}

fn colour_named(when: &str) -> Option<ColorChoice> {
    let known = <ColourArg as clap::ValueEnum>::from_str(when, false).ok()?;
    Some(match known {
        ColourArg::Auto => ColorChoice::Auto,
        ColourArg::Always => ColorChoice::Always,
        ColourArg::Never => ColorChoice::Never,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn language(typed: &[&str], said: &'static [(&'static str, &'static str)]) -> &'static str {
        let typed: Vec<OsString> = typed.iter().map(OsString::from).collect();
        let environment = |name: &str| match name {
            "MADANG_CONFIG" => Some(OsString::new()),
            _ => said
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| OsString::from(value)),
        };
        let (_, _, out) = start(&typed, &environment).unwrap();
        out.t().no_chats
    }

    #[test]
    fn the_language_is_the_flags_the_variables_or_the_locales() {
        let (en, ko) = (text::EN.no_chats, text::KO.no_chats);
        let chats = &["madang", "chats"][..];
        assert_eq!(language(chats, &[("LANG", "ko_KR.UTF-8")]), ko);
        assert_eq!(language(chats, &[("LANG", "en_GB.UTF-8")]), en);
        assert_eq!(language(chats, &[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")]), en);
        assert_eq!(
            language(chats, &[("LC_ALL", ""), ("LC_MESSAGES", "ko"), ("LANG", "C")]),
            ko
        );
        assert_eq!(language(chats, &[("LANG", "C"), ("MADANG_LANG", "ko")]), ko);
        assert_eq!(language(chats, &[("LANG", "ko"), ("MADANG_LANG", "auto")]), ko);
        assert_eq!(
            language(&["madang", "chats", "--lang", "en"], &[("MADANG_LANG", "ko")]),
            en
        );
        assert_eq!(language(&["madang", "--lang=ko", "chats"], &[("LANG", "C")]), ko);
        assert_eq!(
            language(&["madang", "send", "a", "--", "--lang=ko"], &[("LANG", "C")]),
            en
        );
    }
}
