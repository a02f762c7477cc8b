//! The caller's own address space: `PEB`, process parameters, environment and `KUSER_SHARED_DATA`.

use super::answers;
use super::fields::{Fields, POINTER, utf16_length};
use super::machine::{Machine, Reply};

const PAGE: usize = 0x1000;
const PEB: u64 = 0x7FFD_D000;
const PARAMETERS: u64 = 0x2_0000;
const ENVIRONMENT: u64 = 0x1_0000;

/// `KUSER_SHARED_DATA`, on every Windows.
pub const USER_SHARED_DATA: u64 = 0x7FFE_0000;

/// What a program finds of itself when it starts.
#[derive(Clone, Debug)]
pub struct Own {
    /// The whole entry, as smss passes it.
    pub command_line: String,
    /// NT path of the image.
    pub image_path: String,
    /// `NAME=value`, each.
    pub environment: Vec<String>,
    /// Major and minor version and build number.
    pub version: (u32, u32, u16),
    /// `KUSER_SHARED_DATA.BootId`.
    pub boot_id: u32,
    /// `KUSER_SHARED_DATA.SafeBootMode`.
    pub safe_boot_mode: u8,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            command_line: "bootshot".into(),
            image_path: r"\??\C:\Windows\System32\bootshot.exe".into(),
            environment: vec![
                r"Path=C:\Windows\System32".into(),
                r"SystemRoot=C:\Windows".into(),
            ],
            version: (10, 0, 26100),
            boot_id: 77,
            safe_boot_mode: 0,
        }
    }
}

/// Lays all of it out.
pub fn make(machine: &mut Machine, own: &Own) {
    machine.peb = PEB;
    machine.memory.insert(PEB, peb(own));
    machine
        .memory
        .insert(PARAMETERS, parameters(own, machine.standard_output));
    machine
        .memory
        .insert(ENVIRONMENT, page(environment(own).characters("")));
    machine
        .memory
        .insert(USER_SHARED_DATA, user_shared_data(own));
    let basic = answers::process_basic_information(machine.own_id, 348, PEB);
    for process in machine
        .processes
        .iter_mut()
        .filter(|process| process.id == machine.own_id)
    {
        process.information.insert(0, Reply::Exact(basic.clone()));
    }
}

fn page(fields: Fields) -> Vec<u8> {
    fields.align(PAGE).done()
}

fn environment(own: &Own) -> Fields {
    let variables = own.environment.iter().fold(Fields::new(), |all, variable| {
        all.characters(variable).u16(0)
    });
    variables.u16(0)
}

fn peb(own: &Own) -> Vec<u8> {
    let wide = POINTER == 8;
    let fields = Fields::new()
        .u32(0)
        .pointer(u64::MAX)
        .pointer(0x1_4000_0000)
        .pointer(0x7FFB_0000)
        .pointer(PARAMETERS);
    // NumberOfProcessors, then OSMajorVersion to OSPlatformId, then SessionId: far apart, at their documented places.
    let fields = fields.zeros_to(if wide { 0xB8 } else { 0x64 }).u32(2);
    let (major, minor, build) = own.version;
    let fields = fields
        .zeros_to(if wide { 0x118 } else { 0xA4 })
        .u32(major)
        .u32(minor)
        .u16(build)
        .u16(0)
        .u32(2);
    page(fields.zeros_to(if wide { 0x2C0 } else { 0x1D4 }).u32(0))
}

fn parameters(own: &Own, standard_output: u64) -> Vec<u8> {
    let fixed = |strings: &mut dyn FnMut(&str) -> (usize, u64)| {
        let mut string = |fields: Fields, text: &str| {
            let (length, buffer) = strings(text);
            fields.unicode_string(length, length + 2, buffer)
        };
        let fields = Fields::new()
            .u32(PAGE as u32)
            .u32(0)
            .u32(1)
            .u32(0)
            .pointer(0)
            .u32(0);
        let fields = fields
            .pointer(0)
            .pointer(standard_output)
            .pointer(standard_output);
        let fields = string(fields, r"C:\Windows\System32\").pointer(0x10);
        let fields = string(fields, r"C:\Windows\System32");
        let fields = string(fields, &own.image_path);
        let fields = string(fields, &own.command_line).pointer(ENVIRONMENT);
        let fields = (0..9).fold(fields, |fields, _| fields.u32(0));
        let fields = string(fields, "title");
        let fields = string(fields, r"WinSta0\Default");
        let fields = string(fields, "shell");
        let mut fields = string(fields, "");
        for _ in 0..32 {
            // RTL_DRIVE_LETTER_CURDIR
            fields = fields
                .align(POINTER)
                .u16(0)
                .u16(0)
                .u32(0)
                .unicode_string(0, 0, 0);
        }
        let environment = environment(own).length() as u64;
        fields
            .pointer(environment)
            .pointer(1)
            .pointer(0)
            .u32(0)
            .u32(0)
    };
    let fixed_length = fixed(&mut |_| (0, 0)).length();
    let mut tail = Fields::new();
    let head = fixed(&mut |text| {
        let place = PARAMETERS + (fixed_length + tail.length()) as u64;
        tail = std::mem::take(&mut tail).characters(text).u16(0);
        (utf16_length(text), place)
    });
    let mut all = head.raw(&tail.done());
    let length = all.length() as u32;
    all.set_u32(4, length);
    page(all)
}

fn user_shared_data(own: &Own) -> Vec<u8> {
    let (major, minor, build) = own.version;
    let fields = Fields::new().zeros_to(0x30).characters(r"C:\Windows");
    let fields = fields
        .zeros_to(0x260)
        .u32(u32::from(build))
        .u32(1)
        .u32(1)
        .u32(major)
        .u32(minor);
    page(
        fields
            .zeros_to(0x2C4)
            .u32(own.boot_id)
            .zeros_to(0x2EC)
            .u8(own.safe_boot_mode),
    )
}
