//! What decided the boot.

use serde::Serialize;

use super::{Table, boolean, hex, integer, list, size, text, time};
use crate::records::{Field, SessionManagerLists};

/// What decided the boot: one row.
pub static BOOT: Table = Table {
    name: "boot",
    meaning: "What decided the boot: one row.",
    columns: &[
        time("boot_time", "when the system started"),
        integer("boot_id", "the boot's number"),
        text("firmware_type", "bios or uefi"),
        text(
            "firmware_boot_identifier",
            "GUID of the boot entry in the boot configuration data",
        ),
        hex("firmware_boot_flags", "flags of the boot"),
        boolean(
            "firmware_hiberboot",
            "whether Fast Startup resumed the kernel",
        ),
        boolean("secure_boot_enabled", "whether Secure Boot is on"),
        boolean("secure_boot_capable", "whether it could be"),
        hex("code_integrity_options", "which signatures code must have"),
        list("code_integrity_option_names", "the same by name"),
        boolean(
            "kernel_debugger_enabled",
            "whether debugging is switched on",
        ),
        boolean("kernel_debugger_present", "whether a debugger is connected"),
        boolean("kernel_debugger_allowed", "whether policy allows it"),
        text("hypervisor", "what the hypervisor calls itself"),
        hex("isolated_user_mode_flags", "virtualization-based security"),
        list("isolated_user_mode_flag_names", "the same by name"),
        text(
            "platform_binary_table_oem_id",
            "who made the firmware's table of a program (WPBT)",
        ),
        text("platform_binary_table_oem_table_id", "for what"),
        integer("platform_binary_table_revision", "its revision"),
        size("platform_binary_table_size", "the program"),
        hex(
            "platform_binary_table_physical_address",
            "where it was left",
        ),
        text("platform_binary_table_layout", "pe image, or the number"),
        text(
            "platform_binary_table_type",
            "native program, or the number",
        ),
        text("platform_binary_table_arguments", "its arguments"),
        text("platform_binary_table_status", "why there is no such table"),
        hex(
            "platform_binary_handoff_physical_address",
            "where the kernel kept the program for smss",
        ),
        size("platform_binary_handoff_size", "the program kept"),
        size("platform_binary_handoff_arguments_size", "its arguments"),
        boolean("platform_binary_execution_disabled", "DisableWpbtExecution"),
        text(
            "platform_binary_file_path",
            "the file that smss writes it to",
        ),
        boolean("platform_binary_file_exists", "whether that is there"),
        size("platform_binary_file_size", "the file"),
        time("platform_binary_file_create_time", "when it was created"),
        time(
            "platform_binary_file_last_write_time",
            "when it was written last",
        ),
        text(
            "platform_binary_file_status",
            "why it could not be looked at",
        ),
        integer("uefi_variables_count", "variables of the firmware"),
        boolean(
            "uefi_variables_secure_boot",
            "SecureBoot: whether signatures are demanded",
        ),
        boolean(
            "uefi_variables_setup_mode",
            "SetupMode: whether keys can be changed without a signature",
        ),
        text(
            "uefi_variables_boot_current",
            "BootCurrent: the entry that was started",
        ),
        list(
            "uefi_variables_boot_order",
            "BootOrder: the entries in the order they are tried",
        ),
        text("uefi_variables_status", "why there are none"),
        boolean("safe_mode_active", "Safe Mode, as the kernel shows it"),
        text(
            "safe_mode_option",
            "minimal, network, directory services repair: as the registry has it",
        ),
        boolean(
            "safe_mode_alternate_shell",
            "whether the command prompt was asked for",
        ),
        text("start_options", "the boot loader's options for the kernel"),
        boolean(
            "csrss_at_start",
            "whether csrss ran when the capture started",
        ),
        boolean("csrss_at_end", "whether it ran at the end"),
    ],
    references: &[],
    elsewhere: &[
        list("lists", "the Session Manager's lists"),
        list("uefi_variables_boot_entries", "the firmware's boot entries"),
        list(
            "uefi_variables_databases",
            "its keys and signature databases",
        ),
    ],
    read: |snapshot, rows| {
        let boot = rows.take(snapshot.boot());
        rows.push(&boot);
    },
};

