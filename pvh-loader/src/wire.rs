//! What the wire structs share: a check of size and offsets at compile time.

/// Asserts a wire struct's size and the offset of every field at compile time.
/// A field that is left out is an error, because the list is also used as a pattern.
macro_rules! layout {
    ($name:ident: $size:literal { $($field:ident @ $offset:literal),+ $(,)? }) => {
        const _: () = {
            assert!(core::mem::size_of::<$name>() == $size);
            assert!(core::mem::align_of::<$name>() == 1);
            $(assert!(core::mem::offset_of!($name, $field) == $offset);)+
            const fn _every_field_is_listed(value: &$name) {
                let $name { $($field: _),+ } = value;
            }
        };
    };
}

pub(crate) use layout;
