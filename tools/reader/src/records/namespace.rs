//! The object namespace: what the directories list, each entry with what came of opening it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use bootshot_format::{Family, ObjectKind, Source, entry_of};
use serde::{Serialize, Serializer};

use super::Reading;
use super::naming::{Naming, ObjectName, type_of};
use super::objects::ObjectDetails;
use super::opened::{HandleReference, Holder, Lists, Opened};
use crate::decode::{self, HandleEntry};
use crate::error::Problem;
use crate::names::describe_status;
use crate::snapshot::{Answer, Snapshot};
use crate::value::{Hex, utf8_length, utf16};

/// Levels of directories that are followed; real namespaces have fewer than ten.
const MAXIMUM_DEPTH: usize = 64;

/// Bytes of a path in UTF-8 from which on no directory is followed: no `UNICODE_STRING` holds a longer one.
const MAXIMUM_PATH: usize = 0xFFFF;

/// Symbolic links that are followed one behind the other, as many as the object manager follows.
const MAXIMUM_LINKS: usize = 32;

/// What `NtQueryDirectoryObject` ends with.
const STATUS_NO_MORE_ENTRIES: u32 = 0x8000_001A;

/// One directory's listing, call by call.
struct Listing<'s> {
    path: Option<Arc<str>>,
    answers: Vec<Answer<'s>>,
}

impl<'s> Listing<'s> {
    /// Gives the name of each entry and that of its type, in UTF-16.
    fn each_entry(&self, problems: &mut Vec<Problem>, mut each: impl FnMut(&'s [u8], &'s [u8])) {
        for answer in self.answers.iter().filter(|answer| answer.succeeded()) {
            answer.decode(problems, |buffer, problems| {
                decode::each_directory_entry(buffer, problems, &mut each);
            });
        }
    }

    /// Why the listing is not whole.
    fn error(&self) -> Option<u32> {
        let last = self.answers.last()?;
        (!last.succeeded() && last.status != STATUS_NO_MORE_ENTRIES).then_some(last.status)
    }
}

/// How a directory was listed: through a handle, or by its path, as older snapshots have it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum ListedBy {
    Handle(HandleReference),
    Path(Arc<str>),
}

/// A directory that was listed.
pub(super) struct WalkedDirectory {
    pub name: Arc<ObjectName>,
    entries: Range<usize>,
    error: Option<u32>,
    depth: usize,
    /// Its entries by name as names are compared. Made when one is looked for: that is in few directories.
    by_name: OnceCell<Vec<(String, usize)>>,
}

/// An entry of a directory: small, since there are hundreds of thousands.
pub(super) struct WalkedEntry<'s> {
    pub directory: u32,
    /// In UTF-16, where it lies.
    name: &'s [u8],
    /// Place of the name of its type.
    type_name: u32,
    /// Place behind that of the directory that it is, where that was listed; else 0.
    below: u32,
    /// Place behind that of the first thing that it was opened as; 0 when it was not.
    opened: u32,
}

impl WalkedEntry<'_> {
    /// The directory that it is, where that was listed.
    pub fn below(&self) -> Option<usize> {
        (self.below as usize).checked_sub(1)
    }
}

/// Everything below `\` that was listed, and what was opened there.
pub(super) struct Walk<'s> {
    /// Whether entries that were not opened are left out.
    only_opened: bool,
    pub directories: Vec<WalkedDirectory>,
    pub entries: Vec<WalkedEntry<'s>>,
    types: Types<'s>,
    /// By directory entry.
    opened: Vec<Opened>,
    /// Of the directories, without an entry: `\` itself. The place of what was opened, and of the directory.
    bases: Vec<(u32, u32)>,
    /// Through handles of others.
    foreign: BTreeMap<HandleReference, Listing<'s>>,
}

/// The names of types, each once.
#[derive(Default)]
struct Types<'s> {
    names: Vec<Arc<str>>,
    places: HashMap<&'s [u8], u32>,
}

