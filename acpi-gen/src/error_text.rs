//! What each error says: the value that is wrong and what would be right.

use core::fmt;

use crate::Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RangeEmpty { start, end } => write!(
                f,
                "range {:#x}-{:#x} is empty: the end must be above the start",
                start.0, end.0
            ),
            Self::RangePastEnd { start, size } => write!(
                f,
                "range of {size:#x} bytes from {:#x} does not end below 2^64",
                start.0
            ),
            Self::NoProcessors => f.write_str("no processors: at least one is needed"),
            Self::BootProcessorAbsent { uid } => write!(
                f,
                "processor {} stands first, so it boots the machine, but is not enabled",
                uid.0
            ),
            Self::DuplicateUid { uid, first, second } => write!(
                f,
                "processors {first} and {second} have the same UID {}",
                uid.0
            ),
            Self::DuplicateApicId { id, first, second } => write!(
                f,
                "processors {first} and {second} have the same APIC id {}",
                id.0
            ),
            Self::ReservedApicId { index, id } => write!(
                f,
                "processor {index} has APIC id {:#x}, which means \"ignore this entry\"",
                id.0
            ),
            Self::UidTooLargeForType0 { index, uid, id } => write!(
                f,
                "processor {index} has UID {} and APIC id {}: a type 0 entry holds UIDs up to 255; use x2APIC entries",
                uid.0, id.0
            ),
            Self::MemoryNotAscending { index, range, previous } => write!(
                f,
                "memory range {index} at {:#x} stands behind one at {:#x}: ascending order is needed",
                range.start().0,
                previous.start().0
            ),
            Self::MemoryOverlap { index, first, second } => write!(
                f,
                "memory range {index}, {:#x}-{:#x}, overlaps {:#x}-{:#x}",
                second.start().0,
                second.end().0,
                first.start().0,
                first.end().0
            ),
            Self::DistancesNotAscending { index, domain } => write!(
                f,
                "distance row {index} is of proximity domain {}, which is not above the row before it",
                domain.0
            ),
            Self::DistancesNotSquare { domains, entries } => write!(
                f,
                "{entries} distances for {domains} proximity domains: {domains} rows of {domains} are needed"
            ),
            Self::DistanceOfUnknownDomain { domain } => write!(
                f,
                "proximity domain {} has distances but neither a processor nor memory",
                domain.0
            ),
            Self::DistanceReserved { from, to, value } => write!(
                f,
                "distance {value} from proximity domain {} to {}: 0 to 9 are reserved, 10 is local",
                from.0, to.0
            ),
            Self::DiagonalNotLocal { domain, value } => write!(
                f,
                "distance {value} from proximity domain {} to itself: it must be 10",
                domain.0
            ),
            Self::RemoteAtLocalDistance { from, to } => write!(
                f,
                "distance 10 from proximity domain {} to {}: above 10 is needed, else Linux and Xen drop the SLIT",
                from.0, to.0
            ),
            Self::TooManyLocalities { domain, max } => write!(
                f,
                "proximity domain {} is above {}, the highest that a SLIT has here",
                domain.0, max.0
            ),
            Self::DuplicateIoApicId { index, id } => {
                write!(f, "I/O APIC {index} has the id {id} of one before it")
            }
            Self::IoApicAddressZero { index } => {
                write!(f, "I/O APIC {index} is at address 0")
            }
            Self::DuplicateOverride { index, source } => {
                write!(f, "override {index} is a second one for ISA interrupt {source}")
            }
            Self::NmiLint { index, lint } => {
                write!(f, "NMI {index} is on LINT{lint}: a local APIC has LINT0 and LINT1")
            }
            Self::NmiOfUnknownProcessor { index, uid } => {
                write!(f, "NMI {index} is for processor {}, which does not exist", uid.0)
            }
            Self::NmiUidTooLarge { index, uid, max } => write!(
                f,
                "NMI {index} is for processor {}, but its structure holds UIDs up to {}",
                uid.0, max.0
            ),
            Self::ScratchTooSmall { needed, have } => {
                write!(f, "scratch space of {have} words; expected at least {needed}")
            }
            Self::TableTooLarge { signature, len } => write!(
                f,
                "table {} would have {len} bytes; its length field ends at 4294967295",
                signature.escape_ascii()
            ),
            Self::TooManyProcessorDevices { processors, max } => {
                write!(f, "{processors} processors: the DSDT has names for {max}")
            }
            Self::FadtNotOurs => f.write_str(
                "a complete set needs an ACPI version; the description gives a MADT revision for another's FADT",
            ),
            Self::BufferTooSmall { needed, have } => {
                write!(f, "{needed} bytes are needed, the buffer has {have}")
            }
            Self::BaseMisaligned { base, align } => {
                write!(f, "base address {:#x} is not a multiple of {align}", base.0)
            }
            Self::TableTruncated { signature, needed, have } => write!(
                f,
                "table {} ends early: {needed} bytes are needed, {have} are there",
                signature.escape_ascii()
            ),
            Self::TableLength { signature, len, min } => write!(
                f,
                "table {} has the length {len}; its fixed part takes {min}",
                signature.escape_ascii()
            ),
            Self::WrongSignature { expected, found } => write!(
                f,
                "signature {} where {} was expected",
                found.escape_ascii(),
                expected.escape_ascii()
            ),
            Self::NotAnRsdp => f.write_str("not an RSDP: it does not begin with \"RSD PTR \""),
            Self::EntryLength { signature, offset, kind, len, needed } => write!(
                f,
                "{}: entry of type {kind} at offset {offset:#x} has the length {len}; {needed} are needed",
                signature.escape_ascii()
            ),
            Self::EntryPastEnd { signature, offset, kind, len, have } => write!(
                f,
                "{}: entry of type {kind} at offset {offset:#x} has the length {len}, but the table ends after {have}",
                signature.escape_ascii()
            ),
            Self::SlitSize { localities, have } => write!(
                f,
                "SLIT of {localities} localities holds {have} bytes of distances; the square is needed"
            ),
        }
    }
}
