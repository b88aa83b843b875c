//! `potok`: serves, runs and checks BPMN models from the command line. It asks and shows; everything else is the engine's.

mod backup;
mod check;
mod doctor;
mod export;
mod failure;
mod folder;
mod harmless;
mod report;
mod run;
mod serve;
mod style;
mod token;
mod user;
mod yaml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

// What is given out for Linux is linked with musl, whose own allocator takes a fifth more of the processor.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXAMPLES: &str = "\
Examples:
  potok serve bpmn/                                    serve what is in a folder, with an API and a page to try it out
  potok run order.bpmn                                 walk through a process
  potok run order.bpmn --answers order.answers.yaml    let a scenario do it
  potok check bpmn/                                    everything that is wrong or unusual";

/// Serves, runs and checks BPMN 2.0 models
#[derive(Parser)]
#[command(name = "potok", version, after_help = EXAMPLES, max_term_width = 100)]
struct Potok {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve processes by a REST API
    Serve(serve::Options),
    /// Walk through a process in the terminal, or let a scenario walk through it
    Run(run::Options),
    /// List everything that is wrong or unusual in models
    Check(check::Options),
    /// Examine a database: whether everything in it follows from its log
    Doctor(doctor::Options),
    /// Copy a database, also while a program is at work on it
    Backup(backup::Backup),
    /// Make a database of a copy
    Restore(backup::Restore),
    /// Say who may sign in to a database's engine
    #[command(subcommand)]
    User(user::Command),
    /// Make, list and revoke what programs sign in by
    #[command(subcommand)]
    Token(token::Command),
    /// Write the history in a database as JSON lines or XES
    Export(export::Options),
}

fn main() -> ExitCode {
    let result = match Potok::parse().command {
        Command::Serve(options) => serve::serve(&options),
        Command::Run(options) => run::run(&options),
        Command::Check(options) => check::check(&options),
        Command::Doctor(options) => doctor::doctor(&options),
        Command::Backup(options) => backup::backup(&options),
        Command::Restore(options) => backup::restore(&options),
        Command::Export(options) => export::export(&options),
        Command::User(command) => user::user(&command),
        Command::Token(command) => token::token(&command),
    };
    match result {
        Ok(code) => code,
        Err(failure) => failure.show(),
    }
}