impl<'s> Types<'s> {
    fn place(&mut self, name: &'s [u8]) -> u32 {
        let names = &mut self.names;
        *self.places.entry(name).or_insert_with(|| {
            names.push(utf16(name).into());
            names.len() as u32 - 1
        })
    }
}

/// What a name is made of: of a directory, or of an entry. In the order of [`Walk::named`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Named {
    Directory(u32),
    Entry(u32),
}

/// A name as the object manager compares it: without regard to case.
fn folded(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_uppercase();
    }
    name.chars().flat_map(char::to_uppercase).collect()
}

/// Where a path leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Resolution {
    /// To `\` itself.
    Root,
    /// To this entry; what is left of the path is for the object behind it, a device for example.
    Found(usize),
    /// To nothing.
    Dangling,
    /// Links lead to each other without end.
    Loop,
    /// Into a directory that was not listed, or a link whose target is not known.
    NotKnown,
}

impl<'s> Walk<'s> {
    /// The entries of a directory.
    pub fn entries_of(&self, directory: usize) -> Range<usize> {
        self.directories[directory].entries.clone()
    }

    /// The name of an entry.
    pub fn name(&self, entry: usize) -> ObjectName {
        let directory = self.directory_of(entry).name.clone();
        ObjectName::inside(directory, utf16(self.entries[entry].name).into())
    }

    /// The name of what was opened.
    pub fn name_of(&self, named: Named) -> ObjectName {
        match named {
            Named::Directory(directory) => (*self.directories[directory as usize].name).clone(),
            Named::Entry(entry) => self.name(entry as usize),
        }
    }

    /// The last part of the name of an entry.
    pub fn last_name(&self, entry: usize) -> String {
        utf16(self.entries[entry].name)
    }

    /// The directory that lists an entry.
    pub fn directory_of(&self, entry: usize) -> &WalkedDirectory {
        &self.directories[self.entries[entry].directory as usize]
    }

    /// The type of an entry, as the directory lists it.
    pub fn type_name(&self, entry: usize) -> &Arc<str> {
        &self.types.names[self.entries[entry].type_name as usize]
    }

    /// What an entry was opened as, refused opens included.
    pub fn opened_at(&self, entry: usize) -> &[Opened] {
        let Some(first) = (self.entries[entry].opened as usize).checked_sub(1) else {
            return &[];
        };
        let opened = self.opened[first..].chunk_by(|one, next| one.entry == next.entry);
        opened.into_iter().next().unwrap_or_default()
    }

    /// What was opened as the type that the directory lists, else the first that could be opened, else the first.
    pub fn best_open(&self, entry: usize) -> Option<&Opened> {
        let opened = self.opened_at(entry);
        let type_name = self.type_name(entry);
        let listed = |opened: &&Opened| type_of(opened.kind) == &**type_name;
        let open = |opened: &&Opened| opened.handle() != 0;
        opened
            .iter()
            .find(listed)
            .or_else(|| opened.iter().find(open))
            .or_else(|| opened.first())
    }

    /// How much was opened, or tried to.
    pub const fn opened_count(&self) -> usize {
        self.opened.len()
    }

    /// Everything that is open, with what its name is made of.
    pub fn named(&self) -> impl Iterator<Item = (&Opened, Named)> {
        let places = self.named_at();
        places.map(|(place, named)| (self.opened(place), named))
    }

    /// The same by [place](Self::opened).
    pub fn named_at(&self) -> impl Iterator<Item = (u32, Named)> {
        let bases = self.bases.iter();
        let bases = bases.map(|(opened, directory)| (*opened, Named::Directory(*directory)));
        let entries = self.entries.iter().enumerate();
        let entries = entries.flat_map(move |(place, entry)| {
            let first = entry.opened.saturating_sub(1);
            let opened = first..first + self.opened_at(place).len() as u32;
            opened.map(move |opened| (opened, Named::Entry(place as u32)))
        });
        bases
            .chain(entries)
            .filter(|(place, _)| self.opened(*place).handle() != 0)
    }

