//! `cargo xtask`: builds, tests and demonstrates bootshot, and sets up what that takes.

mod bench;
mod book;
mod budget;
mod companion;
mod demo;
mod dist;
mod example;
mod fleet;
mod golden;
mod image;
mod link;
mod process;
mod python;
mod report_page;
mod setup;
mod size_map;
mod sizes;
mod test;
mod toolchain;
mod wine;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use image::Image;

/// Builds, tests and demonstrates bootshot.
///
/// Each job sets up what it needs: on Debian as root it installs what is missing with apt and says so; elsewhere it
/// names in one message what to install.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Subcommand)]
enum Job {
    /// Run it: build, register in a throw-away Wine prefix, play smss, show the snapshot
    Demo,
    /// Run every check and every test, those under Wine included
    Test(test::Arguments),
    /// Build the native executable and put each image through the image gate
    Build {
        /// The images to build; all of them without it
        #[arg(long, value_enum)]
        target: Vec<Image>,
        /// Record what the sections of the images take, as the figure that later builds are held to
        #[arg(long)]
        record_sizes: bool,
    },
    /// Leave the release files in target/dist
    Dist,
    /// Take snapshots for minutes while another program creates and ends what they show, under Wine
    Soak {
        /// How many snapshots
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// Build and run the size ladder: the same "Hello, world" in steps, down to a kilobyte
    Sizes {
        /// The table as JSON
        #[arg(long)]
        json: bool,
        /// Write the table and a chart into docs as well, for the book
        #[arg(long)]
        record: bool,
        /// Instead, write where the bytes of bootshot.exe are into docs/size-map.md
        #[arg(long, conflicts_with_all = ["json", "record"])]
        map: bool,
    },
    /// Build the book of docs/ with mdBook, into target/book
    Book,
    /// Build the template of a native application, examples/native-hello
    Example {
        /// Instead, build a package that was made from it, whose program has its name
        #[arg(long, value_name = "NAME", conflicts_with = "run")]
        package: Option<String>,
        /// Run it as well: by the launcher, and (under Wine) from the list that smss reads
        #[arg(long)]
        run: bool,
        /// Write what it said into docs, for the book
        #[arg(long, requires = "run")]
        record: bool,
    },
    /// Measure a capture or the reader, and write the figures into docs/performance.md
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Ask a synthetic fleet's snapshots three questions with DuckDB and with Apache Spark, and check what they find
    FleetDemo(fleet::Arguments),
    /// Take the screenshots in docs/screenshots again, after a change of the page of reports
    Screenshots,
    /// Take the golden snapshots again, after a change of what is captured
    Golden,
}

fn main() -> ExitCode {
    if let Some(linking) = link::requested() {
        return finish(linking.run());
    }
    match Arguments::parse().job {
        Job::Demo => finish(demo::run()),
        Job::Test(arguments) => finish(test::run(arguments)),
        Job::Build {
            target,
            record_sizes,
        } => finish(match target.is_empty() {
            true => image::build_alone(&Image::ALL, record_sizes),
            false => image::build_alone(&target, record_sizes),
        }),
        Job::Dist => finish(dist::run()),
        Job::Soak { rounds } => finish(test::soak(rounds)),
        Job::Bench(bench) => finish(bench::run(bench)),
        Job::Sizes { map: true, .. } => finish(size_map::run()),
        Job::Sizes { json, record, .. } => finish(sizes::run(json, record)),
        Job::Book => finish(book::run()),
        Job::Example {
            package: Some(name),
            ..
        } => finish(example::build_made_from_it(&name)),
        Job::Example { run, record, .. } => finish(example::run(run, record)),
        Job::FleetDemo(arguments) => finish(fleet::run(arguments)),
        Job::Screenshots => finish(report_page::screenshots()),
        Job::Golden => finish(golden::run()),
    }
}

fn finish(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_soak_without_a_round_is_refused() {
        let parse = |rounds| Arguments::try_parse_from(["cargo xtask", "soak", "--rounds", rounds]);
        assert!(parse("0").is_err());
        assert!(parse("1").is_ok());
    }
}
