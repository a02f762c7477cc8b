//! What a run tells people: a greeting, a line for each family where there is room, the end.

use crate::args::{Arguments, Voice};
use crate::capture::Cost;
use crate::console::Console;
use crate::nt::{Handle, Kernel, Row, Status};
use crate::text::Line;
use bootshot_format::{Family, Header, Phase};
use ufmt::uwrite;

/// Says what the voice allows: at boot the lines stand over the boot screen, so there are few.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a, K: Kernel> {
    kernel: K,
    console: Console<K>,
    voice: Voice,
    directory: &'a [u16],
}

impl<'a, K: Kernel> Report<'a, K> {
    /// Reports to the boot screen and, when there is one, to `standard_output`.
    pub const fn new(kernel: K, standard_output: Handle, arguments: &Arguments<'a>) -> Self {
        Self {
            kernel,
            console: Console::new(kernel, standard_output),
            voice: arguments.voice,
            directory: arguments.directory,
        }
    }

    /// What this is, on which system, and which arguments it did not understand.
    pub fn greet(&self, header: &Header, bad_arguments: &[&[u16]]) {
        let mut line = Line::default();
        line.text(concat!("bootshot ", env!("CARGO_PKG_VERSION"), ": "));
        let _ = uwrite!(
            line,
            "{}, NT {}.{} build {}, process {}",
            header.phase.name(),
            u64::from(header.nt_major),
            u64::from(header.nt_minor),
            u64::from(header.nt_build),
            header.process_id
        );
        self.say(&line);
        if !bad_arguments.is_empty() {
            let mut line = Line::default();
            line.text("  not understood:");
            for word in bad_arguments {
                line.text(" ");
                line.wide(word);
            }
            self.say(&line);
        }
    }

    /// What a family cost. `frequency` is in ticks a second.
    pub fn family(&self, phase: Phase, family: Family, cost: Cost, frequency: u64) {
        if self.voice == Voice::Normal && phase != Phase::LIVE {
            return;
        }
        let row = Row {
            name: family.name(),
            asked: cost.asked,
            answered: cost.answered,
            kibibytes: u32::try_from(cost.bytes.div_ceil(1024)).unwrap_or(u32::MAX),
            milliseconds: milliseconds(cost.ticks, frequency),
        };
        let mut line = Line::default();
        line.fill(|to| self.kernel.format_row(&row, to));
        self.say(&line);
    }

    /// Where the snapshot stands, its size in bytes and how long it took.
    pub fn wrote(&self, stem: &[u8], length: u64, milliseconds: u32) {
        let mut line = Line::default();
        line.text("  wrote ");
        line.wide(self.directory);
        line.text("\\");
        line.ascii(stem);
        let _ = uwrite!(
            line,
            ".bshot, {} KiB in {} ms",
            length / 1024,
            u64::from(milliseconds)
        );
        self.say(&line);
    }

    /// What went wrong, and its status.
    pub fn complain(&self, what: &str, status: Status) {
        let mut line = Line::default();
        line.text("bootshot: ");
        line.text(what);
        line.text(" (");
        line.status(status);
        line.text("), ");
        line.wide(self.directory);
        self.say(&line);
    }

    #[inline(never)]
    fn say(&self, line: &Line) {
        if self.voice != Voice::Quiet {
            self.console.say(line);
        }
    }
}

/// Ticks of the performance counter as milliseconds.
pub fn milliseconds(ticks: u64, frequency: u64) -> u32 {
    u32::try_from(ticks / (frequency / 1000).max(1)).unwrap_or(u32::MAX)
}
