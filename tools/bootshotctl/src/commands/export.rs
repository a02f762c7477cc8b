//! `export`: the tables of many snapshots as files that other programs read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use bootshot_reader::tables::{Cell, TABLES, Table};
use bootshot_reader::{Problem, Snapshot};
use indicatif::ProgressBar;

use crate::data::database::{Database, Need};
use crate::data::findings::{self, Findings};
use crate::data::identity::Identity;
use crate::data::sources::{self, Source};
use crate::data::staging::{Staging, unwritable};
use crate::data::{self, csv, jsonl, parallel, parquet, progress};
use crate::error::{Error, Outcome};
use crate::output;
use crate::shown;

/// Arguments of `export`.
#[derive(clap::Args)]
#[command(override_usage = "bootshotctl export [OPTIONS] <FILE>... --to <FORMAT> <DIR>")]
#[command(after_help = "\
A snapshot does not know its machine's name: without --host, a snapshot's host is the name of the folder its file is in.

Example: bootshotctl export snapshots --to parquet data")]
pub struct Args {
    /// Snapshots, and directories for all *.bshot in and below them; last, where the files go: a new or an empty directory
    #[arg(value_names = ["FILE", "DIR"], required = true, num_args = 1..)]
    paths: Vec<PathBuf>,
    /// The form of the files
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// Add the snapshots to the data set that is in the directory
    #[arg(long)]
    append: bool,
    /// Only these tables, and summary, which all others refer to
    #[arg(long, value_name = "TABLE,…", value_delimiter = ',')]
    tables: Vec<String>,
    /// The machine that all these snapshots are from (jsonl and parquet)
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A file for each table, a JSON object with the snapshot's time in each line: for log systems
    Jsonl,
    /// A file for each table, with a header line: for spreadsheets
    Csv,
    /// One database, snapshots.sqlite, with the tables and views that sql has
    Sqlite,
    /// A file for each table of each snapshot, in folders by table, host and boot: for DuckDB and Spark
    Parquet,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Sqlite => "sqlite",
            Self::Parquet => "parquet",
        }
    }

    /// Where a table is in a data set: its file, or the folder of its files.
    fn place(self, table: &Table) -> PathBuf {
        match self {
            Self::Jsonl | Self::Csv => format!("{}.{}", table.name, self.name()).into(),
            Self::Sqlite => "snapshots.sqlite".into(),
            Self::Parquet => format!("table={}", table.name).into(),
        }
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let (directory, files) = match args.paths.as_slice() {
        [files @ .., directory] if !files.is_empty() => (directory, files),
        _ => {
            return Err(Error::usage("a snapshot and a directory are needed")
                .advise("For example: bootshotctl export boot.bshot --to csv tables"));
        }
    };
    if args.host.is_some() && !matches!(args.to, Format::Jsonl | Format::Parquet) {
        return Err(Error::usage(format!(
            "tables as {} do not say which machine they are of",
            args.to.name()
        ))
        .advise("--host is for --to jsonl and --to parquet."));
    }
    let sources = sources::find(files)?;
    let staging = Staging::new(directory, args.append)?;
    let export = Export {
        format: args.to,
        tables: tables(args, directory)?,
        host: args.host.as_deref(),
        files: sources.len(),
        staging,
    };
    let before = match args.append {
        true => export.require_new(directory, &sources)?,
        false => BTreeSet::new(),
    };
    let progress = progress::of_snapshots(sources.len());
    let (findings, snapshots) = match export.format {
        Format::Parquet => export.parquet(&sources, &progress)?,
        Format::Sqlite => export.sqlite(&sources, &progress)?,
        Format::Csv | Format::Jsonl => export.lines(&sources, &before, &progress)?,
    };
    let last = args.to.place(data::summary());
    export.staging.finish(|name| name.starts_with(&last))?;
    progress.finish_and_clear();
    output::line(format!(
        "{} in {}",
        shown::count(snapshots, "snapshot", "snapshots"),
        directory.display()
    ))?;
    Ok(findings.finish())
}

/// The tables that were asked for. A data set keeps those that it has.
fn tables(args: &Args, directory: &Path) -> Result<Vec<&'static Table>, Error> {
    let chosen = data::chosen(&args.tables)?;
    let there = there(args.to, directory)?;
    let same = |one: &[&Table], other: &[&Table]| {
        let names = |tables: &[&Table]| tables.iter().map(|table| table.name).collect::<Vec<_>>();
        names(one) == names(other)
    };
    if !args.append || there.is_empty() {
        Ok(chosen)
    } else if args.tables.is_empty() || same(&chosen, &there) {
        Ok(there)
    } else {
        let names: Vec<_> = there.iter().map(|table| table.name).collect();
        Err(Error::failed(format!(
            "will not add to {}: it has other tables than those asked for",
            directory.display()
        ))
        .advise(format!("Leave --tables out: it has {}.", names.join(", "))))
    }
}

