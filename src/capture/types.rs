//! Object types, with their totals and peaks.

use super::query::Ask;
use bootshot_format::Source;

/// `ObjectTypesInformation`, on no handle. Systems before Windows XP SP2 and its relatives do not answer: there the names
/// stand in `\ObjectTypes`, which the walk through the namespace lists.
pub(super) const TYPES: [Ask; 1] = [Ask::new(Source::OBJECT_INFORMATION, 3)];