    /// What was opened, by place.
    pub fn opened(&self, place: u32) -> &Opened {
        &self.opened[place as usize]
    }

    /// The entry of this name in a directory.
    fn child(&self, directory: usize, name: &str) -> Option<usize> {
        let walked = &self.directories[directory];
        let by_name = walked.by_name.get_or_init(|| {
            let entries = walked.entries.clone();
            let mut by_name: Vec<(String, usize)> = entries
                .map(|entry| (folded(&self.last_name(entry)), entry))
                .collect();
            by_name.sort_by(|(one, _), (other, _)| one.cmp(other));
            by_name
        });
        let wanted = folded(name);
        let place = by_name
            .binary_search_by(|(name, _)| name.cmp(&wanted))
            .ok()?;
        Some(by_name[place].1)
    }

    /// The directory that is listed as `\`.
    fn root(&self) -> Option<usize> {
        self.directories
            .iter()
            .position(|directory| directory.name.is_root())
    }

    /// Follows a path from `\` on. `target` gives the target of a link, `follow_last` says whether a link at the end of the
    /// path is followed too.
    pub fn resolve<'t>(
        &self,
        path: &str,
        follow_last: bool,
        target: impl Fn(usize) -> Option<&'t str>,
    ) -> Resolution {
        let Some(root) = self.root() else {
            return Resolution::NotKnown;
        };
        let mut path = std::borrow::Cow::Borrowed(path);
        'links: for _ in 0..=MAXIMUM_LINKS {
            let mut directory = root;
            let mut found = None;
            let mut rest = path.trim_start_matches('\\');
            while !rest.is_empty() {
                let (name, behind) = rest.split_once('\\').unwrap_or((rest, ""));
                let entry = match self.child(directory, name) {
                    // `\??` is looked up in the directories of DOS devices, of which that for everybody is listed.
                    None if directory == root && name == "??" => self.child(root, "GLOBAL??"),
                    entry => entry,
                };
                let Some(entry) = entry else {
                    return match self.directories[directory].error {
                        Some(_) => Resolution::NotKnown,
                        None => Resolution::Dangling,
                    };
                };
                found = Some(entry);
                rest = behind;
                let type_name = &**self.type_name(entry);
                if type_name == "SymbolicLink" && (follow_last || !rest.is_empty()) {
                    let Some(target) = target(entry) else {
                        return Resolution::NotKnown;
                    };
                    path = if rest.is_empty() {
                        target.to_owned().into()
                    } else {
                        format!("{target}\\{rest}").into()
                    };
                    if path.len() > MAXIMUM_PATH * 2 {
                        return Resolution::NotKnown;
                    }
                    continue 'links;
                }
                match self.entries[entry].below() {
                    Some(below) => directory = below,
                    None if rest.is_empty() => {}
                    None if type_name == "Directory" => return Resolution::NotKnown,
                    // Types with a name space of their own: what follows is a matter between them and who asks.
                    None if matches!(
                        type_name,
                        "Device" | "Key" | "WindowStation" | "Driver" | "FilterConnectionPort"
                    ) =>
                    {
                        return Resolution::Found(entry);
                    }
                    None => return Resolution::Dangling,
                }
            }
            return found.map_or(Resolution::Root, Resolution::Found);
        }
        Resolution::Loop
    }
}

