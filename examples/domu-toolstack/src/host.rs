//! Whether the host has what a request asks for; asked before a domain exists.

use xen_hypercall::{HostNuma, Xen};

use crate::failure::Failure;
use crate::request::Request;

/// Checks nodes and free memory.
pub(crate) fn check(xen: &Xen, request: &Request) -> Result<(), Failure> {
    fits(&xen.host_numa()?, request)
}

fn fits(host: &HostNuma, request: &Request) -> Result<(), Failure> {
    let nodes: Vec<u64> = host.nodes.iter().map(|node| node.memfree).collect();
    let exists = |pnode: u8| host.nodes.get(usize::from(pnode)).is_some_and(|node| node.exists());
    let mut wanted = vec![0_u64; nodes.len()];
    for (vnode, pnode) in request.pnodes.iter().enumerate() {
        let Some(pnode) = *pnode else { continue };
        if !exists(pnode) {
            let there: Vec<String> =
                (0..=u8::MAX).filter(|&n| exists(n)).map(|n| n.to_string()).collect();
            let what =
                format!("vnode {vnode}: no pnode {pnode} on this host, but {}", there.join(", "));
            return Err(Failure::Request(what));
        }
        if let Some(wanted) = wanted.get_mut(usize::from(pnode)) {
            *wanted = wanted.saturating_add(request.bytes_of(vnode));
        }
    }
    for (pnode, (wanted, free)) in wanted.iter().zip(&nodes).enumerate() {
        if wanted > free {
            let (wanted, free) = (wanted >> 20, free >> 20);
            let what = format!("pnode {pnode} has {free} MiB free of the {wanted} MiB asked for");
            return Err(Failure::Request(what));
        }
    }
    let (all, free) = (request.bytes(), nodes.iter().copied().fold(0, u64::saturating_add));
    if all > free {
        let what = format!("{} MiB asked for, {} MiB free on the host", all >> 20, free >> 20);
        return Err(Failure::Request(what));
    }
    Ok(())
}
