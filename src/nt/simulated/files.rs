//! A small disk: files and directories, each with what the caller sees and what a loss of power would leave.
//!
//! A flush of a file makes its bytes durable. Names and lengths become durable with any flush on NTFS, whose log
//! covers those made before; on FAT, where both stand in directory entries, only with a flush of the volume or its root
//! directory, as seen at a real boot. What is not flushed may be on the disk all the same: any sectors, and of names and
//! lengths any on FAT, the earlier ones on NTFS.

use super::security::Security;
use std::collections::{BTreeMap, BTreeSet};

/// The kind of file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// Keeps security descriptors.
    #[default]
    Ntfs,
    /// Keeps none.
    Fat32,
}

/// The disk behind `\??\C:`, with its Windows directory, to which `\SystemRoot` leads.
#[derive(Clone, Debug, Default)]
pub struct FileSystem {
    /// NTFS or FAT32.
    pub kind: Kind,
    /// Bytes that files can take together.
    pub capacity: u64,
    /// Whether power never fails: nothing is kept of what its loss would undo.
    pub always_powered: bool,
    nodes: Vec<Node>,
    /// What a loss of power may undo, in order.
    unflushed: Vec<Change>,
}

/// A file or directory of a [`FileSystem`].
pub type NodeId = usize;

#[derive(Clone, Debug)]
struct Node {
    parent: NodeId,
    content: Content,
    security: Security,
    deleted: bool,
}

#[derive(Clone, Debug)]
enum Content {
    /// A reparse point that leads to a directory.
    Junction(NodeId),
    File {
        current: Vec<u8>,
        durable: Durable,
    },
    Directory {
        current: Entries,
        durable: Entries,
    },
}

/// By the name in lower case: the name as given, and what it names.
type Entries = BTreeMap<String, (String, NodeId)>;

/// A file as it stands on the disk, where its length and its sectors go their own ways.
#[derive(Clone, Debug, Default)]
struct Durable {
    length: usize,
    sectors: Vec<u8>,
}

/// A change that is on the disk as a whole or not at all.
#[derive(Clone, Debug)]
enum Change {
    /// Names made and taken away.
    Names(Vec<NewName>),
    /// A length given to a file.
    Length(NodeId, usize),
    /// Bytes written to a file at a position, all of them in one sector.
    Sector(NodeId, usize, Vec<u8>),
}

/// A directory, a name in lower case, and what stands there from now on.
type NewName = (NodeId, String, Option<(String, NodeId)>);

const SECTOR: usize = 512;

/// The root directory.
pub const ROOT: NodeId = 0;

impl FileSystem {
    /// An empty NTFS disk of this capacity in bytes.
    pub fn ntfs(capacity: u64) -> Self {
        Self::new(Kind::Ntfs, capacity)
    }

    /// An empty FAT32 disk of this capacity in bytes.
    pub fn fat32(capacity: u64) -> Self {
        Self::new(Kind::Fat32, capacity)
    }

    fn new(kind: Kind, capacity: u64) -> Self {
        let mut files = Self {
            kind,
            capacity,
            always_powered: false,
            nodes: Vec::new(),
            unflushed: Vec::new(),
        };
        files.add(
            ROOT,
            Content::Directory {
                current: Entries::new(),
                durable: Entries::new(),
            },
            None,
        );
        files.make_directory(r"Windows\System32");
        files
    }

    fn add(&mut self, parent: NodeId, content: Content, security: Option<Vec<u8>>) -> NodeId {
        let security = match (self.kind, security) {
            (Kind::Ntfs, Some(descriptor)) => Security::given(&descriptor),
            (Kind::Ntfs, None) => Security::of_system_files(),
            (Kind::Fat32, _) => Security::of_nothing(),
        };
        self.nodes.push(Node {
            parent,
            content,
            security,
            deleted: false,
        });
        self.nodes.len() - 1
    }

    /// The directory of an absolute NT path, with what remains of it; `None` where it is not on this disk.
    pub fn relative(path: &str) -> Option<String> {
        let lower = path.to_lowercase();
        for (prefix, target) in [
            (r"\systemroot", r"Windows"),
            (r"\??\c:", ""),
            (r"\dosdevices\c:", ""),
            (r"\device\harddiskvolume1", ""),
        ] {
            if let Some(rest) = lower.strip_prefix(prefix)
                && (rest.is_empty() || rest.starts_with('\\'))
            {
                let rest = &path[prefix.len()..];
                return Some(format!("{target}{rest}").trim_matches('\\').to_owned());
            }
        }
        None
    }

