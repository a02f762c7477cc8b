//! A path or name that is put together from parts, in a buffer of its own.

/// UTF-16 units a path may take: four times as many as the longest name of a key or file.
const ROOM: usize = 1024;

/// A path of the object namespace, or a name in it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Path {
    length: usize,
    units: [u16; ROOM],
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
    #[inline(never)]
    pub fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or(&self.units)
    }

    /// The path made of this text; what there is no room for is left out.
    pub fn of(units: &[u16]) -> Self {
        let mut path = Self::new();
        path.push(units);
        path
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

impl Default for Path {
    fn default() -> Self {
        Self::new()
    }
}
