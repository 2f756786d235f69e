//! What the mirrors of Xen's structures share: their layout as data, checked at
//! compile time here and by a C compiler against the headers.

use crate::Version;

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

/// The headers in which a [`Group`] has to be as it is here.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// Those of every Xen.
    Every,
    /// Those with one of these versions of the domctl interface.
    Domctl(&'static [Version]),
    /// Those with one of these versions of the sysctl interface.
    Sysctl(&'static [Version]),
}

/// Structures and numbers that this crate takes from the headers.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The headers that have them.
    pub scope: Scope,
    /// The structures.
    pub mirrors: &'static [Mirror],
    /// The numbers.
    pub constants: &'static [Constant],
}

/// Every structure and number that this crate takes from the headers.
#[must_use]
pub fn groups() -> Vec<Group> {
    [
        crate::device::GROUPS,
        crate::domctl::GROUPS,
        crate::domain::GROUPS,
        crate::domain_info::GROUPS,
        crate::vnuma::GROUPS,
        crate::apic_ids::GROUPS,
        crate::cpu_policy::GROUPS,
        crate::sysctl::GROUPS,
        crate::console::GROUPS,
        crate::host::GROUPS,
        crate::memory::GROUPS,
        crate::hvm::GROUPS,
        crate::save::GROUPS,
    ]
    .concat()
}

/// A list of [`Constant`]s: names of the headers with the values used here.
macro_rules! constants {
    ($($name:ident = $value:expr),* $(,)?) => {
        &[$($crate::Constant { name: stringify!($name), value: $value }),*]
    };
}

pub(crate) use constants;
