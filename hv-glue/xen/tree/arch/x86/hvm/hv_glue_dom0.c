/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_dom0.c
 *
 * A PVH dom0's vNUMA, from the gate to the tables: what Xen knows goes into the
 * library's structures (hvg.h), and what the library says is carried out.
 */

#include <xen/acpi.h>
#include <xen/domain.h>
#include <xen/err.h>
#include <xen/hv_glue.h>
#include <xen/init.h>
#include <xen/nodemask.h>
#include <xen/param.h>
#include <xen/pfn.h>
#include <xen/sched.h>
#include <xen/softirq.h>

#include <acpi/actables.h>

#include <asm/dom0_build.h>
#include <asm/e820.h>
#include <asm/guest.h>
#include <asm/hv_glue_dom0.h>
#include <asm/hvm/support.h>
#include <asm/io_apic.h>
#include <asm/p2m.h>
#include <asm/setup.h>

#include <public/arch-x86/hvm/start_info.h>

/* Linux's PVH entry takes 128 entries and cuts the rest silently; tables come on top. */
#define DOM0_E820_ENTRIES 120
/*
 * Where Linux is linked to run, and what it and its initrd need from there on:
 * this, or twice the modules, of which Xen counts the kernel as it unpacks it.
 */
#define DOM0_LOAD_START MB(16)
#define DOM0_LOAD_SIZE  MB(128)
#define DOM0_LOAD_TIMES 2

/*
 * Two options that others parse, too: Xen hands each to all of its handlers.
 * Where the scheduler takes vCPUs in groups, vCPU n is not the one of pCPU n;
 * where dom0 is to stay on some nodes, the others are not its memory.
 */
static bool __initdata grouped, restricted;
static int __init cf_check parse_sched_gran(const char *s)
{
    grouped = strcmp(s, "cpu");

    return 0;
}
custom_param("sched-gran", parse_sched_gran);
static int __init cf_check parse_dom0_nodes(const char *s)
{
    restricted = true;

    return 0;
}
custom_param("dom0_nodes", parse_dom0_nodes);

static struct hvg_host __initdata host;
static void *__initdata plan_work;
static struct hvg_plan *__initdata plan;
static bool __initdata placed;
static unsigned long __initdata granted[HVG_ALLOC_KINDS];
static unsigned long __initdata missed[MAX_NUMNODES];
/* The library asks for larger orders than Xen may have, and then for less. */
static unsigned int __initdata orders[HVG_MAX_ORDER + 1];

static void __init report(const char *what, int rc, const struct hvg_error *err)
{
    printk(XENLOG_WARNING
           "vNUMA: %s: %d (rule %#x, element %"PRIu64", value %#"PRIx64")\n",
           what, rc, err->what, err->index, err->value);
}

/* What xfree() takes: the facts are const for the library alone. */
static void __init release_host(void)
{
    xfree((void *)host.blocks);
    xfree((void *)host.e820);
    xfree((void *)host.pcpus);
    xfree((void *)host.pcpu_node);
    xfree((void *)host.node_pxm);
    xfree((void *)host.distances);
    host = (struct hvg_host)HVG_INIT(struct hvg_host);
}

/*
 * Whether a block's RAM is on the node that the SRAT gives it. With numa=fake
 * Xen's nodes are not the firmware's, while the SRAT's blocks remain.
 */
static bool __init on_its_node(const struct hvg_block *block)
{
    unsigned long first = PFN_UP(block->start);
    unsigned long end = min(PFN_DOWN(block->end), max_page);

    return (block->flags & HVG_MEMORY_HOTPLUG) || first >= end ||
           (first >= node_start_pfn(block->node) &&
            end <= node_end_pfn(block->node));
}

