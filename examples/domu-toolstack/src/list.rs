//! `list`: the domains that there are.

use serde::Serialize;
use xen_hypercall::Xen;

use crate::failure::Failure;
use crate::report;

#[derive(Serialize)]
struct Domain {
    domain: u16,
    dying: bool,
    pages: u64,
    online_vcpus: u32,
}

/// Prints a line for each domain but the control domain, and their number.
pub(crate) fn run(xen: &Xen) -> Result<(), Failure> {
    let all = xen.domains()?;
    let domains: Vec<Domain> = all
        .iter()
        .filter(|info| info.domain.0 != 0)
        .map(|info| Domain {
            domain: info.domain.0,
            dying: info.dying,
            pages: info.pages,
            online_vcpus: info.online_vcpus,
        })
        .collect();
    report::line("domains", &domains);
    Ok(())
}
