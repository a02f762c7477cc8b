//! Lays structures out as a C compiler does, so that no table of offsets is needed to make an answer up.

/// Bytes in a pointer of the host, which the simulated machine shares.
pub const POINTER: usize = size_of::<usize>();

/// A structure, or a run of them, as it grows field by field.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Zero bytes up to the next multiple of `alignment`.
    pub fn align(mut self, alignment: usize) -> Self {
        self.bytes
            .resize(self.bytes.len().next_multiple_of(alignment), 0);
        self
    }

    /// Zero bytes up to `offset`.
    pub fn zeros_to(mut self, offset: usize) -> Self {
        assert!(
            self.bytes.len() <= offset,
            "a field would overlap the one before it"
        );
        self.bytes.resize(offset, 0);
        self
    }

    /// Bytes without alignment.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// `UCHAR`, `BOOLEAN`.
    pub fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    /// `USHORT`.
    pub fn u16(self, value: u16) -> Self {
        self.align(2).raw(&value.to_ne_bytes())
    }

    /// `ULONG`, `LONG`.
    pub fn u32(self, value: u32) -> Self {
        self.align(4).raw(&value.to_ne_bytes())
    }

    /// `ULONGLONG`, `LARGE_INTEGER`.
    pub fn u64(self, value: u64) -> Self {
        self.align(8).raw(&value.to_ne_bytes())
    }

    /// `PVOID`, `HANDLE`, `SIZE_T`: the low bits where pointers are narrow.
    pub fn pointer(self, value: u64) -> Self {
        self.align(POINTER).raw(&(value as usize).to_ne_bytes())
    }

    /// `UNICODE_STRING` with the characters at `buffer`.
    pub fn unicode_string(self, length: usize, maximum: usize, buffer: u64) -> Self {
        self.align(POINTER)
            .u16(length as u16)
            .u16(maximum as u16)
            .pointer(buffer)
    }

    /// UTF-16 characters without a terminating zero.
    pub fn characters(self, text: &str) -> Self {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_ne_bytes).collect();
        self.align(2).raw(&bytes)
    }

    /// Replaces the `ULONG` at `offset`.
    pub fn set_u32(&mut self, offset: usize, value: u32) {
        self.bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }

    /// Bytes so far.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The finished bytes.
    pub fn done(self) -> Vec<u8> {
        self.bytes
    }
}

/// Bytes that `text` takes as UTF-16 without a terminating zero.
pub fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count() * 2
}
