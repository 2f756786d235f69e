/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_dom0.c
 *
 * A PVH dom0's vNUMA, from the gate to the installed layout: the host's facts
 * become one plan (hvg.h), and Xen does what it says.
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

/* dom0-vnuma=List of [ <bool>, memory-map=<bool> ]: without it dom0 is stock's. */
static bool __initdata opt_vnuma = true, opt_memory_map = true;
static int __init cf_check parse_dom0_vnuma(const char *s)
{
    const char *ss;
    int val, rc = 0;

    do {
        ss = strchr(s, ',');
        if ( !ss )
            ss = strchr(s, '\0');

        if ( (val = parse_bool(s, ss)) >= 0 )
            opt_vnuma = val;
        else if ( (val = parse_boolean("memory-map", s, ss)) >= 0 )
            opt_memory_map = val;
        else
            rc = -EINVAL;

        s = ss + 1;
    } while ( *ss );

    return rc;
}
custom_param("dom0-vnuma", parse_dom0_vnuma);

static void *__initdata plan_memory;
static struct hvg_plan *__initdata plan;
static bool __initdata placed;
/* The layout's size; 0 where the gate is not met. */
static unsigned int __initdata nr_vnodes, nr_vmemranges;

void __init hv_glue_dom0_report(const char *what, const struct hvg_error *err)
{
    char text[128];

    hvg_strerror(err, text, sizeof(text));
    printk(XENLOG_WARNING "vNUMA: %s: %s\n", what, text);
}

