//! Handles.

use std::borrow::Cow;
use std::sync::Arc;

use bootshot_format::{Family, Source};
use serde::{Serialize, Serializer};

use super::Reading;
use super::naming::{Names, Naming};
use crate::decode::{HandleClass, HandleEntry, HandleList};
use crate::error::Problem;
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// The classes that list handles, the more exact one first.
pub(super) const CLASSES: [u32; 2] = [64, 16];

/// A handle.
#[derive(Clone, Debug, Serialize)]
pub struct Handle {
    /// Id of the process it belongs to.
    pub pid: u64,
    /// File name of that process's image.
    pub image: Option<Arc<str>>,
    /// Its value.
    pub handle: Hex,
    /// Type of the object: by name, or `type 42` when only the index is known.
    #[serde(rename = "type")]
    pub object_type: Arc<str>,
    /// What it may be used for.
    pub granted_access: Hex,
    /// The same by name.
    pub access_names: AccessNames,
    /// `protect_from_close`, `inherit`, `audit_on_close`.
    pub handle_attributes: Vec<Cow<'static, str>>,
    /// Where the object is; none where the kernel hides it.
    pub object_address: Option<Hex>,
    /// The object's name, or why there is none.
    #[serde(flatten)]
    pub naming: Naming,
}

/// The rights in an access mask by name. They are worked out when they are looked at: there are up to 25 for each of
/// hundreds of thousands of handles.
#[derive(Clone, Debug)]
pub struct AccessNames {
    object_type: Arc<str>,
    mask: u32,
}

impl AccessNames {
    /// The names: those of the object's type first, then the standard and generic ones; bits without a name stand
    /// together at the end, in hexadecimal.
    pub fn names(&self) -> Vec<Cow<'static, str>> {
        names::access_names(&self.object_type, self.mask)
    }
}

impl Serialize for AccessNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

impl Snapshot<'_> {
    /// The handles of all processes.
    pub fn handles(&self) -> Reading<Vec<Handle>> {
        Reading::gather(|problems| {
            let mut handles = Vec::new();
            problems.extend(self.each_handle(|handle| handles.push(handle)));
            handles
        })
    }

    /// As [`handles`](Self::handles), one after the other: there can be a million. What could not be read.
    pub fn each_handle(&self, each: impl FnMut(Handle)) -> Vec<Problem> {
        let mut problems = Vec::new();
        let walk = self.walk(&mut problems);
        let names = self.object_names(&walk, &self.handle_lists(), &mut problems);
        let mut of_list = self.each_named_handle(Some(&names), each);
        of_list.extend(problems);
        of_list
    }

    /// The same without the names of the objects: as if nobody had asked.
    pub(crate) fn each_handle_without_name(&self, each: impl FnMut(Handle)) -> Vec<Problem> {
        self.each_named_handle(None, each)
    }

    fn each_named_handle(
        &self,
        names: Option<&Names<'_>>,
        mut each: impl FnMut(Handle),
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        let images = self.image_names();
        let mut type_names = self.type_names();
        let own_types = self.own_handle_types();
        for entry in self.each_handle_entry(&mut problems) {
            let own = (entry.process_id == self.header.process_id)
                .then(|| own_types.get(&entry.handle))
                .flatten();
            let known = own.or_else(|| type_names.get(&entry.type_index)).cloned();
            let object_type = known.unwrap_or_else(|| {
                let unknown: Arc<str> = format!("type {}", entry.type_index).into();
                type_names.insert(entry.type_index, unknown.clone());
                unknown
            });
            each(Handle {
                pid: entry.process_id,
                image: images.get(&entry.process_id).cloned(),
                handle: Hex(entry.handle),
                access_names: AccessNames {
                    object_type: object_type.clone(),
                    mask: entry.granted_access,
                },
                naming: names
                    .map_or_else(Naming::not_asked, |names| names.of(&entry, &object_type)),
                object_type,
                granted_access: Hex(entry.granted_access.into()),
                handle_attributes: names::handle_attributes(entry.attributes),
                object_address: (entry.object != 0).then_some(Hex(entry.object)),
            });
        }
        problems
    }

    /// The handles as they are listed, one at a time.
    pub(super) fn each_handle_entry(
        &self,
        problems: &mut Vec<Problem>,
    ) -> impl Iterator<Item = HandleEntry> {
        let list = self.handle_list(problems);
        list.unwrap_or(HandleList::EMPTY).into_iter()
    }

    /// The list of them.
    pub(super) fn handle_list(&self, problems: &mut Vec<Problem>) -> Option<HandleList<'_>> {
        let source = Source::SYSTEM_INFORMATION;
        // The list of family `names` is there to tie our own handles to names; it is for want of another one only.
        let first = CLASSES.iter().find_map(|class| {
            self.answered(source, *class)
                .find(|answer| answer.family != Family::NAMES)
        });
        let answer = first.or_else(|| self.wanted("handle list", source, &CLASSES, problems))?;
        let class = HandleClass::from_number(answer.class).unwrap_or(HandleClass::Extended);
        Some(answer.decode(problems, |buffer, problems| {
            HandleList::new(buffer, class, problems)
        }))
    }
}
