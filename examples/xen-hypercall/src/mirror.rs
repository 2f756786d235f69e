//! What the mirrors of Xen's structures share: their layout as data, checked at
//! compile time here and by a C compiler against the headers.

/// The layout of a structure of Xen's public headers.
#[derive(Clone, Copy, Debug)]
pub struct Mirror {
    /// Its name in C.
    pub c_type: &'static str,
    /// Its size in bytes.
    pub size: usize,
    /// Its fields, by their names in C, and the offset of each in bytes. What C leaves
    /// unnamed is not in it.
    pub fields: &'static [(&'static str, usize)],
}

/// A macro or enumerator of the headers.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its name in C.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
}

/// Asserts a structure's size and the offset of every field at compile time, and gives
/// the same as a [`Mirror`]. Fields behind the bar are padding that C does not name.
macro_rules! mirror {
    ($name:ident = $c_type:literal: $size:literal {
        $($field:ident @ $offset:literal),+ $(,)? $(| $($hidden:ident @ $at:literal),+ $(,)?)?
    }) => {
        const _: () = {
            assert!(core::mem::size_of::<$name>() == $size);
            $(assert!(core::mem::offset_of!($name, $field) == $offset);)+
            $($(assert!(core::mem::offset_of!($name, $hidden) == $at);)+)?
            const fn _every_field_is_listed(value: &$name) {
                let $name { $($field: _),+ $(, $($hidden: _),+)? } = value;
            }
        };
        impl $name {
            pub(crate) const MIRROR: $crate::Mirror = $crate::Mirror {
                c_type: $c_type,
                size: $size,
                fields: &[$((stringify!($field), $offset)),+],
            };
        }
    };
}

pub(crate) use mirror;

/// Every structure that this crate mirrors.
#[must_use]
pub fn mirrors() -> Vec<Mirror> {
    [
        crate::domctl::MIRRORS,
        crate::domain::MIRRORS,
        crate::vnuma::MIRRORS,
        crate::apic_ids::MIRRORS,
        crate::cpu_policy::MIRRORS,
        crate::sysctl::MIRRORS,
        crate::console::MIRRORS,
        crate::host::MIRRORS,
        crate::memory::MIRRORS,
        crate::hvm::MIRRORS,
        crate::save::MIRRORS,
    ]
    .concat()
}

/// Every number that this crate takes from the headers.
#[must_use]
pub fn constants() -> Vec<Constant> {
    [
        crate::device::CONSTANTS,
        crate::domctl::CONSTANTS,
        crate::domain::CONSTANTS,
        crate::vnuma::CONSTANTS,
        crate::apic_ids::CONSTANTS,
        crate::cpu_policy::CONSTANTS,
        crate::sysctl::CONSTANTS,
        crate::console::CONSTANTS,
        crate::memory::CONSTANTS,
        crate::hvm::CONSTANTS,
        crate::save::CONSTANTS,
    ]
    .concat()
}

/// A list of [`Constant`]s: names of the headers with the values that stand here.
macro_rules! constants {
    ($($name:ident = $value:expr),* $(,)?) => {
        pub(crate) const CONSTANTS: &[$crate::Constant] =
            &[$($crate::Constant { name: stringify!($name), value: $value }),*];
    };
}

pub(crate) use constants as list_constants;
