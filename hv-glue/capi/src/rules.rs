//! Failures as C sees them: a negative errno, and rule, index and value. The rules of the
//! library are declared there; those of its border and of the tables here.

use hv_glue::{Errno, Rule};

use crate::border::{Arguments, read, slice_mut};
use crate::types::HvgError;

/// A failed call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) errno: i32,
    pub(crate) rule: u32,
    pub(crate) index: u64,
    pub(crate) value: u64,
}

impl Fault {
    const fn new(errno: Errno, rule: u32, index: u64, value: u64) -> Self {
        Self { errno: 0_i32.saturating_sub(errno.0), rule, index, value }
    }

    pub(crate) const fn invalid(rule: Border, index: u64, value: u64) -> Self {
        Self::new(Errno::EINVAL, rule.number(), index, value)
    }

    pub(crate) fn too_short(rule: Border, have: usize, needed: usize) -> Self {
        Self::new(Errno::ENOBUFS, rule.number(), wide(have), wide(needed))
    }
}

pub(crate) fn wide(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

impl From<hv_glue::Error> for Fault {
    fn from(error: hv_glue::Error) -> Self {
        let (rule, index, value) = error.numbers();
        Self::new(error.errno(), rule, index, value)
    }
}

/// Declares the rules of the border: name, number and message.
macro_rules! border {
    ($($name:ident = $code:literal $text:literal;)+) => {
        /// A rule that the arguments of a call break.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Border {
            $($name),+
        }

        impl Border {
            const RULES: &'static [Rule] =
                &[$(Rule { code: $code, name: stringify!($name), text: $text }),+];

            const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $code),+
                }
            }
        }
    };
}

border! {
    ArgumentNull = 1 "argument %i is null; expected %v elements";
    ArgumentMisaligned = 2 "argument %i at %V is not aligned";
    ArgumentTooLong = 3 "argument %i has %v elements, more than memory";
    ArgumentOverlap = 4 "argument %i at %V shares memory with another";
    StructVersion = 5 "structure of size %i, version %v is not this library's";
    StructField = 6 "structure field %i has invalid number %v";
    MemoryTooSmall = 7 "%i bytes of memory; expected %v";
    NotAPlan = 8 "memory at %V holds no plan of this kind";
    NoWalk = 9 "no region is being populated";
    ArrayTooShort = 10 "array of %i elements; expected %v";
    ElementField = 13 "array element %i has invalid number %v";
}

/// Declares the rules of the tables: acpi-gen's variants, each with number, errno, index,
/// value and message.
macro_rules! tables {
    ($($name:ident $({ $($fields:tt)+ })? = $code:literal $errno:ident
        ($index:expr, $value:expr) $text:literal;)+) => {
        const TABLE_RULES: &[Rule] =
            &[$(Rule { code: $code, name: concat!("Table", stringify!($name)), text: $text }),+];

        impl From<acpi_gen::Error> for Fault {
            fn from(error: acpi_gen::Error) -> Self {
                match error {
                    $(acpi_gen::Error::$name $({ $($fields)+ })? =>
                        Self::new(Errno::$errno, $code, $index, $value),)+
                    _ => Self::new(Errno::EINVAL, UNKNOWN, 0, 0),
                }
            }
        }
    };
}

/// A rule that is newer than the list below.
const UNKNOWN: u32 = 255;

