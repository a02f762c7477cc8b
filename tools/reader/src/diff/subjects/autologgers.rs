//! Event trace sessions that are started at boot, by name.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let mut gaps = Gaps::default();
    gaps.note(captured::family(side.snapshot, Family::REGISTRY));
    let sessions = side.snapshot.autologgers().value.into_iter();
    let items = sessions.map(|session| {
        let whole = session.status.is_none();
        let known = |value: Option<Value>| whole.then(|| value.unwrap_or(Value::Absent));
        let number = |number: Option<u32>| known(number.map(|number| Value::Count(number.into())));
        Item::new(session.name.to_lowercase(), session.name)
            .with("start", known(session.start.map(Value::Flag)))
            .with("guid", known(session.guid.map(Value::path)))
            .with("file", known(session.file.map(Value::path)))
            .with("level", number(session.level))
            .with(
                "log_file_mode",
                known(session.log_file_mode.map(Value::Mask)),
            )
            .with("buffer_size", number(session.buffer_size))
            .with("maximum_buffers", number(session.maximum_buffers))
    });
    Extraction {
        items: items.collect(),
        gaps,
    }
}