/* Every array of the host's facts, or none. */
static bool __init gather_host(void)
{
    unsigned int i, cpu, nr_nodes = last_node(node_online_map) + 1;
    struct hvg_block *blocks =
        xzalloc_array(struct hvg_block, numa_get_nr_memblks() + 1);
    struct hvg_e820 *map = xzalloc_array(struct hvg_e820, e820.nr_map);
    uint32_t *pcpus = xzalloc_array(uint32_t, nr_cpu_ids);
    uint32_t *pcpu_node = xzalloc_array(uint32_t, nr_cpu_ids);
    uint32_t *node_pxm = xzalloc_array(uint32_t, nr_nodes);
    uint8_t *distances = xzalloc_array(uint8_t, nr_nodes * nr_nodes);

    host = (struct hvg_host)HVG_INIT(struct hvg_host);
    host.blocks = blocks;
    host.e820 = map;
    host.pcpus = pcpus;
    host.pcpu_node = pcpu_node;
    host.node_pxm = node_pxm;
    host.distances = distances;
    if ( !blocks || !map || !pcpus || !pcpu_node || !node_pxm || !distances )
    {
        release_host();
        return false;
    }

    for ( i = 0; i < numa_get_nr_memblks(); i++ )
    {
        nodeid_t node;

        if ( !numa_get_memblk(i, &blocks[i].start, &blocks[i].end, &node) )
            break;
        /* A block of no size is a trace of one that was refused. */
        if ( blocks[i].start == blocks[i].end )
            continue;
        blocks[host.nr_blocks] = blocks[i];
        blocks[host.nr_blocks].node = node;
        blocks[host.nr_blocks].flags =
            hv_glue_memblk_hotplug(i) ? HVG_MEMORY_HOTPLUG : 0;
        if ( !on_its_node(&blocks[host.nr_blocks]) )
        {
            printk(XENLOG_WARNING
                   "vNUMA: %#"PRIx64"-%#"PRIx64" is not all on node %u, so nodes are not the SRAT's\n",
                   blocks[host.nr_blocks].start, blocks[host.nr_blocks].end,
                   node);
            host.nr_blocks = 0;
            break;
        }
        host.nr_blocks++;
    }

    for ( i = 0; i < e820.nr_map; i++ )
    {
        map[i].start = e820.map[i].addr;
        map[i].end = e820.map[i].addr + e820.map[i].size;
        map[i].kind = e820.map[i].type;
    }
    host.nr_e820 = e820.nr_map;

    /* The order in which the scheduler gives dom0's vCPUs their pCPUs. */
    for_each_cpu ( cpu, &dom0_cpus )
    {
        pcpus[host.nr_pcpus] = cpu;
        pcpu_node[host.nr_pcpus] = cpu_to_node(cpu);
        host.nr_pcpus++;
    }

    for ( i = 0; i < nr_nodes; i++ )
    {
        unsigned int to;

        node_pxm[i] = node_online(i) ? hv_glue_node_to_pxm(i) : HVG_NONE;
        for ( to = 0; to < nr_nodes; to++ )
            distances[i * nr_nodes + to] = __node_distance(i, to);
    }
    host.nr_nodes = nr_nodes;

    return true;
}

static void __init print_gate(const struct hvg_gate *gate)
{
    static const char *const __initconst names[HVG_CONDITIONS] = {
        [HVG_CONDITION_PVH] = "PVH dom0",
        [HVG_CONDITION_PINNED] = "dom0_vcpus_pin",
        [HVG_CONDITION_VCPUS_COVER_PCPUS] = "vCPUs against pCPUs",
        [HVG_CONDITION_NODES] = "nodes against at least",
        [HVG_CONDITION_BLOCKS] = "memory blocks against 1 to",
        [HVG_CONDITION_IDS_FIT] = "highest APIC id against at most",
    };
    unsigned int i;

    printk(XENLOG_INFO "vNUMA for dom0: %s\n", gate->enabled ? "on" : "off");
    for ( i = 0; i < HVG_CONDITIONS; i++ )
        if ( !gate->conditions[i].ok || opt_dom0_verbose )
            printk(XENLOG_INFO "vNUMA:  %s: %s: %"PRIu64", %"PRIu64"\n",
                   gate->conditions[i].ok ? "met" : "not met", names[i],
                   gate->conditions[i].value, gate->conditions[i].bound);
    if ( gate->uncovered_pages )
        printk(XENLOG_INFO "vNUMA:  %"PRIu64" pages of RAM are in no memory block\n",
               gate->uncovered_pages);
}

void __init hv_glue_dom0_forget_plan(void)
{
    xfree(plan_work);
    plan_work = NULL;
    plan = NULL;
}

