//! The Session Manager's lists: which there are, when they run, and how our entries get in and out.

use serde::Serialize;

use crate::entry::Entry;
use crate::error::Error;
use crate::multi_sz::{Damage, Unreadable, Value};
use crate::system::System;

/// The key the lists are values of, below `HKEY_LOCAL_MACHINE`.
pub const KEY: &str = r"SYSTEM\CurrentControlSet\Control\Session Manager";

/// What smss runs when there is no `BootExecute` value at all: its built-in default, in the form in which Windows
/// itself registers it. To add to a missing list without this entry would switch the disk check off.
const DEFAULT_BOOT_EXECUTE: &str = "autocheck autochk *";

/// One of the moments at which smss runs native programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    BootExecute,
    SetupExecute,
}

impl Phase {
    /// The word for it in arguments and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::BootExecute => "bootexecute",
            Self::SetupExecute => "setupexecute",
        }
    }
}

/// The phases a command is asked to deal with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Phases {
    Bootexecute,
    Setupexecute,
    Both,
}

impl Phases {
    /// The phases meant, in the order of the boot.
    pub fn each(self) -> &'static [Phase] {
        match self {
            Self::Bootexecute => &[Phase::BootExecute],
            Self::Setupexecute => &[Phase::SetupExecute],
            Self::Both => &[Phase::BootExecute, Phase::SetupExecute],
        }
    }
}

/// A list of the Session Manager that runs before csrss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum List {
    PlatformExecute,
    BootExecute,
    BootExecuteNoPnpSync,
    SetupExecute,
    SetupExecuteNoPnpSync,
}

impl List {
    /// All of them, in the order smss runs them.
    pub const ALL: [Self; 5] = [
        Self::PlatformExecute,
        Self::BootExecute,
        Self::BootExecuteNoPnpSync,
        Self::SetupExecute,
        Self::SetupExecuteNoPnpSync,
    ];

    /// The list for a phase; `pnp_sync` is whether smss is to wait for PnP boot enumeration because of it.
    pub fn of(phase: Phase, pnp_sync: bool) -> Self {
        match (phase, pnp_sync) {
            (Phase::BootExecute, true) => Self::BootExecute,
            (Phase::BootExecute, false) => Self::BootExecuteNoPnpSync,
            (Phase::SetupExecute, true) => Self::SetupExecute,
            (Phase::SetupExecute, false) => Self::SetupExecuteNoPnpSync,
        }
    }

    /// The name of the registry value.
    pub fn value_name(self) -> &'static str {
        match self {
            Self::PlatformExecute => "PlatformExecute",
            Self::BootExecute => "BootExecute",
            Self::BootExecuteNoPnpSync => "BootExecuteNoPnpSync",
            Self::SetupExecute => "SetupExecute",
            Self::SetupExecuteNoPnpSync => "SetupExecuteNoPnpSync",
        }
    }

    /// The moment it runs at.
    pub fn phase(self) -> Phase {
        match self {
            Self::PlatformExecute | Self::BootExecute | Self::BootExecuteNoPnpSync => {
                Phase::BootExecute
            }
            Self::SetupExecute | Self::SetupExecuteNoPnpSync => Phase::SetupExecute,
        }
    }

    /// What smss runs when the value does not exist.
    fn default_entries(self) -> Vec<Entry> {
        match self {
            Self::BootExecute => vec![Entry::from(DEFAULT_BOOT_EXECUTE)],
            _ => vec![],
        }
    }

    /// Whether Windows has the value from the start, so that it stays when it becomes empty.
    pub fn exists_by_default(self) -> bool {
        matches!(self, Self::BootExecute | Self::SetupExecute)
    }
}

/// A list as it stands in the registry.
#[derive(Clone, Debug)]
pub struct Current {
    pub list: List,
    /// The stored value; `None` when there is none.
    pub value: Option<Value>,
    /// What smss makes of it, or why we cannot tell.
    pub contents: Result<Contents, Unreadable>,
}

/// The entries of a readable list.
#[derive(Clone, Debug)]
pub struct Contents {
    pub entries: Vec<Entry>,
    /// What was wrong with the value's form.
    pub damage: Vec<Damage>,
}

impl Current {
    /// Reads one list.
    pub fn read(system: &dyn System, list: List) -> Result<Self, Error> {
        Ok(Self::new(list, system.value(list.value_name())?))
    }

    /// Reads every list.
    pub fn read_all(system: &dyn System) -> Result<Vec<Self>, Error> {
        List::ALL
            .iter()
            .map(|list| Self::read(system, *list))
            .collect()
    }

    fn new(list: List, value: Option<Value>) -> Self {
        let contents = match &value {
            None => Ok(Contents {
                entries: list.default_entries(),
                damage: vec![],
            }),
            Some(value) => value.strings().map(|(strings, damage)| Contents {
                entries: strings.into_iter().map(Entry::from).collect(),
                damage,
            }),
        };
        Self {
            list,
            value,
            contents,
        }
    }

