//! `boot`: how the system was booted, and what it enforces.

use bootshot_reader::records::Boot;

use crate::error::{Error, Outcome};
use crate::output::Pairs;
use crate::reading::{self, Input};
use crate::shown;

/// Arguments of `boot`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    input: Input,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
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
    let binary = boot.platform_binary.as_ref();
    pairs.add(
        "platform binary",
        shown::optional(binary.map(|binary| {
            format!(
                "{} at physical {}",
                shown::size(binary.size.into()),
                binary.physical_address
            )
        })),
    );
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

fn yes_or_no(answer: Option<bool>) -> String {
    shown::optional(answer.map(|yes| if yes { "yes" } else { "no" }))
}
