//! Failures as C sees them: the library's violations, and those of this border's own rules.

use acpi_gen::{Errno, Rule, Violation};

use crate::border::Arguments;
use crate::types::HvgError;

/// Declares the rules of the border: name, number, error number and message.
macro_rules! border {
    ($($name:ident = $code:literal $errno:ident $text:literal;)+) => {
        /// A rule that the arguments of a call break.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Border {
            $($name),+
        }

        impl Border {
            const RULES: &'static [Rule] =
                &[$(Rule { code: $code, name: stringify!($name), text: $text }),+];

            fn text(code: u32) -> Option<&'static str> {
                const TEXTS: &[(u32, &str)] = &[$(($code, $text)),+];
                TEXTS.iter().find(|rule| rule.0 == code).map(|rule| rule.1)
            }

            /// The rule broken by an element, or a bound, and a number.
            pub(crate) const fn broken(self, index: u64, value: u64) -> Violation {
                let (errno, code) = match self {
                    $(Self::$name => (Errno::$errno, $code)),+
                };
                Violation { errno, code, index, value }
            }
        }
    };
}

border! {
    ArgumentNull = 1 EINVAL "argument %i is null; expected %v elements";
    ArgumentMisaligned = 2 EINVAL "argument %i at %V is not aligned";
    ArgumentTooLong = 3 EINVAL "argument %i has %v elements, more than memory";
    ArgumentOverlap = 4 EINVAL "argument %i at %V shares memory with another";
    StructVersion = 5 EINVAL "structure of size %i, version %v is not this library's";
    StructField = 6 EINVAL "structure field %i has invalid number %v";
    MemoryTooSmall = 7 ENOBUFS "%i bytes of memory; expected %v";
    NotAPlan = 8 EINVAL "memory at %V holds no plan of this kind";
    NoWalk = 9 EINVAL "no region is being populated";
    ArrayTooShort = 10 ENOBUFS "array of %i elements; expected %v";
    ElementField = 13 EINVAL "array element %i has invalid number %v";
}

pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// A number of an array's element that the library does not take.
pub(crate) fn bad_element(index: usize, value: impl Into<u64>) -> Violation {
    Border::ElementField.broken(wide(index), value.into())
}

/// Every rule with its name's prefix, in the order of the numbers: the values of `what` in
/// struct hvg_error.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static Rule)> {
    let with = |prefix| move |rule| (prefix, rule);
    let border = Border::RULES.iter().map(with(""));
    border
        .chain(acpi_gen::Error::RULES.iter().map(with("Table")))
        .chain(hv_glue::Error::RULES.iter().map(with("")))
}

/// Writes a failure's message with its numbers into `text`, NUL-terminated and cut where it
/// is longer. Returns the length of the whole message without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_strerror(
    error: *const HvgError,
    text: *mut core::ffi::c_char,
    len: u32,
) -> i32 {
    let mut arguments = Arguments::new();
    // SAFETY: the caller's promise.
    let noted = unsafe { (arguments.read(error), arguments.slice_mut(text.cast::<u8>(), len)) };
    let (Ok(error), Ok(out)) = noted else { return 0_i32.saturating_sub(Errno::EINVAL.number()) };
    let message = Border::text(error.what)
        .or_else(|| acpi_gen::Error::text(error.what))
        .or_else(|| hv_glue::Error::text(error.what))
        .unwrap_or("unknown rule");
    let mut writer = Writer { out, at: 0 };
    let mut placeholder = false;
    for byte in message.bytes() {
        match (placeholder, byte) {
            (false, b'%') => {}
            (true, b'i') => writer.number(error.index, 10),
            (true, b'I') => writer.hexadecimal(error.index),
            (true, b'v') => writer.number(error.value, 10),
            (true, b'V') => writer.hexadecimal(error.value),
            _ => writer.put(byte),
        }
        placeholder = !placeholder && byte == b'%';
    }
    writer.end()
}

struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, byte: u8) {
        if let Some(slot) = self.out.get_mut(self.at) {
            *slot = byte;
        }
        self.at = self.at.saturating_add(1);
    }

    fn number(&mut self, value: u64, base: u64) {
        let mut divisor = 1_u64;
        while value.checked_div(divisor).is_some_and(|rest| rest >= base) {
            divisor = divisor.saturating_mul(base);
        }
        while divisor > 0 {
            let digit = value.checked_div(divisor).and_then(|digits| digits.checked_rem(base));
            let [digit, ..] = digit.unwrap_or(0).to_le_bytes();
            let zero = if digit < 10 { b'0' } else { b'a'.saturating_sub(10) };
            self.put(digit.saturating_add(zero));
            divisor = divisor.checked_div(base).unwrap_or(0);
        }
    }

    fn hexadecimal(&mut self, value: u64) {
        self.put(b'0');
        self.put(b'x');
        self.number(value, 16);
    }

    fn end(self) -> i32 {
        let last = self.out.len().saturating_sub(1);
        if let Some(slot) = self.out.get_mut(self.at.min(last)) {
            *slot = 0;
        }
        i32::try_from(self.at).unwrap_or(i32::MAX)
    }
}