    /// The entries; none for a list that cannot be read.
    pub fn entries(&self) -> &[Entry] {
        match &self.contents {
            Ok(contents) => &contents.entries,
            Err(_) => &[],
        }
    }

    /// Our entries in it.
    pub fn ours(&self) -> impl Iterator<Item = &Entry> {
        self.entries().iter().filter(|entry| entry.is_ours())
    }

    /// What has to be written so that `wanted` and nothing else of ours is registered here; `None` when that is so
    /// already. Entries of others keep their places and their bytes.
    pub fn change(&self, wanted: Option<&Entry>) -> Result<Option<Change>, Error> {
        let former = match &self.contents {
            Ok(contents) => contents,
            // Nothing of ours is in a value that smss itself may not read as a list.
            Err(_) if wanted.is_none() => return Ok(None),
            Err(unreadable) => return Err(self.refusal(*unreadable)),
        };
        let mut entries = Vec::with_capacity(former.entries.len() + 1);
        let mut registered = false;
        for entry in &former.entries {
            let is_wanted = wanted.is_some_and(|wanted| wanted.same(entry)) && !registered;
            if is_wanted || !entry.is_ours() {
                entries.push(entry.clone());
            }
            registered |= is_wanted;
        }
        if entries.len() == former.entries.len() && registered == wanted.is_some() {
            return Ok(None);
        }
        if let Some(wanted) = wanted.filter(|_| !registered) {
            entries.push(wanted.clone());
        }
        Ok(Some(self.change_to(entries)))
    }

    /// What has to be written so that the entries that are told to go are gone; `None` when there are none.
    pub fn without(&self, goes: impl Fn(&Entry) -> bool) -> Option<Change> {
        let stay: Vec<Entry> = self
            .entries()
            .iter()
            .filter(|entry| !goes(entry))
            .cloned()
            .collect();
        (stay.len() < self.entries().len()).then(|| self.change_to(stay))
    }

    fn change_to(&self, entries: Vec<Entry>) -> Change {
        let value = (!entries.is_empty() || self.list.exists_by_default())
            .then(|| Value::multi_sz(&entries));
        Change {
            former: self.clone(),
            entries,
            value,
        }
    }

    /// Why the list cannot be read, as a sentence; `None` when it can.
    pub fn problem(&self) -> Option<String> {
        let unreadable = self.contents.as_ref().err()?;
        Some(format!(
            "{} cannot be read: {unreadable}",
            self.list.value_name()
        ))
    }

    fn refusal(&self, unreadable: Unreadable) -> Error {
        Error::failed(format!(
            "cannot add to {}: {unreadable}",
            self.list.value_name()
        ))
        .advise(format!(
            "Look at the value in HKLM\\{KEY} with regedit, write it as a REG_MULTI_SZ with one entry a line \
             (Windows' own BootExecute is \"{DEFAULT_BOOT_EXECUTE}\"), and try again. Nothing was changed."
        ))
    }
}

/// A list that is to be written.
#[derive(Clone, Debug)]
pub struct Change {
    /// What stood there.
    pub former: Current,
    /// The entries it is to have.
    pub entries: Vec<Entry>,
    /// The value to store; `None`: the value goes.
    pub value: Option<Value>,
}

impl Change {
    pub fn list(&self) -> List {
        self.former.list
    }

    /// The list as it is once this is written.
    pub fn after(&self) -> Current {
        Current::new(self.list(), self.value.clone())
    }

    /// Whether Windows servicing has its own entry in the list for the next restart.
    pub fn is_in_the_way_of_servicing(&self) -> bool {
        self.list() == List::SetupExecute && self.former.entries().iter().any(Entry::is_servicing)
    }

    /// Damage that the new value no longer has.
    pub fn repairs(&self) -> &[Damage] {
        match &self.former.contents {
            Ok(contents) => &contents.damage,
            Err(_) => &[],
        }
    }

