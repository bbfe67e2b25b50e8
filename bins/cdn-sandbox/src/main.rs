#![doc = include_str!("../README.md")]

mod arguments;
mod demo;
mod instructions;
mod platform;
mod serve;
mod setup;
mod ui;
mod walkthrough;
mod ways;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// The exit code for wrong usage (`EX_USAGE` of sysexits.h).
const WRONG_USAGE: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error),
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(&arguments.log).init();
    let outcome = match arguments.command {
        Command::Serve(options) => Box::pin(serve::run(options)).await,
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Walkthrough(options) => Box::pin(walkthrough::run(options)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Help is no mistake; everything else that clap has to say is.
fn explain(error: &clap::Error) -> ExitCode {
    // There is nobody left to tell that the terminal is gone.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(WRONG_USAGE) } else { ExitCode::SUCCESS }
}
