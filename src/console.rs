//! What the run says: `NtDisplayString` for the boot screen, standard output for a launcher.

use crate::nt::{Handle, Kernel};
use crate::path::Path;
use crate::text::Line;

/// Where lines go. `Copy`, so that every thread and the panic handler can say something.
#[derive(Clone, Copy, Debug)]
pub struct Console<K: Kernel> {
    kernel: K,
    standard_output: Handle,
}

impl<K: Kernel> Console<K> {
    /// A console that also writes to `standard_output`, when there is one.
    pub const fn new(kernel: K, standard_output: Handle) -> Self {
        Self {
            kernel,
            standard_output,
        }
    }

    /// Says one line. Nothing is made of failures: `NtDisplayString` needs a privilege, a pipe may be closed.
    pub fn say(&self, line: &Line) {
        let mut wide = Path::new();
        wide.push_ascii(line.bytes());
        wide.push_ascii(b"\n");
        self.kernel.display_string(wide.units());
        if self.standard_output != Handle::NONE {
            self.kernel.write_file(self.standard_output, line.bytes());
            self.kernel.write_file(self.standard_output, b"\r\n");
        }
    }
}