/// Entries of the Session Manager's lists of programs.
pub static SESSION_MANAGER_LISTS: Table = Table {
    name: "session_manager_lists",
    meaning: "Entries of the Session Manager's lists of programs.",
    columns: &[
        text("list", "the registry value: BootExecute, SetupExecute, …"),
        integer("position", "place in the list, from 0"),
        text("entry", "the whole entry"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            list: &'a str,
            position: usize,
            entry: &'a str,
        }
        let SessionManagerLists {
            platform_execute,
            boot_execute,
            boot_execute_no_pnp_sync,
            setup_execute,
            setup_execute_no_pnp_sync,
            execute,
        } = rows.take(snapshot.boot()).lists;
        for (list, entries) in [
            ("PlatformExecute", platform_execute),
            ("BootExecute", boot_execute),
            ("BootExecuteNoPnpSync", boot_execute_no_pnp_sync),
            ("SetupExecute", setup_execute),
            ("SetupExecuteNoPnpSync", setup_execute_no_pnp_sync),
            ("Execute", execute),
        ] {
            for (position, entry) in entries.iter().flatten().enumerate() {
                rows.push(&Row {
                    list,
                    position,
                    entry,
                });
            }
        }
    },
};

/// Boot entries of the firmware.
pub static BOOT_ENTRIES: Table = Table {
    name: "boot_entries",
    meaning: "Boot entries of the firmware.",
    columns: &[
        text("name", "Boot0000 and so on"),
        text("description", "what it calls itself"),
        boolean("active", "whether it is tried"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        let boot = rows.take(snapshot.boot());
        if let Some(variables) = &boot.uefi_variables {
            variables
                .boot_entries
                .iter()
                .for_each(|entry| rows.push(entry));
        }
    },
};

/// The firmware's keys and signature databases.
pub static SECURE_BOOT_DATABASES: Table = Table {
    name: "secure_boot_databases",
    meaning: "The firmware's keys and signature databases.",
    columns: &[
        text("name", "PK, KEK, db, dbx, dbt, dbr"),
        size("size", "its value"),
        text("sha256", "of its value"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        let boot = rows.take(snapshot.boot());
        if let Some(variables) = &boot.uefi_variables {
            variables
                .databases
                .iter()
                .for_each(|database| rows.push(database));
        }
    },
};

/// Variables of the firmware.
pub static FIRMWARE_VARIABLES: Table = Table {
    name: "firmware_variables",
    meaning: "Variables of the firmware.",
    columns: &[
        text("name", "its name"),
        text("vendor", "GUID of whom it belongs to"),
        hex("attributes", "EFI_VARIABLE_*"),
        list("attribute_names", "the same by name"),
        size("size", "its value"),
        text("sha256", "of its value"),
        text("value", "the value in hexadecimal"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| rows.all(snapshot.firmware_variables()),
};

/// Fields of the capture's own PEB and process parameters.
pub static PEB: Table = Table {
    name: "peb",
    meaning: "Fields of the capture's own PEB and process parameters.",
    columns: &[
        text("structure", "PEB or RTL_USER_PROCESS_PARAMETERS"),
        hex("offset", "where in the structure it is"),
        text("name", "its name"),
        text("type", "its type, as the headers would write it"),
        text(
            "value",
            "numbers decimal, addresses, handles and flags in hexadecimal",
        ),
        text("purpose", "what it is for"),
    ],
    references: &[],
    elsewhere: &[],
    read: |snapshot, rows| {
        #[derive(Serialize)]
        struct Row<'a> {
            structure: &'a str,
            #[serde(flatten)]
            field: &'a Field,
        }
        let peb = rows.take(snapshot.peb());
        for (structure, fields) in [
            ("PEB", &peb.fields),
            ("RTL_USER_PROCESS_PARAMETERS", &peb.process_parameters),
        ] {
            for field in fields {
                rows.push(&Row { structure, field });
            }
        }
    },
};
