//! Object types: the statistical view of the object manager.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bootshot_format::{NoteKind, ObjectKind, Source};
use serde::Serialize;

use super::Reading;
use crate::decode::{self, HandleEntry};
use crate::error::Problem;
use crate::layout::structures::{GENERIC_MAPPING, OBJECT_TYPE_INFORMATION as Layout};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// `ObjectTypesInformation`.
const TYPES_INFORMATION: u32 = 3;

/// Which rights the generic ones stand for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct GenericMapping {
    /// `GENERIC_READ`.
    pub read: Hex,
    /// `GENERIC_WRITE`.
    pub write: Hex,
    /// `GENERIC_EXECUTE`.
    pub execute: Hex,
    /// `GENERIC_ALL`.
    pub all: Hex,
}

/// An object type. On systems that do not answer for their types, only name, index and handle count are known.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectType {
    /// Name.
    pub name: Option<Arc<str>>,
    /// The number handles name it by.
    pub index: Option<u32>,
    /// Objects of this type.
    pub object_count: Option<u32>,
    /// Handles to them; counted in the handle list where the kernel does not say.
    pub handle_count: Option<u32>,
    /// Most objects there ever were.
    pub peak_object_count: Option<u32>,
    /// Most handles there ever were.
    pub peak_handle_count: Option<u32>,
    /// The pool its objects live in.
    pub pool_type: Option<Cow<'static, str>>,
    /// What the generic rights stand for.
    pub generic_mapping: Option<GenericMapping>,
    /// The rights that mean something.
    pub valid_access_mask: Option<Hex>,
}

