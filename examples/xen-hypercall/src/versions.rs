//! Versions of Xen's toolstack interfaces, and the selection of the running Xen's.
//!
//! Structures of domctls and sysctls change with the interface's version, and Xen
//! answers -EACCES to another version than its own before it looks at the rest.

use crate::{Errno, Error};

/// A version of the domctl or of the sysctl interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// `XEN_DOMCTL_INTERFACE_VERSION` or `XEN_SYSCTL_INTERFACE_VERSION`.
    pub number: u32,
    /// How the layouts used with it are known to be right.
    pub evidence: Evidence,
}

/// How the layouts of a [`Version`] were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// CI compiles them with the headers of a Debian package, and fails without it.
    Headers,
    /// No Debian suite has the headers: the reason why the layouts are right.
    Read(&'static str),
}

/// Domctls of Xen 4.17.
const DOMCTL_0X15: Version = Version { number: 0x15, evidence: Evidence::Headers };
/// Domctls of Xen 4.18.
const DOMCTL_0X16: Version = Version {
    number: 0x16,
    evidence: Evidence::Read(
        "public/domctl.h of 4.18.0 has struct xen_domctl as 4.17 and 4.20 have it: cmd, \
         interface_version, domain, pad and 128 bytes; xen_domctl_getdomaininfo, which a \
         sysctl gives, is the same; no other structure is used",
    ),
};
/// Domctls of Xen 4.19, 4.20 and 4.21.
pub(crate) const DOMCTL_0X17: Version = Version { number: 0x17, evidence: Evidence::Headers };
/// Domctls of Xen 4.22.
const DOMCTL_0X18: Version = Version {
    number: 0x18,
    evidence: Evidence::Read(
        "public/domctl.h of 4.22.0 has struct xen_domctl as 4.20 has it: cmd, \
         interface_version, domain, pad and 128 bytes; xen_domctl_getdomaininfo, which a \
         sysctl gives, is the same; no other structure is used",
    ),
};

/// Versions in which a domctl's frame is the one of this crate, the most used first.
pub const DOMCTL_VERSIONS: &[Version] = &[DOMCTL_0X17, DOMCTL_0X15, DOMCTL_0X16, DOMCTL_0X18];

/// Versions in which the sysctls of this crate have its layouts, the most used first.
pub const SYSCTL_VERSIONS: &[Version] = &[
    // Xen 4.17 to 4.20.
    Version { number: 0x15, evidence: Evidence::Headers },
    // Xen 4.21 and 4.22.
    Version {
        number: 0x16,
        evidence: Evidence::Read(
            "public/sysctl.h of 4.21.0 differs from 4.20.4 in xen_sysctl_pm_op, \
             xen_get_cpufreq_para and xen_get_cppc_para, and 4.22.0 from 4.21.0 in \
             xen_sysctl_cpu_levelling_caps; every member of xen_sysctl, readconsole, debug_keys, \
             getdomaininfolist, numainfo, meminfo and cpu_policy, and every command number, is \
             unchanged",
        ),
    },
];

/// Issues a call with each version until Xen knows one, and gives the answer to that.
///
/// # Errors
/// Those of `issue`, and [`Error::Versions`] where Xen answers -EACCES to every version.
pub(crate) fn select(
    call: &'static str,
    versions: &'static [Version],
    mut issue: impl FnMut(u32) -> Result<u64, Error>,
) -> Result<u64, Error> {
    for version in versions {
        match issue(version.number) {
            Err(error) if error.errno() == Some(Errno::EACCES) => {}
            answer => return answer,
        }
    }
    Err(Error::Versions { call, versions })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = "XEN_SYSCTL_numainfo";

    /// A Xen with one interface version, and the versions that it was asked with.
    fn ask(versions: &'static [Version], own: u32) -> (Result<u64, Error>, Vec<u32>) {
        let mut asked = Vec::new();
        let answer = select(CALL, versions, |version| {
            asked.push(version);
            let refused = Error::Refused { call: CALL, errno: Errno::EACCES };
            if version == own { Ok(u64::from(version)) } else { Err(refused) }
        });
        (answer, asked)
    }

    #[test]
    fn every_listed_version_is_selected_and_the_search_ends_there() {
        for versions in [DOMCTL_VERSIONS, SYSCTL_VERSIONS] {
            let numbers: Vec<u32> = versions.iter().map(|version| version.number).collect();
            for (position, &own) in numbers.iter().enumerate() {
                let (answer, asked) = ask(versions, own);
                assert_eq!(answer.unwrap(), u64::from(own));
                assert_eq!(asked, numbers[..=position]);
            }
        }
    }

    #[test]
    fn an_unlisted_version_gives_an_error_that_names_the_versions_tried() {
        let (answer, asked) = ask(SYSCTL_VERSIONS, 0x99);
        let error = answer.unwrap_err();
        assert_eq!(asked, [0x15, 0x16]);
        assert_eq!(error.errno(), Some(Errno::EACCES));
        assert_eq!(
            error.to_string(),
            "XEN_SYSCTL_numainfo: -EACCES with each of the interface versions 0x15, 0x16; \
             expected a Xen with one of them whose security policy permits the call"
        );
    }

    #[test]
    fn another_error_than_eacces_ends_the_search() {
        let mut asked = 0;
        let answer = select(CALL, SYSCTL_VERSIONS, |_| {
            asked += 1;
            Err(Error::Refused { call: CALL, errno: Errno::EPERM })
        });
        assert_eq!((answer.unwrap_err().errno(), asked), (Some(Errno::EPERM), 1));
    }
}