/// The tables that the data set in a directory has.
fn there(format: Format, directory: &Path) -> Result<Vec<&'static Table>, Error> {
    let path = directory.join(format.place(data::summary()));
    let in_database = match format {
        Format::Sqlite if path.exists() => Some(
            Database::file(&path)
                .and_then(|database| database.tables())
                .map_err(|error| unreadable(directory, &error))?,
        ),
        _ => None,
    };
    let is_there = |table: &&&Table| match &in_database {
        Some(names) => names.contains(table.name),
        None => directory.join(format.place(table)).exists(),
    };
    Ok(TABLES.iter().filter(is_there).copied().collect())
}

fn unreadable(directory: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::failed(format!(
        "cannot read the data set in {}",
        directory.display()
    ))
    .because(error)
}

/// An export as it goes on.
struct Export<'a> {
    format: Format,
    tables: Vec<&'static Table>,
    host: Option<&'a str>,
    files: usize,
    staging: Staging,
}

impl Export<'_> {
    /// Refuses snapshots that the data set has, and a directory with something else in it; the ids of those that it has.
    fn require_new(&self, directory: &Path, sources: &[Source]) -> Result<BTreeSet<String>, Error> {
        let there = self
            .snapshot_ids(directory)
            .map_err(|error| unreadable(directory, &error))?;
        let Some(there) = there else {
            let mut entries =
                fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
            let others = entries.any(|entry| {
                entry.is_ok_and(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            });
            return match others {
                false => Ok(BTreeSet::new()),
                true => Err(Error::failed(format!(
                    "will not write into {}: there is something in it that is no {} data set",
                    directory.display(),
                    self.format.name()
                ))
                .advise("Name a new directory, or the format that it was made with.")),
            };
        };
        for Source { path, id, .. } in sources {
            if id.as_ref().is_some_and(|id| there.contains(id)) {
                return Err(Error::failed(format!(
                    "{} is in {} already",
                    path.display(),
                    directory.display()
                ))
                .advise("Leave it out. Nothing was added."));
            }
        }
        for table in &self.tables {
            let path = directory.join(self.format.place(table));
            let same = self
                .has_columns(&path, table)
                .map_err(|error| unreadable(directory, &*error))?;
            if !same {
                return Err(Error::failed(format!(
                    "cannot add to {}: its {} has other columns",
                    path.display(),
                    table.name
                ))
                .advise("Another version of bootshotctl made it: export into a new directory."));
            }
        }
        Ok(there)
    }

    /// Whether rows can be added to what is there of a table.
    fn has_columns(&self, path: &Path, table: &Table) -> Result<bool, Box<dyn std::error::Error>> {
        Ok(match self.format {
            Format::Csv => csv::has_columns(File::open(path)?, table)?,
            Format::Sqlite => Database::file(path)?.has_columns(table)?,
            // Every line, every file says itself what it has.
            Format::Jsonl | Format::Parquet => true,
        })
    }

    /// The ids of the snapshots in a data set; none where there is no data set.
    fn snapshot_ids(
        &self,
        directory: &Path,
    ) -> Result<Option<BTreeSet<String>>, Box<dyn std::error::Error>> {
        let summary = directory.join(self.format.place(data::summary()));
        if !summary.exists() {
            return Ok(None);
        }
        let ids = match self.format {
            Format::Csv => csv::snapshot_ids(File::open(summary)?)?,
            Format::Jsonl => jsonl::snapshot_ids(BufReader::new(File::open(summary)?))?,
            Format::Sqlite => return Ok(Some(Database::file(&summary)?.snapshot_ids()?)),
            Format::Parquet => {
                let mut ids = Vec::new();
                for path in files_below(&summary)? {
                    ids.extend(parquet::snapshot_id(&path)?);
                }
                ids
            }
        };
        Ok(Some(ids.into_iter().collect()))
    }

    /// Parquet: every snapshot has files of its own.
    fn parquet(
        &self,
        sources: &[Source],
        progress: &ProgressBar,
    ) -> Result<(Findings, usize), Error> {
        let mut findings = Findings::new(self.files);
        let mut filled: BTreeSet<&str> = BTreeSet::new();
        let mut first: Option<Identity> = None;
        let mut snapshots = 0;
        let work = |source: &Source| {
            let mut findings = Findings::new(self.files);
            let (mut names, mut too_large) = (Vec::new(), 0);
            let identity = source.read(&mut findings, |snapshot| {
                let identity = Identity::of(snapshot, &source.path, self.host);
                let mut problems = Vec::new();
                for &table in &self.tables {
                    let mut file = ParquetFile::new(self, table, &identity);
                    let found = each_row(table, snapshot, |cells| {
                        too_large += data::too_large(&cells);
                        file.row(cells)
                    })?;
                    findings::gather(&mut problems, found);
                    if file.finish()? {
                        names.push(table.name);
                    }
                }
                Ok((identity, problems))
            })?;
            findings.too_large(too_large);
            Ok((identity, names, findings))
        };
        parallel::each(sources, work, |(identity, names, found)| {
            findings.merge(found);
            filled.extend(names);
            snapshots += usize::from(identity.is_some());
            if first.is_none() {
                first = identity;
            }
            progress.inc(1);
            Ok(())
        })?;
        // A table without a row in any snapshot is there all the same, so that a query finds its columns.
        if let Some(identity) = first {
            for table in &self.tables {
                let there = self.staging.finished(&self.format.place(table)).exists();
                if !there && !filled.contains(table.name) {
                    let mut file = ParquetFile::new(self, table, &identity);
                    file.open()?;
                    file.finish()?;
                }
            }
        }
        Ok((findings, snapshots))
    }

    /// SQLite: one database, filled by one thread.
    fn sqlite(
        &self,
        sources: &[Source],
        progress: &ProgressBar,
    ) -> Result<(Findings, usize), Error> {
        let mut findings = Findings::new(self.files);
        let mut snapshots = 0;
        let name = self.format.place(data::summary());
        let path = self.staging.create(&name)?;
        let before = self.staging.finished(&name);
        let failed = |error: rusqlite::Error| unwritable(&path, &error);
        if before.exists() {
            fs::copy(&before, &path).map_err(|error| unwritable(&path, &error))?;
        }
        let database = Database::file(&path).map_err(failed)?;
        match before.exists() {
            true => database.drop_indexes(&self.tables).map_err(failed)?,
            false => database.create(&self.tables).map_err(failed)?,
        }
        let needs: Vec<Need> = self
            .tables
            .iter()
            .map(|table| Need::of_all(table))
            .collect();
        database.begin().map_err(failed)?;
        for source in sources {
            let mut null = 0;
            let read = source.read(&mut findings, |snapshot| {
                let id = source.id.as_deref().unwrap_or_default();
                let loaded = database.load(snapshot, id, &needs);
                let (problems, too_large) = loaded.map_err(failed)?;
                null = too_large;
                Ok(((), problems))
            })?;
            findings.too_large(null);
            snapshots += usize::from(read.is_some());
            progress.inc(1);
        }
        database.index(&self.tables).map_err(failed)?;
        database.commit().map_err(failed)?;
        database.close().map_err(failed)?;
        Ok((findings, snapshots))
    }

    /// CSV and JSON Lines: every table has one file, which the parts of the snapshots are put together to, behind those of
    /// the ones that are there `before`.
    fn lines(
        &self,
        sources: &[Source],
        before: &BTreeSet<String>,
        progress: &ProgressBar,
    ) -> Result<(Findings, usize), Error> {
        let mut findings = Findings::new(self.files);
        let mut snapshots = 0;
        let mut files = Vec::new();
        for table in &self.tables {
            files.push(self.line_file(table, before)?);
        }
        let work = |source: &Source| {
            let mut findings = Findings::new(self.files);
            let part = source.read(&mut findings, |snapshot| {
                let identity = Identity::of(snapshot, &source.path, self.host);
                self.part(snapshot, &identity)
            })?;
            Ok((part, findings))
        };
        parallel::each(sources, work, |(parts, found)| {
            findings.merge(found);
            snapshots += usize::from(parts.is_some());
            for ((part, (path, file)), table) in
                parts.iter().flatten().zip(&mut files).zip(&self.tables)
            {
                let copied = File::open(part).and_then(|mut part| io::copy(&mut part, file));
                copied.map_err(|error| unwritable(path, &error))?;
                fs::remove_file(part).map_err(|error| unwritable(Path::new(table.name), &error))?;
            }
            progress.inc(1);
            Ok(())
        })?;
        Ok((findings, snapshots))
    }

    /// The new file of a table: what the data set has of it, or its beginning. Rows of snapshots that its summary does not
    /// tell of were left by somebody who was stopped while the files got their names: they are left out.
    fn line_file(&self, table: &Table, told: &BTreeSet<String>) -> Result<(PathBuf, File), Error> {
        let name = self.format.place(table);
        let path = self.staging.create(&name)?;
        let before = self.staging.finished(&name);
        let made = || -> Result<File, Box<dyn std::error::Error>> {
            if before.exists() {
                let (from, to) = (File::open(&before)?, File::create(&path)?);
                let (from, mut to) = (BufReader::new(from), BufWriter::new(to));
                let is_told = |id: &[u8]| str::from_utf8(id).is_ok_and(|id| told.contains(id));
                match self.format {
                    Format::Csv => csv::copy(from, &mut to, is_told)?,
                    _ => jsonl::copy(from, &mut to, is_told)?,
                }
                to.flush()?;
            } else if self.format == Format::Csv {
                csv::Writer::new(File::create(&path)?, table, true)?.finish()?;
            }
            Ok(File::options().append(true).create(true).open(&path)?)
        };
        let file = made().map_err(|error| unwritable(&path, &error))?;
        Ok((path, file))
    }

    /// The lines of a snapshot, a file for each table.
    fn part(
        &self,
        snapshot: &Snapshot<'_>,
        identity: &Identity,
    ) -> Result<(Vec<PathBuf>, Vec<Problem>), Error> {
        let (mut paths, mut problems) = (Vec::new(), Vec::new());
        for &table in &self.tables {
            let path = self
                .staging
                .part(&format!("{}-{}", identity.id, table.name))?;
            let failed = |error: &dyn std::fmt::Display| unwritable(&path, error);
            let file = File::create(&path).map_err(|error| failed(&error))?;
            let mut file = BufWriter::new(file);
            let found = match self.format {
                Format::Csv => {
                    let mut writer = csv::Writer::new(&mut file, table, false)
                        .map_err(|error| failed(&error))?;
                    let problems = each_row(table, snapshot, |cells| {
                        let written = writer.row(&identity.id, &cells);
                        written.map_err(|error| failed(&error))
                    })?;
                    writer.finish().map_err(|error| failed(&error))?;
                    problems
                }
                Format::Jsonl | Format::Sqlite | Format::Parquet => {
                    let mut writer = jsonl::Writer::new(&mut file, table, identity);
                    each_row(table, snapshot, |cells| {
                        writer.row(&cells).map_err(|error| failed(&error))
                    })?
                }
            };
            findings::gather(&mut problems, found);
            file.flush().map_err(|error| failed(&error))?;
            paths.push(path);
        }
        Ok((paths, problems))
    }
}

