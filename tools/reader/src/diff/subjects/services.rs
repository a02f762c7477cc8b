//! Service entries, by name.

use std::collections::BTreeSet;

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};
use crate::names::describe_status;
use crate::records::registry::CURRENT_CONTROL_SET;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let registry = side.snapshot.registry().value;
    let services = side.snapshot.services().value;
    let mut gaps = Gaps::default();
    let list = registry.key(&format!("{CURRENT_CONTROL_SET}\\Services"));
    gaps.note(
        match list.map(|key| (&key.subkeys, key.subkeys_cut.or(key.refusal))) {
            Some((Some(_), None)) => None,
            Some((_, Some(status))) => Some(describe_status(status)),
            _ => Some(
                captured::family(side.snapshot, Family::REGISTRY)
                    .unwrap_or_else(|| "not captured".to_owned()),
            ),
        },
    );
    gaps.note(captured::harm(side.snapshot, Family::REGISTRY));
    let known: BTreeSet<String> = services
        .iter()
        .map(|service| service.name.to_lowercase())
        .collect();
    for listed in list
        .into_iter()
        .flat_map(|key| key.subkeys.iter().flatten())
    {
        let name = listed.name().to_lowercase();
        if !known.contains(&name) {
            gaps.single
                .insert(name, "its values were not captured".to_owned());
        }
    }
    let items = services.into_iter().map(|service| {
        let whole = service.status.is_none();
        let known = |value: Option<Value>| whole.then(|| value.unwrap_or(Value::Absent));
        let text = |text: Option<String>| known(text.map(Value::text));
        let number = |number: Option<u32>| known(number.map(|number| Value::Count(number.into())));
        Item::new(service.name.to_lowercase(), service.name)
            .with("type", text(service.service_type))
            .with("start", known(service.start.map(Value::text)))
            .with(
                "image_path",
                known(
                    service
                        .image_path
                        .map(|path| Value::path(side.known_of(path))),
                ),
            )
            .with("object_name", text(service.object_name))
            .with("group", text(service.group))
            .with("tag", number(service.tag))
            .with(
                "error_control",
                known(service.error_control.map(Value::text)),
            )
            .with("display_name", text(service.display_name))
            .with("load_order", number(service.load_order))
            .with("last_write_time", service.last_write_time.map(Value::Time))
    });
    Extraction {
        items: items.collect(),
        gaps,
    }
}
