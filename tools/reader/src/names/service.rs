//! What the numbers in a service's registry entry stand for. Source: `winnt.h`, `SERVICE_*`.

/// The bits of a service's `Type`.
const TYPES: &[(u32, &str)] = &[
    (0x1, "kernel driver"),
    (0x2, "file system driver"),
    (0x4, "adapter"),
    (0x8, "recognizer driver"),
    (0x10, "own process"),
    (0x20, "shared process"),
    (0x40, "user service"),
    (0x80, "instance"),
    (0x100, "interactive"),
    (0x200, "packaged"),
];

/// A service's `Type`, its bits by name; those without one in hexadecimal.
pub fn service_type(service_type: u32) -> String {
    let mut names = Vec::new();
    let mut rest = service_type;
    for (bit, name) in TYPES {
        if service_type & bit != 0 {
            names.push((*name).to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 || names.is_empty() {
        names.push(format!("{rest:#x}"));
    }
    names.join(", ")
}

/// A service's `Start`.
pub fn service_start(start: u32) -> Option<&'static str> {
    super::at(
        &["boot", "system", "automatic", "manual", "disabled"],
        start,
    )
}

/// A service's `ErrorControl`.
pub fn service_error_control(error_control: u32) -> Option<&'static str> {
    super::at(&["ignore", "normal", "severe", "critical"], error_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_bit_by_bit() {
        assert_eq!(service_type(1), "kernel driver");
        assert_eq!(service_type(0x60), "shared process, user service");
        assert_eq!(service_type(0x1001), "kernel driver, 0x1000");
        assert_eq!(service_type(0), "0x0");
    }
}
