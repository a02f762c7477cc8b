//! The registry.

use serde::Serialize;

use super::{OF_PROCESS, Reference, Table, boolean, hex, integer, list, size, text, time};
use crate::records::{KeyHolder, KeyValues, RegistryValue};

/// Hives: those of the hive list, and those that every Windows has.
pub static HIVES: Table = Table {
    name: "hives",
    meaning: "Hives: those of the hive list, and those that every Windows has.",
    columns: &[
        text("path", "where in the registry it is"),
        text("file", "its file; null for a hive that is in memory only"),
        boolean("listed", "whether the hive list has it"),
        boolean("key_exists", "whether there is a key of this name"),
        boolean("loaded", "whether it is loaded at this moment"),
        time("last_write_time", "when its root key was written last"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for hive in &rows.take(snapshot.hives()).hives {
            rows.push(hive);
        }
    },
};

/// Children of `\REGISTRY`.
pub static REGISTRY_ROOTS: Table = Table {
    name: "registry_roots",
    meaning: "Children of \\REGISTRY.",
    columns: &[
        text("path", "its path"),
        text("status", "why it could not be opened or listed to its end"),
        boolean("volatile", "whether it is in memory only"),
        time("last_write_time", "when it was written last"),
        integer("subkey_count", "keys right below it"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for root in rows.take(snapshot.hives()).roots.iter().flatten() {
            rows.push(root);
        }
    },
};

/// Registry keys that are links.
pub static REGISTRY_LINKS: Table = Table {
    name: "registry_links",
    meaning: "Registry keys that are links.",
    columns: &[
        text("path", "its path"),
        text("target", "the path it leads to"),
        boolean("volatile", "whether it is in memory only"),
        time("last_write_time", "when it was written last"),
        text("status", "why it could not be opened"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for link in &rows.take(snapshot.registry_links()).links {
            rows.push(link);
        }
    },
};

/// Registry keys at the top levels that are in memory only, and no links.
pub static VOLATILE_KEYS: Table = Table {
    name: "volatile_keys",
    meaning: "Registry keys at the top levels that are in memory only, and no links.",
    columns: &[text("path", "its path")],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            path: &'a str,
        }
        for path in &rows.take(snapshot.registry_links()).volatile {
            rows.push(&Row { path });
        }
    },
};

/// Handles to registry keys whose names are known.
pub static KEY_HANDLES: Table = Table {
    name: "key_handles",
    meaning: "Handles to registry keys whose names are known.",
    columns: &[
        text("hive", "path of the root of the key's hive"),
        boolean("reachable", "whether a path from \\REGISTRY leads there"),
        text("path", "of the key"),
        integer("pid", "id of the process that has it open"),
        text("image", "file name of that process's image"),
        hex("handle", "the handle's value there"),
    ],
    references: &[OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            hive: &'a str,
            reachable: bool,
            path: &'a str,
            #[serde(flatten)]
            holder: &'a KeyHolder,
        }
        for hive in &rows.take(snapshot.key_handles()).hives {
            for key in &hive.keys {
                for holder in &key.holders {
                    rows.push(&Row {
                        hive: &hive.hive,
                        reachable: hive.reachable,
                        path: &key.path,
                        holder,
                    });
                }
            }
        }
    },
};

/// Service entries, drivers included, in load order.
pub static SERVICES: Table = Table {
    name: "services",
    meaning: "Service entries, drivers included, in load order.",
    columns: &[
        text("name", "name of its key"),
        text(
            "type",
            "kernel driver, file system driver, own process, shared process, …",
        ),
        integer("type_value", "the same as a number"),
        text("start", "boot, system, automatic, manual, disabled"),
        integer("start_value", "the same as a number"),
        text("group", "load order group"),
        integer("tag", "its tag in the group"),
        text("error_control", "ignore, normal, severe, critical"),
        text("image_path", "its image as the entry has it"),
        text(
            "object_name",
            "account of a program, or path of the driver object where it is not the usual one",
        ),
        text("display_name", "what it calls itself"),
        integer(
            "load_order",
            "its place among those that start when it does, from 1",
        ),
        time("last_write_time", "when its key was written last"),
        text("status", "why its key could not be read to its end"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.services()),
};

/// Instances of file system minifilters, the highest altitude first.
pub static MINIFILTERS: Table = Table {
    name: "minifilters",
    meaning: "Instances of file system minifilters, the highest altitude first.",
    columns: &[
        text("service", "its service"),
        text("instance", "its name"),
        text("altitude", "a decimal number of any length"),
        text("group", "the load order group that the altitude belongs to"),
        hex(
            "flags",
            "1: not attached by itself, 2: not attached when asked to",
        ),
        boolean("default", "whether it is the service's default instance"),
    ],
    references: &[Reference::may_be("service", "services", "name")],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.minifilters()),
};

/// Trace sessions that start with the boot.
pub static AUTOLOGGERS: Table = Table {
    name: "autologgers",
    meaning: "Trace sessions that start with the boot.",
    columns: &[
        text("name", "the session's name"),
        boolean("start", "whether it is started"),
        text("guid", "of the session"),
        text("file", "where it writes"),
        integer("level", "EnableLevel, else Level"),
        hex("log_file_mode", "EVENT_TRACE_*_MODE"),
        integer("buffer_size", "of a buffer, KiB"),
        integer("maximum_buffers", "most buffers"),
        text("status", "why its key could not be read to its end"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.autologgers()),
};

/// Keys of the Session Manager and other keys that decide the boot.
pub static REGISTRY_KEYS: Table = Table {
    name: "registry_keys",
    meaning: "Keys of the Session Manager and other keys that decide the boot.",
    columns: &[
        text("view", "session-manager or control"),
        text("path", "its path"),
        time("last_write_time", "when it was written last"),
        text("status", "why it could not be read to its end"),
    ],
    references: &[],
    elsewhere: &[list("values", "its values")],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            view: &'a str,
            #[serde(flatten)]
            key: &'a KeyValues,
        }
        for (view, keys) in [
            ("session-manager", rows.take(snapshot.session_manager())),
            ("control", rows.take(snapshot.control())),
        ] {
            for key in &keys {
                rows.push(&Row { view, key });
            }
        }
    },
};

/// Values of the keys of the Session Manager and of those that decide the boot.
pub static REGISTRY_VALUES: Table = Table {
    name: "registry_values",
    meaning: "Values of the keys of the Session Manager and of those that decide the boot.",
    columns: &[
        text("view", "session-manager or control"),
        text("path", "of the key"),
        text("name", "its name; empty for the default value"),
        text("type", "REG_SZ and so on"),
        size("size", "its data"),
        list(
            "data",
            "the data in the form of its type: a text, a list of texts, a number, or hexadecimal digits",
        ),
    ],
    references: &[Reference::part_of("path", "registry_keys", "path")],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            view: &'a str,
            path: &'a str,
            #[serde(flatten)]
            value: &'a RegistryValue,
        }
        for (view, keys) in [
            ("session-manager", rows.take(snapshot.session_manager())),
            ("control", rows.take(snapshot.control())),
        ] {
            for key in &keys {
                for value in &key.values {
                    rows.push(&Row {
                        view,
                        path: &key.path,
                        value,
                    });
                }
            }
        }
    },
};