    /// Writes it, unless somebody else has written in the meantime, and reads it back.
    pub fn apply(&self, system: &dyn System) -> Result<(), Error> {
        let name = self.list().value_name();
        if system.value(name)? != self.former.value {
            return Err(Error::failed(format!("did not write {name}"))
                .because("another program changed it at this very moment")
                .advise("Try again."));
        }
        match &self.value {
            Some(value) => system.set_value(name, value)?,
            None => system.remove_value(name)?,
        }
        if system.value(name)? != self.value {
            return Err(Error::failed(format!("wrote {name}"))
                .because("it reads back differently")
                .advise(format!(
                    "Something guards or redirects HKLM\\{KEY}; look at the value before you restart."
                )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::tests::FakeSystem;

    const LIST: List = List::BootExecute;

    fn list(entries: &[&str]) -> Current {
        let entries = entries.iter().map(|text| Entry::from(*text));
        Current::new(LIST, Some(Value::multi_sz(entries)))
    }

    fn written(change: Option<Change>) -> Vec<String> {
        let change = change.expect("a change");
        let value = change.value.expect("a value");
        let (strings, damage) = value.strings().expect("a list");
        assert_eq!(damage, []);
        strings
            .iter()
            .map(|units| String::from_utf16_lossy(units))
            .collect()
    }

    fn ours() -> Entry {
        Entry::from("bootshot phase=bootexecute")
    }

    #[test]
    fn ours_is_added_behind_what_is_there() {
        let change = list(&["autocheck autochk *", "other x"])
            .change(Some(&ours()))
            .unwrap();
        assert_eq!(
            written(change),
            [
                "autocheck autochk *",
                "other x",
                "bootshot phase=bootexecute"
            ]
        );
    }

    #[test]
    fn a_missing_boot_execute_gets_the_disk_check_that_smss_would_have_run() {
        let change = Current::new(LIST, None).change(Some(&ours())).unwrap();
        assert_eq!(
            written(change),
            ["autocheck autochk *", "bootshot phase=bootexecute"]
        );
        let change = Current::new(List::SetupExecute, None)
            .change(Some(&ours()))
            .unwrap();
        assert_eq!(written(change), ["bootshot phase=bootexecute"]);
    }

    #[test]
    fn an_empty_boot_execute_stays_without_the_disk_check() {
        assert_eq!(
            written(list(&[]).change(Some(&ours())).unwrap()),
            ["bootshot phase=bootexecute"]
        );
    }

    #[test]
    fn what_is_registered_already_is_left_where_it_is() {
        let current = list(&["BOOTSHOT phase=BootExecute", "later"]);
        assert!(current.change(Some(&ours())).unwrap().is_none());
    }

    #[test]
    fn other_entries_of_ours_are_replaced_by_the_one_wanted() {
        let current = list(&["bootshot old", "x", "bootshot.exe older"]);
        assert_eq!(
            written(current.change(Some(&ours())).unwrap()),
            ["x", "bootshot phase=bootexecute"]
        );
        let twice = list(&[
            "bootshot phase=bootexecute",
            "x",
            "bootshot phase=bootexecute",
        ]);
        assert_eq!(
            written(twice.change(Some(&ours())).unwrap()),
            ["bootshot phase=bootexecute", "x"]
        );
    }

    #[test]
    fn only_ours_is_taken_out() {
        let current = list(&["a", "async bootshot x", "b"]);
        assert_eq!(written(current.change(None).unwrap()), ["a", "b"]);
        assert!(list(&["a"]).change(None).unwrap().is_none());
        assert!(Current::new(LIST, None).change(None).unwrap().is_none());
    }

    #[test]
    fn a_list_that_windows_does_not_have_goes_when_it_becomes_empty() {
        let value = Value::multi_sz([ours()]);
        let current = Current::new(List::BootExecuteNoPnpSync, Some(value.clone()));
        assert_eq!(current.change(None).unwrap().unwrap().value, None);
        let current = Current::new(List::SetupExecute, Some(value));
        assert_eq!(
            current.change(None).unwrap().unwrap().value,
            Some(Value::multi_sz::<Entry>([]))
        );
    }

    #[test]
    fn a_value_that_cannot_be_kept_whole_is_refused_and_named() {
        let value = Value {
            kind: 1,
            data: b"a\0\0\0".to_vec(),
        };
        let current = Current::new(LIST, Some(value));
        let refusal = current.change(Some(&ours())).unwrap_err().to_string();
        assert!(
            refusal.contains("BootExecute: its type is REG_SZ"),
            "{refusal}"
        );
        assert!(current.change(None).unwrap().is_none());
    }

    #[test]
    fn a_foreign_entry_that_is_not_well_formed_utf16_keeps_its_units() {
        let foreign = Entry::from(vec![0x78, 0xDC00, 0x79]);
        let current = Current::new(LIST, Some(Value::multi_sz([&foreign])));
        let change = current.change(Some(&ours())).unwrap().unwrap();
        assert_eq!(change.value, Some(Value::multi_sz([&foreign, &ours()])));
    }

    #[test]
    fn a_change_by_another_program_in_between_is_noticed() {
        let system = FakeSystem::default();
        system.plant(LIST, &["a"]);
        let change = Current::read(&system, LIST)
            .unwrap()
            .change(Some(&ours()))
            .unwrap()
            .unwrap();
        system.plant(LIST, &["a", "b"]);
        let refusal = change.apply(&system).unwrap_err().to_string();
        assert!(refusal.contains("another program"), "{refusal}");
        assert_eq!(system.list(LIST), ["a", "b"]);
    }
}
