//! The views of the registry, as the `registry` command has them.

use std::sync::Arc;

use bootshot_reader::Hex;
use bootshot_reader::records::{
    Autologger, Hive, KeyHandles, KeyValues, LinkKey, MinifilterInstance, RegistryValue, RootKey,
    Service,
};

use crate::commands::registry::data;
use crate::explore::table::{Column, Records};
use crate::explore::value::Value;

static ROOTS: [Column<RootKey>; 5] = [
    Column::right("KEYS", 6, |root| {
        Value::optional(root.subkey_count, Value::Number)
    }),
    Column::left("VOLATILE", 8, |root| Value::yes_or_no(root.volatile)),
    Column::left("WRITTEN", 23, |root| {
        Value::optional(root.last_write_time, Value::Time)
    }),
    Column::left("STATUS", 20, |root| {
        Value::optional(root.status.as_deref(), Value::text)
    }),
    Column::left("ROOT", 40, |root| Value::text(&root.path)),
];

/// The children of `\REGISTRY`.
pub fn roots(rows: Vec<RootKey>) -> Records<RootKey> {
    Records::flat(rows, &ROOTS)
}

static HIVES: [Column<Hive>; 6] = [
    Column::left("HIVE", 34, |hive| Value::text(&hive.path)),
    Column::left("LOADED", 6, |hive| Value::yes_or_no(hive.loaded)),
    Column::left("LISTED", 6, |hive| Value::yes_or_no(hive.listed)),
    Column::left("KEY EXISTS", 10, |hive| Value::yes_or_no(hive.key_exists)),
    Column::left("WRITTEN", 23, |hive| {
        Value::optional(hive.last_write_time, Value::Time)
    }),
    Column::left("FILE", 30, |hive| {
        Value::optional(hive.file.as_deref(), Value::text)
    }),
];

/// The hives, with the files they come from.
pub fn hives(rows: Vec<Hive>) -> Records<Hive> {
    Records {
        main: 0,
        ..Records::flat(rows, &HIVES)
    }
}

static LINKS: [Column<LinkKey>; 5] = [
    Column::left("LINK", 40, |link| Value::text(&link.path)),
    Column::left("VOLATILE", 8, |link| Value::yes_or_no(link.volatile)),
    Column::left("WRITTEN", 23, |link| {
        Value::optional(link.last_write_time, Value::Time)
    }),
    Column::left("STATUS", 20, |link| {
        Value::optional(link.status.as_deref(), Value::text)
    }),
    Column::left("TARGET", 40, |link| {
        Value::optional(link.target.as_deref(), Value::text)
    }),
];

/// Link keys with their targets.
pub fn links(rows: Vec<LinkKey>) -> Records<LinkKey> {
    Records {
        main: 0,
        ..Records::flat(rows, &LINKS)
    }
}

static VOLATILE: [Column<String>; 1] = [Column::left("VOLATILE KEY", 40, |path| Value::text(path))];

/// Keys that are in memory only.
pub fn volatile(rows: Vec<String>) -> Records<String> {
    Records::flat(rows, &VOLATILE)
}

/// A handle to a key.
pub struct OpenKey {
    hive: Arc<str>,
    pub pid: u64,
    image: Option<Arc<str>>,
    pub handle: Hex,
    path: Arc<str>,
    reachable: bool,
}

static KEYS: [Column<OpenKey>; 6] = [
    Column::left("HIVE", 30, |key| Value::text(&key.hive)),
    Column::left("REACHABLE", 9, |key| Value::yes_or_no(Some(key.reachable))),
    Column::right("PID", 6, |key| Value::Number(key.pid)),
    Column::left("IMAGE", 18, |key| {
        Value::optional(key.image.as_deref(), Value::text)
    }),
    Column::right("HANDLE", 7, |key| Value::Hex(key.handle)),
    Column::left("KEY", 40, |key| Value::text(&key.path)),
];

/// The key handles that are named, one by one.
pub fn keys(keys: KeyHandles) -> Records<OpenKey> {
    let mut rows = Vec::new();
    for hive in keys.hives {
        let name: Arc<str> = hive.hive.into();
        for key in hive.keys {
            let path: Arc<str> = key.path.into();
            rows.extend(key.holders.into_iter().map(|holder| OpenKey {
                hive: name.clone(),
                pid: holder.pid,
                image: holder.image,
                handle: holder.handle,
                path: path.clone(),
                reachable: hive.reachable,
            }));
        }
    }
    Records::flat(rows, &KEYS)
}

static SERVICES: [Column<Service>; 8] = [
    Column::right("ORDER", 5, |service| {
        Value::optional(service.load_order, |order| Value::Number(order.into()))
    }),
    Column::left("START", 9, |service| {
        let number =
            || Value::optional(service.start_value, |start| Value::made(start.to_string()));
        service.start.map_or_else(number, Value::text)
    }),
    Column::left("NAME", 22, |service| Value::text(&service.name)),
    Column::left("TYPE", 18, |service| {
        Value::optional(service.service_type.as_deref(), Value::text)
    }),
    Column::left("GROUP", 22, |service| {
        Value::optional(service.group.as_deref(), Value::text)
    }),
    Column::right("TAG", 4, |service| {
        Value::optional(service.tag, |tag| Value::Number(tag.into()))
    }),
    Column::left("ON ERROR", 8, |service| {
        Value::optional(service.error_control, Value::text)
    }),
    Column::left("IMAGE PATH", 40, |service| {
        Value::optional(service.image_path.as_deref(), Value::text)
    }),
];

