//! Handles, objects, their types, and the object namespace.

use serde::Serialize;

use super::{
    Column, OF_PROCESS, Reference, Table, boolean, hex, integer, join, list, naming, row_number,
    text, time,
};
use crate::records::{Holder, Reading, UnnamedEntry, Wanted};

/// Handles of all processes.
pub static HANDLES: Table = Table {
    name: "handles",
    meaning: "Handles of all processes.",
    columns: &join::<11>(&[
        &[
            integer("pid", "id of the process it belongs to"),
            text("image", "file name of that process's image"),
            hex("handle", "its value"),
            text(
                "type",
                "type of the object; \"type 42\" when only the index is known",
            ),
            hex("granted_access", "what it may be used for"),
            list("access_names", "the same by name"),
            list(
                "handle_attributes",
                "protect_from_close, inherit, audit_on_close",
            ),
            hex(
                "object_address",
                "where the object is; null where the kernel hides it",
            ),
        ],
        &naming!(),
    ]),
    references: &[OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        let problems = match rows.want(&naming!()) {
            true => snapshot.each_handle(|handle| rows.push(&handle)),
            false => snapshot.each_handle_without_name(|handle| rows.push(&handle)),
        };
        rows.problems.extend(problems);
    },
};

/// What an object told when the capture opened it.
const DETAILS: [Column; 9] = [
    hex("address", "where it is; null where the kernel hides it"),
    integer("handle_count", "handles to it, as the kernel counts them"),
    integer("pointer_count", "references to it, likewise"),
    boolean(
        "pointer_count_inflated",
        "whether most of these are references that the kernel keeps in advance",
    ),
    boolean("permanent", "whether it stays without handles"),
    time("creation_time", "when it was made; of symbolic links only"),
    text("basic_error", "why the counts are not known"),
    text("security_descriptor", "owner, group and DACL in SDDL"),
    text("security_error", "why it is not known"),
];

/// Who has an object open.
pub(super) const HOLDER: [Column; 4] = [
    integer("pid", "id of the process that holds it"),
    text("image", "file name of that process's image"),
    hex("handle", "the handle's value there"),
    hex("granted_access", "what the handle may be used for"),
];

/// Objects that handles lead to or that the capture opened, each once.
pub static OBJECTS: Table = Table {
    name: "objects",
    meaning: "Objects that handles lead to or that the capture opened, each once.",
    columns: &join::<15>(&[
        &[row_number("object_id"), text("type", "its type")],
        &naming!(),
        &DETAILS,
        &[integer(
            "handle_entries",
            "handles to it in the handle list",
        )],
    ]),
    references: &[],
    elsewhere: &[list("holders", "who has it open")],
    read: |snapshot, rows| {
        let wanted = Wanted {
            naming: rows.want(&naming!()),
            details: rows.want(&DETAILS),
        };
        let hidden = snapshot.each_object(wanted, |object| rows.push(&object));
        rows.take(hidden);
    },
};

/// Handles to the objects.
pub static OBJECT_HOLDERS: Table = Table {
    name: "object_holders",
    meaning: "Handles to the objects.",
    columns: &join::<5>(&[&[integer("object_id", "the object")], &HOLDER]),
    references: &[
        Reference::part_of("object_id", "objects", "object_id"),
        OF_PROCESS,
    ],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            object_id: usize,
            #[serde(flatten)]
            holder: &'a Holder,
        }
        let wanted = Wanted {
            naming: false,
            details: false,
        };
        let mut object_id = 0;
        let hidden = snapshot.each_object(wanted, |object| {
            for holder in object.holders.iter().flatten() {
                rows.push(&Row { object_id, holder });
            }
            object_id += 1;
        });
        rows.take(hidden);
    },
};