tables! {
    RangeEmpty { start, end } = 0x100 EINVAL (start.0, end.0) "range from %I to %V is empty";
    RangePastEnd { start, size } = 0x101 EINVAL (start.0, size) "range from %I of size %V ends above 2^64";
    NoProcessors = 0x102 EINVAL (0, 0) "no processors";
    BootProcessorAbsent { uid } = 0x103 EINVAL (0, uid.0.into()) "the boot processor, UID %v, is absent";
    DuplicateUid { second, uid, .. } = 0x104 EINVAL (wide(second), uid.0.into()) "processor %i: duplicate UID %v";
    DuplicateApicId { second, id, .. } = 0x105 EINVAL (wide(second), id.0.into()) "processor %i: duplicate APIC id %v";
    ReservedApicId { index, id } = 0x106 EINVAL (wide(index), id.0.into()) "processor %i: reserved APIC id %V";
    UidTooLargeForType0 { index, uid, .. } = 0x107 EINVAL (wide(index), uid.0.into()) "processor %i: UID %v > 255 in a type 0 entry";
    MemoryNotAscending { index, range, .. } = 0x108 EINVAL (wide(index), range.start().0) "memory range %i at %V starts below the one before it";
    MemoryOverlap { index, second, .. } = 0x109 EINVAL (wide(index), second.start().0) "memory range %i at %V overlaps the one before it";
    DistancesNotAscending { index, domain } = 0x10A EINVAL (wide(index), domain.0.into()) "distance row %i: proximity domain %v is not ascending";
    DistancesNotSquare { domains, entries } = 0x10B EINVAL (wide(domains), wide(entries)) "%v distances for %i proximity domains";
    DistanceOfUnknownDomain { domain } = 0x10C EINVAL (0, domain.0.into()) "distances of proximity domain %v, which has neither processors nor memory";
    DistanceReserved { from, value, .. } = 0x10D EINVAL (from.0.into(), value.into()) "reserved distance %v from proximity domain %i";
    DiagonalNotLocal { domain, value } = 0x10E EINVAL (domain.0.into(), value.into()) "distance %v from proximity domain %i to itself; expected 10";
    RemoteAtLocalDistance { from, to } = 0x10F EINVAL (from.0.into(), to.0.into()) "distance 10 from proximity domain %i to %v; expected more";
    TooManyLocalities { domain, max } = 0x110 ERANGE (max.0.into(), domain.0.into()) "proximity domain %v > %i";
    DuplicateIoApicId { index, id } = 0x112 EINVAL (wide(index), id.into()) "I/O APIC %i: duplicate id %v";
    IoApicAddressZero { index } = 0x113 EINVAL (wide(index), 0) "I/O APIC %i is at address 0";
    DuplicateOverride { index, source } = 0x114 EINVAL (wide(index), source.into()) "override %i: duplicate ISA interrupt %v";
    NmiLint { index, lint } = 0x115 EINVAL (wide(index), lint.into()) "NMI %i: LINT %v; expected 0 or 1";
    NmiOfUnknownProcessor { index, uid } = 0x116 EINVAL (wide(index), uid.0.into()) "NMI %i: no processor has UID %v";
    NmiUidTooLarge { index, uid, .. } = 0x117 EINVAL (wide(index), uid.0.into()) "NMI %i: UID %v does not fit";
    ScratchTooSmall { have, needed } = 0x118 ENOBUFS (wide(have), wide(needed)) "scratch space of %i words; expected %v";
    TableTooLarge { signature, len } = 0x119 ERANGE (u32::from_le_bytes(signature).into(), len) "table %I of %v bytes does not fit in 32 bits";
    TooManyProcessorDevices { processors, max } = 0x11A EINVAL (wide(max), wide(processors)) "%v processors > %i, the names in a DSDT";
    FadtNotOurs = 0x11B EINVAL (0, 0) "a complete set has no FADT of another origin";
    BufferTooSmall { have, needed } = 0x11C ENOBUFS (wide(have), wide(needed)) "buffer of %i bytes; expected %v";
    BaseMisaligned { base, align } = 0x11D EINVAL (base.0, align) "base address %I; expected a multiple of %v";
}

/// Every rule, in the order of their numbers: the values of `what` in struct hvg_error.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    Border::RULES.iter().chain(TABLE_RULES).chain(hv_glue::Error::RULES)
}

/// Writes a failure's message with its numbers into `text`, NUL-terminated and cut where it
/// is longer. Returns the length of the whole message without the NUL.
///
/// # Safety
/// `error` is null or points at an initialised structure; `text` is null or has `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hvg_strerror(
    error: *const HvgError,
    text: *mut core::ffi::c_char,
    len: u32,
) -> i32 {
    let text = text.cast::<u8>();
    let mut arguments = Arguments::new();
    // SAFETY: the caller's promise.
    let error = unsafe { read(&mut arguments, error) };
    let noted = arguments.output(text, len.into());
    let (Ok(error), Ok(())) = (error, noted) else { return 0_i32.saturating_sub(22) };
    // SAFETY: noted above.
    let out = unsafe { slice_mut(text, len) };
    let rule = rules().find(|rule| rule.code == error.what);
    let message = rule.map_or("unknown rule", |rule| rule.text);
    let mut writer = Writer { out, at: 0 };
    let mut placeholder = false;
    for byte in message.bytes() {
        match (placeholder, byte) {
            (false, b'%') => {}
            (true, b'i') => writer.decimal(error.index),
            (true, b'I') => writer.hexadecimal(error.index),
            (true, b'v') => writer.decimal(error.value),
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

    fn hexadecimal(&mut self, value: u64) {
        self.put(b'0');
        self.put(b'x');
        let digits = (64_u32.saturating_sub(value.leading_zeros())).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            let shifted = value.checked_shr(digit.saturating_mul(4)).unwrap_or(0);
            let [nibble, ..] = (shifted & 15).to_le_bytes();
            let offset = if nibble < 10 { b'0' } else { b'a'.saturating_sub(10) };
            self.put(nibble.saturating_add(offset));
        }
    }

    fn decimal(&mut self, value: u64) {
        // 2^64 has 20 digits.
        let mut divisor = 10_000_000_000_000_000_000_u64;
        while divisor > 1 && value < divisor {
            divisor /= 10;
        }
        while divisor > 0 {
            let digit = value.checked_div(divisor).unwrap_or(0) % 10;
            let [digit, ..] = digit.to_le_bytes();
            self.put(digit.saturating_add(b'0'));
            divisor /= 10;
        }
    }

    fn end(self) -> i32 {
        let last = self.out.len().saturating_sub(1);
        if let Some(slot) = self.out.get_mut(self.at.min(last)) {
            *slot = 0;
        }
        i32::try_from(self.at).unwrap_or(i32::MAX)
    }
}