impl Snapshot<'_> {
    /// The object types by index, those of unknown index last, by name.
    pub fn types(&self) -> Reading<Vec<ObjectType>> {
        Reading::gather(|problems| {
            let mut answers = self.answered(Source::OBJECT_INFORMATION, TYPES_INFORMATION);
            match answers.next() {
                Some(answer) => {
                    let mut types = answer.decode(problems, decode::object_types);
                    self.align_indexes(&mut types);
                    types.iter().map(object_type).collect()
                }
                None => self.types_without_statistics(problems),
            }
        })
    }

    /// Names of the object types by index.
    pub(super) fn type_names(&self) -> BTreeMap<u32, Arc<str>> {
        let known = &self.looked_up.type_names;
        known.get_or_init(|| self.look_up_type_names()).clone()
    }

    fn look_up_type_names(&self) -> BTreeMap<u32, Arc<str>> {
        let mut ignored = Vec::new();
        let mut answers = self.answered(Source::OBJECT_INFORMATION, TYPES_INFORMATION);
        match answers.next() {
            Some(answer) => {
                let mut types = answer.decode(&mut ignored, decode::object_types);
                self.align_indexes(&mut types);
                types
                    .into_iter()
                    .filter_map(|entry| Some((entry.index, entry.name?)))
                    .collect()
            }
            None => self.types_of_own_handles(),
        }
    }

    /// Moves the indexes of the type table to where the handle list has them. Wine (8.0) counts from 0 there and from
    /// 2 in the table; our own handles show such a difference when all of them show the same.
    fn align_indexes(&self, types: &mut [decode::ObjectType<'_>]) {
        let own = self.types_of_own_handles();
        // The first of a name counts; there is only one, unless somebody lies.
        let told: BTreeMap<Arc<str>, u32> = types
            .iter()
            .rev()
            .filter_map(|entry| Some((entry.name.clone()?, entry.index)))
            .collect();
        let mut differences = own
            .iter()
            .filter_map(|(index, name)| told.get(name)?.checked_sub(*index));
        let Some(difference) = differences.next() else {
            return;
        };
        if differences.all(|other| other == difference) {
            for entry in types {
                entry.index = entry.index.saturating_sub(difference);
            }
        }
    }

    /// Names of the types of the capture's own handles, as it noted them.
    pub(super) fn own_handle_types(&self) -> BTreeMap<u64, Arc<str>> {
        self.answered(Source::NOTE, NoteKind::OWN_HANDLE.0)
            .map(|note| (note.argument, note.name().into()))
            .collect()
    }

    /// Names of the types of what the capture opened, by the handle it got, as the last handle list has it.
    fn opened_types(&self) -> Vec<(u64, ObjectKind)> {
        let mut opened = Vec::with_capacity(self.most_answers_from(Source::OBJECT));
        opened.extend(
            self.opened_objects()
                .filter(|opened| opened.handle() != 0 && names::object_kind(opened.kind).is_some())
                .map(|opened| (opened.handle(), opened.kind)),
        );
        opened.sort_by_key(|(handle, _)| *handle);
        opened
    }

    /// Each of the capture's own handles in the handle list ties an index to a name. An index that is tied to two
    /// names says nothing: some systems put 0 everywhere.
    fn types_of_own_handles(&self) -> BTreeMap<u32, Arc<str>> {
        let mut names: BTreeMap<u32, Option<Arc<str>>> = BTreeMap::new();
        let mut tie = |index: u32, name: &str| {
            names
                .entry(index)
                .and_modify(|known| {
                    if known.as_deref() != Some(name) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(name.into()));
        };
        let is_own = |entry: &HandleEntry| entry.process_id == self.header.process_id;
        let own_types = self.own_handle_types();
        for entry in self.each_handle_entry(&mut Vec::new()).filter(is_own) {
            if let Some(name) = own_types.get(&entry.handle) {
                tie(entry.type_index, name);
            }
        }
        let opened_types = self.opened_types();
        for entry in self.each_last_handle_entry().filter(is_own) {
            let end = opened_types.partition_point(|(handle, _)| *handle <= entry.handle);
            // Of what was opened with one value, the last counts.
            if let Some((handle, kind)) = end.checked_sub(1).map(|last| opened_types[last])
                && let (true, Some(name)) = (handle == entry.handle, names::object_kind(kind))
            {
                tie(entry.type_index, name);
            }
        }
        names
            .into_iter()
            .filter_map(|(index, name)| Some((index, name?)))
            .collect()
    }

    fn types_without_statistics(&self, problems: &mut Vec<Problem>) -> Vec<ObjectType> {
        let indexes: BTreeMap<Arc<str>, u32> = self
            .types_of_own_handles()
            .into_iter()
            .map(|(index, name)| (name, index))
            .collect();
        let mut handle_counts: BTreeMap<u32, u32> = BTreeMap::new();
        for entry in self.each_handle_entry(&mut Vec::new()) {
            *handle_counts.entry(entry.type_index).or_default() += 1;
        }
        let mut names: Vec<Arc<str>> = self.object_type_directory(problems);
        names.extend(indexes.keys().cloned());
        names.sort();
        names.dedup();
        if names.is_empty() {
            let source = Source::OBJECT_INFORMATION;
            problems.push(self.no_answer("object types", source, &[TYPES_INFORMATION]));
        }
        let mut types: Vec<_> = names
            .into_iter()
            .map(|name| {
                let index = indexes.get(&name).copied();
                ObjectType {
                    name: Some(name),
                    index,
                    object_count: None,
                    handle_count: index.and_then(|index| handle_counts.get(&index).copied()),
                    peak_object_count: None,
                    peak_handle_count: None,
                    pool_type: None,
                    generic_mapping: None,
                    valid_access_mask: None,
                }
            })
            .collect();
        types.sort_by_key(|entry| entry.index.unwrap_or(u32::MAX));
        types
    }

    /// The names in `\ObjectTypes`.
    fn object_type_directory(&self, problems: &mut Vec<Problem>) -> Vec<Arc<str>> {
        self.answered(Source::DIRECTORY_OBJECT, 0)
            .filter(|answer| answer.name().eq_ignore_ascii_case("\\ObjectTypes"))
            .flat_map(|answer| answer.decode(problems, decode::directory_entries))
            .map(|entry| entry.name)
            .collect()
    }
}

fn object_type(entry: &decode::ObjectType<'_>) -> ObjectType {
    let information = &entry.information;
    let pool_type = information.get(Layout::PoolType);
    ObjectType {
        name: entry.name.clone(),
        index: Some(entry.index),
        object_count: information.get(Layout::TotalNumberOfObjects),
        handle_count: information.get(Layout::TotalNumberOfHandles),
        peak_object_count: information.get(Layout::HighWaterNumberOfObjects),
        peak_handle_count: information.get(Layout::HighWaterNumberOfHandles),
        pool_type: pool_type.map(|number| {
            names::pool_type(number).map_or_else(|| Cow::Owned(number.to_string()), Cow::Borrowed)
        }),
        generic_mapping: entry.generic_mapping().and_then(|mapping| {
            Some(GenericMapping {
                read: Hex(mapping.get(GENERIC_MAPPING::GenericRead)?.into()),
                write: Hex(mapping.get(GENERIC_MAPPING::GenericWrite)?.into()),
                execute: Hex(mapping.get(GENERIC_MAPPING::GenericExecute)?.into()),
                all: Hex(mapping.get(GENERIC_MAPPING::GenericAll)?.into()),
            })
        }),
        valid_access_mask: information
            .get(Layout::ValidAccessMask)
            .map(|mask| Hex(mask.into())),
    }
}
