//! The structures of the reader against `phnt`: `sizeof`, and offset and size of every field.

use bootshot_reader::layout::structures::{self as ours, *};
use bootshot_reader::layout::{
    Boolean, ByWidth, Handle, Kind, Nested, Pointer, Shape, Size, Structure, Tail, UnicodeString,
};

mod theirs {
    pub use phnt::ffi::*;
    // The headers of `phnt` leave these to the SDK.
    pub use winapi::um::winnt::{
        ACCESS_ALLOWED_ACE, JOBOBJECT_BASIC_PROCESS_ID_LIST, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
        SECURITY_DESCRIPTOR_RELATIVE, SILOOBJECT_BASIC_INFORMATION,
    };
}

const fn size_agrees(ours: ByWidth, shape: Shape, theirs: usize) -> bool {
    // A tail is a place, not a size.
    matches!(shape, Shape::Tail) || crate::here(ours) == theirs
}

macro_rules! compare {
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
        const _: () = assert!(
            crate::here(<ours::$structure as Structure>::SIZE) == size_of::<theirs::$structure>(),
            concat!("sizeof ", stringify!($structure)),
        );
        $( compare!(@field $structure $field $kind, $(as $($path).+)?); )*
    )* };

    // `phnt` takes this one from `nt-string`, whose fields are private; `executable` compares it with `winapi`'s.
    (@field UNICODE_STRING $($rest:tt)*) => {};

    (@field $structure:ident $field:ident $kind:ty,) => {
        compare!(@field $structure $field $kind, as $field);
    };

    (@field $structure:ident $field:ident $kind:ty, as $($path:ident).+) => {
        const _: () = assert!(
            crate::here(ours::$structure::$field.offset)
                == core::mem::offset_of!(theirs::$structure, $($path).+),
            concat!("offset of ", stringify!($structure), ".", stringify!($field)),
        );
        const _: () = assert!(
            size_agrees(
                <$kind as Kind>::SIZE,
                <$kind as Kind>::SHAPE,
                // SAFETY: never called; it only names the type of the field.
                crate::size_of_field(|s: *const theirs::$structure| unsafe { &raw const (*s).$($path).+ }),
            ),
            concat!("size of ", stringify!($structure), ".", stringify!($field)),
        );
    };
}

bootshot_reader::for_each_structure!(compare);
