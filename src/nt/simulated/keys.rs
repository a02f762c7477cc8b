//! The registry: keys by path, what they hold, and the system calls on them.

use super::answers;
use super::call::Outcome;
use super::fields::{Fields, utf16_length};
use super::machine::{BOOT_TIME, Machine, Value, utf16};
use super::numbers::{access, status};
use super::{Object, State};
use crate::nt::{Handle, Status};
use std::collections::BTreeMap;

/// `REG_FLAG_LINK` of `KEY_FLAGS_INFORMATION.KeyFlags`.
const LINK: u32 = 2;
/// The value of a link key that holds its target.
const LINK_VALUE: &str = "SymbolicLinkValue";
/// `REG_LINK`.
const REG_LINK: u32 = 6;
/// Links followed on the way to one key.
const MAXIMUM_LINKS: usize = 16;

/// All keys, by absolute path in lower case.
pub type Keys = BTreeMap<String, Key>;

/// A key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Key {
    /// Its name as it is enumerated.
    pub name: String,
    /// By name in lower case: name as given, and value.
    pub values: BTreeMap<String, (String, Value)>,
    /// `REG_FLAG_*` of `KEY_FLAGS_INFORMATION`.
    pub flags: u32,
    /// Access rights that opening it never grants.
    pub refused_access: u32,
}

impl Machine {
    /// Adds a key, and those above it, where they are missing.
    pub fn make_key(&mut self, path: &str) -> &mut Key {
        let path = self.resolved(path);
        let ends = path.match_indices('\\').map(|(place, _)| place).skip(1);
        for end in ends.chain([path.len()]) {
            let (above, name) = path[..end].rsplit_once('\\').expect("paths are absolute");
            let key = self.keys.entry(path[..end].to_lowercase());
            key.or_insert_with(|| Key {
                name: name.to_owned(),
                ..Key::default()
            });
            debug_assert!(above.is_empty() || self.keys.contains_key(&above.to_lowercase()));
        }
        self.key_mut(&path).expect("just made")
    }

    /// Adds a registry value, and its key where it is missing.
    pub fn set_value(&mut self, key: &str, name: &str, value: Value) {
        let values = &mut self.make_key(key).values;
        let entry = values.entry(name.to_lowercase());
        entry.or_insert((name.to_owned(), Value::default())).1 = value;
    }

    /// A registry value.
    pub fn value(&self, key: &str, name: &str) -> Option<&Value> {
        let (_, value) = self.key(key)?.values.get(&name.to_lowercase())?;
        Some(value)
    }

    /// Makes a link key that leads to another.
    pub fn link_key(&mut self, path: &str, target: &str) {
        self.make_key(target);
        self.make_key(path).flags |= LINK;
        self.set_value(path, LINK_VALUE, (REG_LINK, utf16(target)));
    }

    /// The key at a path; a link key itself where the path ends in one.
    pub fn key(&self, path: &str) -> Option<&Key> {
        self.keys.get(&self.resolved(path).to_lowercase())
    }

    /// As [`Machine::key`].
    pub fn key_mut(&mut self, path: &str) -> Option<&mut Key> {
        let path = self.resolved(path).to_lowercase();
        self.keys.get_mut(&path)
    }

    /// The path with the links in it followed, but not the one it ends in.
    fn resolved(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for _ in 0..MAXIMUM_LINKS {
            let mut inner = path.match_indices('\\').map(|(place, _)| place).skip(1);
            let link = inner.find_map(|end| {
                let key = self.keys.get(&path[..end].to_lowercase())?;
                let (_, (_, target)) = key.values.get(&LINK_VALUE.to_lowercase())?;
                Some((end, answers::text(target)))
            });
            match link {
                Some((end, target)) => path.replace_range(..end, &target),
                None => break,
            }
        }
        path
    }

    /// The subkeys of a key, in order.
    fn subkeys(&self, path: &str) -> impl Iterator<Item = &Key> {
        let above = self.resolved(path).to_lowercase() + "\\";
        self.keys
            .range(above.clone()..)
            .map_while(move |(path, key)| Some((path.strip_prefix(&above)?, key)))
            .filter(|(rest, _)| !rest.contains('\\'))
            .map(|(_, key)| key)
    }
}