/* What xfree() takes: the facts are const for the library alone. */
static void __init release_host(struct hvg_host *host)
{
    xfree((void *)host->blocks);
    xfree((void *)host->e820);
    xfree((void *)host->pcpus);
    xfree((void *)host->pcpu_node);
    xfree((void *)host->node_pxm);
    xfree((void *)host->distances);
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

static bool __init gather_host(struct hvg_host *host)
{
    unsigned int i, cpu, nr_nodes = last_node(node_online_map) + 1;
    struct hvg_block *blocks =
        xzalloc_array(struct hvg_block, numa_get_nr_memblks() + 1);
    struct hvg_e820 *map = xzalloc_array(struct hvg_e820, e820.nr_map);
    uint32_t *pcpus = xzalloc_array(uint32_t, nr_cpu_ids);
    uint32_t *pcpu_node = xzalloc_array(uint32_t, nr_cpu_ids);
    uint32_t *node_pxm = xzalloc_array(uint32_t, nr_nodes);
    uint8_t *distances = xzalloc_array(uint8_t, nr_nodes * nr_nodes);

    host->blocks = blocks;
    host->e820 = map;
    host->pcpus = pcpus;
    host->pcpu_node = pcpu_node;
    host->node_pxm = node_pxm;
    host->distances = distances;
    if ( !blocks || !map || !pcpus || !pcpu_node || !node_pxm || !distances )
        return false;

    for ( i = 0; i < numa_get_nr_memblks(); i++ )
    {
        struct hvg_block *block = &blocks[host->nr_blocks];
        nodeid_t node;

        if ( !numa_get_memblk(i, &block->start, &block->end, &node) )
            break;
        /* A block of no size is a trace of one that was refused. */
        if ( block->start == block->end )
            continue;
        block->node = node;
        block->flags = hv_glue_memblk_hotplug(i) ? HVG_MEMORY_HOTPLUG : 0;
        if ( !on_its_node(block) )
        {
            printk(XENLOG_WARNING
                   "vNUMA: %#"PRIx64"-%#"PRIx64" is not all on node %u, so nodes are not the SRAT's\n",
                   block->start, block->end, node);
            host->nr_blocks = 0;
            break;
        }
        host->nr_blocks++;
    }

    for ( i = 0; i < e820.nr_map; i++ )
    {
        map[i].start = e820.map[i].addr;
        map[i].end = e820.map[i].addr + e820.map[i].size;
        map[i].kind = e820.map[i].type;
    }
    host->nr_e820 = e820.nr_map;

    /* The order in which the scheduler gives dom0's vCPUs their pCPUs. */
    for_each_cpu ( cpu, &dom0_cpus )
    {
        pcpus[host->nr_pcpus] = cpu;
        pcpu_node[host->nr_pcpus] = cpu_to_node(cpu);
        host->nr_pcpus++;
    }

    for ( i = 0; i < nr_nodes; i++ )
    {
        unsigned int to;

        node_pxm[i] = node_online(i) ? hv_glue_node_to_pxm(i) : HVG_NONE;
        for ( to = 0; to < nr_nodes; to++ )
            distances[i * nr_nodes + to] = __node_distance(i, to);
    }
    host->nr_nodes = nr_nodes;

    return true;
}

void __init hv_glue_dom0_forget_plan(void)
{
    xfree(plan_memory);
    plan_memory = NULL;
    plan = NULL;
}

/* The plan: made once, before dom0 exists, since its gate is a creation flag. */
struct domain *__init hv_glue_create_dom0(domid_t domid,
                                          struct xen_domctl_createdomain *config,
                                          unsigned int flags)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_gate gate = HVG_INIT(struct hvg_gate);
    struct hvg_host host = HVG_INIT(struct hvg_host);
    struct hvg_request request = HVG_INIT(struct hvg_request);
    unsigned int i;
    uint64_t len;

    if ( pv_shim )
        return domain_create(domid, config, flags);
    if ( !opt_vnuma )
    {
        printk(XENLOG_INFO "vNUMA: dom0 gets none: dom0-vnuma is off\n");
        return domain_create(domid, config, flags);
    }

    if ( gather_host(&host) )
    {
        request.vcpus = config->max_vcpus;
        request.present_pcpus = restricted ? num_present_cpus() : host.nr_pcpus;
        /* Fewer vCPUs than pCPUs will do: a PVH guest has at most 128. */
        request.flags =
            (config->flags & XEN_DOMCTL_CDF_hvm ? HVG_REQUEST_PVH : 0) |
            (opt_dom0_vcpus_pin && !grouped ? HVG_REQUEST_PINNED : 0) |
            (restricted ? 0 : HVG_REQUEST_PARTIAL);
        request.max_elements = hv_glue_dom0_table_elements();

        if ( hvg_plan_len(&host, &request, &len, &err) ||
             ((plan_memory = xmalloc_bytes(len)) != NULL &&
              hvg_plan_make(&host, &request, plan_memory, len, &gate, &plan,
                            &err)) )
            hv_glue_dom0_report("no plan for dom0", &err);
    }
    release_host(&host);

    if ( !plan_memory )
        printk(XENLOG_WARNING "vNUMA: no memory for dom0's plan\n");
    for ( i = 0; plan && hvg_plan_unmet(plan, i, &err) > 0; i++ )
        hv_glue_dom0_report("dom0 gets one node", &err);
    if ( plan && opt_dom0_vcpus_pin && grouped )
        printk(XENLOG_INFO
               "vNUMA: sched-gran is not cpu, so vCPUs are not taken as pinned one by one\n");
    if ( gate.enabled )
        printk(XENLOG_INFO "vNUMA: dom0 gets %u nodes with %u memory blocks\n",
               gate.nr_nodes, gate.nr_vmemranges);

    if ( gate.enabled )
        config->flags |= XEN_DOMCTL_CDF_vnuma_apic_topology;
    if ( !plan || !(config->flags & XEN_DOMCTL_CDF_hvm) )
        hv_glue_dom0_forget_plan();
    nr_vnodes = gate.nr_vnodes;
    nr_vmemranges = gate.nr_vmemranges;

    return domain_create(domid, config, flags);
}

/* dom0's share of each node's RAM in place of the lowest addresses' RAM. */
void __init hv_glue_dom0_e820(struct domain *d, unsigned long nr_pages)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_map map = HVG_INIT(struct hvg_map);
    struct hvg_e820 *from = xzalloc_array(struct hvg_e820, HVG_MAP_ENTRIES);
    struct e820entry *entries = xzalloc_array(struct e820entry, HVG_MAP_ENTRIES);
    unsigned int i;
    nodeid_t node;

    if ( plan && !opt_memory_map )
        printk(XENLOG_INFO
               "vNUMA: dom0 keeps the lowest RAM: dom0-vnuma is no-memory-map\n");
    if ( !plan || !opt_memory_map || !from || !entries )
        goto out;

    for_each_online_node ( node )
        map.modules += initial_images_nrpages(node);
    map.modules <<= PAGE_SHIFT;
    map.nr_pages = nr_pages;
    map.entries = from;
    map.nr_entries = HVG_MAP_ENTRIES;

    hvg_plan_trim(plan, &map, &err);
    if ( err.what != HVG_WHAT_NONE )
        hv_glue_dom0_report("dom0 keeps the lowest RAM", &err);
    if ( map.by_node )
    {
        for ( i = 0; i < map.nr_entries; i++ )
        {
            entries[i].addr = from[i].start;
            entries[i].size = from[i].end - from[i].start;
            entries[i].type = from[i].kind;
        }
        xfree(d->arch.e820);
        d->arch.e820 = entries;
        d->arch.nr_e820 = map.nr_entries;
        entries = NULL;
        printk(XENLOG_INFO
               "vNUMA: dom0's %lu pages are shared over the nodes in %u entries, %u merged, kept up to %#"PRIx64" with %#"PRIx64" bytes of modules\n",
               nr_pages, map.nr_entries, map.merged, map.kept_up_to,
               map.modules);
        printk(XENLOG_INFO
               "vNUMA: dom0's pages below 4GiB: %"PRIu64" >= %"PRIu64"\n",
               map.low_pages, map.low_floor);
    }
 out:
    if ( !nr_vnodes )
        hv_glue_dom0_forget_plan();
    xfree(from);
    xfree(entries);
}

