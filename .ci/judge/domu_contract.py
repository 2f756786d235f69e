"""What `domu-toolstack contract` found, compared with what Xen promises."""

import domu_guest
from domu_guest import lines
from topology import Topology

# Layouts that every Xen refuses; ids that do not fit are refused to the opted in alone.
REFUSALS = {
    "vcpu-on-unknown-vnode": "-E2BIG", "too-few-vcpus": "-EINVAL", "too-many-vcpus": "-EINVAL",
    "range-with-flags": "-EINVAL", "pnode-above-all": "-E2BIG",
}  # fmt: skip
# Orders of vCPUs, layout and policy, each looked at before and after gethvmcontext and sethvmcontext.
LOOKS = 8


def opted_in(text: str, topology: Topology) -> list[str]:
    """A Xen with the calls."""
    findings = []
    ids = [cpu.apic_id for cpu in topology.cpus]
    stride, shift, largest = domu_guest.shape(topology)
    looks = lines(text, "order")
    if len({(look["order"], look["restored"]) for look in looks}) != LOOKS:
        findings.append(f"{len(looks)} looks and not {LOOKS}: {text[-300:]}")
    for look in looks:
        where = f"{look['order']}, restored {look['restored']}"
        if look["ids"] != ids:
            findings.append(f"{where}: ids {look['ids']}")
        # A local APIC that has not been switched to x2APIC mode has its id in bits 31:24.
        if look["apic_registers"] != [identity << 24 for identity in ids]:
            findings.append(f"{where}: registers {look['apic_registers']}")
        leaves = {(leaf, 0 if sub == 0xFFFFFFFF else sub): registers for leaf, sub, *registers in look["leaves"]}
        found = (
            leaves[0xB, 0][0], leaves[0xB, 0][1], leaves[0xB, 1][0], leaves[0xB, 1][1],
            leaves[0x80000008, 0][2] & 0xFF, leaves[0x80000008, 0][2] >> 12 & 0xF,
        )  # fmt: skip
        right = (stride - 1, 1, shift, largest, largest - 1, shift)
        if found != right:
            findings.append(f"{where}: leaves {found} and not {right}")
    count = len(ids)
    queries = {(it["capacity"], it["answer"], it["filled"]) for it in lines(text, "query")}
    right = {(0, "ok", count), (count, "ok", count), (count + 1, "ok", count),
             (1, "-ENOBUFS", count), (count - 1, "-ENOBUFS", count)}  # fmt: skip
    if queries != right:
        findings.append(f"queries {sorted(queries)} and not {sorted(right)}")
    filled = [it["ids"] for it in lines(text, "query") if it["answer"] == "ok" and it["capacity"] >= count]
    if any(it[:count] != ids for it in filled) or len(filled) != 2:
        findings.append(f"queries' ids {filled}")
    right = {
        "pv-with-flag": "-EINVAL", "setvnumainfo-same-after-run": "ok", "setvnumainfo-other-after-run": "-EBUSY",
        "query-without-layout": "-EOPNOTSUPP", "unpause-without-layout": "-EOPNOTSUPP", "sethvmcontext-other-id": "-EINVAL",
        "query-of-dying": "-EINVAL", "get_vnumainfo": "ok", "ids-that-do-not-fit": "-ERANGE",
    }  # fmt: skip
    return findings + _answers(text, right | REFUSALS)


def older(text: str) -> list[str]:
    """A Xen without them."""
    findings = [f"query: {it}" for it in lines(text, "query") if it["answer"] != "-ENOSYS"]
    looks = lines(text, "order")
    findings += [f"order {look['order']}: ids {look['ids']}" for look in looks if look["ids"] is not None]
    if len(looks) != LOOKS or not lines(text, "query"):
        findings.append(f"{len(looks)} looks and not {LOOKS}: {text[-300:]}")
    right = {
        "pv-with-flag": "-EINVAL", "setvnumainfo-same-after-run": "ok", "setvnumainfo-other-after-run": "ok",
        "query-without-layout": "-ENOSYS", "unpause-without-layout": "ok", "sethvmcontext-other-id": "ok",
        "query-of-dying": "-ENOSYS", "get_vnumainfo": "ok", "ids-that-do-not-fit": "ok",
    }  # fmt: skip
    return findings + _answers(text, right | REFUSALS)


def refused(text: str, status: int) -> list[str]:
    """A Xen that does not know the flag makes no domain with it."""
    return [] if status == 1 and "error: XEN_DOMCTL_createdomain: -EINVAL" in text else [text[-300:]]


def _answers(text: str, right: dict[str, str]) -> list[str]:
    found = {it["call"]: it["answer"] for it in lines(text, "answer")}
    return [] if found == right else [f"answers {found} and not {right}"]