impl Snapshot<'_> {
    /// Every listing, and what was opened in it.
    pub(super) fn walk(&self, problems: &mut Vec<Problem>) -> Walk<'_> {
        let mut opened = Vec::with_capacity(self.most_answers_from(Source::OBJECT));
        opened.extend(self.opened_objects());
        self.walk_over(opened, false, problems)
    }

    /// The same with nothing but directories and what was opened as this.
    pub(super) fn walk_to(&self, wanted: ObjectKind, problems: &mut Vec<Problem>) -> Walk<'_> {
        let is_wanted =
            |opened: &Opened| opened.kind == ObjectKind::DIRECTORY || opened.kind == wanted;
        let opened = self.opened_objects().filter(is_wanted).collect();
        self.walk_over(opened, true, problems)
    }

    fn walk_over<'s>(
        &'s self,
        opened: Vec<Opened>,
        only_opened: bool,
        problems: &mut Vec<Problem>,
    ) -> Walk<'s> {
        let own_id = self.header.process_id;
        let mut listings: BTreeMap<ListedBy, Listing<'_>> = BTreeMap::new();
        let mut walk = Walk {
            only_opened,
            directories: Vec::new(),
            // Most of them are opened, each as one thing.
            entries: Vec::with_capacity(opened.len()),
            types: Types::default(),
            opened,
            bases: Vec::new(),
            foreign: BTreeMap::new(),
        };
        for answer in self.answers_from(Source::DIRECTORY_OBJECT) {
            let name = answer.name();
            let key = match answer.argument2 {
                0 => ListedBy::Path(name.as_str().into()),
                reference => ListedBy::Handle(self.handle_reference(reference)),
            };
            let listing = listings.entry(key).or_insert_with(|| Listing {
                path: (!name.is_empty()).then(|| name.into()),
                answers: Vec::new(),
            });
            listing.answers.push(answer);
        }
        walk.opened.shrink_to_fit();
        walk.opened.sort_unstable_by_key(Opened::order);
        // `\` first: what else is named by its path may have been found below it by then.
        let mut bases: Vec<ListedBy> = listings
            .iter()
            .filter(|(_, listing)| listing.path.is_some())
            .map(|(key, _)| key.clone())
            .collect();
        bases.sort_by_key(|key| listings[key].path.as_deref() != Some("\\"));
        for base in bases {
            let Some(listing) = listings.remove(&base) else {
                continue;
            };
            let Some(path) = listing.path.clone() else {
                continue;
            };
            let mut above = None;
            if let (Some(_), Resolution::Found(entry)) =
                (walk.root(), walk.resolve(&path, false, |_| None))
            {
                if walk.entries[entry].below != 0 {
                    continue;
                }
                above = Some(entry);
            }
            let name = match above {
                Some(entry) => walk.name(entry),
                None => ObjectName::told(path),
            };
            walk.follow(
                base,
                listing,
                (name, above),
                &mut listings,
                own_id,
                problems,
            );
        }
        for (key, listing) in listings {
            if let ListedBy::Handle(reference) = key
                && reference.0 != own_id
            {
                walk.foreign.insert(reference, listing);
            }
        }
        walk
    }
}

