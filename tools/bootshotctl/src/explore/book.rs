//! The records of a snapshot that are explored, and how they are tied to each other.

use std::collections::HashMap;
use std::sync::Arc;

use bootshot_reader::records::{
    Autologger, Handle, Hive, LinkKey, MinifilterInstance, Object, Process, Reading, RootKey,
    Service,
};
use bootshot_reader::{Completeness, Hex, Problem, Snapshot};

use crate::explore::table::{Records, Table};
use crate::explore::tables::registry::{self, KeyValue, OpenKey};
use crate::explore::tables::{self, Entry};
use crate::explore::view::View;
use crate::reading;
use crate::shown;

/// What is known of a snapshot as a whole.
pub struct Identity {
    /// Name of its file.
    pub file: String,
    /// System, phase and moment.
    pub what: String,
    /// Why it is not all there, or not to be trusted; for a banner.
    pub warning: Option<String>,
}

/// A snapshot's records.
pub struct Book {
    pub identity: Identity,
    pub processes: Records<Process>,
    pub handles: Records<Handle>,
    pub objects: Records<Object>,
    pub entries: Records<Entry>,
    roots: Records<RootKey>,
    hives: Records<Hive>,
    links: Records<LinkKey>,
    volatile: Records<String>,
    pub keys: Records<OpenKey>,
    services: Records<Service>,
    minifilters: Records<MinifilterInstance>,
    autologgers: Records<Autologger>,
    session_manager: Records<KeyValue>,
    control: Records<KeyValue>,
    /// What could not be read, each once, with the views that it is about.
    pub problems: Vec<(Problem, Vec<View>)>,
    /// Where an object stands, by address.
    addresses: HashMap<Hex, Vec<u32>>,
    /// Where an object without an address stands, by type and name.
    names: HashMap<(Arc<str>, String), u32>,
    /// Where an entry of the namespace stands, by path.
    paths: HashMap<String, u32>,
}

/// Gathers the problems of readings, many of which say the same.
#[derive(Default)]
struct Problems {
    all: Vec<(Problem, Vec<View>)>,
    /// Where each stands, by what it says.
    places: HashMap<String, usize>,
}

impl Problems {
    /// The value of a reading that is shown in `views`.
    fn of<T>(&mut self, views: &[View], reading: Reading<T>) -> T {
        for problem in reading.problems {
            self.add(problem, views);
        }
        reading.value
    }

    fn add(&mut self, problem: Problem, views: &[View]) {
        let place = *self
            .places
            .entry(problem.to_string())
            .or_insert(self.all.len());
        match self.all.get_mut(place) {
            Some((_, known)) => known.extend(views),
            None => self.all.push((problem, views.to_vec())),
        }
    }
}

impl Book {
    pub fn read(file: String, snapshot: &Snapshot<'_>) -> Self {
        let mut problems = Problems::default();
        for problem in &snapshot.problems {
            problems.add(problem.clone(), &[]);
        }
        let processes = [View::ProcessTree, View::ProcessList];
        let processes = problems.of(&processes, snapshot.processes());
        let handles = problems.of(&[View::Handles], snapshot.handles());
        let objects = problems.of(&[View::Objects], snapshot.objects()).objects;
        let namespace = problems.of(&[View::Namespace], snapshot.namespace());
        let symlinks = problems.of(&[View::Namespace], snapshot.symbolic_links());
        let hives = problems.of(&[View::Hives, View::Roots], snapshot.hives());
        let links = problems.of(&[View::Links, View::Volatile], snapshot.registry_links());
        let keys = problems.of(&[View::Keys], snapshot.key_handles());
        let services = problems.of(&[View::Services], snapshot.services());
        let minifilters = problems.of(&[View::Minifilters], snapshot.minifilters());
        let autologgers = problems.of(&[View::Autologgers], snapshot.autologgers());
        let session_manager = problems.of(&[View::SessionManager], snapshot.session_manager());
        let control = problems.of(&[View::Control], snapshot.control());

        let entries = tables::entries(&namespace, symlinks);
        let mut addresses: HashMap<Hex, Vec<u32>> = HashMap::new();
        let mut names = HashMap::new();
        for (row, object) in (0..).zip(&objects) {
            match (object.address, &object.naming.name) {
                (Some(address), _) => addresses.entry(address).or_default().push(row),
                (None, Some(name)) => {
                    names.insert((object.object_type.clone(), name.to_string()), row);
                }
                (None, None) => {}
            }
        }
        let paths = (0..)
            .zip(&entries.rows)
            .map(|(row, entry)| (entry.entry.path.to_string(), row))
            .collect();
        Self {
            identity: identity(file, snapshot),
            processes: tables::processes(processes),
            handles: tables::handles(handles),
            objects: tables::objects(objects),
            entries,
            roots: registry::roots(hives.roots.unwrap_or_default()),
            hives: registry::hives(hives.hives),
            links: registry::links(links.links),
            volatile: registry::volatile(links.volatile),
            keys: registry::keys(keys),
            services: registry::services(services),
            minifilters: registry::minifilters(minifilters),
            autologgers: registry::autologgers(autologgers),
            session_manager: registry::values(session_manager),
            control: registry::values(control),
            problems: problems.all,
            addresses,
            names,
            paths,
        }
    }

