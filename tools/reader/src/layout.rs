//! Safe reads of the kernel's [`structures`] from bytes of either pointer width.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

/// The size of a pointer on the system a snapshot was taken on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PointerWidth {
    /// 4 bytes.
    Bits32,
    /// 8 bytes.
    Bits64,
}

impl PointerWidth {
    /// The width from a number of bytes.
    pub const fn from_bytes(bytes: u8) -> Option<Self> {
        match bytes {
            4 => Some(Self::Bits32),
            8 => Some(Self::Bits64),
            _ => None,
        }
    }

    /// The width in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }
}

/// A size or offset in bytes on 32-bit and on 64-bit systems.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByWidth {
    /// On 32-bit systems.
    pub bits32: usize,
    /// On 64-bit systems.
    pub bits64: usize,
}

impl ByWidth {
    /// The one that counts for `width`.
    pub const fn at(self, width: PointerWidth) -> usize {
        match width {
            PointerWidth::Bits32 => self.bits32,
            PointerWidth::Bits64 => self.bits64,
        }
    }

    const fn same(bytes: usize) -> Self {
        Self {
            bits32: bytes,
            bits64: bytes,
        }
    }

    const fn times(self, count: usize) -> Self {
        Self {
            bits32: self.bits32 * count,
            bits64: self.bits64 * count,
        }
    }
}

/// What a field holds, for those who walk a table instead of naming fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// An unsigned integer.
    Unsigned,
    /// A signed integer.
    Signed,
    /// One byte: false or true.
    Boolean,
    /// An address.
    Pointer,
    /// An unsigned integer as wide as a pointer.
    Size,
    /// A handle, or an id kept in one.
    Handle,
    /// A [`UnicodeString`].
    UnicodeString,
    /// An array.
    Array(&'static Shape, usize),
    /// Another structure of the table, by name.
    Structure(&'static str),
    /// Where something begins that is not read through the table.
    Tail,
}

/// The type of a field.
pub trait Kind {
    /// What reading it gives.
    type Value<'a>;
    /// Bytes it takes.
    const SIZE: ByWidth;
    /// What it holds.
    const SHAPE: Shape;
    /// Reads it from exactly its bytes.
    fn read(bytes: &[u8], width: PointerWidth) -> Self::Value<'_>;
}

/// An address.
pub struct Pointer;
/// An unsigned integer as wide as a pointer (`SIZE_T`, `ULONG_PTR`).
pub struct Size;
/// A handle, or a process or thread id kept in one.
pub struct Handle;
/// One byte: false or true.
pub struct Boolean;
/// Where something begins that is not read through the table.
pub struct Tail;
/// A structure within a structure.
pub struct Nested<S>(PhantomData<S>);

/// A counted UTF-16 string as it stands in a structure: lengths in bytes, and where the characters were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnicodeString {
    /// Bytes of the string.
    pub length: u16,
    /// Bytes of its buffer.
    pub maximum_length: u16,
    /// Address of the characters.
    pub buffer: u64,
}

