//! Fixed little-endian structures, each described once: the macro writes the encoder and the decoder.

/// A value of fixed size in the file, little-endian.
pub(crate) trait Wire: Sized {
    fn put(&self, to: &mut [u8]);
    fn get(from: &[u8]) -> Self;
}

macro_rules! wire_integers {
    ($($integer:ty),*) => {$(
        impl Wire for $integer {
            #[inline(always)]
            fn put(&self, to: &mut [u8]) {
                to.copy_from_slice(&self.to_le_bytes());
            }
            #[inline(always)]
            fn get(from: &[u8]) -> Self {
                let mut bytes = [0; size_of::<$integer>()];
                bytes.copy_from_slice(from);
                Self::from_le_bytes(bytes)
            }
        }
    )*};
}

wire_integers!(u8, u16, u32, u64, i64);

impl<const N: usize> Wire for [u8; N] {
    #[inline(always)]
    fn put(&self, to: &mut [u8]) {
        to.copy_from_slice(self);
    }
    #[inline(always)]
    fn get(from: &[u8]) -> Self {
        let mut bytes = [0; N];
        bytes.copy_from_slice(from);
        bytes
    }
}

/// Number newtypes that the other side may extend: unknown values stay readable.
macro_rules! open_number {
    ($(#[$meta:meta])* $name:ident($repr:ty) { $($(#[$doc:meta])* $constant:ident = $value:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $repr);

        #[allow(missing_docs)]
        impl $name {
            $($(#[$doc])* pub const $constant: Self = Self($value);)*
        }

        impl $crate::wire::Wire for $name {
            #[inline(always)]
            fn put(&self, to: &mut [u8]) {
                self.0.put(to);
            }
            #[inline(always)]
            fn get(from: &[u8]) -> Self {
                Self(<$repr>::get(from))
            }
        }
    };
}

/// A structure of the file: `offset: field: type`, bytes that no field names are zero.
macro_rules! wire_struct {
    ($(#[$meta:meta])* $name:ident[$size:expr] { $($(#[$doc:meta])* $offset:literal: $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl $name {
            /// Bytes this structure takes in the file.
            pub const SIZE: usize = $size;

            /// The structure as it stands in the file.
            pub fn encode(&self) -> [u8; $size] {
                let mut bytes = [0; $size];
                $($crate::wire::Wire::put(&self.$field, &mut bytes[$offset..$offset + size_of::<$type>()]);)*
                bytes
            }

            /// Reads the structure; values are not judged here.
            pub fn decode(bytes: &[u8; $size]) -> Self {
                Self { $($field: $crate::wire::Wire::get(&bytes[$offset..$offset + size_of::<$type>()]),)* }
            }
        }
    };
}

pub(crate) use {open_number, wire_struct};
