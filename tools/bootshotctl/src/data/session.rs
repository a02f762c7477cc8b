//! Snapshots that are asked in SQL: a table is read when a statement names it, and of it the columns that are asked for.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Statement;

use crate::data::SNAPSHOT_ID;
use crate::data::database::{self, Database, Need};
use crate::data::findings::Findings;
use crate::data::mistake;
use crate::data::progress;
use crate::data::sources::Source;
use crate::error::Error;

/// A database in memory, and the snapshots that it is filled from.
pub struct Session {
    database: Database,
    sources: Vec<Source>,
    /// The columns that were read, by table.
    loaded: BTreeMap<&'static str, BTreeSet<&'static str>>,
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
            loaded: BTreeMap::new(),
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
        let (needs, refused) = self.database.needs_of(sql);
        let mut needs = needs.map_err(|error| mistake::explain(&error, refused.as_deref()))?;
        // Indexes cost more than they save where there is nothing to join.
        let joins = needs.len() > 1;
        if joins {
            for Need { table, columns } in &mut needs {
                columns.insert(SNAPSHOT_ID);
                let indexed = database::indexes(table).into_iter();
                columns.extend(indexed.filter_map(|index| index.column));
            }
        }
        let findings = self.load(&needs)?;
        if joins {
            let missing: Vec<_> = needs
                .into_iter()
                .map(|need| need.table)
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

    fn load(&mut self, needs: &[Need]) -> Result<Findings, Error> {
        let mut findings = Findings::new(self.sources.len());
        let mut missing = Vec::new();
        for need in needs {
            match self.loaded.get(need.table.name) {
                None => missing.push(need.clone()),
                Some(loaded) if need.columns.is_subset(loaded) => {}
                // Who asks for more of a table may soon ask for more again.
                Some(_) => {
                    self.database.clear(need.table).map_err(failed)?;
                    missing.push(Need::of_all(need.table));
                }
            }
        }
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
        for need in missing {
            self.loaded.insert(need.table.name, need.columns);
        }
        Ok(findings)
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::failed("cannot put the snapshots into a database in memory").because(error)
}
