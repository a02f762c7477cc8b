//! How the system was booted, and what it enforces.

use bootshot_format::{MemoryKind, Presence, Source};
use serde::Serialize;

use super::Reading;
use super::firmware::{PlatformBinary, UefiVariables};
use super::registry::{CURRENT_CONTROL_SET, Registry, SESSION_MANAGER};
use crate::layout::View;
use crate::layout::structures::{
    KUSER_SHARED_DATA as Shared, SYSTEM_BOOT_ENVIRONMENT_INFORMATION as Environment,
    SYSTEM_CODEINTEGRITY_INFORMATION as Integrity, SYSTEM_HYPERVISOR_DETAIL_INFORMATION as Detail,
    SYSTEM_ISOLATED_USER_MODE_INFORMATION as Isolated,
    SYSTEM_KERNEL_DEBUGGER_INFORMATION as Debugger,
    SYSTEM_KERNEL_DEBUGGER_INFORMATION_EX as DebuggerEx, SYSTEM_SECUREBOOT_INFORMATION as Secure,
    SYSTEM_TIMEOFDAY_INFORMATION as TimeOfDay,
};
use crate::names;
use crate::snapshot::Snapshot;
use crate::value::{Hex, Time, guid};

/// How the system was booted. What was not answered is null.
#[derive(Clone, Debug, Serialize)]
pub struct Boot {
    /// When the system started.
    pub boot_time: Option<Time>,
    /// The boot's number, since Windows 8.
    pub boot_id: Option<u32>,
    /// The firmware and the boot entry.
    pub firmware: Option<Firmware>,
    /// Secure Boot.
    pub secure_boot: Option<SecureBoot>,
    /// Which signatures code must have.
    pub code_integrity: Option<CodeIntegrity>,
    /// The kernel debugger.
    pub kernel_debugger: Option<KernelDebugger>,
    /// What the hypervisor calls itself, when there is one.
    pub hypervisor: Option<String>,
    /// Virtualization-based security.
    pub isolated_user_mode: Option<IsolatedUserMode>,
    /// The program the firmware wants smss to run.
    pub platform_binary: PlatformBinary,
    /// The firmware's variables that decide the boot; null where the firmware has none, or did not tell.
    pub uefi_variables: Option<UefiVariables>,
    /// Why there are none.
    pub uefi_variables_status: Option<String>,
    /// Safe Mode.
    pub safe_mode: SafeMode,
    /// The boot loader's options for the kernel.
    pub start_options: Option<String>,
    /// The Session Manager's lists as they stand in the registry.
    pub lists: SessionManagerLists,
    /// Whether csrss ran when the capture started.
    pub csrss_at_start: Option<bool>,
    /// Whether it ran at the end.
    pub csrss_at_end: Option<bool>,
}

/// The firmware and the boot entry.
#[derive(Clone, Debug, Serialize)]
pub struct Firmware {
    /// `bios` or `uefi`.
    #[serde(rename = "type")]
    pub firmware_type: Option<&'static str>,
    /// The boot entry's GUID in the boot configuration data.
    pub boot_identifier: String,
    /// Flags of the boot; since Windows 10 1803.
    pub boot_flags: Option<Hex>,
    /// Whether the kernel was resumed by Fast Startup; since Windows 10 1803.
    pub hiberboot: Option<bool>,
}

/// Secure Boot.
#[derive(Clone, Debug, Serialize)]
pub struct SecureBoot {
    /// It is on.
    pub enabled: bool,
    /// It could be.
    pub capable: bool,
}

/// Code integrity.
#[derive(Clone, Debug, Serialize)]
pub struct CodeIntegrity {
    /// The options as a mask.
    pub options: Hex,
    /// By name.
    pub option_names: Vec<&'static str>,
}

/// The kernel debugger.
#[derive(Clone, Debug, Serialize)]
pub struct KernelDebugger {
    /// Debugging is switched on.
    pub enabled: bool,
    /// A debugger is connected.
    pub present: bool,
    /// Policy allows it; since Windows 8.1.
    pub allowed: Option<bool>,
}

/// Virtualization-based security.
#[derive(Clone, Debug, Serialize)]
pub struct IsolatedUserMode {
    /// The flags as a mask.
    pub flags: Hex,
    /// By name.
    pub flag_names: Vec<&'static str>,
}

