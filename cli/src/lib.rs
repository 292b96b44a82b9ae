//! Madang's command line: starts nodes and relays, and speaks JSON-RPC to them.
//!
//! Reading order: [`args`] (what can be typed), [`settings`] (what isn't typed), [`text`] (what is said, in each language), [`fault`] (what can go wrong, exit codes),
//! [`serve`] (`up`, `relay`), [`relay`] (its tokens and doctor), [`client`] (the JSON-RPC), [`commands`] (all that speaks it), [`safe`] and [`layout`] (how it is
//! shown), [`offline`] (what asks no node), [`demo`].

mod args;
mod client;
mod commands;
mod configure;
mod dates;
mod demo;
mod events;
mod fault;
mod layout;
mod offline;
mod out;
mod pages;
mod process;
mod progress;
mod qr;
mod relay;
mod relay_reports;
mod resolve;
mod safe;
mod serve;
mod settings;
mod show;
mod start;
mod stdio;
mod text;
mod transfer;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::args::{AppCommand, Cli, Command, ShareCommand};
use crate::fault::Fault;
use crate::out::Out;
use crate::settings::{DATA, Key, RELAY_DATA, Settings};

/// Runs the command line of this process to its end and returns its exit code, which `madang --help` documents.
#[must_use]
pub fn run() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    let (cli, settings, out) = match start::start(&typed, &|name| std::env::var_os(name)) {
        Ok(started) => started,
        Err(code) => return code,
    };
    match settings.and_then(|settings| dispatch(cli, settings, &out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            out.report(&fault);
            ExitCode::from(fault.exit_code())
        }
    }
}

fn dispatch(cli: Cli, settings: Settings, out: &Out) -> Result<(), Fault> {
    match cli.command {
        Command::Up(args) => {
            let data = place(cli.data, &settings, &DATA, "madang")?;
            block_on(true, serve::up(args, data, &settings, out))
        }
        Command::Relay(args) => {
            let data = place(cli.data, &settings, &RELAY_DATA, "madang-relay")?;
            match args.tool {
                Some(tool) => block_on(false, relay::tool(tool, data, out)),
                None => block_on(true, serve::relay(args, data, &settings, out)),
            }
        }
        Command::Demo => block_on(true, demo::demo(out)),
        Command::Config { action } => configure::config(action, settings, out),
        Command::Share {
            action: ShareCommand::Card(action),
        } => {
            let data = place(cli.data, &settings, &DATA, "madang")?;
            block_on(false, commands::card(action, &data, cli.token_file.as_deref(), out))
        }
        Command::Share {
            action: ShareCommand::File(action),
        } => offline::share(action, out),
        Command::App {
            action: AppCommand::New { dir, name },
        } => offline::new_app(&dir, &name, out),
        Command::App {
            action: AppCommand::Vouch { dir, domain },
        } => offline::vouch(&dir, &domain, out),
        Command::Completions { shell } => pages::completions(shell, out),
        Command::Man { dir } => pages::man(&dir, out),
        Command::Rpc(args) if args.stdio => {
            let data = place(cli.data, &settings, &DATA, "madang")?;
            block_on(false, stdio::stdio(&data, cli.token_file.as_deref()))
        }
        other => {
            let data = place(cli.data, &settings, &DATA, "madang")?;
            block_on(false, commands::command(other, &data, cli.token_file.as_deref(), out))
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
        .map_err(|e| Fault::io(|t| t.to_start_runtime, &e))?;
    runtime.block_on(work)
}

/// The data directory: as typed, as set, or the platform's.
fn place(given: Option<PathBuf>, settings: &Settings, key: &'static Key, name: &str) -> Result<PathBuf, Fault> {
    if let Some(data) = given {
        return Ok(data);
    }
    if let Some(data) = settings.one(key)? {
        return Ok(PathBuf::from(data));
    }
    let Some(dirs) = directories::BaseDirs::new() else {
        return Err(Fault::failed(|t| t.no_home.to_owned()));
    };
    Ok(dirs.data_local_dir().join(name))
}