impl<'s> Walk<'s> {
    /// Adds a listed directory and all that are found below it, each once.
    fn follow(
        &mut self,
        key: ListedBy,
        listing: Listing<'s>,
        (name, above): (ObjectName, Option<usize>),
        listings: &mut BTreeMap<ListedBy, Listing<'s>>,
        own_id: u64,
        problems: &mut Vec<Problem>,
    ) {
        let path_length = name.to_string().len();
        if let ListedBy::Handle((_, handle)) = &key {
            let base = self.opened.iter().position(|opened| {
                opened.entry == 0
                    && opened.kind == ObjectKind::DIRECTORY
                    && opened.handle() == *handle
            });
            if let (Some(base), None) = (base, above) {
                self.bases
                    .push((base as u32, self.directories.len() as u32));
            }
        }
        let mut queue = VecDeque::from([(key, listing, Arc::new(name), above, path_length, 0)]);
        while let Some((key, listing, name, above, path_length, depth)) = queue.pop_front() {
            let directory = self.directories.len();
            if let Some(above) = above {
                self.entries[above].below = directory as u32 + 1;
            }
            let start = self.entries.len();
            let mut listed = Vec::new();
            listing.each_entry(problems, |name, type_name| listed.push((name, type_name)));
            for (number, (entry_name, type_name)) in listed.into_iter().enumerate() {
                let opened = match key {
                    ListedBy::Handle((_, handle)) => self.opened_as(handle, number as u32),
                    ListedBy::Path(_) => 0..0,
                };
                if self.only_opened && opened.is_empty() {
                    continue;
                }
                let place = self.entries.len();
                for index in opened.clone() {
                    let opened = &self.opened[index];
                    if opened.kind != ObjectKind::DIRECTORY || opened.handle() == 0 {
                        continue;
                    }
                    let entry_name: Arc<str> = utf16(entry_name).into();
                    let length = path_length + 1 + entry_name.len();
                    let below = ListedBy::Handle((own_id, opened.handle()));
                    if depth >= MAXIMUM_DEPTH || length > MAXIMUM_PATH {
                        problems.push(Problem::new(
                            "object directory",
                            0,
                            format!("at most {MAXIMUM_DEPTH} levels"),
                            "a deeper one",
                        ));
                    } else if let Some(listing) = listings.remove(&below) {
                        let name = ObjectName::inside(name.clone(), entry_name);
                        queue.push_back((
                            below,
                            listing,
                            Arc::new(name),
                            Some(place),
                            length,
                            depth + 1,
                        ));
                    }
                }
                let type_name = self.types.place(type_name);
                self.entries.push(WalkedEntry {
                    directory: directory as u32,
                    name: entry_name,
                    type_name,
                    below: 0,
                    opened: match opened.is_empty() {
                        true => 0,
                        false => opened.start as u32 + 1,
                    },
                });
            }
            self.directories.push(WalkedDirectory {
                name,
                entries: start..self.entries.len(),
                error: listing.error(),
                depth,
                by_name: OnceCell::new(),
            });
        }
    }

    /// What the entry with this number in the listing of our handle was opened as.
    fn opened_as(&self, handle: u64, number: u32) -> Range<usize> {
        if handle == 0 || handle >> 32 != 0 {
            return 0..0;
        }
        let wanted = entry_of(handle, number);
        let start = self.opened.partition_point(|opened| opened.entry < wanted);
        let end = self.opened.partition_point(|opened| opened.entry <= wanted);
        start..end
    }
}

/// What came of opening an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// It was opened.
    Opened,
    /// It was tried; the `NTSTATUS`.
    Refused(u32),
    /// Its type is never opened, or the capture did not get to it.
    NotTried,
}

impl Opening {
    /// The word for it in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Refused(_) => "refused",
            Self::NotTried => "not_tried",
        }
    }
}

/// An entry of an object directory.
#[derive(Clone, Debug)]
pub struct NamespaceEntry {
    /// Its path.
    pub path: ObjectName,
    /// Its type, as the directory lists it.
    pub object_type: Arc<str>,
    /// Directories it lies below.
    pub depth: usize,
    /// What came of opening it.
    pub opening: Opening,
    /// What it told of itself, where it was opened.
    pub details: Option<Box<ObjectDetails>>,
    /// Of a directory that was listed: how many entries it has, and why that is not all of them.
    pub contents: Option<Contents>,
}

/// What is in a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contents {
    /// How many entries were listed.
    pub entry_count: usize,
    /// `NTSTATUS` of the call that did not answer.
    pub error: Option<u32>,
    directory: usize,
}

impl Serialize for NamespaceEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            path: &'a ObjectName,
            #[serde(rename = "type")]
            object_type: &'a str,
            open: &'static str,
            open_error: Option<String>,
            entry_count: Option<usize>,
            listing_error: Option<String>,
            #[serde(flatten)]
            details: &'a ObjectDetails,
        }
        let open_error = match self.opening {
            Opening::Refused(status) => Some(describe_status(status)),
            _ => None,
        };
        let listing_error = self.contents.and_then(|contents| contents.error);
        Shown {
            path: &self.path,
            object_type: &self.object_type,
            open: self.opening.word(),
            open_error,
            entry_count: self.contents.map(|contents| contents.entry_count),
            listing_error: listing_error.map(describe_status),
            details: self.details.as_deref().unwrap_or(&ObjectDetails::NONE),
        }
        .serialize(serializer)
    }
}

