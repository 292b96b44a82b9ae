//! Help in other languages than English, in which it is written at the arguments.

use std::collections::BTreeMap;

use clap::Command;
use clap::builder::StyledStr;

use super::Language;

mod ko;

/// How the parser lays out help whose headings aren't English.
const TEMPLATE: &str = "{about-with-newline}\n사용법: {usage}\n\n{all-args}{after-help}";

/// Returns a command whose help speaks a language.
pub fn spoken(mut command: Command, language: Language) -> Command {
    match language {
        Language::English => command,
        Language::Korean => {
            let table = ko::HELP.iter().copied().collect();
            // Only a built command holds what the parser adds by itself.
            command.build();
            translated(command, &table).after_help(ko::AFTER_HELP)
        }
    }
}

fn translated(mut command: Command, table: &BTreeMap<&str, &'static str>) -> Command {
    let said = |english: Option<&StyledStr>| table.get(english?.to_string().as_str()).copied();
    if let Some(about) = said(command.get_about()) {
        command = command.about(about);
    }
    command
        .subcommand_help_heading("명령")
        .help_template(TEMPLATE)
        .mut_args(|arg| {
            let heading = match (arg.is_positional(), arg.is_global_set()) {
                (true, _) => "인자",
                (false, true) => "모든 명령의 옵션",
                (false, false) => "옵션",
            };
            let arg = match said(arg.get_help()) {
                Some(korean) => arg.help(korean),
                None => arg,
            };
            arg.help_heading(heading)
        })
        .mut_subcommands(|inner| translated(inner, table))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    /// All help that is written at commands and arguments.
    fn written(command: &Command, found: &mut BTreeSet<String>) {
        found.extend(command.get_about().map(ToString::to_string));
        found.extend(
            command
                .get_arguments()
                .filter_map(clap::Arg::get_help)
                .map(ToString::to_string),
        );
        for inner in command.get_subcommands() {
            written(inner, found);
        }
    }

    #[test]
    fn all_help_has_its_korean_and_no_korean_is_left_over() {
        let mut found = BTreeSet::new();
        let mut command = Cli::command();
        command.build();
        written(&command, &mut found);
        let table: BTreeSet<String> = ko::HELP.iter().map(|(english, _)| (*english).to_owned()).collect();
        assert_eq!(table.len(), ko::HELP.len(), "twice in the table");
        let missing: Vec<_> = found.difference(&table).collect();
        assert!(missing.is_empty(), "no Korean for {missing:#?}");
        let left: Vec<_> = table.difference(&found).collect();
        assert!(left.is_empty(), "nobody says any more {left:#?}");
    }

    #[test]
    fn the_korean_command_line_takes_the_same() {
        let command = spoken(Cli::command(), Language::Korean);
        command.clone().debug_assert();
        let help = command.clone().render_long_help().to_string();
        assert!(
            help.contains("사용법: madang") && help.contains("명령:") && help.contains("옵션:"),
            "{help}"
        );
        for code in 0..=7 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code}");
        }
        for (line, kind) in [
            ("madang group --help", clap::error::ErrorKind::DisplayHelp),
            ("madang help group add", clap::error::ErrorKind::DisplayHelp),
            ("madang relay token new -h", clap::error::ErrorKind::DisplayHelp),
            ("madang --version", clap::error::ErrorKind::DisplayVersion),
        ] {
            let error = command.clone().try_get_matches_from(line.split(' ')).unwrap_err();
            assert_eq!(error.kind(), kind, "{line}");
        }
        assert!(command.try_get_matches_from(["madang", "chats", "--json"]).is_ok());
    }
}
