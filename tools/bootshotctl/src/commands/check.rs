//! `check`: the image gate, for any executable.

use std::path::PathBuf;

use clap::ValueEnum;
use image_gate::Policy;

use crate::error::{Error, Outcome};
use crate::image::{self, Image};
use crate::output;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl check my-program.exe --machine x64")]
pub struct Args {
    /// The executable to look at
    exe: PathBuf,
    /// The machine it has to be for; without it, every supported one will do
    #[arg(long)]
    machine: Option<Machine>,
    /// Print an array of findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Machine {
    X86,
    X64,
    Arm64,
}

impl From<Machine> for image::Machine {
    fn from(machine: Machine) -> Self {
        match machine {
            Machine::X86 => Self::X86,
            Machine::X64 => Self::X64,
            Machine::Arm64 => Self::Arm64,
        }
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let image = Image::read(&args.exe)?;
    let policy = Policy::native(args.machine.map(Into::into));
    let findings = image_gate::check(&image.bytes, &policy).map_err(|error| {
        Error::failed(format!("cannot judge {}", image.origin())).because(error)
    })?;

    if args.json {
        output::json(&findings)?;
    } else if findings.is_empty() {
        output::line(format!("{}: fit to run at boot", image.origin()))?;
    } else {
        for finding in &findings {
            output::line(finding.to_string())?;
        }
    }
    Ok(if findings.is_empty() {
        Outcome::Done
    } else {
        Outcome::No
    })
}
