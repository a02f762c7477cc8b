//! Kernel modules.

use super::query::Ask;
use bootshot_format::Source;

/// `SystemModuleInformationEx`, and for systems without it `SystemModuleInformation`.
pub(super) const MODULES: [Ask; 2] = [
    Ask::new(Source::SYSTEM_INFORMATION, 77),
    Ask::new(Source::SYSTEM_INFORMATION, 11),
];
