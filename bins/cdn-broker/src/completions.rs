//! `cdn-broker completions`: what a shell needs to complete the commands.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::OK;
use crate::cli::Cli;

/// The shells that are supported, of those that the library knows.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Completing {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script. It needs no configuration: an operator's own machine has none.
pub(crate) fn run(shell: Completing) -> u8 {
    let shell = match shell {
        Completing::Bash => Shell::Bash,
        Completing::Zsh => Shell::Zsh,
        Completing::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cdn-broker", &mut script);
    // The script for bash of clap_complete 4.6 has two names for a program with a hyphen in its name, and then finds nothing.
    let script = String::from_utf8_lossy(&script).replace("cdn__subcmd__broker", "cdn__broker");
    crate::output::print(script.trim_end());
    OK
}
