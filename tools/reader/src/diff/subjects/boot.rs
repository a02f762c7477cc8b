//! How the system was booted, fact by fact.

use bootshot_format::Family;

use super::Side;
use crate::diff::captured;
use crate::diff::item::{Extraction, Gaps, Item, Value};
use crate::diff::relation::Moment;

/// `SystemHypervisorDetailInformation`.
const HYPERVISOR: u32 = 159;

pub(super) fn extract(side: &Side<'_>) -> Extraction {
    let snapshot = side.snapshot;
    let boot = snapshot.boot().value;
    let moment = Moment::of(snapshot);
    let registry = captured::family(snapshot, Family::REGISTRY).is_none();
    let flag = |flag: Option<bool>| flag.map(Value::Flag);
    let words =
        |words: Vec<&'static str>| Value::Texts(words.into_iter().map(str::to_owned).collect());
    // A fact of the registry that is not there is known to be none, when the registry was captured.
    let stored = |value: Option<Value>| value.or(registry.then_some(Value::Absent));
    let firmware = boot.firmware.as_ref();
    let secure = boot.secure_boot.as_ref();
    let debugger = boot.kernel_debugger.as_ref();
    let binary = &boot.platform_binary;
    let table_known =
        binary.table.is_some() || captured::family(snapshot, Family::FIRMWARE).is_none();
    let facts: Vec<(&'static str, Option<Value>)> = vec![
        ("boot_time", boot.boot_time.map(Value::Time)),
        ("boot_id", boot.boot_id.map(|id| Value::Count(id.into()))),
        ("nt_version", Some(Value::text(moment.nt_version))),
        ("machine", moment.machine.map(Value::text)),
        (
            "firmware_type",
            firmware
                .and_then(|firmware| firmware.firmware_type)
                .map(Value::text),
        ),
        (
            "boot_identifier",
            firmware.map(|firmware| Value::text(firmware.boot_identifier.as_str())),
        ),
        (
            "boot_flags",
            firmware
                .and_then(|firmware| firmware.boot_flags)
                .map(Value::Mask),
        ),
        (
            "hiberboot",
            flag(firmware.and_then(|firmware| firmware.hiberboot)),
        ),
        (
            "secure_boot_enabled",
            flag(secure.map(|secure| secure.enabled)),
        ),
        (
            "secure_boot_capable",
            flag(secure.map(|secure| secure.capable)),
        ),
        (
            "code_integrity_options",
            boot.code_integrity
                .map(|integrity| words(integrity.option_names)),
        ),
        (
            "kernel_debugger_enabled",
            flag(debugger.map(|debugger| debugger.enabled)),
        ),
        (
            "kernel_debugger_present",
            flag(debugger.map(|debugger| debugger.present)),
        ),
        (
            "kernel_debugger_allowed",
            flag(debugger.and_then(|debugger| debugger.allowed)),
        ),
        (
            "hypervisor",
            boot.hypervisor.map(Value::text).or_else(|| {
                snapshot
                    .system_information(&[HYPERVISOR])
                    .map(|_| Value::Absent)
            }),
        ),
        (
            "isolated_user_mode",
            boot.isolated_user_mode.map(|mode| words(mode.flag_names)),
        ),
        (
            "platform_binary_table",
            table_known.then(|| {
                binary.table.as_ref().map_or(Value::Absent, |table| {
                    let (id, size) = (&table.oem_table_id, table.size);
                    Value::text(format!("{} {id}, {size} bytes", table.oem_id))
                })
            }),
        ),
        (
            "platform_binary_disabled",
            stored(flag(binary.execution_disabled)),
        ),
        (
            "platform_binary_file",
            binary.file.as_ref().map(|file| match file.exists {
                true => Value::path(file.path.as_str()),
                false => Value::Absent,
            }),
        ),
        ("safe_mode", flag(boot.safe_mode.active)),
        (
            "safe_mode_option",
            stored(boot.safe_mode.option.map(Value::text)),
        ),
        ("start_options", stored(boot.start_options.map(Value::text))),
        ("csrss_at_start", flag(boot.csrss_at_start)),
        ("csrss_at_end", flag(boot.csrss_at_end)),
    ];
    // A fact that one side did not learn is no difference, and one that nobody learned no fact.
    let mut gaps = Gaps::default();
    let mut items = Vec::new();
    for (name, value) in facts {
        match value {
            Some(value) => items.push(Item::new(name, name).with("value", value)),
            None => {
                gaps.single
                    .insert(name.to_owned(), "not captured".to_owned());
            }
        }
    }
    Extraction { items, gaps }
}
