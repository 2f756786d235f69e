//! Why a command did not succeed.

use std::fmt;
use std::path::PathBuf;

use acpi_gen::Gpa;
use xen_hypercall::DomainId;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something wrong on a line of an input file.
    Input { path: PathBuf, error: hv_glue_topology::FileError },
    /// A file that cannot be used.
    File { path: PathBuf, what: String },
    /// A request that this host or Xen's guests cannot meet.
    Request(String),
    /// Tables that cannot be made.
    Tables(acpi_gen::Error),
    /// A vNUMA layout or ids that cannot be.
    Layout(hv_glue::Error),
    /// A guest that cannot be placed.
    Place(pvh_loader::Error),
    /// A piece of the guest that could not be written, and why.
    Write { error: pvh_loader::Error, refusal: Box<Failure> },
    /// A hypercall.
    Xen(xen_hypercall::Error),
    /// Saved state that cannot be read.
    Save(xen_hypercall::SaveError),
    /// Memory that the host did not give.
    Memory { vnode: usize, pnode: u8, at: Gpa, missing: u64 },
    /// A guest that was not seen to end.
    StillRunning { domain: DomainId, seconds: u64 },
    /// A promise of Xen's or of ours that does not hold.
    Contract(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { path, error } => {
                write!(f, "{}:{}: {}", path.display(), error.line, error.what)
            }
            Self::File { path, what } => write!(f, "{}: {what}", path.display()),
            Self::Request(what) | Self::Contract(what) => f.write_str(what),
            Self::Tables(error) => write!(f, "tables: {error}"),
            Self::Layout(error) => write!(f, "layout: {error}"),
            Self::Place(error) => write!(f, "placement: {error}"),
            Self::Write { error, refusal } => write!(f, "{error}: {refusal}"),
            Self::Xen(error) => error.fmt(f),
            Self::Save(error) => error.fmt(f),
            Self::Memory { vnode, pnode, at, missing } => {
                write!(
                    f,
                    "vnode {vnode}: pnode {pnode} has none for {missing} pages from {:#x} on",
                    at.0
                )
            }
            Self::StillRunning { domain, seconds } => {
                write!(f, "{domain} has not shut down after {seconds} s")
            }
        }
    }
}

impl std::error::Error for Failure {}

macro_rules! from {
    ($($variant:ident($error:ty)),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

from! {
    Tables(acpi_gen::Error),
    Layout(hv_glue::Error),
    Place(pvh_loader::Error),
    Xen(xen_hypercall::Error),
    Save(xen_hypercall::SaveError),
}