/// A Directory object that the walk did not reach from `\`.
#[derive(Clone, Debug, Serialize)]
pub struct UnnamedDirectory {
    /// Where it is; none where the kernel hides it.
    pub address: Option<Hex>,
    /// The name it told when it was asked through a handle, or why there is none.
    #[serde(flatten)]
    pub naming: Naming,
    /// Who has it open.
    pub holders: Vec<Holder>,
    /// How much is in it, where it was listed.
    pub entry_count: Option<usize>,
    /// What is in it, where it was listed through a duplicated handle.
    pub entries: Option<Vec<UnnamedEntry>>,
    /// Why it was not listed, or not whole.
    pub listing_error: Option<String>,
}

/// An object no path leads to.
#[derive(Clone, Debug, Serialize)]
pub struct UnnamedEntry {
    /// Its name in the directory.
    pub name: Arc<str>,
    /// Its type.
    #[serde(rename = "type")]
    pub object_type: Arc<str>,
}

/// The object namespace before it is put together: its entries are made one by one, since there are hundreds of thousands.
pub(crate) struct Walked<'s> {
    pub(super) snapshot: &'s Snapshot<'s>,
    pub(super) walk: Walk<'s>,
    lists: OnceCell<Lists<'s>>,
}

impl<'s> Walked<'s> {
    /// The entries, in the order of [`Namespace::entries`].
    pub fn entries(&self) -> impl Iterator<Item = EntryAt<'_, 's>> {
        let indexes = 0..self.walk.entries.len();
        indexes.map(|index| EntryAt {
            walked: self,
            index,
        })
    }

    /// The entries of `\\`, and behind each directory among them everything below it, as [`Namespace::below`] has them.
    pub fn below_root(&self) -> impl Iterator<Item = EntryAt<'_, 's>> {
        let root = self.walk.root().map(|root| self.walk.entries_of(root));
        // Ranges of entries that are still to come, the next one last.
        let mut open: Vec<Range<usize>> = root.into_iter().collect();
        std::iter::from_fn(move || {
            while let Some(range) = open.last_mut() {
                let Some(index) = range.next() else {
                    open.pop();
                    continue;
                };
                if let Some(below) = self.walk.entries[index].below() {
                    open.push(self.walk.entries_of(below));
                }
                return Some(EntryAt {
                    walked: self,
                    index,
                });
            }
            None
        })
    }

    pub(super) fn lists(&self) -> &Lists<'s> {
        self.lists.get_or_init(|| self.snapshot.handle_lists())
    }
}

/// An entry before it is put together.
#[derive(Clone, Copy)]
pub(crate) struct EntryAt<'w, 's> {
    walked: &'w Walked<'s>,
    index: usize,
}

