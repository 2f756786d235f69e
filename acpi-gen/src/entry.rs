//! One declaration per entry of MADT and SRAT: [`entries!`] makes of it the variant,
//! its parser, its writer, its length, and what `decode` prints.

use crate::{Error, SubTable, Value};

/// Where a field's bytes are in its entry. A place is contiguous, except for the
/// domain of SRAT type 0, whose lowest byte is apart from the others.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    first: usize,
    rest: usize,
}

/// All bytes from `offset` on.
pub(crate) const fn at(offset: usize) -> Place {
    Place { first: offset, rest: offset.saturating_add(1) }
}

/// The lowest byte at `first`, the others from `rest` on.
pub(crate) const fn split(first: usize, rest: usize) -> Place {
    Place { first, rest }
}

impl Place {
    /// Marks the `len` bytes of a field in `used`, one bit for each byte of the entry.
    /// Evaluated at compile time, where a field that overlaps another one or exceeds
    /// the entry is an error.
    #[expect(clippy::arithmetic_side_effects, reason = "overflow is a compile-time error here")]
    pub(crate) const fn claim(self, used: u64, len: usize, entry_len: u8) -> u64 {
        assert!(len > 0 && entry_len < 64);
        let mask = (1 << self.first) | (((1 << (len - 1)) - 1) << self.rest);
        assert!(mask < 1 << entry_len, "a field exceeds its entry");
        assert!(mask & used == 0, "two fields overlap");
        mask | used
    }

    #[inline(always)]
    fn get<const N: usize>(self, entry: &[u8]) -> Option<[u8; N]> {
        if self.rest == self.first.wrapping_add(1) {
            return entry.get(self.first..)?.first_chunk().copied();
        }
        let mut value = [0; N];
        let (first, rest) = value.split_first_mut()?;
        *first = *entry.get(self.first)?;
        for (byte, from) in rest.iter_mut().zip(entry.get(self.rest..)?) {
            *byte = *from;
        }
        Some(value)
    }

    #[inline(always)]
    fn put<const N: usize>(self, entry: &mut [u8], value: [u8; N]) {
        if self.rest == self.first.wrapping_add(1) {
            if let Some(slot) = entry.get_mut(self.first..).and_then(<[u8]>::first_chunk_mut) {
                *slot = value;
            }
            return;
        }
        let Some((first, rest)) = value.split_first() else { return };
        if let Some(slot) = entry.get_mut(self.first) {
            *slot = *first;
        }
        for (slot, byte) in entry.get_mut(self.rest..).unwrap_or_default().iter_mut().zip(rest) {
            *slot = *byte;
        }
    }
}

/// The bits of an entry's bytes that are not in `used`.
pub(crate) const fn reserved(used: u64, entry_len: u32) -> u64 {
    match 1_u64.checked_shl(entry_len) {
        Some(past) => past.wrapping_sub(1) & !used,
        None => !used,
    }
}

/// A value of an entry.
pub(crate) trait Field: Copy {
    /// Bytes that it takes.
    const LEN: usize;
    fn read(entry: &[u8], place: Place) -> Option<Self>;
    fn write(self, entry: &mut [u8], place: Place);
}

/// A little-endian number of an entry.
pub(crate) trait Number: Field {
    fn number(self) -> u64;
}

/// Bytes as they are.
impl<const N: usize> Field for [u8; N] {
    const LEN: usize = N;

    #[inline(always)]
    fn read(entry: &[u8], place: Place) -> Option<Self> {
        place.get(entry)
    }

    #[inline(always)]
    fn write(self, entry: &mut [u8], place: Place) {
        place.put(entry, self);
    }
}

/// The forms in which a field is printed, by the name of the [`Value`].
pub(crate) struct Form;

