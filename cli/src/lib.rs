//! Madang's command line: starts nodes and relays, and speaks JSON-RPC to them.
//!
//! Reading order: [`args`] (what can be typed), [`fault`] (what can go wrong, exit codes), [`serve`] (`up`, `relay`), [`relay`] (its tokens and doctor), [`client`] (the
//! JSON-RPC), [`commands`] (all that speaks it), [`demo`].

mod args;
mod client;
mod commands;
mod demo;
mod fault;
mod out;
mod process;
mod relay;
mod resolve;
mod serve;
mod show;
mod stdio;
mod tail;

use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::fault::Fault;
use crate::out::Out;

/// Runs the command line of this process to its end and returns its exit code, which `madang --help` documents.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to tell a caller whose terminal is gone.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(fault::EXIT_USAGE));
        }
    };
    let json = cli.json;
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            report(json, &fault);
            ExitCode::from(fault.exit_code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Fault> {
    let out = Out::new(cli.json);
    match cli.command {
        Command::Up(args) => {
            let data = place(cli.data, "madang")?;
            block_on(true, serve::up(args, data, &out))
        }
        Command::Relay(args) => {
            let data = place(cli.data, "madang-relay")?;
            match args.tool {
                Some(tool) => block_on(false, relay::tool(tool, data, &out)),
                None => block_on(true, serve::relay(args, data, &out)),
            }
        }
        Command::Demo => block_on(true, demo::demo(&out)),
        Command::Rpc { token_file, .. } => {
            let data = place(cli.data, "madang")?;
            block_on(false, stdio::stdio(&data, token_file.as_deref()))
        }
        other => {
            let data = place(cli.data, "madang")?;
            block_on(false, commands::command(other, data, &out))
        }
    }
}

/// Commands that only ask a node need no worker threads.
fn block_on(threads: bool, work: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    let mut builder = if threads {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|e| Fault::io("start the runtime", &e))?;
    runtime.block_on(work)
}

fn place(given: Option<PathBuf>, name: &str) -> Result<PathBuf, Fault> {
    if let Some(data) = given {
        return Ok(data);
    }
    let Some(dirs) = directories::BaseDirs::new() else {
        return Err(Fault::Failed {
            message: "this user has no home directory; name a data directory with --data DIR".to_owned(),
        });
    };
    Ok(dirs.data_local_dir().join(name))
}

fn report(json: bool, fault: &Fault) {
    let mut err = std::io::stderr().lock();
    let written = if json {
        writeln!(err, "{}", fault.to_json())
    } else {
        writeln!(err, "error: {}", show::multiline(&fault.to_string(), ""))
    };
    // The exit code still tells a caller whose standard error is gone.
    drop(written);
}