/* The gate: asked once, before dom0 exists, since its answer is a creation flag. */
struct domain *__init hv_glue_create_dom0(domid_t domid,
                                          struct xen_domctl_createdomain *config,
                                          unsigned int flags)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_gate gate = HVG_INIT(struct hvg_gate);
    struct hvg_request request = HVG_INIT(struct hvg_request);
    uint64_t work_len;
    int rc;

    if ( pv_shim )
        return domain_create(domid, config, flags);

    if ( !gather_host() )
    {
        printk(XENLOG_WARNING "vNUMA: no memory for the host's description\n");
        return domain_create(domid, config, flags);
    }

    request.vcpus = config->max_vcpus;
    request.present_pcpus = restricted ? num_present_cpus() : host.nr_pcpus;
    /* Fewer vCPUs than pCPUs will do: a PVH guest has at most 128. */
    request.flags = (config->flags & XEN_DOMCTL_CDF_hvm ? HVG_REQUEST_PVH : 0) |
                    (opt_dom0_vcpus_pin && !grouped ? HVG_REQUEST_PINNED : 0) |
                    (restricted ? 0 : HVG_REQUEST_PARTIAL);
    request.apic_id_limit = HV_GLUE_APIC_ID_LIMIT;

    rc = hvg_plan_work_len(&host, &request, &work_len, &err);
    if ( !rc && (plan_work = xmalloc_bytes(work_len)) == NULL )
        rc = -ENOMEM;
    if ( !rc )
        rc = hvg_plan_make(&host, &request, plan_work, work_len, &gate, &plan,
                           &err);
    if ( rc )
        report("the host's description is refused", rc, &err);
    else
    {
        print_gate(&gate);
        if ( opt_dom0_vcpus_pin && grouped )
            printk(XENLOG_INFO
                   "vNUMA:  sched-gran is not cpu, so vCPUs are not taken as pinned one by one\n");
    }
    if ( !rc && err.what != HVG_WHAT_NONE )
        report("the host cannot be laid out", rc, &err);

    if ( !rc && gate.enabled )
        config->flags |= XEN_DOMCTL_CDF_vnuma_apic_topology;
    else
        hv_glue_dom0_forget_plan();
    if ( !(config->flags & XEN_DOMCTL_CDF_hvm) )
        release_host();

    return domain_create(domid, config, flags);
}

/* Room for the kernel, the modules and their metadata in one region of RAM. */
static bool __init loads_anywhere(const struct hvg_e820 *map, unsigned int nr,
                                  uint64_t needed)
{
    unsigned int i;

    for ( i = 0; i < nr; i++ )
        if ( map[i].kind == E820_RAM && map[i].end > MB(1) &&
             map[i].end - max_t(uint64_t, map[i].start, MB(1)) >= needed )
            return true;

    return false;
}

/* dom0's share of each node's RAM in place of the lowest addresses' RAM. */
void __init hv_glue_dom0_e820(struct domain *d, unsigned long nr_pages)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_trim trim = HVG_INIT(struct hvg_trim);
    struct hvg_range keep[2] = {
        { .start = 0, .end = MB(1) },
        { .start = DOM0_LOAD_START },
    };
    struct e820entry *entries = NULL;
    struct hvg_e820 *map = NULL;
    void *work = NULL;
    uint64_t modules = 0, work_len;
    unsigned int i;
    nodeid_t node;
    int rc;

    if ( num_online_nodes() < 2 || !host.nr_blocks )
        return;

    for_each_online_node ( node )
        modules += initial_images_nrpages(node);
    modules <<= PAGE_SHIFT;
    keep[1].end = DOM0_LOAD_START + max_t(uint64_t, DOM0_LOAD_SIZE,
                                           modules * DOM0_LOAD_TIMES);

    trim.nr_pages = nr_pages;
    trim.keep = keep;
    trim.nr_keep = ARRAY_SIZE(keep);
    trim.max_entries = DOM0_E820_ENTRIES;

    rc = hvg_e820_work_len(&host, &trim, &work_len, &err);
    if ( !rc && ((work = xmalloc_bytes(work_len)) == NULL ||
                 (map = xzalloc_array(struct hvg_e820,
                                      DOM0_E820_ENTRIES)) == NULL) )
        rc = -ENOMEM;
    if ( !rc )
        rc = hvg_e820_trim(&host, &trim, work, work_len, map, DOM0_E820_ENTRIES,
                           &err);
    if ( rc )
        report("dom0 keeps the lowest RAM, as its share by node is refused", rc,
               &err);
    else if ( !loads_anywhere(map, trim.nr_entries, modules) )
        printk(XENLOG_WARNING
               "vNUMA: dom0 keeps the lowest RAM: no region of its share holds %"PRIu64" bytes of modules\n",
               modules);
    else
        entries = xzalloc_array(struct e820entry, trim.nr_entries);

    if ( entries )
    {
        for ( i = 0; i < trim.nr_entries; i++ )
        {
            entries[i].addr = map[i].start;
            entries[i].size = map[i].end - map[i].start;
            entries[i].type = map[i].kind;
        }
        xfree(d->arch.e820);
        d->arch.e820 = entries;
        d->arch.nr_e820 = trim.nr_entries;
        printk(XENLOG_INFO
               "vNUMA: dom0's %lu pages are shared over the nodes in %u entries, %u merged, kept up to %#"PRIx64"\n",
               nr_pages, trim.nr_entries, trim.merged, keep[1].end);
    }
    xfree(work);
    xfree(map);
}