/// Safe Mode.
#[derive(Clone, Debug, Serialize)]
pub struct SafeMode {
    /// As the kernel shows it to every process.
    pub active: Option<bool>,
    /// As the registry has it: `minimal`, `network`, `directory services repair`.
    pub option: Option<String>,
    /// Whether the command prompt was asked for instead of the shell.
    pub alternate_shell: Option<bool>,
}

/// The lists of native programs; null where a value does not exist.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionManagerLists {
    /// `PlatformExecute`.
    pub platform_execute: Option<Vec<String>>,
    /// `BootExecute`.
    pub boot_execute: Option<Vec<String>>,
    /// `BootExecuteNoPnpSync`.
    pub boot_execute_no_pnp_sync: Option<Vec<String>>,
    /// `SetupExecute`.
    pub setup_execute: Option<Vec<String>>,
    /// `SetupExecuteNoPnpSync`.
    pub setup_execute_no_pnp_sync: Option<Vec<String>>,
    /// `Execute`.
    pub execute: Option<Vec<String>>,
}

/// `BootFlags`: the kernel was resumed from a hibernation file that shutting down wrote.
const HIBERBOOT: u64 = 1 << 1;

/// The build (Windows 10 1803) that gave `BootFlags` this meaning.
const BOOT_FLAGS_BUILD: u32 = 17134;

/// `CodeIntegrityOptions`.
const CODE_INTEGRITY_OPTIONS: &[&str] = &[
    "enabled",
    "test_signing",
    "user_mode",
    "user_mode_audit",
    "user_mode_exclusion_paths",
    "test_build",
    "preproduction_build",
    "debug_mode",
    "flight_build",
    "flighting",
    "hypervisor_enforced",
    "hypervisor_audit",
    "hypervisor_strict",
    "isolated_user_mode",
    "whql_enforced",
    "whql_audit",
];

/// `SYSTEM_ISOLATED_USER_MODE_INFORMATION`, its flags from the lowest bit up.
const ISOLATED_USER_MODE_FLAGS: &[&str] = &[
    "secure_kernel_running",
    "hvci_enabled",
    "hvci_strict_mode",
    "debug_enabled",
    "firmware_page_protection",
    "encryption_key_available",
    "",
    "",
    "trustlet_running",
    "hvci_disable_allowed",
    "hardware_enforced_vbs",
    "no_secrets",
    "encryption_key_persistent",
    "hardware_enforced_hvpt",
    "hardware_hvpt_available",
];

