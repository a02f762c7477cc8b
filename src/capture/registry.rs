//! The registry: what a table of keys wants of each, walked down from its root.

use super::Capture;
use super::query::Ask;
use super::run::Names;
use crate::nt::access::{KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE};
use crate::nt::{Handle, Kernel, List, Owned, Status};
use bootshot_format::{Family, ObjectKind, OpenKind, Sink, Source};

const KEY: Ask = Ask::new(Source::OPEN, OpenKind::KEY.0);
/// `KeyFlagsInformation`: volatile, link.
const KEY_FLAGS: Ask = Ask::of_key(Source::KEY_INFORMATION, 5);
/// `KeyValuePartialInformation` of the value that says where a link leads.
const TARGET: Ask = Ask::of_key(Source::REGISTRY_VALUE, 2);
/// `KeyBasicInformation`.
const KEY_SUBKEYS: Ask = Ask::of_key(Source::SUBKEYS, 0);
/// `KeyValueFullInformation`.
const KEY_VALUES: Ask = Ask::of_key(Source::KEY_VALUES, 1);

/// What is wanted of a key: its subkeys.
const SUBKEYS: u8 = 1;
/// Its values.
const VALUES: u8 = 2;
/// Its flags.
const FLAGS: u8 = 4;
/// Where it leads to, if it is a link.
const LINK: u8 = 8;