#[inline]
fn unsigned(bytes: &[u8]) -> u64 {
    // Nearly all are of these two sizes, and lists have millions of them.
    if let Ok(bytes) = bytes.try_into() {
        return u64::from_le_bytes(bytes);
    }
    if let Ok(bytes) = bytes.try_into() {
        return u32::from_le_bytes(bytes).into();
    }
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

macro_rules! integers {
    ($($integer:ty: $shape:ident),*) => { $(
        impl Kind for $integer {
            type Value<'a> = $integer;
            const SIZE: ByWidth = ByWidth::same(size_of::<$integer>());
            const SHAPE: Shape = Shape::$shape;
            fn read(bytes: &[u8], _: PointerWidth) -> $integer {
                unsigned(bytes) as $integer
            }
        }
    )* };
}

integers!(u8: Unsigned, u16: Unsigned, u32: Unsigned, u64: Unsigned, i32: Signed, i64: Signed);

macro_rules! pointer_wide {
    ($($kind:ident),*) => { $(
        impl Kind for $kind {
            type Value<'a> = u64;
            const SIZE: ByWidth = ByWidth { bits32: 4, bits64: 8 };
            const SHAPE: Shape = Shape::$kind;
            fn read(bytes: &[u8], _: PointerWidth) -> u64 {
                unsigned(bytes)
            }
        }
    )* };
}

pointer_wide!(Pointer, Size, Handle);

impl Kind for Boolean {
    type Value<'a> = bool;
    const SIZE: ByWidth = ByWidth::same(1);
    const SHAPE: Shape = Shape::Boolean;
    fn read(bytes: &[u8], _: PointerWidth) -> bool {
        unsigned(bytes) != 0
    }
}

impl Kind for Tail {
    type Value<'a> = ();
    const SIZE: ByWidth = ByWidth::same(0);
    const SHAPE: Shape = Shape::Tail;
    fn read(_: &[u8], _: PointerWidth) {}
}

impl Kind for UnicodeString {
    type Value<'a> = Self;
    const SIZE: ByWidth = structures::UNICODE_STRING::SIZE;
    const SHAPE: Shape = Shape::UnicodeString;
    fn read(bytes: &[u8], width: PointerWidth) -> Self {
        let part = |offset: ByWidth, size: usize| {
            let start = offset.at(width);
            unsigned(bytes.get(start..start + size).unwrap_or_default())
        };
        use structures::UNICODE_STRING as Layout;
        Self {
            length: part(Layout::Length.offset, 2) as u16,
            maximum_length: part(Layout::MaximumLength.offset, 2) as u16,
            buffer: part(Layout::Buffer.offset, width.bytes()),
        }
    }
}

impl<K: Kind, const N: usize> Kind for [K; N] {
    type Value<'a> = [K::Value<'a>; N];
    const SIZE: ByWidth = K::SIZE.times(N);
    const SHAPE: Shape = Shape::Array(&K::SHAPE, N);
    fn read(bytes: &[u8], width: PointerWidth) -> Self::Value<'_> {
        let size = K::SIZE.at(width);
        std::array::from_fn(|index| {
            let element = bytes.get(index * size..(index + 1) * size);
            K::read(element.unwrap_or_default(), width)
        })
    }
}

impl<S: Structure> Kind for Nested<S> {
    type Value<'a> = View<'a, S>;
    const SIZE: ByWidth = S::SIZE;
    const SHAPE: Shape = Shape::Structure(S::NAME);
    fn read(bytes: &[u8], width: PointerWidth) -> View<'_, S> {
        View::new(bytes, width)
    }
}

/// A structure of the table.
pub trait Structure {
    /// Its name in the System Informer headers.
    const NAME: &'static str;
    /// `sizeof`, a first element of a trailing array included.
    const SIZE: ByWidth;
    /// Its fields in the order of their offsets.
    const FIELDS: &'static [FieldInfo];
}

/// A field of structure `S`.
pub struct Field<S, K> {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub offset: ByWidth,
    marker: PhantomData<(S, K)>,
}

impl<S, K> Clone for Field<S, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, K> Copy for Field<S, K> {}

/// A field as a row of a table.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub offset: ByWidth,
    /// Bytes it takes; 0 for a [`Shape::Tail`].
    pub size: ByWidth,
    /// What it holds.
    pub shape: Shape,
    /// What it is for, one sentence; empty where people do not read the field itself.
    pub purpose: &'static str,
}

impl FieldInfo {
    /// The type as the headers would write it.
    pub fn type_name(&self) -> String {
        type_name(&self.shape, self.size)
    }
}

fn type_name(shape: &Shape, size: ByWidth) -> String {
    let name = match (shape, size.bits64) {
        (Shape::Unsigned, 1) => "UCHAR",
        (Shape::Unsigned, 2) => "USHORT",
        (Shape::Unsigned, 4) => "ULONG",
        (Shape::Unsigned, _) => "ULONGLONG",
        (Shape::Signed, 4) => "LONG",
        (Shape::Signed, _) => "LARGE_INTEGER",
        (Shape::Boolean, _) => "BOOLEAN",
        (Shape::Pointer, _) => "PVOID",
        (Shape::Size, _) => "SIZE_T",
        (Shape::Handle, _) => "HANDLE",
        (Shape::UnicodeString, _) => "UNICODE_STRING",
        (Shape::Structure(name), _) => name,
        (Shape::Tail, _) => "array",
        (Shape::Array(element, count), _) => {
            let size = ByWidth::same(size.bits64 / (*count).max(1));
            return format!("{}[{count}]", type_name(element, size));
        }
    };
    name.to_owned()
}

/// Bytes seen as structure `S`. They may end early: older systems have shorter structures.
pub struct View<'a, S> {
    bytes: &'a [u8],
    width: PointerWidth,
    marker: PhantomData<S>,
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for View<'_, S> {}

impl<S> fmt::Debug for View<'_, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "View({} bytes)", self.bytes.len())
    }
}

impl<'a, S: Structure> View<'a, S> {
    /// The structure that starts with `bytes`.
    pub const fn new(bytes: &'a [u8], width: PointerWidth) -> Self {
        Self {
            bytes,
            width,
            marker: PhantomData,
        }
    }