    /// What a path relative to `directory` leads to.
    pub fn find(&self, directory: NodeId, path: &str) -> Option<NodeId> {
        self.find_itself(directory, path)
            .map(|node| self.target(node))
    }

    /// What a path relative to `directory` names: a junction where it ends in one.
    pub fn find_itself(&self, directory: NodeId, path: &str) -> Option<NodeId> {
        path.split('\\')
            .filter(|part| !part.is_empty())
            .try_fold(directory, |directory, part| {
                let entries = self.entries(self.target(directory))?;
                let (_, node) = entries.get(&part.to_lowercase())?;
                Some(*node)
            })
    }

    fn target(&self, node: NodeId) -> NodeId {
        match self.nodes[node].content {
            Content::Junction(target) => target,
            _ => node,
        }
    }

    fn entries(&self, directory: NodeId) -> Option<&Entries> {
        match &self.nodes[directory].content {
            Content::Directory { current, .. } => Some(current),
            Content::File { .. } | Content::Junction(_) => None,
        }
    }

    fn entries_mut(&mut self, directory: NodeId) -> &mut Entries {
        match &mut self.nodes[directory].content {
            Content::Directory { current, .. } => current,
            _ => unreachable!("a parent is a directory"),
        }
    }

    /// Whether it is a directory, a junction included.
    pub fn is_directory(&self, node: NodeId) -> bool {
        !matches!(self.nodes[node].content, Content::File { .. })
    }

    /// The names in a directory, in order, `.` and `..` first.
    pub fn names(&self, directory: NodeId) -> Vec<String> {
        let dots = [".", ".."].map(str::to_owned);
        dots.into_iter()
            .chain(
                self.entries(directory)
                    .into_iter()
                    .flatten()
                    .map(|(_, (name, _))| name.clone()),
            )
            .collect()
    }

    /// Makes an empty file or directory that does not exist yet.
    pub fn create(
        &mut self,
        directory: NodeId,
        name: &str,
        as_directory: bool,
        security: Option<Vec<u8>>,
    ) -> NodeId {
        let content = if as_directory {
            Content::Directory {
                current: Entries::new(),
                durable: Entries::new(),
            }
        } else {
            Content::File {
                current: Vec::new(),
                durable: Durable::default(),
            }
        };
        let node = self.add(directory, content, security);
        self.change_names(vec![named(directory, name, node)]);
        node
    }

    fn change_names(&mut self, names: Vec<NewName>) {
        for (directory, key, entry) in &names {
            let entries = self.entries_mut(*directory);
            match entry {
                Some(entry) => entries.insert(key.clone(), entry.clone()),
                None => entries.remove(key),
            };
        }
        match self.kind {
            Kind::Ntfs => self.unflushed.push(Change::Names(names)),
            // The entries of one change may stand in different sectors.
            Kind::Fat32 => {
                let alone = names.into_iter().map(|name| Change::Names(vec![name]));
                self.unflushed.extend(alone);
            }
        }
    }

    fn names_of(&self, node: NodeId) -> Vec<NewName> {
        let parent = self.nodes[node].parent;
        let entries = self.entries(parent).into_iter().flatten();
        entries
            .filter(|(_, (_, entry))| *entry == node)
            .map(|(key, _)| (parent, key.clone(), None))
            .collect()
    }

    /// Renames or moves.
    pub fn rename(&mut self, node: NodeId, directory: NodeId, name: &str) {
        let mut names = self.names_of(node);
        names.push(named(directory, name, node));
        self.change_names(names);
        self.nodes[node].parent = directory;
    }

    /// Takes the name of a file or empty directory away.
    pub fn unlink(&mut self, node: NodeId) {
        self.change_names(self.names_of(node));
    }

    /// Marks it as deleted when its last handle is closed; `false` for a directory that is not empty.
    pub fn mark_deleted(&mut self, node: NodeId) -> bool {
        let empty = self.entries(node).is_none_or(Entries::is_empty);
        self.nodes[node].deleted |= empty;
        empty
    }

    /// Whether it is to be deleted.
    pub fn is_deleted(&self, node: NodeId) -> bool {
        self.nodes[node].deleted
    }

    /// Who may use it.
    pub fn security(&self, node: NodeId) -> &Security {
        &self.nodes[node].security
    }