/// A key, or where its name is [`EVERY`] all subkeys of the key above it: how deep it lies in the table, its name or path
/// from there, and what is wanted of it.
type Row = (u8, &'static str, u8);

/// Every subkey; what lies below a key is preceded by it.
const EVERY: &str = "*";

/// What the boot is decided by, and what shows which hives there are. The rows below a key follow it.
#[rustfmt::skip]
const KEYS: [Row; 38] = [
    (0, "Registry", SUBKEYS),
    // MACHINE, USER, and whatever else is there. A refuses to be opened, which is recorded.
    (1, EVERY, SUBKEYS | FLAGS),
    // The hives. Links and volatile keys in them; that of a user's classes is a link below his Software.
    (2, EVERY, SUBKEYS | FLAGS),
    (3, EVERY, FLAGS | LINK),
    (3, "Software\\Classes", FLAGS | LINK),
    (1, "Machine\\System", 0),
    (2, "Select", VALUES),
    (2, "Setup", VALUES),
    (2, "CurrentControlSet", 0),
    // SystemStartOptions and what firmware and loader passed on.
    (3, "Control", VALUES),
    (4, "hivelist", VALUES),
    // The lists of smss, DisableWpbtExecution; memory, known DLLs and the rest below.
    (4, "Session Manager", SUBKEYS | VALUES),
    (5, EVERY, VALUES),
    // There in Safe Mode only.
    (4, "SafeBoot\\Option", VALUES),
    (4, "CI", SUBKEYS | VALUES),
    (5, EVERY, VALUES),
    (4, "DeviceGuard", VALUES),
    (5, "Scenarios", SUBKEYS),
    (6, EVERY, VALUES),
    (4, "SecureBoot\\State", VALUES),
    (4, "CrashControl", VALUES),
    // The security packages; its subkeys hold secrets.
    (4, "Lsa", VALUES),
    (4, "ServiceGroupOrder", VALUES),
    (4, "GroupOrderList", VALUES),
    (4, "EarlyLaunch", VALUES),
    (4, "WMI\\Autologger", SUBKEYS),
    (5, EVERY, VALUES),
    (3, "Services", SUBKEYS),
    (4, EVERY, VALUES),
    // Minifilters and their altitudes, where INF files put them before Windows 11 24H2, and where since.
    (5, "Instances", SUBKEYS | VALUES),
    (6, EVERY, VALUES),
    (5, "Parameters\\Instances", SUBKEYS | VALUES),
    (6, EVERY, VALUES),
    // The Windows Filtering Platform keeps a value for each filter in Filter, for each provider in Provider and so on.
    (4, "BFE\\Parameters\\Policy", 0),
    (5, "BootTime", SUBKEYS | VALUES),
    (6, EVERY, SUBKEYS | VALUES),
    (5, "Persistent", SUBKEYS | VALUES),
    (6, EVERY, SUBKEYS | VALUES),
];

/// [`KEYS`] as the executable holds it: for each row a byte of depth and wanted flags, the name, and a zero.
static ROWS: [u8; packed_length(&KEYS)] = packed(&KEYS);

/// The depth in a row's first byte; above it stand the flags.
const DEPTH: u8 = 0x0F;
const FLAGS_SHIFT: u32 = 4;

const fn packed_length(rows: &[Row]) -> usize {
    let (mut length, mut row) = (0, 0);
    while row < rows.len() {
        length += rows[row].1.len() + 2;
        row += 1;
    }
    length
}

const fn packed<const N: usize>(rows: &[Row]) -> [u8; N] {
    let mut bytes = [0; N];
    let (mut place, mut row) = (0, 0);
    while row < rows.len() {
        let (depth, name, wanted) = rows[row];
        assert!(depth <= DEPTH && name.is_ascii());
        bytes[place] = depth | wanted << FLAGS_SHIFT;
        let mut character = 0;
        while character < name.len() {
            bytes[place + 1 + character] = name.as_bytes()[character];
            character += 1;
        }
        place += name.len() + 2;
        row += 1;
    }
    bytes
}

/// A row taken off the front of packed ones: its first byte, its name, and the rows behind it.
fn first_row(rows: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = rows.split_first()?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some((*first, rest.get(..end)?, rest.get(end + 1..)?))
}

impl<'a, K: Kernel, S: Sink<Error = Status> + Send> Capture<'a, K, S> {
    pub(super) fn registry(&mut self) {
        self.begin_batch(Family::REGISTRY);
        self.keys(&ROWS, &[], false);
        self.end_batch();
    }

    /// Walks through the keys of `rows`, which lie below the path. `subkeys` are the names that [`EVERY`] stands for, each
    /// behind its length; `listed` says that some part of the path came from such a name.
    fn keys(&mut self, mut rows: &[u8], mut subkeys: &[u16], listed: bool) {
        let above = self.path.length();
        while let Some((first, name, behind)) = first_row(rows) {
            // The rows below this one are deeper.
            rows = behind;
            while let Some((other, _, behind)) = first_row(rows)
                && other & DEPTH > first & DEPTH
            {
                rows = behind;
            }
            let below = &behind[..behind.len().saturating_sub(rows.len())];
            let wanted = first >> FLAGS_SHIFT;
            if name != EVERY.as_bytes() {
                let whole = self.path.push_ascii(b"\\") && self.path.push_ascii(name);
                self.key(whole, wanted, below, listed);
                self.path.cut(above);
                continue;
            }
            while let Some((length, rest)) = subkeys.split_first()
                && let Some((name, rest)) = rest.split_at_checked(usize::from(*length))
            {
                subkeys = rest;
                let whole = self.path.push_ascii(b"\\") && self.path.push(name);
                self.key(whole, wanted, below, true);
                self.path.cut(above);
            }
        }
    }

    /// Asks what is `wanted` of the key of the path, and walks through the rows below it.
    fn key(&mut self, whole: bool, wanted: u8, below: &[u8], listed: bool) {
        if !self.goes_on() {
            return;
        }
        let kernel = self.kernel;
        let mut subkeys = List::new(self.heap);
        let mut access = 0;
        if wanted & SUBKEYS != 0 {
            access |= KEY_ENUMERATE_SUB_KEYS;
        }
        if wanted & !SUBKEYS != 0 {
            access |= KEY_QUERY_VALUE;
        }
        // Opened by its path each time: no handle stays open while others are walked through.
        let opened = match wanted {
            _ if !whole => Err(Status::NAME_TOO_LONG),
            0 => Ok(Handle::NONE),
            _ => kernel.open(ObjectKind::KEY, Handle::NONE, self.path.units(), access),
        };
        self.subject = [0; 2];
        match opened {
            Ok(handle) => {
                let key = Owned::new(kernel, handle);
                self.call.handle = handle;
                self.contents(wanted, below, &mut subkeys);
                drop(key);
            }
            Err(status) => {
                let missing = status == Status::OBJECT_NAME_NOT_FOUND;
                // What some subkeys have and others do not is missed nowhere.
                if !(missing && listed) {
                    self.note(KEY, status);
                }
                if missing || !whole {
                    return;
                }
            }
        }
        self.keys(below, &subkeys, listed);
    }

    /// Asks an open key, and keeps the names of its subkeys where rows `below` stand for them.
    fn contents(&mut self, wanted: u8, below: &[u8], names: &mut Names<'a, K>) {
        if wanted & FLAGS != 0 {
            self.items(&[KEY_FLAGS]);
        }
        if wanted & LINK != 0 {
            self.ask(TARGET);
            if self.asked.status != Status::OBJECT_NAME_NOT_FOUND {
                self.record();
            }
        }
        if wanted & SUBKEYS != 0 {
            let is_walked = below.get(1) == EVERY.as_bytes().first();
            self.enumerate(KEY_SUBKEYS, is_walked.then_some(names));
        }
        if wanted & VALUES != 0 {
            self.enumerate(KEY_VALUES, None);
        }
    }
}