    /// The field's value; none when the bytes end before it does.
    #[inline]
    pub fn get<K: Kind>(&self, field: Field<S, K>) -> Option<K::Value<'a>> {
        let start = field.offset.at(self.width);
        let end = start.checked_add(K::SIZE.at(self.width))?;
        Some(K::read(self.bytes.get(start..end)?, self.width))
    }

    /// Whether the bytes reach up to the start of `field`.
    pub fn reaches<K>(&self, field: Field<S, K>) -> bool {
        self.bytes.len() >= field.offset.at(self.width)
    }
}

impl Serialize for PointerWidth {
    fn serialize<Z: serde::Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.serialize_u64(self.bytes() as u64)
    }
}

macro_rules! define_structures {
    ($(
        #[doc = $doc:literal]
        struct $structure:ident: $size32:literal $size64:literal {
            $(
                $field:ident: $kind:ty
                = $offset32:literal $offset64:literal
                $(, as $($path:ident).+)?
                $(, $purpose:literal)?;
            )*
        }
    )*) => { $(
        #[doc = $doc]
        pub enum $structure {}

        impl $structure {
            $(
                /// The field of this name.
                pub const $field: Field<Self, $kind> = Field {
                    name: stringify!($field),
                    offset: ByWidth { bits32: $offset32, bits64: $offset64 },
                    marker: PhantomData,
                };
            )*
        }

        impl Structure for $structure {
            const NAME: &'static str = stringify!($structure);
            const SIZE: ByWidth = ByWidth { bits32: $size32, bits64: $size64 };
            const FIELDS: &'static [FieldInfo] = &[$(
                FieldInfo {
                    name: stringify!($field),
                    offset: ByWidth { bits32: $offset32, bits64: $offset64 },
                    size: <$kind as Kind>::SIZE,
                    shape: <$kind as Kind>::SHAPE,
                    purpose: concat!($($purpose)?),
                },
            )*];
        }
    )* };
}

/// One uninhabited type for each structure; its associated constants are the fields.
#[allow(non_camel_case_types, non_upper_case_globals)]
pub mod structures {
    use super::{
        Boolean, ByWidth, Field, FieldInfo, Handle, Kind, Nested, PhantomData, Pointer, Size,
        Structure, Tail, UnicodeString,
    };

    crate::for_each_structure!(define_structures);
}

#[cfg(test)]
mod tests {
    use super::structures::*;
    use super::*;

    macro_rules! fields_fit {
        ($( #[doc = $doc:literal] struct $structure:ident: $s32:literal $s64:literal { $($rest:tt)* } )*) => {
            [$( (<$structure as Structure>::NAME, <$structure as Structure>::SIZE, <$structure as Structure>::FIELDS) ),*]
        };
    }

    #[test]
    fn fields_lie_inside_their_structure_and_do_not_overlap() {
        for (structure, size, fields) in crate::for_each_structure!(fields_fit) {
            for width in [PointerWidth::Bits32, PointerWidth::Bits64] {
                let mut end = 0;
                for field in fields {
                    let name = field.name;
                    let start = field.offset.at(width);
                    assert!(
                        start >= end,
                        "{structure}.{name} overlaps the field before it"
                    );
                    end = start + field.size.at(width);
                    assert!(end <= size.at(width), "{structure}.{name} ends outside");
                }
            }
        }
    }

    #[test]
    fn a_field_is_read_little_endian_at_the_offset_of_its_width() {
        let mut bytes = [0; 0x28];
        bytes[4..8].copy_from_slice(&[0x78, 0x56, 0x34, 0x12]);
        bytes[8] = 0x99;
        let narrow = View::<SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX>::new(&bytes, PointerWidth::Bits32);
        let wide = View::<SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX>::new(&bytes, PointerWidth::Bits64);
        let process_id = SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX::UniqueProcessId;
        assert_eq!(narrow.get(process_id), Some(0x1234_5678));
        assert_eq!(wide.get(process_id), Some(0x99));
    }

    #[test]
    fn a_field_beyond_the_end_is_absent() {
        let view = View::<PEB>::new(&[0; 8], PointerWidth::Bits32);
        assert_eq!(view.get(PEB::Mutant), Some(0));
        assert_eq!(view.get(PEB::ImageBaseAddress), None);
    }

    #[test]
    fn every_field_people_read_says_what_it_is_for() {
        for field in PEB::FIELDS
            .iter()
            .chain(RTL_USER_PROCESS_PARAMETERS::FIELDS)
        {
            assert!(field.purpose.ends_with('.'), "{}", field.name);
        }
    }
}