#[expect(non_snake_case, reason = "a declaration names the variant of Value")]
impl Form {
    pub(crate) fn Decimal(field: &impl Number) -> Value<'_> {
        Value::Decimal(field.number())
    }

    pub(crate) fn Hex(field: &impl Number) -> Value<'_> {
        Value::Hex(field.number())
    }

    pub(crate) fn Bytes<const N: usize>(field: &[u8; N]) -> Value<'_> {
        Value::Bytes(field)
    }
}

macro_rules! integers {
    ($($ty:ty),*) => { $(
        impl Field for $ty {
            const LEN: usize = size_of::<$ty>();

            #[inline(always)]
            fn read(entry: &[u8], place: Place) -> Option<Self> {
                place.get(entry).map(Self::from_le_bytes)
            }

            #[inline(always)]
            fn write(self, entry: &mut [u8], place: Place) {
                place.put(entry, self.to_le_bytes());
            }
        }

        impl Number for $ty {
            fn number(self) -> u64 {
                self.into()
            }
        }
    )* };
}
integers!(u8, u16, u32, u64);

macro_rules! newtypes {
    ($($ty:ident),*) => { $(
        impl Field for $crate::$ty {
            const LEN: usize = size_of::<Self>();

            #[inline(always)]
            fn read(entry: &[u8], place: Place) -> Option<Self> {
                Field::read(entry, place).map(Self)
            }

            #[inline(always)]
            fn write(self, entry: &mut [u8], place: Place) {
                self.0.write(entry, place);
            }
        }

        impl Number for $crate::$ty {
            fn number(self) -> u64 {
                self.0.into()
            }
        }
    )* };
}
newtypes!(ApicId, ProcessorUid, ProximityDomain);

/// What is fixed for a type of entry.
#[derive(Clone, Copy)]
pub(crate) struct EntryType {
    /// The entry's first byte.
    pub(crate) code: u8,
    /// Its length in bytes.
    pub(crate) len: usize,
    /// A bit for each byte that no field uses.
    pub(crate) reserved: u64,
}

impl EntryType {
    /// Whether all bytes are zero that no field uses.
    pub(crate) fn reserved_is_zero(self, entry: &[u8]) -> bool {
        let reserved = |at: u32| self.reserved.checked_shr(at).is_some_and(|bits| bits & 1 == 1);
        entry.iter().zip(0..).all(|(byte, at)| *byte == 0 || !reserved(at))
    }
}

/// The error of an entry that is shorter than its type.
pub(crate) fn too_short(signature: [u8; 4], entry: SubTable<'_>, needed: usize) -> Error {
    Error::EntryLength {
        signature,
        offset: entry.offset,
        kind: entry.kind,
        len: entry.bytes.len(),
        needed,
    }
}

