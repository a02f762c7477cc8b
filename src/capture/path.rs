//! A path that is put together from names, in a buffer of its own.

/// UTF-16 units a path may take: four times as many as the longest name of a key.
const ROOM: usize = 1024;

/// A path of the object namespace.
pub struct Path {
    units: [u16; ROOM],
    length: usize,
}

impl Path {
    /// The empty path.
    pub const fn new() -> Self {
        Self {
            units: [0; ROOM],
            length: 0,
        }
    }

    /// The path so far.
    pub fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or(&self.units)
    }

    /// Its length in units, for [`Path::cut`].
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Cuts it to what it was at this length.
    pub const fn cut(&mut self, length: usize) {
        self.length = length;
    }

    /// Adds units; `false` when there was no room for all of them.
    pub fn push(&mut self, units: &[u16]) -> bool {
        units.iter().all(|unit| self.push_unit(*unit))
    }

    /// Adds ASCII text; `false` when there was no room for all of it.
    pub fn push_ascii(&mut self, text: &[u8]) -> bool {
        text.iter().all(|byte| self.push_unit(u16::from(*byte)))
    }

    #[inline(never)]
    fn push_unit(&mut self, unit: u16) -> bool {
        let Some(place) = self.units.get_mut(self.length) else {
            return false;
        };
        *place = unit;
        self.length += 1;
        true
    }
}