impl<'w> EntryAt<'w, '_> {
    /// As [`NamespaceEntry::object_type`].
    pub fn object_type(&self) -> &'w Arc<str> {
        self.walked.walk.type_name(self.index)
    }

    /// Whether it is a directory: by its type, or because it was listed.
    pub fn is_directory(&self) -> bool {
        &**self.object_type() == "Directory"
            || self.walked.walk.entries[self.index].below().is_some()
    }

    /// As [`ObjectName::length`] of its path.
    pub fn path_length(&self) -> usize {
        let walk = &self.walked.walk;
        walk.directory_of(self.index).name.length() + utf8_length(walk.entries[self.index].name)
    }

    /// The directory that lists it.
    pub fn directory(&self) -> &'w Arc<ObjectName> {
        &self.walked.walk.directory_of(self.index).name
    }

    /// The last part of its path.
    pub fn last_name(&self) -> String {
        self.walked.walk.last_name(self.index)
    }

    /// All of the entry but its path and what is in it, as it stands in the file: where that is the same, so is the rest.
    pub fn hash_undecoded(&self, state: &mut impl Hasher) {
        let Walked { snapshot, walk, .. } = self.walked;
        self.object_type().hash(state);
        if let Some(opened) = walk.best_open(self.index) {
            (opened.handle() != 0).hash(state);
            opened.status.hash(state);
            snapshot.hash_object(opened, self.walked.lists(), state);
        }
    }

    /// The entry without what the object told of itself.
    pub fn without_details(&self) -> NamespaceEntry {
        let walk = &self.walked.walk;
        NamespaceEntry {
            path: walk.name(self.index),
            object_type: self.object_type().clone(),
            depth: walk.directory_of(self.index).depth,
            opening: match walk.best_open(self.index) {
                None => Opening::NotTried,
                Some(opened) if opened.handle() == 0 => Opening::Refused(opened.status),
                Some(_) => Opening::Opened,
            },
            details: None,
            contents: walk.entries[self.index].below().map(|directory| Contents {
                entry_count: walk.entries_of(directory).len(),
                error: walk.directories[directory].error,
                directory,
            }),
        }
    }

    /// The entry.
    pub fn with_details(&self, problems: &mut Vec<Problem>) -> NamespaceEntry {
        let Walked { snapshot, walk, .. } = self.walked;
        let opened = walk
            .best_open(self.index)
            .filter(|opened| opened.handle() != 0);
        NamespaceEntry {
            details: opened.map(|opened| {
                Box::new(snapshot.object_details(opened, self.walked.lists(), problems))
            }),
            ..self.without_details()
        }
    }
}

/// The object namespace.
#[derive(Debug)]
pub struct Namespace {
    /// The entries, those of a directory side by side.
    pub entries: Vec<NamespaceEntry>,
    directories: Vec<(Arc<ObjectName>, Range<usize>)>,
}

impl Namespace {
    /// The entries of the directory with this path, in any case; none when no directory with this path was listed.
    pub fn directory(&self, path: &str) -> Option<&[NamespaceEntry]> {
        let wanted = match path.trim_end_matches('\\') {
            "" => "\\",
            path => path,
        };
        let wanted = folded(wanted);
        let (_, range) = self
            .directories
            .iter()
            .find(|(name, _)| folded(&name.to_string()) == wanted)?;
        Some(&self.entries[range.clone()])
    }

    /// The entry with this path, in any case.
    pub fn entry(&self, path: &str) -> Option<&NamespaceEntry> {
        let (directory, name) = path.rsplit_once('\\')?;
        let name = folded(name);
        self.directory(directory)?
            .iter()
            .find(|entry| folded(entry.path.last()) == name)
    }

    /// The entries of one directory, and behind each directory among them everything below it.
    pub fn below<'a>(&'a self, entries: &'a [NamespaceEntry]) -> Vec<&'a NamespaceEntry> {
        let mut found = Vec::new();
        let mut open: Vec<&NamespaceEntry> = entries.iter().rev().collect();
        while let Some(entry) = open.pop() {
            found.push(entry);
            if let Some(contents) = entry.contents {
                let (_, range) = &self.directories[contents.directory];
                open.extend(self.entries[range.clone()].iter().rev());
            }
        }
        found
    }
}