/// Types of objects.
pub static TYPES: Table = Table {
    name: "types",
    meaning: "Types of objects.",
    columns: &[
        text("name", "name"),
        integer("index", "the number that handles name it by"),
        integer("object_count", "objects of this type"),
        integer("handle_count", "handles to them"),
        integer("peak_object_count", "most objects there ever were"),
        integer("peak_handle_count", "most handles there ever were"),
        text("pool_type", "the pool its objects live in"),
        hex("generic_mapping_read", "what GENERIC_READ stands for"),
        hex("generic_mapping_write", "what GENERIC_WRITE stands for"),
        hex("generic_mapping_execute", "what GENERIC_EXECUTE stands for"),
        hex("generic_mapping_all", "what GENERIC_ALL stands for"),
        hex("valid_access_mask", "the rights that mean something"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.types()),
};

/// Entries of the object namespace, those of all directories.
pub static NAMESPACE: Table = Table {
    name: "namespace",
    meaning: "Entries of the object namespace, those of all directories.",
    columns: &join::<15>(&[
        &[
            text("path", "its path"),
            text("type", "its type, as the directory lists it"),
            text("open", "opened, refused, or not_tried"),
            text("open_error", "NTSTATUS it was refused with"),
            integer("entry_count", "of a directory that was listed: its entries"),
            text("listing_error", "why these are not all"),
        ],
        &DETAILS,
    ]),
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        let Reading {
            value: walked,
            mut problems,
        } = snapshot.walked();
        for entry in walked.below_root() {
            rows.push(&entry.with_details(&mut problems));
        }
        rows.problems.extend(problems);
    },
};

/// Symbolic links of the object namespace.
pub static SYMLINKS: Table = Table {
    name: "symlinks",
    meaning: "Symbolic links of the object namespace.",
    columns: &[
        text("path", "of the link"),
        text(
            "target",
            "as it stands in the link; empty for a dynamic one",
        ),
        text("target_error", "why the target is not known"),
        time("creation_time", "when it was made"),
        text(
            "target_status",
            "found, dangling, loop, dynamic, or not_known",
        ),
        text("resolved_path", "what it leads to in the end"),
        text("resolved_type", "the type of that"),
        text("dynamic_type", "what a dynamic link was opened as"),
        text("dynamic_name", "the name that the object told"),
        hex("dynamic_address", "where the object is"),
        text(
            "dynamic_memory_condition",
            "which of the known memory conditions it is",
        ),
    ],
    references: &[Reference::may_be("path", "namespace", "path")],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.symbolic_links()),
};

/// Directories that no path leads to.
pub static UNNAMED_DIRECTORIES: Table = Table {
    name: "unnamed_directories",
    meaning: "Directories that no path leads to.",
    columns: &join::<7>(&[
        &[
            row_number("directory_id"),
            hex("address", "where it is; null where the kernel hides it"),
        ],
        &naming!(),
        &[
            integer("entry_count", "its entries; null: it was not listed"),
            text("listing_error", "why it was not listed, or not whole"),
        ],
    ]),
    references: &[],
    elsewhere: &[
        list("holders", "who has it open"),
        list("entries", "what is in it"),
    ],
    read: |snapshot, rows| rows.all(snapshot.unnamed_directories()),
};

const OF_DIRECTORY: Reference =
    Reference::part_of("directory_id", "unnamed_directories", "directory_id");

/// What is in the directories that no path leads to.
pub static UNNAMED_DIRECTORY_ENTRIES: Table = Table {
    name: "unnamed_directory_entries",
    meaning: "What is in the directories that no path leads to.",
    columns: &[
        integer("directory_id", "the directory"),
        text("name", "its name there"),
        text("type", "its type"),
    ],
    references: &[OF_DIRECTORY],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            directory_id: usize,
            #[serde(flatten)]
            entry: &'a UnnamedEntry,
        }
        let directories = rows.take(snapshot.unnamed_directories());
        for (directory_id, directory) in directories.iter().enumerate() {
            for entry in directory.entries.iter().flatten() {
                rows.push(&Row {
                    directory_id,
                    entry,
                });
            }
        }
    },
};

/// Handles to the directories that no path leads to.
pub static UNNAMED_DIRECTORY_HOLDERS: Table = Table {
    name: "unnamed_directory_holders",
    meaning: "Handles to the directories that no path leads to.",
    columns: &join::<5>(&[&[integer("directory_id", "the directory")], &HOLDER]),
    references: &[OF_DIRECTORY, OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            directory_id: usize,
            #[serde(flatten)]
            holder: &'a Holder,
        }
        let directories = rows.take(snapshot.unnamed_directories());
        for (directory_id, directory) in directories.iter().enumerate() {
            for holder in &directory.holders {
                rows.push(&Row {
                    directory_id,
                    holder,
                });
            }
        }
    },
};