/// Lets `write` have the rows of a table; what could not be read. After an error it gets no more.
fn each_row(
    table: &Table,
    snapshot: &Snapshot<'_>,
    mut write: impl FnMut(Vec<Cell>) -> Result<(), Error>,
) -> Result<Vec<Problem>, Error> {
    let mut result = Ok(());
    let problems = table.read(snapshot, &mut |cells| {
        if result.is_ok() {
            result = write(cells);
        }
    });
    result.map(|()| problems)
}

/// The file of a table of a snapshot, made when there is a row for it.
struct ParquetFile<'e> {
    export: &'e Export<'e>,
    table: &'static Table,
    identity: &'e Identity,
    writer: Option<(PathBuf, parquet::Writer<File>)>,
}

impl<'e> ParquetFile<'e> {
    fn new(export: &'e Export<'e>, table: &'static Table, identity: &'e Identity) -> Self {
        Self {
            export,
            table,
            identity,
            writer: None,
        }
    }

    fn open(&mut self) -> Result<&mut (PathBuf, parquet::Writer<File>), Error> {
        match &mut self.writer {
            Some(writer) => Ok(writer),
            none => {
                let name = parquet::place(self.table, self.identity);
                let path = self.export.staging.create(&name)?;
                let file = File::create_new(&path).map_err(|error| unwritable(&path, &error))?;
                let writer = parquet::Writer::new(file, self.table, &self.identity.id)
                    .map_err(|error| unwritable(&path, &error))?;
                Ok(none.insert((path, writer)))
            }
        }
    }

    fn row(&mut self, cells: Vec<Cell>) -> Result<(), Error> {
        let (path, writer) = self.open()?;
        let written = writer.row(cells);
        written.map_err(|error| unwritable(path, &error))
    }

    /// Whether there is a file.
    fn finish(self) -> Result<bool, Error> {
        let Some((path, writer)) = self.writer else {
            return Ok(false);
        };
        writer.finish().map_err(|error| unwritable(&path, &error))?;
        Ok(true)
    }
}

/// All files below a folder.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}
