//! Completions for shells, and man pages: both made from [`crate::args`], so that they name whatever can be typed.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use crate::args::Cli;
use crate::fault::Fault;
use crate::out::Out;
use crate::text;

/// Prints the completions for a shell.
///
/// # Errors
/// [`Fault::Failed`] if standard output is gone.
pub fn completions(shell: Shell, out: &Out) -> Result<(), Fault> {
    let mut command = text::spoken(Cli::command(), out.t().language);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "madang", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    out.print(&json!({ "shell": shell.to_string(), "script": script }), || {
        script.trim_end().to_owned()
    })
}

/// Writes a page for each command into a directory.
///
/// # Errors
/// [`Fault::Failed`] if it can't be written.
pub fn man(dir: &Path, out: &Out) -> Result<(), Fault> {
    let fault = |e: &std::io::Error| Fault::file(|t| t.to_write, dir, e);
    std::fs::create_dir_all(dir).map_err(|e| fault(&e))?;
    let mut command = text::spoken(Cli::command(), out.t().language).disable_help_subcommand(true);
    command.build();
    let mut files = Vec::new();
    write(&command, dir, &mut files).map_err(|e| fault(&e))?;
    files.sort();
    out.print(&json!({ "files": files }), || {
        (out.t().pages_written)(files.len(), &crate::fault::shown(dir))
    })
}

fn write(command: &Command, dir: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<(), std::io::Error> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write(inner, dir, files)?;
    }
    files.push(Man::new(command.clone()).manual("Madang").generate_to(dir)?);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;
    use crate::text::{EN, KO};

    /// All commands, as `group add`.
    fn commands(command: &Command, before: &str, found: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let name = format!("{before}{}", inner.get_name());
            commands(inner, &format!("{name} "), found);
            found.push(name);
        }
    }

    fn all() -> Vec<String> {
        let mut found = Vec::new();
        commands(&Cli::command(), "", &mut found);
        assert!(found.len() > 50, "{found:?}");
        found
    }

    fn completed(shell: Shell) -> String {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "madang", &mut script);
        String::from_utf8(script).unwrap()
    }

    #[test]
    fn the_documentation_names_each_command_setting_and_method() {
        let page = include_str!("../../docs/cli.md");
        for name in all() {
            assert!(
                page.contains(&format!("`{name}")),
                "docs/cli.md says nothing of `{name}`"
            );
        }
        for key in crate::settings::KEYS {
            assert!(
                page.contains(&format!("| `{}` | `{}` |", key.name, key.variable)),
                "{}",
                key.name
            );
        }
        let description: serde_json::Value = serde_json::from_str(include_str!("../../docs/openrpc.json")).unwrap();
        let methods = crate::show::items_of(&description, "methods").iter();
        let methods: Vec<&str> = methods.map(|method| crate::show::text_of(method, "name")).collect();
        assert!(methods.len() > 40, "{methods:?}");
        for method in methods {
            if method == "event.unsubscribe" {
                continue;
            }
            assert!(page.contains(&format!("`{method}`")), "no command for {method}");
        }
    }

    #[test]
    fn the_completions_of_each_shell_name_each_command() {
        for shell in Shell::value_variants() {
            let script = completed(*shell);
            for name in all() {
                let last = name.rsplit(' ').next().unwrap();
                assert!(script.contains(last), "{shell}: {name}");
            }
            assert!(script.contains("token-file"), "{shell}");
        }
    }

    #[test]
    fn each_command_has_its_page_and_the_main_one_the_exit_codes() {
        for texts in [&EN, &KO] {
            let dir = tempfile::tempdir().unwrap();
            let out = Out::to(false, texts, std::io::sink());
            man(dir.path(), &out).unwrap();
            for name in all() {
                let page = dir.path().join(format!("madang-{}.1", name.replace(' ', "-")));
                let text = std::fs::read_to_string(&page).unwrap();
                assert!(text.contains(".SH NAME") && text.len() > 200, "{name}");
            }
            let main = std::fs::read_to_string(dir.path().join("madang.1")).unwrap();
            for name in Cli::command().get_subcommands().map(|c| c.get_name().to_owned()) {
                assert!(main.contains(&name.replace('-', "\\-")), "{name}");
            }
            for code in 0..=7 {
                assert!(
                    main.contains(&format!("\n  {code}  ")) || main.contains(&format!("  {code}  ")),
                    "{code}"
                );
            }
        }
    }
}