fn flags(names: &[&'static str], mask: u32) -> Vec<&'static str> {
    names
        .iter()
        .enumerate()
        .filter(|(bit, name)| mask >> bit & 1 != 0 && !name.is_empty())
        .map(|(_, name)| *name)
        .collect()
}

impl Snapshot<'_> {
    /// How the system was booted.
    pub fn boot(&self) -> Reading<Boot> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            Boot {
                boot_time: self
                    .system_field(3, TimeOfDay::BootTime)
                    .or(Some(self.header.boot_time))
                    .and_then(Time::new),
                boot_id: (self.header.boot_id != 0).then_some(self.header.boot_id),
                firmware: self.firmware(),
                secure_boot: self.system_view::<Secure>(145).and_then(|view| {
                    Some(SecureBoot {
                        enabled: view.get(Secure::SecureBootEnabled)?,
                        capable: view.get(Secure::SecureBootCapable)?,
                    })
                }),
                code_integrity: self.system_field(103, Integrity::CodeIntegrityOptions).map(
                    |options| CodeIntegrity {
                        options: Hex(options.into()),
                        option_names: flags(CODE_INTEGRITY_OPTIONS, options),
                    },
                ),
                kernel_debugger: self.kernel_debugger(),
                hypervisor: self.hypervisor(),
                isolated_user_mode: self.system_field(165, Isolated::Flags).map(|mask| {
                    IsolatedUserMode {
                        flags: Hex(mask.into()),
                        flag_names: flags(ISOLATED_USER_MODE_FLAGS, mask.into()),
                    }
                }),
                platform_binary: self.platform_binary(&registry, problems),
                uefi_variables: self.uefi_variables(problems),
                uefi_variables_status: self.why_no_uefi_variables(),
                safe_mode: self.safe_mode(&registry),
                start_options: registry
                    .value(
                        &format!("{CURRENT_CONTROL_SET}\\Control"),
                        "SystemStartOptions",
                    )
                    .and_then(|value| value.text()),
                lists: session_manager_lists(&registry),
                csrss_at_start: present(self.header.csrss_at_start),
                csrss_at_end: self
                    .trailer
                    .and_then(|trailer| present(trailer.csrss_at_end)),
            }
        })
    }

    fn firmware(&self) -> Option<Firmware> {
        let view = self.system_view::<Environment>(90)?;
        let boot_flags = view
            .get(Environment::BootFlags)
            .filter(|_| self.header.nt_build >= BOOT_FLAGS_BUILD);
        Some(Firmware {
            firmware_type: names::firmware_type(view.get(Environment::FirmwareType)?),
            boot_identifier: guid(view.get(Environment::BootIdentifier)?),
            boot_flags: boot_flags.map(Hex),
            hiberboot: boot_flags.map(|flags| flags & HIBERBOOT != 0),
        })
    }

    fn kernel_debugger(&self) -> Option<KernelDebugger> {
        if let Some(view) = self.system_view::<DebuggerEx>(149) {
            return Some(KernelDebugger {
                enabled: view.get(DebuggerEx::DebuggerEnabled)?,
                present: view.get(DebuggerEx::DebuggerPresent)?,
                allowed: view.get(DebuggerEx::DebuggerAllowed),
            });
        }
        let view = self.system_view::<Debugger>(35)?;
        Some(KernelDebugger {
            enabled: view.get(Debugger::KernelDebuggerEnabled)?,
            present: !view.get(Debugger::KernelDebuggerNotPresent)?,
            allowed: None,
        })
    }

    /// The vendor string of the first hypervisor leaf: EBX, ECX, EDX.
    fn hypervisor(&self) -> Option<String> {
        let [_, first, second, third] = self.system_field(159, Detail::HvVendorAndMaxFunction)?;
        let bytes: Vec<u8> = [first, second, third]
            .iter()
            .flat_map(|part| part.to_le_bytes())
            .take_while(|byte| *byte != 0)
            .collect();
        (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn safe_mode(&self, registry: &Registry<'_>) -> SafeMode {
        let key = registry.key(&format!("{CURRENT_CONTROL_SET}\\Control\\SafeBoot\\Option"));
        let number = |name| key.and_then(|key| key.number(name));
        SafeMode {
            active: self
                .shared_data()
                .and_then(|shared| shared.get(Shared::SafeBootMode)),
            option: number("OptionValue").map(|number| {
                let name = match number {
                    1 => "minimal",
                    2 => "network",
                    3 => "directory services repair",
                    other => return other.to_string(),
                };
                name.to_owned()
            }),
            alternate_shell: number("UseAlternateShell").map(|number| number != 0),
        }
    }

    pub(super) fn shared_data(&self) -> Option<View<'_, Shared>> {
        let answer = self
            .answered(Source::OWN_MEMORY, MemoryKind::USER_SHARED_DATA.0)
            .next()?;
        Some(View::new(answer.bytes, self.width()))
    }
}

fn session_manager_lists(registry: &Registry<'_>) -> SessionManagerLists {
    let list = |name| registry.value(SESSION_MANAGER, name)?.texts();
    SessionManagerLists {
        platform_execute: list("PlatformExecute"),
        boot_execute: list("BootExecute"),
        boot_execute_no_pnp_sync: list("BootExecuteNoPnpSync"),
        setup_execute: list("SetupExecute"),
        setup_execute_no_pnp_sync: list("SetupExecuteNoPnpSync"),
        execute: list("Execute"),
    }
}

fn present(presence: Presence) -> Option<bool> {
    match presence {
        Presence::ABSENT => Some(false),
        Presence::PRESENT => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_integrity_options_are_named_from_the_lowest_bit_up() {
        assert_eq!(
            flags(CODE_INTEGRITY_OPTIONS, 0x2001),
            ["enabled", "isolated_user_mode"]
        );
    }
}
