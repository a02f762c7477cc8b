//! `check`: the image gate, for any executable.

use std::path::PathBuf;

use crate::error::{Error, Outcome};
use crate::output;

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// The executable to look at
    exe: PathBuf,
    /// Print an array of findings as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let image = std::fs::read(&args.exe).map_err(|error| {
        Error::failed(format!("cannot read {}", args.exe.display())).because(error)
    })?;
    if args.json {
        output::json(&image.len())?;
    } else {
        let mut table = output::Table::new(&[
            ("bytes", output::Align::Right),
            ("image", output::Align::Left),
        ]);
        table.row([image.len().to_string(), args.exe.display().to_string()]);
        table.print()?;
    }
    Ok(Outcome::No)
}
