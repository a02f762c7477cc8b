//! The registry: what a table of keys wants of each, walked down from its root.

use super::path::Path;
use super::query::ask;
use super::{Capture, Question, Stop};
use crate::nt::layout::key_basic_information as subkey;
use crate::nt::{Handle, Kernel, List, OutOfMemory, Owned, Status};
use crate::own::dword;
use crate::utf16;
use bootshot_format::{Family, ObjectKind, OpenKind, Outcome, Sink, Source};

const KEY_QUERY_VALUE: u32 = 1;
const KEY_ENUMERATE_SUB_KEYS: u32 = 8;

/// `KeyBasicInformation`.
const BASIC_INFORMATION: u32 = 0;
/// `KeyFlagsInformation`: volatile, link.
const FLAGS_INFORMATION: u32 = 5;
/// `KeyValueFullInformation`.
const VALUE_FULL_INFORMATION: u32 = 1;
/// `KeyValuePartialInformation`.
const VALUE_PARTIAL_INFORMATION: u32 = 2;

/// Subkeys of one key that are walked into: a machine has some 800 services, but a user can have thousands of classes.
const MAXIMUM_SUBKEYS: u32 = 2048;

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

/// A walk through the keys of a table.
struct Walk {
    path: Path,
    outcome: Outcome,
}

impl<K: Kernel, S: Sink<Error = Status> + Send> Capture<'_, K, S> {
    pub(super) fn registry(&mut self) -> Result<(), Stop> {
        self.begin_batch(Family::REGISTRY)?;
        let mut walk = Walk {
            path: Path::new(),
            outcome: Outcome::COMPLETE,
        };
        self.keys(&mut walk, &KEYS, &[], false)?;
        self.end_batch_as(walk.outcome)
    }

    /// Walks through the keys of `rows`, which lie below the path of the walk. `subkeys` are the names that
    /// [`EVERY`] stands for, each behind its length; `listed` says that some part of the path came from such a name.
    fn keys(
        &mut self,
        walk: &mut Walk,
        mut rows: &[Row],
        mut subkeys: &[u16],
        listed: bool,
    ) -> Result<(), Stop> {
        while let Some(((depth, name, wanted), behind)) = rows.split_first() {
            let end = behind.iter().position(|(other, ..)| other <= depth);
            let (below, next) = behind.split_at(end.unwrap_or(behind.len()));
            rows = next;
            if *name != EVERY {
                let name = &mut name.bytes().map(u16::from);
                self.key(walk, name, *wanted, below, listed)?;
                continue;
            }
            while let Some((length, rest)) = subkeys.split_first()
                && let Some((name, rest)) = rest.split_at_checked(usize::from(*length))
            {
                subkeys = rest;
                self.key(walk, &mut name.iter().copied(), *wanted, below, true)?;
            }
        }
        Ok(())
    }

    /// Asks what is `wanted` of a key, and walks through the rows below it.
    fn key(
        &mut self,
        walk: &mut Walk,
        name: &mut dyn Iterator<Item = u16>,
        wanted: u8,
        below: &[Row],
        listed: bool,
    ) -> Result<(), Stop> {
        if !(self.may_go_on)() {
            walk.outcome = Outcome::TRUNCATED;
            return Ok(());
        }
        let kernel = self.kernel;
        let above = walk.path.length();
        let whole = walk
            .path
            .push(&mut core::iter::once(u16::from(b'\\')).chain(name));
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
            0 => Ok(None),
            _ => kernel
                .open(ObjectKind::KEY, Handle::NONE, walk.path.units(), access)
                .map(|key| Some(Owned::new(kernel, key))),
        };
        let missing = match opened {
            Ok(Some(key)) => {
                self.contents(walk, key.get(), wanted, below, &mut subkeys)?;
                false
            }
            Ok(None) => false,
            Err(status) => {
                let missing = status == Status::OBJECT_NAME_NOT_FOUND;
                // What some subkeys have and others do not is missed nowhere.
                if !(missing && listed) {
                    let question = Question::new(Source::OPEN, OpenKind::KEY.0);
                    self.note(&question.named(walk.path.units()), status)?;
                }
                missing || !whole
            }
        };
        if !missing {
            self.keys(walk, below, &subkeys, listed)?;
        }
        walk.path.cut(above);
        Ok(())
    }

    /// Asks an open key, and keeps the names of its subkeys where rows `below` stand for them.
    fn contents(
        &mut self,
        walk: &mut Walk,
        key: Handle,
        wanted: u8,
        below: &[Row],
        names: &mut List<'_, K, u16>,
    ) -> Result<(), Stop> {
        let kernel = self.kernel;
        let path = walk.path.units();
        let question = |source: Source, class: u32| Question::new(source, class).named(path);
        if wanted & FLAGS != 0 {
            let question = question(Source::KEY_INFORMATION, FLAGS_INFORMATION);
            self.item(&question, None, &mut |buffer| {
                kernel.query_key(key, FLAGS_INFORMATION, buffer)
            })?;
        }
        if wanted & LINK != 0 {
            const TARGET: &[u16] = utf16!("SymbolicLinkValue");
            let asked = ask(kernel, &mut self.answer, None, &mut |buffer| {
                kernel.query_value_key(key, TARGET, VALUE_PARTIAL_INFORMATION, buffer)
            });
            if asked.status != Status::OBJECT_NAME_NOT_FOUND {
                let question = question(Source::REGISTRY_VALUE, VALUE_PARTIAL_INFORMATION);
                self.record(&question.value(TARGET), &asked)?;
            }
        }
        if wanted & SUBKEYS != 0 {
            let walked = matches!(below, [(_, EVERY, _), ..]);
            let (mut count, mut complete) = (0, true);
            self.enumerate(
                &question(Source::SUBKEYS, BASIC_INFORMATION),
                &mut |index, buffer| kernel.enumerate_key(key, index, BASIC_INFORMATION, buffer),
                &mut |answer| {
                    count += 1;
                    if walked && complete {
                        complete = count <= MAXIMUM_SUBKEYS && keep_name(answer, names).is_ok();
                    }
                },
            )?;
            if !complete {
                walk.outcome = Outcome::TRUNCATED;
            }
        }
        if wanted & VALUES != 0 {
            self.enumerate(
                &question(Source::KEY_VALUES, VALUE_FULL_INFORMATION),
                &mut |index, buffer| {
                    kernel.enumerate_value_key(key, index, VALUE_FULL_INFORMATION, buffer)
                },
                &mut |_| {},
            )?;
        }
        Ok(())
    }
}

/// Adds the name in a `KEY_BASIC_INFORMATION` to `names`, behind its length.
fn keep_name<K: Kernel>(answer: &[u8], names: &mut List<'_, K, u16>) -> Result<(), OutOfMemory> {
    let name = answer.get(subkey::NAME..).unwrap_or(&[]);
    let length = (dword(answer, subkey::NAME_LENGTH) as usize).min(name.len()) / 2;
    // A name of more units than this fits into no path.
    let length = length.min(usize::from(u16::MAX));
    names.push(length as u16)?;
    let units = name.as_chunks().0.iter().take(length);
    units
        .map(|unit| u16::from_le_bytes(*unit))
        .try_for_each(|unit| names.push(unit))
}
