//! A domain that does not outlive an error.

use xen_hypercall::{CreateDomain, DomainId, Xen};

use crate::failure::Failure;

/// A domain that is destroyed when it goes out of scope.
pub(crate) struct OwnedDomain<'x> {
    xen: &'x Xen,
    id: DomainId,
}

impl<'x> OwnedDomain<'x> {
    pub(crate) fn create(xen: &'x Xen, domain: &CreateDomain) -> Result<Self, Failure> {
        Ok(Self { xen, id: xen.create_domain(domain)? })
    }

    pub(crate) const fn id(&self) -> DomainId {
        self.id
    }

    pub(crate) const fn xen(&self) -> &'x Xen {
        self.xen
    }
}

impl Drop for OwnedDomain<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.xen.destroy_domain(self.id) {
            eprintln!("{} is left over: {error}", self.id);
        }
    }
}