    /// Bytes that all files take.
    pub fn used(&self) -> u64 {
        self.used_in(ROOT)
    }

    /// Bytes left.
    pub fn available(&self) -> u64 {
        self.capacity.saturating_sub(self.used())
    }

    /// Writes at `position`; `false` when the disk is full.
    pub fn write(&mut self, node: NodeId, position: usize, bytes: &[u8]) -> bool {
        let available = self.available();
        let Content::File { current, .. } = &mut self.nodes[node].content else {
            return false;
        };
        let end = position + bytes.len();
        if end.saturating_sub(current.len()) as u64 > available {
            return false;
        }
        if self.always_powered && position == current.len() {
            current.extend_from_slice(bytes);
            return true;
        }
        if end > current.len() {
            current.resize(end, 0);
            self.unflushed.push(Change::Length(node, end));
        }
        current[position..end].copy_from_slice(bytes);
        let (mut position, mut bytes) = (position, bytes);
        while !bytes.is_empty() {
            let (sector, rest) = bytes.split_at(bytes.len().min(SECTOR - position % SECTOR));
            self.unflushed
                .push(Change::Sector(node, position, sector.to_vec()));
            (position, bytes) = (position + sector.len(), rest);
        }
        true
    }

    /// What a file holds; nothing in anything else.
    pub fn content(&self, node: NodeId) -> &[u8] {
        match &self.nodes[node].content {
            Content::File { current, .. } => current,
            _ => &[],
        }
    }

    /// Makes durable what a flush of this file or directory makes so.
    pub fn flush(&mut self, node: NodeId) {
        if node == ROOT {
            return self.flush_volume();
        }
        let logged = self.kind == Kind::Ntfs;
        self.settle(|change| match change {
            Change::Sector(file, ..) => *file == node,
            Change::Names(_) | Change::Length(..) => logged,
        });
    }

    /// Makes everything durable.
    pub fn flush_volume(&mut self) {
        self.settle(|_| true);
    }

    /// Brings those changes to the disk that `settles` picks.
    fn settle(&mut self, mut settles: impl FnMut(&Change) -> bool) {
        let filler = self.filler();
        for change in std::mem::take(&mut self.unflushed) {
            if !settles(&change) {
                self.unflushed.push(change);
                continue;
            }
            match change {
                Change::Names(names) => {
                    for (directory, key, entry) in names {
                        if let Content::Directory { durable, .. } =
                            &mut self.nodes[directory].content
                        {
                            match entry {
                                Some(entry) => durable.insert(key, entry),
                                None => durable.remove(&key),
                            };
                        }
                    }
                }
                Change::Length(file, length) => self.durable(file).length = length,
                Change::Sector(file, position, bytes) => {
                    let sectors = &mut self.durable(file).sectors;
                    let end = position + bytes.len();
                    sectors.resize(sectors.len().max(end), filler);
                    sectors[position..end].copy_from_slice(&bytes);
                }
            }
        }
    }

    fn durable(&mut self, file: NodeId) -> &mut Durable {
        match &mut self.nodes[file].content {
            Content::File { durable, .. } => durable,
            _ => unreachable!("only files are written to"),
        }
    }

    /// What is read where nothing was written: NTFS knows that, FAT gives what was on the disk.
    fn filler(&self) -> u8 {
        match self.kind {
            Kind::Ntfs => 0,
            Kind::Fat32 => 0xF6,
        }
    }

    /// What is not flushed: changes of names and lengths, and sectors.
    pub fn unflushed(&self) -> (usize, usize) {
        let is_sector = |change: &&Change| matches!(change, Change::Sector(..));
        let sectors = self.unflushed.iter().filter(is_sector).count();
        (self.unflushed.len() - sectors, sectors)
    }

    /// The disk as the next boot finds it after a loss of power. `keeps` is asked of one change after the other that was
    /// not flushed whether it is there all the same; on NTFS of no name or length behind the first that is not.
    pub fn after_power_loss(mut self, mut keeps: impl FnMut() -> bool) -> Self {
        let logged = self.kind == Kind::Ntfs;
        let mut log_goes_on = true;
        self.settle(|change| match change {
            Change::Names(_) | Change::Length(..) if logged => {
                log_goes_on = log_goes_on && keeps();
                log_goes_on
            }
            _ => keeps(),
        });
        self.unflushed.clear();
        let filler = self.filler();
        for node in &mut self.nodes {
            node.deleted = false;
            match &mut node.content {
                Content::File { current, durable } => {
                    current.clone_from(&durable.sectors);
                    current.resize(durable.length, filler);
                }
                Content::Directory { current, durable } => current.clone_from(durable),
                Content::Junction(_) => {}
            }
        }
        self.part_entries();
        self
    }

