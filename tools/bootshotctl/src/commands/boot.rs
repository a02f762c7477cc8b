//! `boot`: how the system was booted, and what it enforces.

use bootshot_reader::records::{Boot, FirmwareVariable};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{self, Align, Pairs, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `boot`.
#[derive(clap::Args)]
#[command(after_help = "Example: bootshotctl boot boot.bshot --variables")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// List all variables of the firmware instead
    #[arg(long)]
    variables: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    if args.variables {
        let mut reading = snapshot.firmware_variables();
        let all = &mut reading.value;
        let there_are_any = !all.is_empty();
        args.selection.apply(&tables::FIRMWARE_VARIABLES, all)?;
        args.selection.show(
            args.input.json,
            &tables::FIRMWARE_VARIABLES,
            all,
            all,
            |all| variables(all, there_are_any),
        )?;
        return Ok(reading::finish(&snapshot, &reading.problems));
    }
    args.selection.only_with("--variables")?;
    let reading = snapshot.boot();
    args.input.show(&reading.value, print)?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn print(boot: &Boot) -> Result<(), Error> {
    let mut pairs = Pairs::default();
    pairs.add(
        "boot time",
        shown::optional(boot.boot_time.map(shown::moment)),
    );
    pairs.add("boot id", shown::optional(boot.boot_id));
    let firmware = boot.firmware.as_ref();
    pairs.add(
        "firmware",
        shown::optional(firmware.and_then(|firmware| firmware.firmware_type)),
    );
    pairs.add(
        "boot entry",
        shown::optional(firmware.map(|firmware| &firmware.boot_identifier)),
    );
    pairs.add(
        "Fast Startup",
        yes_or_no(firmware.and_then(|firmware| firmware.hiberboot)),
    );
    let secure_boot = boot.secure_boot.as_ref();
    pairs.add(
        "Secure Boot",
        shown::optional(secure_boot.map(|secure_boot| {
            match (secure_boot.enabled, secure_boot.capable) {
                (true, _) => "on",
                (false, true) => "off",
                (false, false) => "not supported",
            }
        })),
    );
    let options = boot.code_integrity.as_ref();
    pairs.add(
        "code integrity",
        shown::optional(options.map(|options| options.option_names.join(" "))),
    );
    let debugger = boot.kernel_debugger.as_ref();
    pairs.add(
        "kernel debugger",
        shown::optional(
            debugger.map(|debugger| match (debugger.enabled, debugger.present) {
                (false, _) => "off",
                (true, false) => "enabled",
                (true, true) => "connected",
            }),
        ),
    );
    pairs.add("hypervisor", shown::optional(boot.hypervisor.as_deref()));
    let isolated = boot.isolated_user_mode.as_ref();
    pairs.add(
        "isolated user mode",
        shown::optional(isolated.map(|isolated| isolated.flag_names.join(" "))),
    );
    platform_binary(boot, &mut pairs);
    uefi_variables(boot, &mut pairs);
    pairs.add("Safe Mode", yes_or_no(boot.safe_mode.active));
    if let Some(option) = &boot.safe_mode.option {
        pairs.add("  option", option.clone());
    }
    pairs.add(
        "start options",
        shown::optional(boot.start_options.as_deref()),
    );
    pairs.add("csrss at start", yes_or_no(boot.csrss_at_start));
    pairs.add("csrss at end", yes_or_no(boot.csrss_at_end));
    let lists = &boot.lists;
    for (name, entries) in [
        ("PlatformExecute", &lists.platform_execute),
        ("BootExecute", &lists.boot_execute),
        ("BootExecuteNoPnpSync", &lists.boot_execute_no_pnp_sync),
        ("SetupExecute", &lists.setup_execute),
        ("SetupExecuteNoPnpSync", &lists.setup_execute_no_pnp_sync),
        ("Execute", &lists.execute),
    ] {
        match entries.as_deref() {
            None => pairs.add(name, "-"),
            Some([]) => pairs.add(name, "empty"),
            Some([first, rest @ ..]) => {
                pairs.add(name, first.clone());
                for entry in rest {
                    pairs.add("", entry.clone());
                }
            }
        }
    }
    pairs.print()
}

fn platform_binary(boot: &Boot, pairs: &mut Pairs) {
    let binary = &boot.platform_binary;
    pairs.add(
        "platform binary",
        match &binary.table {
            Some(table) => format!(
                "WPBT of {} {}: {} at physical {}, {}, {}",
                table.oem_id,
                table.oem_table_id,
                shown::size(table.size.into()),
                table.physical_address,
                table.layout,
                table.content_type
            ),
            None => match &binary.table_status {
                Some(status) => format!("no WPBT table ({status})"),
                None => "a WPBT table that cannot be read".to_owned(),
            },
        },
    );
    let arguments = binary.table.as_ref();
    if let Some(arguments) = arguments.and_then(|table| table.arguments.as_deref()) {
        pairs.add("  arguments", arguments);
    }
    if let Some(handoff) = &binary.handoff {
        pairs.add(
            "  for smss",
            format!(
                "{} at physical {}",
                shown::size(handoff.size.into()),
                handoff.physical_address
            ),
        );
    }
    pairs.add(
        "  DisableWpbtExecution",
        match binary.execution_disabled {
            None => "not set",
            Some(true) => "set: smss leaves it alone",
            Some(false) => "0",
        },
    );
    pairs.add(
        "  file",
        match (&binary.file, &binary.file_status) {
            (Some(file), _) if !file.exists => format!("{} is not there", file.path),
            (Some(file), _) => {
                let written = shown::optional(file.last_write_time.map(shown::moment));
                let size = shown::optional(file.size.map(shown::size));
                format!("{} is there, {size}, written {written}", file.path)
            }
            (None, Some(status)) => format!("could not be opened: {status}"),
            (None, None) => "not looked for".to_owned(),
        },
    );
}

fn uefi_variables(boot: &Boot, pairs: &mut Pairs) {
    let Some(variables) = &boot.uefi_variables else {
        let status = boot.uefi_variables_status.as_deref();
        pairs.add(
            "UEFI variables",
            format!("none: {}", status.unwrap_or("not told")),
        );
        return;
    };
    pairs.add("UEFI variables", variables.count.to_string());
    pairs.add("  SecureBoot", yes_or_no(variables.secure_boot));
    pairs.add("  SetupMode", yes_or_no(variables.setup_mode));
    pairs.add(
        "  BootCurrent",
        shown::optional(variables.boot_current.as_deref()),
    );
    let order = variables.boot_order.as_ref();
    pairs.add(
        "  BootOrder",
        shown::optional(order.map(|order| order.join(" "))),
    );
    for entry in &variables.boot_entries {
        let inactive = if entry.active { "" } else { " (not active)" };
        pairs.add(
            format!("  {}", shown::visible(&entry.name)),
            format!("{}{inactive}", entry.description),
        );
    }
    for database in &variables.databases {
        pairs.add(
            format!("  {}", database.name),
            format!("{} bytes, SHA-256 {}", database.size, database.sha256),
        );
    }
}

fn variables(variables: &[FirmwareVariable], there_are_any: bool) -> Result<(), Error> {
    if !there_are_any {
        return output::line(
            "no variables of the firmware: refused, not captured, or there are none (\"bootshotctl raw\" tells)",
        );
    }
    let mut table = Table::new(&[
        ("VARIABLE", Align::Left),
        ("SIZE", Align::Right),
        ("VENDOR", Align::Left),
        ("SHA-256", Align::Left),
        ("ATTRIBUTES", Align::Left),
    ]);
    for variable in variables {
        let digest = variable
            .sha256
            .as_deref()
            .and_then(|digest| digest.get(..16));
        table.row([
            variable.name.clone(),
            shown::optional(variable.size),
            variable.vendor.clone(),
            shown::optional(digest),
            variable.attribute_names.join(" "),
        ]);
    }
    table.print()
}

fn yes_or_no(answer: Option<bool>) -> String {
    shown::optional(answer.map(|yes| if yes { "yes" } else { "no" }))
}
