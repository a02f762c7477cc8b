//! Snapshots that are asked in SQL: a table is read when a statement names it.

use std::collections::BTreeSet;

use bootshot_reader::tables::Table;
use rusqlite::Statement;

use crate::data::database::Database;
use crate::data::findings::Findings;
use crate::data::mistake;
use crate::data::progress;
use crate::data::sources::Source;
use crate::error::Error;

/// A database in memory, and the snapshots that it is filled from.
pub struct Session {
    database: Database,
    sources: Vec<Source>,
    loaded: BTreeSet<&'static str>,
    indexed: BTreeSet<&'static str>,
}

/// What stops a statement: SQLite, or where its answer goes.
pub enum Stop {
    Sql(rusqlite::Error),
    Output(Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Output(error)
    }
}

impl Session {
    pub fn new(sources: Vec<Source>) -> rusqlite::Result<Self> {
        Ok(Self {
            database: Database::in_memory()?,
            sources,
            loaded: BTreeSet::new(),
            indexed: BTreeSet::new(),
        })
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Runs statements, each with `each`; what was found in the snapshots that were read for them.
    pub fn ask(
        &mut self,
        sql: &str,
        each: impl FnMut(&mut Statement<'_>) -> Result<(), Stop>,
    ) -> Result<Findings, Error> {
        let (tables, refused) = self.database.tables_of(sql);
        let tables = tables.map_err(|error| mistake::explain(&error, refused.as_deref()))?;
        let findings = self.load(&tables)?;
        // Indexes cost more than they save where there is nothing to join.
        if tables.len() > 1 {
            let missing: Vec<_> = tables
                .into_iter()
                .filter(|table| self.indexed.insert(table.name))
                .collect();
            self.database.index(&missing).map_err(failed)?;
        }
        match self.database.ask(sql, each) {
            (Ok(()), _) => Ok(findings),
            (Err(Stop::Sql(error)), refused) => Err(mistake::explain(&error, refused.as_deref())),
            (Err(Stop::Output(error)), _) => Err(error),
        }
    }

    fn load(&mut self, tables: &[&'static Table]) -> Result<Findings, Error> {
        let mut findings = Findings::new(self.sources.len());
        let missing: Vec<_> = tables
            .iter()
            .copied()
            .filter(|table| !self.loaded.contains(table.name))
            .collect();
        if missing.is_empty() {
            return Ok(findings);
        }
        let progress = progress::of_snapshots(self.sources.len());
        self.database.begin().map_err(failed)?;
        for source in &self.sources {
            let mut lost = 0;
            source.read(&mut findings, |snapshot| {
                let id = source.id.as_deref().unwrap_or_default();
                let (problems, null) =
                    self.database.load(snapshot, id, &missing).map_err(failed)?;
                lost = null;
                Ok(((), problems))
            })?;
            findings.too_large(lost);
            progress.inc(1);
        }
        self.database.commit().map_err(failed)?;
        progress.finish_and_clear();
        self.loaded.extend(missing.iter().map(|table| table.name));
        Ok(findings)
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::failed("cannot put the snapshots into a database in memory").because(error)
}
