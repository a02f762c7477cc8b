//! `completions`: what a shell needs to complete our command lines.

use clap::Command;
use clap_complete::Shell;

use crate::error::{Error, Outcome};
use crate::output;

/// Arguments of `completions`.
#[derive(clap::Args)]
#[command(after_help = "\
bash:        bootshotctl completions bash > ~/.local/share/bash-completion/completions/bootshotctl
zsh:         bootshotctl completions zsh > _bootshotctl, in a directory of $fpath
fish:        bootshotctl completions fish > ~/.config/fish/completions/bootshotctl.fish
PowerShell:  bootshotctl completions powershell >> $PROFILE")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &Args, mut command: Command) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "bootshotctl", &mut script);
    output::bytes(&script)?;
    Ok(Outcome::Done)
}