static void __init no_layout(int rc, const struct hvg_error *err)
{
    hv_glue_dom0_forget_plan();
    report("no layout for dom0", rc, err);
}

/* The layout, its ids and its CPUID leaves; without them dom0 has one node. */
void __init hv_glue_dom0_place(struct domain *d)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_layout layout = HVG_INIT(struct hvg_layout);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    struct vnuma_info *vnuma;
    uint32_t pnode[HV_GLUE_MAX_VNODES];
    unsigned int i;
    int rc;

    if ( !plan )
        return;

    rc = hvg_plan_layout(plan, &layout, &shape, &err);
    if ( rc )
        return no_layout(rc, &err);

    vnuma = layout.nr_vnodes <= ARRAY_SIZE(pnode)
            ? hv_glue_vnuma_alloc(layout.nr_vnodes, layout.nr_vmemranges,
                                  d->max_vcpus)
            : ERR_PTR(-EINVAL);
    if ( IS_ERR(vnuma) )
        return no_layout(PTR_ERR(vnuma), &err);

    vnuma->nr_vnodes = layout.nr_vnodes;
    vnuma->nr_vmemranges = layout.nr_vmemranges;
    layout.vcpu_to_vnode = vnuma->vcpu_to_vnode;
    layout.apic_ids = hv_glue_vnuma_ids(d, vnuma);
    layout.vnode_to_pnode = pnode;
    layout.vdistance = vnuma->vdistance;
    layout.vmemranges = (struct hvg_vmemrange *)vnuma->vmemrange;
    rc = hvg_plan_layout(plan, &layout, &shape, &err);
    if ( !rc )
    {
        for ( i = 0; i < layout.nr_vnodes; i++ )
            vnuma->vnode_to_pnode[i] =
                pnode[i] == HVG_NONE ? NUMA_NO_NODE : pnode[i];
        *hv_glue_vnuma_shape(d, vnuma) = shape;
        rc = hv_glue_vnuma_install(d, vnuma);
    }
    if ( rc )
    {
        hv_glue_vnuma_free(vnuma);
        return no_layout(rc, &err);
    }

    placed = true;
    printk(XENLOG_INFO
           "vNUMA: dom0 has %u vnodes, %u ranges, APIC ids up to %u (%s, stride %u, shift %u)\n",
           layout.nr_vnodes, layout.nr_vmemranges, shape.highest,
           shape.numbering == HVG_NUMBERING_DOMAIN ? "by PXM" : "dense",
           shape.stride, shape.pkg_shift);
}

struct hvg_plan *__init hv_glue_dom0_plan(void)
{
    return plan;
}

bool __init hv_glue_dom0_placed(void)
{
    return placed;
}

/* Memory for one run of frames, each from its own node as long as that has any. */
int __init hv_glue_dom0_populate(struct domain *d, unsigned long start,
                                 unsigned long nr_pages)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_step step = HVG_INIT(struct hvg_step);
    int rc = hvg_populate_begin(plan, start, nr_pages, &err);

    while ( !rc && (rc = hvg_populate_next(plan, &step, &err)) > 0 )
    {
        unsigned int flags = step.kind == HVG_ALLOC_PLAIN ? 0 : dom0_memflags;
        struct page_info *page;

        if ( step.kind == HVG_ALLOC_NODE_DMA )
            flags &= ~MEMF_no_dma;
        if ( step.node != HVG_NONE )
            flags |= MEMF_exact_node | MEMF_node(step.node);

        page = alloc_domheap_pages(d, step.order, flags | MEMF_no_scrub);
        rc = hvg_populate_report(plan, page != NULL, &err);
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
        report("dom0's memory cannot be populated", rc, &err);

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

    release_host();
    if ( !placed )
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
