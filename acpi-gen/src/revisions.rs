//! One version value from which every table's revision follows, so that FADT
//! and MADT are always a legal pair (ACPI 6.5, tables 5.9 and 5.19; fwts checks it).

/// A version of the ACPI specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AcpiVersion {
    /// ACPI 6.0: MADT revision 4 here (3 in the specification's own text, 4 from 6.0a).
    V6_0,
    /// ACPI 6.1.
    V6_1,
    /// ACPI 6.2.
    V6_2,
    /// ACPI 6.3: MADT revision 5, the first with online-capable processors.
    V6_3,
    /// ACPI 6.4.
    V6_4,
    /// ACPI 6.5: MADT revision 6.
    V6_5,
    /// ACPI 6.6: MADT revision 7.
    V6_6,
}

impl AcpiVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 7] =
        [Self::V6_0, Self::V6_1, Self::V6_2, Self::V6_3, Self::V6_4, Self::V6_5, Self::V6_6];

    /// The minor number: the FADT's minor version, 5 for ACPI 6.5.
    #[must_use]
    pub const fn minor(self) -> u8 {
        match self {
            Self::V6_0 => 0,
            Self::V6_1 => 1,
            Self::V6_2 => 2,
            Self::V6_3 => 3,
            Self::V6_4 => 4,
            Self::V6_5 => 5,
            Self::V6_6 => 6,
        }
    }

    /// The MADT's revision.
    #[must_use]
    pub const fn madt(self) -> u8 {
        match self {
            Self::V6_0 | Self::V6_1 | Self::V6_2 => 4,
            Self::V6_3 | Self::V6_4 => 5,
            Self::V6_5 => 6,
            Self::V6_6 => 7,
        }
    }
}

/// Where a set's table revisions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revisions {
    /// All from one version.
    Acpi(AcpiVersion),
    /// The FADT is another's (Xen's dom0, an initrd override): the MADT takes
    /// this revision, and no FADT can be emitted.
    MadtOf(u8),
}

impl Revisions {
    /// The MADT's revision.
    #[must_use]
    pub const fn madt(self) -> u8 {
        match self {
            Self::Acpi(version) => version.madt(),
            Self::MadtOf(revision) => revision,
        }
    }

    /// Whether the MADT knows the online-capable flag (revision 5 on).
    #[must_use]
    pub(crate) const fn knows_online_capable(self) -> bool {
        self.madt() >= 5
    }
}
