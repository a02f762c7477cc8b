//! What the gate has to say about an image.

use std::fmt;

use serde::{Serialize, Serializer};

/// A named rule of the gate. More may come; the identifiers of these stay.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule(&'static str);

impl Rule {
    /// The image runs in the native subsystem.
    pub const SUBSYSTEM: Self = Self("subsystem");
    /// The image is for the expected machine, one we support.
    pub const MACHINE: Self = Self("machine");
    /// The image is an executable program, not a DLL.
    pub const EXECUTABLE: Self = Self("executable");
    /// The entry point is set and lies in an executable section.
    pub const ENTRY_POINT: Self = Self("entry-point");
    /// The sections lie within the file and as the kernel maps them.
    pub const SECTION_TABLE: Self = Self("section-table");
    /// Sections are aligned to pages, so that each has its own protection.
    pub const LOW_ALIGNMENT: Self = Self("low-alignment");
    /// No section is both writable and executable.
    pub const WRITABLE_EXECUTABLE: Self = Self("writable-executable");
    /// The import directory is there, is sound, and lies in sections.
    pub const IMPORT_DIRECTORY: Self = Self("import-directory");
    /// The loader can write the import address table.
    pub const IMPORT_ADDRESS_TABLE: Self = Self("import-address-table");
    /// Only ntdll.dll is imported: no other DLL is there before csrss.
    pub const FOREIGN_DLL: Self = Self("foreign-dll");
    /// Imports go by name: ordinals of ntdll change with every build.
    pub const ORDINAL_IMPORT: Self = Self("ordinal-import");
    /// Every import is a known export of ntdll.
    pub const UNKNOWN_IMPORT: Self = Self("unknown-import");
    /// Every import is exported by the oldest supported Windows.
    pub const IMPORT_TOO_NEW: Self = Self("import-too-new");
    /// No delay-loaded imports.
    pub const DELAY_IMPORT: Self = Self("delay-import");
    /// No imports bound to addresses of one build of ntdll.
    pub const BOUND_IMPORT: Self = Self("bound-import");
    /// No code that runs before the entry point.
    pub const TLS_CALLBACKS: Self = Self("tls-callbacks");
    /// The image asks for address space layout randomization.
    pub const DYNAMIC_BASE: Self = Self("dynamic-base");
    /// The image can be moved: its relocations were not stripped.
    pub const RELOCATIONS_STRIPPED: Self = Self("relocations-stripped");
    /// The base relocations are sound, or nothing needs any.
    pub const RELOCATIONS: Self = Self("relocations");
    /// The image is compatible with data execution prevention.
    pub const NX_COMPAT: Self = Self("nx-compat");
    /// The image is not a .NET one.
    pub const CLR_HEADER: Self = Self("clr-header");
    /// `core::fmt` is not linked in (own build, from the linker map).
    pub const CORE_FMT: Self = Self("core-fmt");
    /// The sections are no larger than recorded, with a little to spare (own build).
    pub const SIZE_BUDGET: Self = Self("size-budget");

    /// The identifier, in kebab case.
    pub fn id(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// One reason why an image is not fit. An image without findings is fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub rule: Rule,
    /// One line: what is wrong, and what it leads to or what to do.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}
