//! The inverse of `arbitrary` for the types of this package, so that corpora can
//! be seeded from fixtures. A test holds both directions together.

/// Bytes from which `Arbitrary::arbitrary` makes this value again.
pub trait Encode {
    /// Appends them.
    fn encode(&self, to: &mut Vec<u8>);
}

macro_rules! integers {
    ($($ty:ty),*) => {
        $(impl Encode for $ty {
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend(self.to_le_bytes());
            }
        })*
    };
}
integers!(u8, u16, u32, u64);

impl Encode for bool {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.is_some().encode(to);
        if let Some(value) = self {
            value.encode(to);
        }
    }
}

/// Each element behind a byte that says "another one".
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        for element in self {
            true.encode(to);
            element.encode(to);
        }
        false.encode(to);
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend(self);
    }
}

/// The four bytes that derived code reads to choose variant `index` of `count`.
pub fn variant(index: u32, count: u32, to: &mut Vec<u8>) {
    let first = (u64::from(index) << 32).div_ceil(u64::from(count));
    u32::try_from(first).expect("index is below count").encode(to);
}

/// Implements [`Encode`] for a struct by its fields, in order of declaration.
macro_rules! encode_fields {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::encode::Encode for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                $(self.$field.encode(to);)*
            }
        }
    };
}
pub(crate) use encode_fields;