    pub fn table(&self, view: View) -> &dyn Table {
        match view {
            View::ProcessTree | View::ProcessList => &self.processes,
            View::Handles => &self.handles,
            View::Namespace => &self.entries,
            View::Objects => &self.objects,
            View::Hives => &self.hives,
            View::Roots => &self.roots,
            View::Links => &self.links,
            View::Volatile => &self.volatile,
            View::Keys => &self.keys,
            View::Services => &self.services,
            View::Minifilters => &self.minifilters,
            View::Autologgers => &self.autologgers,
            View::SessionManager => &self.session_manager,
            View::Control => &self.control,
        }
    }

    /// Why a view without rows has none, as far as it is known.
    pub fn why_empty(&self, view: View) -> String {
        let about = |views: &Vec<View>| views.contains(&view);
        let problem = self.problems.iter().find(|(_, views)| about(views));
        match problem {
            Some((problem, _)) => problem.to_string(),
            None => "nothing: it was not captured, or there is none".to_owned(),
        }
    }

    /// The process with this id.
    pub fn process(&self, pid: u64) -> Option<u32> {
        row(&self.processes.rows, |process| process.pid == pid)
    }

    /// `smss.exe 300`.
    pub fn process_name(&self, pid: u64) -> String {
        let process = self.process(pid);
        let image = process.and_then(|row| self.processes.rows[row as usize].image.as_deref());
        format!("{} {pid}", shown::visible(image.unwrap_or("process")))
    }

    /// The handle of a process with this value.
    pub fn handle(&self, pid: u64, handle: Hex) -> Option<u32> {
        row(&self.handles.rows, |entry| {
            entry.pid == pid && entry.handle == handle
        })
    }

    /// The object that a handle leads to. Type and address must agree, else the object has gone and another one is
    /// there; where the kernel hides the address, type and name must.
    pub fn object_of(&self, handle: &Handle) -> Option<u32> {
        let name = || Some(handle.naming.name.as_ref()?.to_string());
        self.object(handle.object_address, &handle.object_type, name)
    }

    /// The object that an entry of the namespace names.
    pub fn object_of_entry(&self, entry: &Entry) -> Option<u32> {
        let entry = &entry.entry;
        let address = entry.details.as_deref().and_then(|details| details.address);
        let path = || Some(entry.path.to_string());
        self.object(address, &entry.object_type, path)
    }

    fn object(
        &self,
        address: Option<Hex>,
        object_type: &Arc<str>,
        name: impl FnOnce() -> Option<String>,
    ) -> Option<u32> {
        match address {
            Some(address) => {
                let mut there = self.addresses.get(&address)?.iter().copied();
                there.find(|row| self.objects.rows[*row as usize].object_type == *object_type)
            }
            None => {
                let key = (object_type.clone(), name()?);
                self.names.get(&key).copied()
            }
        }
    }

    /// The entry of the namespace that names an object.
    pub fn entry_of(&self, object: &Object) -> Option<u32> {
        let path = object.naming.name.as_ref()?.to_string();
        let row = *self.paths.get(&path)?;
        let entry = &self.entries.rows[row as usize].entry;
        (entry.object_type == object.object_type).then_some(row)
    }

    /// The handles to an object.
    pub fn handles_to(&self, object: u32) -> Vec<u32> {
        let object_type = &self.objects.rows[object as usize].object_type;
        let address = self.objects.rows[object as usize].address;
        rows(&self.handles.rows, |handle| {
            // Names are compared only where there is nothing better: they are put together for it.
            handle.object_address == address
                && handle.object_type == *object_type
                && (address.is_some() || self.object_of(handle) == Some(object))
        })
    }

    /// The handles of a process.
    pub fn handles_of(&self, pid: u64) -> Vec<u32> {
        rows(&self.handles.rows, |handle| handle.pid == pid)
    }
}

fn row<R>(all: &[R], is_it: impl FnMut(&R) -> bool) -> Option<u32> {
    all.iter().position(is_it)?.try_into().ok()
}

fn rows<R>(all: &[R], mut wanted: impl FnMut(&R) -> bool) -> Vec<u32> {
    (0..)
        .zip(all)
        .filter(|(_, record)| wanted(record))
        .map(|(row, _)| row)
        .collect()
}

fn identity(file: String, snapshot: &Snapshot<'_>) -> Identity {
    let summary = snapshot.summary().value;
    let system = &summary.system;
    let moment = summary.start_time.map(shown::moment);
    let what = format!(
        "NT {} {}, {}, {}",
        system.nt_version,
        shown::optional(system.machine),
        summary.phase,
        shown::optional(moment)
    );
    let warning = if reading::is_damaged(snapshot) {
        Some(
            "DAMAGED: bytes are not as they were written; what could be read is shown (! tells more)",
        )
    } else if snapshot.completeness() == Completeness::Unfinished {
        Some("UNFINISHED: the capture did not come to its end; what follows is missing")
    } else {
        None
    };
    Identity {
        file: shown::visible(&file),
        what,
        warning: warning.map(str::to_owned),
    }
}
