/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_populate.c
 *
 * A PVH dom0's memory: the plan (hvg.h) says which pages are next and from
 * where, Xen allocates them and reports what happened.
 */

#include <xen/domain.h>
#include <xen/hv_glue.h>
#include <xen/init.h>
#include <xen/numa.h>
#include <xen/pfn.h>
#include <xen/sched.h>
#include <xen/softirq.h>

#include <asm/dom0_build.h>
#include <asm/guest.h>
#include <asm/hv_glue_dom0.h>
#include <asm/p2m.h>
#include <asm/setup.h>

static unsigned long __initdata granted[HVG_ALLOC_KINDS];
static unsigned long __initdata missed[MAX_NUMNODES];
/* The library asks for larger orders than Xen may have, and then for less. */
static unsigned int __initdata orders[HVG_MAX_ORDER + 1];

/* Memory for one run of frames, each from its own node as long as that has any. */
int __init hv_glue_dom0_populate(struct domain *d, unsigned long start,
                                 unsigned long nr_pages)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_step step = HVG_INIT(struct hvg_step);
    struct hvg_plan *plan = hv_glue_dom0_plan();
    int rc = hvg_plan_populate(plan, start, nr_pages, &err);

    while ( !rc && (rc = hvg_plan_next(plan, &step, &err)) > 0 )
    {
        unsigned int flags = step.kind == HVG_ALLOC_PLAIN ? 0 : dom0_memflags;
        struct page_info *page;

        if ( step.kind == HVG_ALLOC_NODE_DMA )
            flags &= ~MEMF_no_dma;
        if ( step.node != HVG_NONE )
            flags |= MEMF_exact_node | MEMF_node(step.node);

        page = alloc_domheap_pages(d, step.order, flags | MEMF_no_scrub);
        rc = hvg_plan_report(plan, page != NULL, &err);
        if ( page )
        {
            int error = p2m_add_page(d, _gfn(step.pfn), page_to_mfn(page),
                                     step.order, p2m_ram_rw);

            if ( error )
            {
                printk("Failed to populate memory: [%#"PRIx64",%#"PRIx64"): %d\n",
                       step.pfn, step.pfn + (1UL << step.order), error);
                return error;
            }
            /* Frames in no block have no node that they could miss. */
            granted[step.home == HVG_NONE ? HVG_ALLOC_NODE
                                          : step.kind] += 1UL << step.order;
            if ( step.kind >= HVG_ALLOC_ANY && step.home < MAX_NUMNODES )
                missed[step.home] += 1UL << step.order;
            orders[step.order]++;
        }
        /* How long an allocation takes is not known, so this is done for each. */
        process_pending_softirqs();
    }

    if ( rc )
        hv_glue_dom0_report("dom0's memory cannot be populated", &err);

    return rc;
}

/* Which of the host's frames dom0 has in each range: a PVH dom0 cannot tell. */
static void __init print_frames(struct domain *d)
{
    const struct vnuma_info *vnuma = d->vnuma;
    unsigned int i, j;

    for ( i = 0; i < vnuma->nr_vmemranges; i++ )
    {
        const struct xen_vmemrange *range = &vnuma->vmemrange[i];
        unsigned long first = ULONG_MAX, last = 0;
        mfn_t first_mfn, last_mfn;
        p2m_type_t type;

        for ( j = 0; j < d->arch.nr_e820; j++ )
        {
            const struct e820entry *entry = &d->arch.e820[j];
            unsigned long start = PFN_UP(max(range->start, entry->addr));
            unsigned long end = PFN_DOWN(min(range->end,
                                             entry->addr + entry->size));

            if ( entry->type != E820_RAM || start >= end )
                continue;
            first = min(first, start);
            last = max(last, end - 1);
        }
        if ( first > last )
            continue;

        first_mfn = get_gfn_query_unlocked(d, first, &type);
        last_mfn = get_gfn_query_unlocked(d, last, &type);
        printk(XENLOG_INFO
               "vNUMA:  range %u, node %u: dom0's frames %#lx and %#lx are the host's %#lx and %#lx\n",
               i, vnuma->vnode_to_pnode[range->nid], first, last,
               mfn_x(first_mfn), mfn_x(last_mfn));
    }
}

void __init hv_glue_dom0_populated(struct domain *d)
{
    unsigned int i;
    unsigned long fallbacks = granted[HVG_ALLOC_ANY] + granted[HVG_ALLOC_PLAIN];

    if ( !hv_glue_dom0_placed() )
        return;

    /* Xen's own counters are behind the path that was not taken. */
    for ( i = 0; opt_dom0_verbose && i < ARRAY_SIZE(orders); i++ )
        if ( orders[i] )
            printk("order %2u allocations: %u\n", i, orders[i]);

    printk(XENLOG_INFO
           "vNUMA: pages from their node: %lu, of them from its DMA reserve: %lu\n",
           granted[HVG_ALLOC_NODE] + granted[HVG_ALLOC_NODE_DMA],
           granted[HVG_ALLOC_NODE_DMA]);
    if ( fallbacks )
        printk(XENLOG_WARNING
               "vNUMA: pages from another node than SRAT says: %lu (%lu without flags)\n",
               fallbacks, granted[HVG_ALLOC_PLAIN]);
    for ( i = 0; i < ARRAY_SIZE(missed); i++ )
        if ( missed[i] )
            printk(XENLOG_WARNING "vNUMA:  %lu pages that belong on node %u\n",
                   missed[i], i);

    if ( opt_dom0_verbose )
        print_frames(d);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
