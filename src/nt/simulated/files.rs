//! A small disk: files and directories, each with what the caller sees and what a loss of power would leave.
//!
//! A flush of a file makes its bytes durable. Directory entries become durable with any flush on NTFS, whose log
//! covers the entries made before; on FAT only with a flush of the volume or its root directory, as seen at a real
//! boot.

use super::security::Security;
use std::collections::BTreeMap;

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
    nodes: Vec<Node>,
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
        durable: Vec<u8>,
    },
    Directory {
        current: Entries,
        durable: Entries,
    },
}

/// By the name in lower case: the name as given, and what it names.
type Entries = BTreeMap<String, (String, NodeId)>;

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
            nodes: Vec::new(),
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
                durable: Vec::new(),
            }
        };
        let node = self.add(directory, content, security);
        self.entries_mut(directory)
            .insert(name.to_lowercase(), (name.to_owned(), node));
        node
    }

    /// Renames or moves.
    pub fn rename(&mut self, node: NodeId, directory: NodeId, name: &str) {
        self.unlink(node);
        self.nodes[node].parent = directory;
        self.entries_mut(directory)
            .insert(name.to_lowercase(), (name.to_owned(), node));
    }

    /// Takes the name of a file or empty directory away.
    pub fn unlink(&mut self, node: NodeId) {
        let parent = self.nodes[node].parent;
        self.entries_mut(parent)
            .retain(|_, (_, entry)| *entry != node);
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
        current.resize(current.len().max(end), 0);
        current[position..end].copy_from_slice(bytes);
        true
    }

    /// Makes durable what a flush of this file or directory makes so.
    pub fn flush(&mut self, node: NodeId) {
        if node == ROOT {
            return self.flush_volume();
        }
        if let Content::File { current, durable } = &mut self.nodes[node].content {
            durable.clone_from(current);
        }
        if self.kind == Kind::Ntfs {
            self.flush_entries();
        }
    }

    /// Makes everything durable.
    pub fn flush_volume(&mut self) {
        self.flush_entries();
        for node in &mut self.nodes {
            if let Content::File { current, durable } = &mut node.content {
                durable.clone_from(current);
            }
        }
    }

    fn flush_entries(&mut self) {
        for node in &mut self.nodes {
            if let Content::Directory { current, durable } = &mut node.content {
                durable.clone_from(current);
            }
        }
    }

    /// The disk as the next boot finds it after a loss of power.
    pub fn after_power_loss(mut self) -> Self {
        for node in &mut self.nodes {
            node.deleted = false;
            match &mut node.content {
                Content::File { current, durable } => current.clone_from(durable),
                Content::Directory { current, durable } => current.clone_from(durable),
                Content::Junction(_) => {}
            }
        }
        self
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

    /// Attributes as `FILE_ATTRIBUTE_TAG_INFORMATION` has them, and the reparse tag.
    pub fn attributes(&self, node: NodeId) -> (u32, u32) {
        const DIRECTORY: u32 = 0x10;
        const NORMAL: u32 = 0x80;
        const REPARSE_POINT: u32 = 0x400;
        const IO_REPARSE_TAG_MOUNT_POINT: u32 = 0xA000_0003;
        match self.nodes[node].content {
            Content::File { .. } => (NORMAL, 0),
            Content::Directory { .. } => (DIRECTORY, 0),
            Content::Junction(_) => (DIRECTORY | REPARSE_POINT, IO_REPARSE_TAG_MOUNT_POINT),
        }
    }

    /// Bytes in a file; 0 in anything else.
    pub fn length(&self, node: NodeId) -> u64 {
        match &self.nodes[node].content {
            Content::File { current, .. } => current.len() as u64,
            _ => 0,
        }
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
