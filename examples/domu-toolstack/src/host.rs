//! Whether the host has what a request asks for; asked before a domain exists.

use xen_hypercall::HostNuma;

use crate::failure::Failure;
use crate::request::Request;

/// The numbers of the host's nodes.
pub(crate) fn nodes(host: &HostNuma) -> Vec<u8> {
    let nodes = (0..=u8::MAX).zip(&host.nodes);
    nodes.filter(|(_, node)| node.exists()).map(|(number, _)| number).collect()
}

/// Checks that the host has the nodes that are asked for, and enough free memory on each.
pub(crate) fn check(host: &HostNuma, request: &Request) -> Result<(), Failure> {
    let there = nodes(host);
    let mut wanted = vec![0_u64; host.nodes.len()];
    for (vnode, pnode) in request.pnodes.iter().enumerate() {
        if !there.contains(pnode) {
            let there: Vec<String> = there.iter().map(u8::to_string).collect();
            let what =
                format!("vnode {vnode}: no pnode {pnode} on this host, but {}", there.join(", "));
            return Err(Failure::Request(what));
        }
        if let Some(wanted) = wanted.get_mut(usize::from(*pnode)) {
            *wanted = wanted.saturating_add(request.bytes_of(vnode));
        }
    }
    for (pnode, (wanted, node)) in wanted.iter().zip(&host.nodes).enumerate() {
        if *wanted > node.memfree {
            let (wanted, free) = (wanted >> 20, node.memfree >> 20);
            let what = format!("pnode {pnode} has {free} MiB free of the {wanted} MiB asked for");
            return Err(Failure::Request(what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use xen_hypercall::HostNode;

    #[test]
    fn nodes_that_do_not_exist_keep_their_numbers() {
        let node = |memsize, memfree| HostNode { memsize, memfree };
        let nodes_of = vec![node(u64::MAX, 0), node(1 << 30, 5), node(0, 0), node(1 << 30, 7)];
        assert_eq!(nodes(&HostNuma { nodes: nodes_of, distances: Vec::new() }), [1, 3]);
    }
}