/// Declares the entries of a table, whose first two bytes are type and length:
///
/// ```text
/// pub Entry of SIGNATURE;
/// TYPE_CONSTANT: Variant = type, length bytes, "title" {
///     field: type = place => form "name",
/// }
/// ```
///
/// `place` is [`at`] or [`split`]; bytes that no field uses are reserved and written as
/// zero. `form` is a variant of [`Value`](crate::Value), in which the field is printed;
/// its name there is the field's own without another one. `named { type, "title"; }` has the
/// types of which only the title is known: those of machines without x86 processors.
macro_rules! entries {
    (
        $(#[$meta:meta])*
        $vis:vis $Entry:ident of $signature:ident;
        named { $($other:literal, $other_title:literal;)* }
        $(
            $(#[$variant_meta:meta])*
            $TYPE:ident: $Variant:ident = $code:literal, $len:literal bytes, $title:literal {
                $(
                    $(#[$field_meta:meta])*
                    $field:ident: $ty:ty = $place:expr => $form:ident $($name:literal)?
                ),* $(,)?
            }
        )*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $vis enum $Entry<'a> {
            $(
                $(#[$variant_meta])*
                $Variant { $($(#[$field_meta])* $field: $ty),* },
            )*
            /// Any other type, as bytes.
            Other($crate::SubTable<'a>),
        }

        impl<'a> $Entry<'a> {
            $(
                pub(crate) const $TYPE: $crate::entry::EntryType = $crate::entry::EntryType {
                    code: $code,
                    len: $len,
                    reserved: {
                        let used = 0b11;
                        $(let used = $place.claim(used, <$ty as $crate::entry::Field>::LEN, $len);)*
                        $crate::entry::reserved(used, $len)
                    },
                };
            )*

            /// The type with this number, if it is one of the table's own.
            pub(crate) const fn entry_type(code: u8) -> Option<$crate::entry::EntryType> {
                match code {
                    $($code => Some(Self::$TYPE),)*
                    _ => None,
                }
            }

            /// The title of a type that only other architectures have.
            pub(crate) const fn other_title(code: u8) -> Option<&'static str> {
                match code {
                    $($other => Some($other_title),)*
                    _ => None,
                }
            }

            /// Parses an entry. Bytes after a type's fixed part are ignored.
            ///
            /// # Errors
            /// [`Error::EntryLength`](crate::Error::EntryLength) if the entry is shorter
            /// than its type.
            $vis fn parse(entry: $crate::SubTable<'a>) -> Result<Self, $crate::Error> {
                use $crate::entry::Field;
                let Some(entry_type) = Self::entry_type(entry.kind) else {
                    return Ok(Self::Other(entry));
                };
                let parsed = match entry.kind {
                    $($code => entry.bytes.first_chunk::<$len>().and_then(|bytes| {
                        Some(Self::$Variant { $($field: Field::read(bytes, $place)?),* })
                    }),)*
                    _ => None,
                };
                parsed.ok_or_else(|| $crate::entry::too_short($signature, entry, entry_type.len))
            }

            #[inline(always)]
            fn write(&self, to: &mut $crate::wire::Writer<'_>) {
                use $crate::entry::{Field, at};
                match *self {
                    $(Self::$Variant { $($field),* } => {
                        let mut bytes = [0_u8; $len];
                        let head: [u8; 2] = [$code, $len];
                        u16::from_le_bytes(head).write(&mut bytes, at(0));
                        $($field.write(&mut bytes, $place);)*
                        to.put(&bytes);
                    })*
                    Self::Other(entry) => to.put(entry.bytes),
                }
            }

            /// Hands an entry to a decoder, field by field.
            fn show(entry: $crate::SubTable<'a>, to: &mut impl $crate::Show) {
                use $crate::{Value, entry::Form};
                match Self::parse(entry) {
                    $(Ok(Self::$Variant { $($field),* }) => {
                        to.entry(entry.offset, entry.kind, $title);
                        $(to.field(
                            $crate::entry::name(stringify!($field), &[$($name)?]),
                            Form::$form(&$field),
                        );)*
                    })*
                    Ok(Self::Other(_)) => {
                        let title = Self::other_title(entry.kind).unwrap_or("unknown type");
                        to.entry(entry.offset, entry.kind, title);
                        to.field("bytes", Value::Bytes(entry.bytes));
                    }
                    Err(error) => to.error(error),
                }
            }
        }
    };
}
pub(crate) use entries;

/// Hands fields of `bytes` to a decoder, in the form of [`entries!`]; those that the bytes
/// are too short for, as in an older revision, are left out.
macro_rules! fields {
    ($bytes:expr, $to:expr, { $($name:ident: $ty:ty = $place:expr => $form:ident),* $(,)? }) => {{
        use $crate::entry::{Field, Form, at};
        $(if let Some(value) = <$ty as Field>::read($bytes, $place) {
            $to.field(stringify!($name), Form::$form(&value));
        })*
    }};
}
pub(crate) use fields;

/// The name under which a field is printed.
pub(crate) const fn name(field: &'static str, given: &[&'static str]) -> &'static str {
    match given {
        [name, ..] => name,
        [] => field,
    }
}