/* Nodes whose pCPUs dom0 has no vCPU for, as with a small dom0_max_vcpus. */
static void __init report_memory_only(const struct domain *d,
                                      const struct vnuma_info *vnuma)
{
    unsigned int i, vcpu;

    for ( i = 0; i < vnuma->nr_vnodes; i++ )
    {
        nodeid_t node = vnuma->vnode_to_pnode[i];

        for ( vcpu = 0; vcpu < d->max_vcpus; vcpu++ )
            if ( vnuma->vcpu_to_vnode[vcpu] == i )
                break;
        if ( node == NUMA_NO_NODE || vcpu < d->max_vcpus ||
             cpumask_empty(&node_to_cpumask(node)) )
            continue;
        printk(XENLOG_INFO
               "vNUMA: node %u is memory-only for dom0: 0 vCPUs on its %u pCPUs\n",
               node, cpumask_weight(&node_to_cpumask(node)));
    }
}

/* The layout, its ids and its CPUID leaves; without them dom0 has one node. */
void __init hv_glue_dom0_place(struct domain *d)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_layout layout = HVG_INIT(struct hvg_layout);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    struct vnuma_info *vnuma;
    uint32_t pnode[HVG_MAX_VNODES];
    unsigned int i;
    int rc;

    if ( !plan )
        return;

    vnuma = hv_glue_vnuma_alloc(nr_vnodes, nr_vmemranges, d->max_vcpus);
    rc = IS_ERR(vnuma) ? PTR_ERR(vnuma) : 0;
    if ( !rc )
    {
        vnuma->nr_vnodes = layout.nr_vnodes = nr_vnodes;
        vnuma->nr_vmemranges = layout.nr_vmemranges = nr_vmemranges;
        layout.nr_vcpus = d->max_vcpus;
        layout.vcpu_to_vnode = vnuma->vcpu_to_vnode;
        layout.apic_ids = hv_glue_vnuma_ids(d, vnuma);
        layout.vnode_to_pnode = pnode;
        layout.vdistance = vnuma->vdistance;
        layout.vmemranges = (struct hvg_vmemrange *)vnuma->vmemrange;
        rc = hvg_plan_layout(plan, &layout, &shape, &err);
        for ( i = 0; !rc && i < nr_vnodes; i++ )
            vnuma->vnode_to_pnode[i] =
                pnode[i] == HVG_NONE ? NUMA_NO_NODE : pnode[i];
        if ( !rc )
        {
            *hv_glue_vnuma_shape(d, vnuma) = shape;
            rc = hv_glue_vnuma_install(d, vnuma, &err);
        }
        if ( rc )
            hv_glue_vnuma_free(vnuma);
    }
    if ( rc )
    {
        if ( err.what == HVG_WHAT_NONE )
            printk(XENLOG_WARNING "vNUMA: no memory for dom0's layout\n");
        else
            hv_glue_dom0_report("no layout for dom0", &err);
        return hv_glue_dom0_forget_plan();
    }

    placed = true;
    printk(XENLOG_INFO
           "vNUMA: dom0 has %u vnodes, %u ranges, APIC ids up to %u (%s, stride %u, shift %u)\n",
           nr_vnodes, nr_vmemranges, shape.highest,
           shape.numbering == HVG_NUMBERING_DOMAIN ? "by PXM" : "dense",
           shape.stride, shape.pkg_shift);
    report_memory_only(d, vnuma);
}

struct hvg_plan *__init hv_glue_dom0_plan(void)
{
    return plan;
}

bool __init hv_glue_dom0_placed(void)
{
    return placed;
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
