/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_pxms.c
 *
 * XENMEM_get_mfn_pxms of public/hv_glue.h. The lookup is the library's (hvg.h).
 */

#include <xen/event.h>
#include <xen/guest_access.h>
#include <xen/hv_glue.h>
#include <xen/hvg.h>
#include <xen/hypercall.h>
#include <xen/sched.h>

#include <asm/mm.h>

#ifdef CONFIG_COMPAT
#include <compat/xen.h>
#endif

/* The host's memory blocks in frames; nothing changes them after boot. */
static struct hvg_pxm_range *__read_mostly pxm_ranges;
static unsigned int __read_mostly nr_pxm_ranges;

static int __init cf_check gather_pxm_ranges(void)
{
    unsigned int i, nr = numa_get_nr_memblks();
    int left;
    paddr_t start, end;
    nodeid_t nid;

    pxm_ranges = xzalloc_array(struct hvg_pxm_range, nr + 1);
    if ( !pxm_ranges )
        return -ENOMEM;

    for ( i = 0; i < nr && numa_get_memblk(i, &start, &end, &nid); i++ )
    {
        unsigned int pxm = hv_glue_node_to_pxm(nid);

        /* The blocks of an SRAT that Xen has refused are there, their nodes are not. */
        if ( PFN_UP(start) >= PFN_DOWN(end) || pxm_to_node(pxm) != nid )
            continue;
        pxm_ranges[nr_pxm_ranges].start = PFN_UP(start);
        pxm_ranges[nr_pxm_ranges].end = PFN_DOWN(end);
        pxm_ranges[nr_pxm_ranges].pxm = pxm;
        nr_pxm_ranges++;
    }

    /* Xen accepts an SRAT in which blocks of one node overlap or repeat. */
    left = hvg_merge_pxm_ranges(pxm_ranges, nr_pxm_ranges, NULL);
    if ( left < 0 )
        return left;
    nr_pxm_ranges = left;

    return 0;
}
__initcall(gather_pxm_ranges);

/* Frames of one lookup, and their answers: both are on the stack. */
#define MFNS_AT_ONCE 64

struct mfn_pxms {
    uint64_t mfns[MFNS_AT_ONCE];
    uint32_t pxms[MFNS_AT_ONCE];
};

/*
 * A caller's start_extent is refused. The hypercall continues with one of its
 * own, which is a multiple of MFNS_AT_ONCE.
 */
static int check_mfn_pxms(uint32_t nr_mfns, uint32_t flags, unsigned long start)
{
    if ( !is_hardware_domain(current->domain) )
        return -EPERM;
    if ( flags || start % MFNS_AT_ONCE || (start && start >= nr_mfns) )
        return -EINVAL;

    return nr_mfns > XEN_GET_MFN_PXMS_MAX ? -E2BIG : 0;
}

static int answer_mfn_pxms(struct mfn_pxms *buf, unsigned int nr)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    unsigned int i;
    int rc = hvg_mfn_pxms(pxm_ranges, nr_pxm_ranges, true, nr, 0, buf->mfns,
                          buf->pxms, &err);

    /* A block may reach beyond the memory that there is. */
    for ( i = 0; !rc && i < nr; i++ )
        if ( buf->mfns[i] >= max_page )
            buf->pxms[i] = XEN_INVALID_NUMA_ID;

    return rc;
}

static long get_mfn_pxms(unsigned long cmd, XEN_GUEST_HANDLE_PARAM(void) arg)
{
    unsigned long start = cmd >> MEMOP_EXTENT_SHIFT;
    struct xen_get_mfn_pxms op;
    struct mfn_pxms buf;
    int rc;

    if ( copy_from_guest(&op, arg, 1) )
        return -EFAULT;

    BUILD_BUG_ON(sizeof(xen_pfn_t) != sizeof(buf.mfns[0]));
    BUILD_BUG_ON(XENMEM_get_mfn_pxms >= (1U << MEMOP_EXTENT_SHIFT));
    /* Numbers of Xen's that the library takes for its own. */
    BUILD_BUG_ON(XEN_GET_MFN_PXMS_MAX != HVG_MFN_PXMS_MAX);
    BUILD_BUG_ON(XEN_INVALID_NUMA_ID != HVG_NONE);

    rc = check_mfn_pxms(op.nr_mfns, op.flags, start);
    while ( !rc && start < op.nr_mfns )
    {
        unsigned int nr = min_t(unsigned int, op.nr_mfns - start, MFNS_AT_ONCE);

        if ( copy_from_guest_offset(buf.mfns, op.mfns, start, nr) )
            rc = -EFAULT;
        else
            rc = answer_mfn_pxms(&buf, nr);
        if ( !rc && copy_to_guest_offset(op.pxms, start, buf.pxms, nr) )
            rc = -EFAULT;

        start += nr;
        if ( !rc && start < op.nr_mfns && hypercall_preempt_check() )
            return hypercall_create_continuation(
                __HYPERVISOR_memory_op, "lh",
                (start << MEMOP_EXTENT_SHIFT) | XENMEM_get_mfn_pxms, arg);
    }

    return rc;
}

long hv_glue_memory_op(unsigned long cmd, XEN_GUEST_HANDLE_PARAM(void) arg)
{
    if ( (cmd & MEMOP_CMD_MASK) == XENMEM_get_mfn_pxms )
        return get_mfn_pxms(cmd, arg);

    return subarch_memory_op(cmd, arg);
}

#ifdef CONFIG_COMPAT
/* A 32-bit hardware domain: handles and frame numbers have 32 bits. */
struct compat_get_mfn_pxms {
    COMPAT_HANDLE(compat_pfn_t) mfns;
    COMPAT_HANDLE(uint32) pxms;
    uint32_t nr_mfns;
    uint32_t flags;
};

static int compat_get_mfn_pxms(unsigned long cmd,
                               XEN_GUEST_HANDLE_PARAM(void) arg)
{
    unsigned long start = cmd >> MEMOP_EXTENT_SHIFT;
    struct compat_get_mfn_pxms op;
    struct mfn_pxms buf;
    unsigned int i, nr;
    int rc;

    BUILD_BUG_ON(sizeof(op) != 16);

    if ( copy_from_guest(&op, arg, 1) )
        return -EFAULT;

    rc = check_mfn_pxms(op.nr_mfns, op.flags, start);
    for ( ; !rc && start < op.nr_mfns; start += nr )
    {
        nr = min_t(unsigned int, op.nr_mfns - start, MFNS_AT_ONCE);
        for ( i = 0; !rc && i < nr; i++ )
        {
            compat_pfn_t mfn;

            if ( copy_from_compat_offset(&mfn, op.mfns, start + i, 1) )
                rc = -EFAULT;
            else
                buf.mfns[i] = mfn;
        }
        if ( !rc )
            rc = answer_mfn_pxms(&buf, nr);
        if ( !rc && copy_to_compat_offset(op.pxms, start, buf.pxms, nr) )
            rc = -EFAULT;
    }

    return rc;
}

int hv_glue_compat_memory_op(unsigned long cmd,
                             XEN_GUEST_HANDLE_PARAM(void) arg)
{
    if ( (cmd & MEMOP_CMD_MASK) == XENMEM_get_mfn_pxms )
        return compat_get_mfn_pxms(cmd, arg);

    return compat_arch_memory_op(cmd, arg);
}
#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