    /// Gives each name a file of its own where two lead to one: what autochk makes of it.
    fn part_entries(&mut self) {
        let mut seen = BTreeSet::new();
        for directory in 0..self.nodes.len() {
            for (key, (name, node)) in self.entries(directory).cloned().unwrap_or_default() {
                if !seen.insert(node) {
                    self.nodes.push(self.nodes[node].clone());
                    let copy = (name, self.nodes.len() - 1);
                    if let Content::Directory { current, durable } =
                        &mut self.nodes[directory].content
                    {
                        current.insert(key.clone(), copy.clone());
                        durable.insert(key, copy);
                    }
                }
            }
        }
    }

    /// Puts a file there, durable, with the directories on the way; `path` is relative to the root.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        let (directory, name) = path.rsplit_once('\\').unwrap_or(("", path));
        let directory = self.make_directory(directory);
        let node = self
            .find(directory, name)
            .unwrap_or_else(|| self.create(directory, name, false, None));
        assert!(
            self.write(node, 0, bytes),
            "the simulated disk has no room for {path}"
        );
        self.flush_volume();
    }

    /// Takes a file away, durably; `path` is relative to the root.
    pub fn remove(&mut self, path: &str) {
        let node = self.find(ROOT, path).expect("there is such a file");
        self.unlink(node);
        self.flush_volume();
    }

    /// Makes a directory, durable, and those on the way; `path` is relative to the root.
    pub fn make_directory(&mut self, path: &str) -> NodeId {
        let mut directory = ROOT;
        for part in path.split('\\').filter(|part| !part.is_empty()) {
            directory = self
                .find(directory, part)
                .unwrap_or_else(|| self.create(directory, part, true, None));
        }
        self.flush_volume();
        directory
    }

    /// The files of the directory at `path`, relative to the root: names and bytes; `None` where there is none.
    pub fn list(&self, path: &str) -> Option<BTreeMap<String, Vec<u8>>> {
        let directory = self.find(ROOT, path)?;
        let files = self
            .entries(directory)?
            .values()
            .filter_map(|(name, node)| match &self.nodes[*node].content {
                Content::File { current, .. } => Some((name.clone(), current.clone())),
                _ => None,
            });
        Some(files.collect())
    }

    /// Who may use the file or directory at `path`, relative to the root.
    pub fn security_of(&self, path: &str) -> Option<&Security> {
        self.find(ROOT, path).map(|node| self.security(node))
    }

    /// Sets who may use the file or directory at `path`, relative to the root.
    pub fn set_security(&mut self, path: &str, security: Security) {
        let node = self.find(ROOT, path).expect("there is such a file");
        self.nodes[node].security = security;
    }

    /// Makes a junction at `path` that leads to `target`, a directory; both are relative to the root.
    pub fn link(&mut self, path: &str, target: &str) {
        let node = self.make_directory(path);
        self.nodes[node].content = Content::Junction(self.make_directory(target));
        self.flush_volume();
    }

    /// `FILE_ATTRIBUTE_*`.
    pub fn attributes(&self, node: NodeId) -> u32 {
        const DIRECTORY: u32 = 0x10;
        const NORMAL: u32 = 0x80;
        const REPARSE_POINT: u32 = 0x400;
        match self.nodes[node].content {
            Content::File { .. } => NORMAL,
            Content::Directory { .. } => DIRECTORY,
            Content::Junction(_) => DIRECTORY | REPARSE_POINT,
        }
    }

    /// Bytes in a file; 0 in anything else.
    pub fn length(&self, node: NodeId) -> u64 {
        self.content(node).len() as u64
    }

    fn used_in(&self, directory: NodeId) -> u64 {
        let nodes = self.entries(directory).into_iter().flatten();
        nodes
            .map(|(_, (_, node))| match &self.nodes[*node].content {
                Content::File { current, .. } => current.len() as u64,
                Content::Directory { .. } => self.used_in(*node),
                Content::Junction(_) => 0,
            })
            .sum()
    }
}

fn named(directory: NodeId, name: &str, node: NodeId) -> NewName {
    let entry = (name.to_owned(), node);
    (directory, name.to_lowercase(), Some(entry))
}