static SERVICE_DETAILS: [Column<Service>; 4] = [
    Column::left("DISPLAY NAME", 0, |service| {
        Value::optional(service.display_name.as_deref(), Value::text)
    }),
    Column::left("OBJECT NAME", 0, |service| {
        Value::optional(service.object_name.as_deref(), Value::text)
    }),
    Column::left("WRITTEN", 0, |service| {
        Value::optional(service.last_write_time, Value::Time)
    }),
    Column::left("STATUS", 0, |service| {
        Value::optional(service.status.as_deref(), Value::text)
    }),
];

/// Drivers and services, all of them, in load order.
pub fn services(rows: Vec<Service>) -> Records<Service> {
    Records {
        main: 2,
        details: &SERVICE_DETAILS,
        ..Records::flat(rows, &SERVICES)
    }
}

static MINIFILTERS: [Column<MinifilterInstance>; 6] = [
    Column::right("ALTITUDE", 10, |instance| {
        Value::optional(instance.altitude.as_deref(), altitude)
    }),
    Column::left("SERVICE", 22, |instance| Value::text(&instance.service)),
    Column::left("GROUP", 30, |instance| {
        Value::optional(instance.group, Value::text)
    }),
    Column::right("FLAGS", 6, |instance| {
        Value::optional(instance.flags, Value::Hex)
    }),
    Column::left("DEFAULT", 7, |instance| Value::yes_or_no(instance.default)),
    Column::left("INSTANCE", 30, |instance| Value::text(&instance.instance)),
];

/// Sorted by its whole part: those that differ in the fraction only stay as the snapshot has them, the highest first.
fn altitude(text: &str) -> Value<'_> {
    let whole = text.split('.').next().unwrap_or_default();
    match whole.parse() {
        Ok(number) => Value::Marked(number, text.to_owned()),
        Err(_) => Value::text(text),
    }
}

/// Instances of file system minifilters, the highest altitude first.
pub fn minifilters(rows: Vec<MinifilterInstance>) -> Records<MinifilterInstance> {
    Records::flat(rows, &MINIFILTERS)
}

static AUTOLOGGERS: [Column<Autologger>; 7] = [
    Column::left("SESSION", 30, |session| Value::text(&session.name)),
    Column::left("START", 5, |session| Value::yes_or_no(session.start)),
    Column::right("LEVEL", 5, |session| {
        Value::optional(session.level, |level| Value::Number(level.into()))
    }),
    Column::right("MODE", 10, |session| {
        Value::optional(session.log_file_mode, Value::Hex)
    }),
    Column::left("GUID", 38, |session| {
        Value::optional(session.guid.as_deref(), Value::text)
    }),
    Column::left("STATUS", 20, |session| {
        Value::optional(session.status.as_deref(), Value::text)
    }),
    Column::left("FILE", 30, |session| {
        Value::optional(session.file.as_deref(), Value::text)
    }),
];

/// Trace sessions that start with the boot.
pub fn autologgers(rows: Vec<Autologger>) -> Records<Autologger> {
    Records {
        main: 0,
        ..Records::flat(rows, &AUTOLOGGERS)
    }
}

/// A value of a key, or a key without one.
pub struct KeyValue {
    key: Arc<str>,
    status: Option<Arc<str>>,
    value: Option<RegistryValue>,
}

static VALUES: [Column<KeyValue>; 5] = [
    Column::left("KEY", 36, |row| Value::text(&row.key)),
    Column::left("NAME", 24, |row| {
        Value::optional(row.value.as_ref(), |value| match value.name.as_str() {
            "" => Value::text("(default)"),
            name => Value::text(name),
        })
    }),
    Column::left("TYPE", 13, |row| {
        Value::optional(row.value.as_ref(), |value| Value::text(&value.value_type))
    }),
    Column::left("STATUS", 12, |row| {
        Value::optional(row.status.as_deref(), Value::text)
    }),
    Column::left("DATA", 40, |row| {
        Value::optional(row.value.as_ref(), |value| Value::made(data(&value.data)))
    }),
];

/// Keys with their values.
pub fn values(keys: Vec<KeyValues>) -> Records<KeyValue> {
    let mut rows = Vec::new();
    for key in keys {
        let path: Arc<str> = key.path.into();
        let status: Option<Arc<str>> = key.status.map(Into::into);
        let row = |value| KeyValue {
            key: path.clone(),
            status: status.clone(),
            value,
        };
        if key.values.is_empty() {
            rows.push(row(None));
        }
        rows.extend(key.values.into_iter().map(Some).map(row));
    }
    Records::flat(rows, &VALUES)
}