impl State {
    pub(super) fn open_key(&mut self, path: &str, access: u32) -> Result<Handle, Status> {
        let key = self.machine.key(path);
        let key = key.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        if key.refused_access & access != 0 {
            return Err(Status::ACCESS_DENIED);
        }
        Ok(self.open(Object::Key(path.to_owned(), access)))
    }

    /// The path and key behind a handle that was opened with one of `rights`.
    fn key_with(&self, handle: Handle, rights: u32) -> Result<(&str, &Key), Status> {
        match self.handles.get(&handle.0) {
            Some(Object::Key(path, granted)) if granted & rights != 0 => {
                let key = self.machine.key(path).ok_or(status::KEY_DELETED)?;
                Ok((path, key))
            }
            Some(Object::Key(..)) => Err(Status::ACCESS_DENIED),
            Some(_) => Err(status::OBJECT_TYPE_MISMATCH),
            None => Err(status::INVALID_HANDLE),
        }
    }

    pub(super) fn set_value(
        &mut self,
        handle: Handle,
        name: &str,
        value: Value,
    ) -> Result<(), Status> {
        let path = self.key_with(handle, access::KEY_SET_VALUE)?.0.to_owned();
        self.machine.set_value(&path, name, value);
        Ok(())
    }

    /// `NtQueryValueKey`.
    pub(super) fn value(
        &self,
        handle: Handle,
        name: &str,
        class: u32,
        capacity: usize,
    ) -> Result<Outcome, Status> {
        const PARTIAL: u32 = 2;
        const FIXED: usize = 12;
        let (_, key) = self.key_with(handle, access::KEY_QUERY_VALUE)?;
        if class != PARTIAL {
            return Err(Status::INVALID_PARAMETER);
        }
        let value = key.values.get(&name.to_lowercase());
        let (_, (kind, data)) = value.ok_or(Status::OBJECT_NAME_NOT_FOUND)?;
        let bytes = answers::key_value(*kind, data);
        Ok(Outcome::partial(
            bytes,
            capacity,
            FIXED,
            Status::BUFFER_TOO_SMALL,
        ))
    }

    /// `NtQueryKey`.
    pub(super) fn key_information(
        &self,
        handle: Handle,
        class: u32,
        capacity: usize,
    ) -> Result<Outcome, Status> {
        const FLAGS: u32 = 5;
        let (_, key) = self.key_with(handle, access::KEY_QUERY_VALUE)?;
        if class != FLAGS {
            return Err(Status::INVALID_PARAMETER);
        }
        let bytes = Fields::new().u32(0).u32(key.flags).u32(0).done();
        Ok(Outcome::whole(bytes, capacity, Status::BUFFER_TOO_SMALL))
    }

    /// `NtEnumerateKey`.
    pub(super) fn subkey(
        &self,
        handle: Handle,
        index: u32,
        class: u32,
        capacity: usize,
    ) -> Result<Outcome, Status> {
        const BASIC: u32 = 0;
        const FIXED: usize = 16;
        let (path, _) = self.key_with(handle, access::KEY_ENUMERATE_SUB_KEYS)?;
        if class != BASIC {
            return Err(Status::INVALID_PARAMETER);
        }
        let subkey = self.machine.subkeys(path).nth(index as usize);
        let name = &subkey.ok_or(Status::NO_MORE_ENTRIES)?.name;
        let fields = Fields::new().u64(BOOT_TIME as u64 - u64::from(index));
        let bytes = fields
            .u32(0)
            .u32(utf16_length(name) as u32)
            .characters(name);
        let short = Status::BUFFER_TOO_SMALL;
        Ok(Outcome::partial(bytes.done(), capacity, FIXED, short))
    }

    /// `NtEnumerateValueKey`.
    pub(super) fn nth_value(
        &self,
        handle: Handle,
        index: u32,
        class: u32,
        capacity: usize,
    ) -> Result<Outcome, Status> {
        const FULL: u32 = 1;
        const FIXED: usize = 20;
        let (_, key) = self.key_with(handle, access::KEY_QUERY_VALUE)?;
        if class != FULL {
            return Err(Status::INVALID_PARAMETER);
        }
        let value = key.values.values().nth(index as usize);
        let (name, (kind, data)) = value.ok_or(Status::NO_MORE_ENTRIES)?;
        let bytes = answers::key_value_full(name, *kind, data);
        Ok(Outcome::partial(
            bytes,
            capacity,
            FIXED,
            Status::BUFFER_TOO_SMALL,
        ))
    }
}
