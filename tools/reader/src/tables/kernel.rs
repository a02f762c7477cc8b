//! Modules, drivers, memory, and the filtering platform.

use super::{Column, OF_PROCESS, Reference, Table, hex, integer, list, size, text, time};

/// Kernel modules in the order of loading.
pub static MODULES: Table = Table {
    name: "modules",
    meaning: "Kernel modules in the order of loading.",
    columns: &[
        text("name", "file name"),
        text("path", "full path"),
        hex("base", "where it is loaded; null where the kernel hides it"),
        size("size", "what it takes there"),
        integer("load_order", "its place in the order of loading"),
        integer("load_count", "how often it is referenced"),
        hex("flags", "the loader's flags"),
        hex("checksum", "from the image's header"),
        hex(
            "time_date_stamp",
            "from the image's header: seconds since 1970, or a hash",
        ),
        hex("default_base", "where it would like to be loaded"),
        text("machine", "x86, x64, arm64: from the image's headers"),
        text("subsystem", "native for nearly all"),
        text("image_status", "why the image's headers were not read"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.modules()),
};

/// Drivers: modules, driver objects and service entries joined.
pub static DRIVERS: Table = Table {
    name: "drivers",
    meaning: "Drivers: modules, driver objects and service entries joined.",
    columns: &[
        text(
            "name",
            "of the driver object, else the service, else the module's file",
        ),
        text(
            "state",
            "loaded, no_service, no_module, of_the_kernel, no_driver_object, module_only, not_loaded",
        ),
        text("driver_object", "path of the driver object"),
        text("module", "path of the module"),
        hex("base", "where the module is loaded"),
        text("service", "name of the service entry"),
        text("start", "when the entry is started"),
        text("image_path", "the entry's image"),
        text("group", "the entry's load order group"),
        text("device", "a device of the same name"),
    ],
    references: &[Reference::may_be("service", "services", "name")],
    elsewhere: &[],
    read: |snapshot, rows| {
        for driver in &rows.take(snapshot.drivers()).drivers {
            rows.push(driver);
        }
    },
};

/// Memory of the system: one row.
pub static MEMORY: Table = Table {
    name: "memory",
    meaning: "Memory of the system: one row.",
    columns: &[
        size("page_size", "a page"),
        size("physical_total", "RAM that the system uses"),
        size(
            "physical_available",
            "RAM that can be had without writing anything out",
        ),
        size("commit_total", "commit charged now"),
        size(
            "commit_limit",
            "most that could be, with the page files as they are",
        ),
        size("commit_peak", "most that ever was"),
        size(
            "commit_shared",
            "of the charge, what is for sections backed by page files",
        ),
        size("paged_pool_size", "the pool that can be paged out"),
        size("paged_pool_resident", "what of it is in RAM"),
        integer("paged_pool_allocations", "allocations since boot"),
        integer("paged_pool_frees", "frees since boot"),
        size("nonpaged_pool_size", "the pool that cannot be paged out"),
        integer("nonpaged_pool_allocations", "allocations since boot"),
        integer("nonpaged_pool_frees", "frees since boot"),
        size("system_code", "the kernel's pageable code that is in RAM"),
        size(
            "system_drivers",
            "drivers' pageable code and data that is in RAM",
        ),
        size("file_cache_size", "the system cache"),
        size("file_cache_peak", "most that it ever was"),
        integer("file_cache_page_faults", "page faults it took"),
        size("lists_zeroed", "zeroed pages"),
        size("lists_free", "free pages"),
        size("lists_modified", "pages to be written out"),
        size(
            "lists_modified_no_write",
            "changed pages that are not to be written out yet",
        ),
        size("lists_bad", "bad pages"),
        list(
            "lists_standby_by_priority",
            "standby pages, bytes by priority from 0 to 7",
        ),
        size("registry_used", "the registry's use of its quota"),
        size("registry_allowed", "the registry's quota"),
    ],
    references: &[],
    elsewhere: &[
        list("page_files", "page files"),
        list("pool_tags", "the pools by tag"),
        list("processes", "memory of each process"),
    ],
    read: |snapshot, rows| {
        let memory = rows.take(snapshot.memory());
        rows.push(&memory);
    },
};

/// Page files.
pub static PAGE_FILES: Table = Table {
    name: "page_files",
    meaning: "Page files.",
    columns: &[
        text("path", "NT path"),
        size("size", "its size now"),
        size("in_use", "in use now"),
        size("peak", "most that ever was in use"),
        size("minimum_size", "least size configured"),
        size("maximum_size", "most size configured"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for file in rows.take(snapshot.memory()).page_files.iter().flatten() {
            rows.push(file);
        }
    },
};

/// The kernel's pools by tag.
pub static POOL_TAGS: Table = Table {
    name: "pool_tags",
    meaning: "The kernel's pools by tag.",
    columns: &[
        text("tag", "four characters"),
        size("size", "in use in both pools"),
        size("paged", "in use in the pool that can be paged out"),
        size("nonpaged", "in use in the pool that cannot"),
        integer("allocations", "allocations in use"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for tag in rows.take(snapshot.memory()).pool_tags.iter().flatten() {
            rows.push(tag);
        }
    },
};

/// Memory of each process.
pub static PROCESS_MEMORY: Table = Table {
    name: "process_memory",
    meaning: "Memory of each process.",
    columns: PROCESS_MEMORY_COLUMNS,
    references: &[OF_PROCESS],
    elsewhere: &[],
    read: |snapshot, rows| {
        for process in &rows.take(snapshot.memory()).processes {
            rows.push(process);
        }
    },
};

const PROCESS_MEMORY_COLUMNS: &[Column] = &[
    integer("pid", "process id"),
    text("image", "file name of the image"),
    size(
        "private_commit",
        "private memory promised to it, in RAM or not",
    ),
    size("peak_private_commit", "most that ever was"),
    size(
        "shared_commit",
        "memory in sections that it charged for and may share",
    ),
    size("working_set", "its pages in RAM, shared ones included"),
    size("peak_working_set", "most that ever was"),
    size(
        "private_working_set",
        "its pages in RAM that nobody else can use",
    ),
    size("shared_working_set", "the rest of its pages in RAM"),
    size("virtual_size", "address space in use"),
    size("peak_virtual_size", "most that ever was"),
    size("paged_pool", "paged pool it is charged for"),
    size("peak_paged_pool", "most that ever was"),
    size("nonpaged_pool", "nonpaged pool it is charged for"),
    size("peak_nonpaged_pool", "most that ever was"),
    integer("page_faults", "page faults since it started"),
    integer("hard_faults", "those that read from a disk"),
];

/// Objects that the Windows Filtering Platform keeps in the registry.
pub static WFP: Table = Table {
    name: "wfp",
    meaning: "Objects that the Windows Filtering Platform keeps in the registry.",
    columns: &[
        text(
            "store",
            "BootTime: in force until the engine runs; Persistent: added when it starts",
        ),
        text(
            "kind",
            "the key it stands in: Filter, Provider, SubLayer, Callout",
        ),
        text("guid", "its GUID"),
        text("display_name", "the first string in it"),
        text("layer", "the layer of a filter, where it is a known one"),
        text("encoding", "NDR or NDR64"),
        size("size", "what its serialized form takes"),
        text("sha256", "of its serialized form"),
        time(
            "key_last_write_time",
            "when the key it stands in was written last",
        ),
    ],
    references: &[],
    elsewhere: &[text("bytes", "its serialized form in hexadecimal")],
    read: |snapshot, rows| {
        for object in &rows.take(snapshot.wfp()).objects {
            rows.push(object);
        }
    },
};

/// Keys of the Windows Filtering Platform that could not be read to their ends.
pub static WFP_UNREADABLE: Table = Table {
    name: "wfp_unreadable",
    meaning: "Keys of the Windows Filtering Platform that could not be read to their ends.",
    columns: &[text("path", "of the key"), text("status", "why")],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        for key in &rows.take(snapshot.wfp()).unreadable {
            rows.push(key);
        }
    },
};
