//! What is wrong with a command line, in Korean; the parser itself speaks English.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Language;
use crate::safe;

/// Returns what to say of a command line that can't be used; `None` where the parser's own words are shown.
pub fn usage_error(error: &clap::Error, language: Language) -> Option<String> {
    if language == Language::English {
        return None;
    }
    let argument = said(error, ContextKind::InvalidArg);
    let value = said(error, ContextKind::InvalidValue);
    let mut text = match error.kind() {
        ErrorKind::UnknownArgument => format!("모르는 인자입니다: {argument}"),
        ErrorKind::InvalidSubcommand => format!("모르는 명령입니다: {}", said(error, ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument => format!("필요한 인자가 없습니다: {argument}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("값이 필요합니다: {argument}"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("'{value}' 값은 {argument}에 쓸 수 없습니다")
        }
        ErrorKind::ArgumentConflict => {
            format!(
                "함께 쓸 수 없습니다: {argument}, {}",
                said(error, ContextKind::PriorArg)
            )
        }
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("값의 개수가 맞지 않습니다: {argument}")
        }
        ErrorKind::MissingSubcommand => "명령이 필요합니다".to_owned(),
        ErrorKind::InvalidUtf8 => "UTF-8이 아닌 인자가 있습니다".to_owned(),
        _ => return None,
    };
    let known = said(error, ContextKind::ValidValue);
    if !known.is_empty() {
        text.push_str(&format!("\n  가능한 값: {known}"));
    }
    for suggestion in [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ] {
        let suggested = said(error, suggestion);
        if !suggested.is_empty() {
            text.push_str(&format!("\n  혹시: {suggested}"));
        }
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.trim().trim_start_matches("Usage:").trim();
        text.push_str(&format!("\n\n사용법: {usage}"));
    }
    text.push_str("\n\n자세한 내용은 --help 옵션으로 볼 수 있습니다.");
    Some(text)
}

fn said(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => safe::line(text),
        Some(ContextValue::Strings(texts)) => {
            let texts: Vec<String> = texts.iter().map(|text| safe::line(text)).collect();
            texts.join(", ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn misuse_is_told_in_korean() {
        for (line, wanted) in [
            ("madang nonsense", "모르는 명령입니다: nonsense"),
            ("madang send alice", "필요한 인자가 없습니다: <TEXT>"),
            ("madang read alice --limit 0", "'0' 값은 --limit <N>에 쓸 수 없습니다"),
            ("madang chats --nothing", "모르는 인자입니다: --nothing"),
            ("madang chats --lang fr", "가능한 값: en, ko"),
            ("madang conctacts", "혹시: contacts"),
        ] {
            let error = Cli::command().try_get_matches_from(line.split(' ')).unwrap_err();
            let text = usage_error(&error, Language::Korean).unwrap();
            assert!(text.contains(wanted), "{line}: {text}");
            assert!(usage_error(&error, Language::English).is_none());
        }
    }
}