impl Snapshot<'_> {
    /// The object namespace, as far as it was listed from `\`.
    pub fn namespace(&self) -> Reading<Namespace> {
        Reading::gather(|problems| {
            let walked = self.walked_with(problems);
            let entries = walked.entries().map(|entry| entry.with_details(problems));
            let entries = entries.collect();
            let directories = walked.walk.directories.iter();
            Namespace {
                entries,
                directories: directories
                    .map(|directory| (directory.name.clone(), directory.entries.clone()))
                    .collect(),
            }
        })
    }

    /// The same before it is put together.
    pub(crate) fn walked(&self) -> Reading<Walked<'_>> {
        Reading::gather(|problems| self.walked_with(problems))
    }

    pub(super) fn walked_with(&self, problems: &mut Vec<Problem>) -> Walked<'_> {
        let walk = self.walk(problems);
        self.say_what_was_not_listed(&walk, problems);
        Walked {
            snapshot: self,
            walk,
            lists: OnceCell::new(),
        }
    }

    pub(super) fn say_what_was_not_listed(&self, walk: &Walk<'_>, problems: &mut Vec<Problem>) {
        if walk.root().is_some() {
            return;
        }
        // What is opened without a directory entry is `\` itself.
        let refused = self.opened_objects().find(|opened| {
            opened.kind == ObjectKind::DIRECTORY && opened.entry == 0 && opened.handle() == 0
        });
        let why = match refused {
            Some(opened) => describe_status(opened.status),
            None => self
                .family_missing(Family::NAMESPACE)
                .unwrap_or_else(|| "no listing of it".to_owned()),
        };
        problems.push(Problem::new(
            "object namespace",
            0,
            "the entries of \\",
            why,
        ));
    }

    /// The Directory objects in the handle list that the walk did not reach, those with the most holders first.
    pub fn unnamed_directories(&self) -> Reading<Vec<UnnamedDirectory>> {
        Reading::gather(|problems| {
            let walk = self.walk(problems);
            self.say_what_was_not_listed(&walk, problems);
            let lists = self.handle_lists();
            let names = self.object_names(&walk, &lists, problems);
            let reached: std::collections::BTreeSet<u64> = walk
                .named()
                .filter_map(|(opened, _)| Some(lists.own(opened.handle())?.object))
                .collect();
            let images = self.image_names();
            let type_names = self.type_names();
            let handles = self.each_handle_entry(problems);
            let handles = handles.filter(|entry| {
                type_names
                    .get(&entry.type_index)
                    .is_some_and(|name| &**name == "Directory")
                    && !reached.contains(&entry.object)
                    && entry.process_id != self.header.process_id
            });
            let mut handles: Vec<HandleEntry> = handles.collect();
            let hidden = handles.iter().filter(|entry| entry.object == 0).count();
            if hidden != 0 {
                problems.push(Problem::new(
                    "handle list",
                    0,
                    "addresses of Directory objects",
                    format!("none for {hidden} handles: which directories they are is not known"),
                ));
            }
            handles.retain(|entry| entry.object != 0);
            handles.sort_by_key(|entry| entry.object);
            let mut listings: BTreeMap<u64, &Listing<'_>> = BTreeMap::new();
            for (reference, listing) in &walk.foreign {
                if let Some(entry) = lists.find(*reference) {
                    listings.entry(entry.object).or_insert(listing);
                }
            }
            let mut found: Vec<UnnamedDirectory> = handles
                .chunk_by(|a, b| a.object == b.object)
                .map(|entries| {
                    let naming = names.of(&entries[0], "Directory");
                    let listing = listings.get(&entries[0].object);
                    let listed = listing.map(|listing| {
                        let mut entries = Vec::new();
                        listing.each_entry(problems, |name, type_name| {
                            entries.push(UnnamedEntry {
                                name: utf16(name).into(),
                                object_type: utf16(type_name).into(),
                            });
                        });
                        entries
                    });
                    UnnamedDirectory {
                        address: Some(Hex(entries[0].object)),
                        listing_error: listing
                            .and_then(|listing| listing.error())
                            .map(describe_status),
                        entry_count: listed.as_ref().map(Vec::len),
                        entries: listed,
                        naming,
                        holders: entries
                            .iter()
                            .map(|entry| Holder::new(&images, entry))
                            .collect(),
                    }
                })
                .collect();
            found.sort_by_key(|directory| std::cmp::Reverse(directory.holders.len()));
            found
        })
    }
}
