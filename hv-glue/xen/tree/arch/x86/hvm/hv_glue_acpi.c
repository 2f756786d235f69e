/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_acpi.c
 *
 * A PVH dom0's RSDP, XSDT, MADT, SRAT and SLIT, sized, placed and written as
 * one. Host tables that dom0 may see are named by the XSDT as before.
 */

#include <xen/acpi.h>
#include <xen/domain.h>
#include <xen/hv_glue.h>
#include <xen/init.h>
#include <xen/param.h>
#include <xen/sched.h>

#include <acpi/actables.h>

#include <asm/hv_glue_dom0.h>
#include <asm/hvm/support.h>
#include <asm/hvm/vioapic.h>
#include <asm/io_apic.h>

#include <public/arch-x86/hvm/start_info.h>

/* The revision of ACPI 6.1, the newest whose MADT Xen's dom0 gets. */
#define MADT_REVISION 4

/* More room for the tables than they need, to see what happens where there is none. */
static uint64_t __initdata opt_arena;
size_param("hv_glue_arena", opt_arena);

#ifdef CONFIG_DEBUG
/* Which copy into dom0 is to fail, counted from 1, to see what happens then. */
static unsigned int __initdata opt_copy_fails;
integer_param("hv_glue_copy_fails", opt_copy_fails);
#else
#define opt_copy_fails 0
#endif

static struct hvg_tables __initdata tables;
static void *__initdata tables_work;
static uint64_t __initdata tables_work_len;

static struct hvg_override __initdata overrides[256];
static unsigned int __initdata nr_overrides;

static int __init cf_check add_override(struct acpi_subtable_header *header,
                                        const unsigned long end)
{
    const struct acpi_madt_interrupt_override *intr =
        container_of(header, struct acpi_madt_interrupt_override, header);

    if ( nr_overrides == ARRAY_SIZE(overrides) )
        return -E2BIG;

    overrides[nr_overrides].source = intr->source_irq;
    overrides[nr_overrides].gsi = intr->global_irq;
    overrides[nr_overrides].flags = intr->inti_flags;
    nr_overrides++;

    return 0;
}

/* Processors, memory and distances, as the installed layout has them. */
static int __init describe_nodes(const struct domain *d, struct hvg_error *err)
{
    struct hvg_layout layout = HVG_INIT(struct hvg_layout);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    struct hvg_processor *processors;
    struct hvg_memory *memory;
    uint32_t *pxms, *distances, *vdistance, *flags;
    unsigned int i, j, n, filled = 0;
    int rc = hvg_plan_layout(hv_glue_dom0_plan(), &layout, &shape, err);

    if ( rc )
        return rc;

    n = layout.nr_vnodes;
    processors = xzalloc_array(struct hvg_processor, d->max_vcpus);
    memory = xzalloc_array(struct hvg_memory, layout.nr_vmemranges);
    pxms = xzalloc_array(uint32_t, n * 2);
    distances = xzalloc_array(uint32_t, n * n);
    vdistance = xzalloc_array(uint32_t, n * n);
    flags = xzalloc_array(uint32_t, layout.nr_vmemranges);
    if ( !processors || !memory || !pxms || !distances || !vdistance || !flags )
        return -ENOMEM;

    layout.vnode_pxm = pxms + n;
    layout.vdistance = vdistance;
    layout.range_flags = flags;
    rc = hvg_plan_layout(hv_glue_dom0_plan(), &layout, &shape, err);
    if ( rc )
        return rc;

    for ( i = 0; i < d->max_vcpus; i++ )
    {
        processors[i].apic_id = hv_glue_x2apic_id(d, i);
        processors[i].pxm = layout.vnode_pxm[d->vnuma->vcpu_to_vnode[i]];
    }

    for ( i = 0; i < layout.nr_vmemranges; i++ )
    {
        const struct xen_vmemrange *range = &d->vnuma->vmemrange[i];

        memory[i].start = range->start;
        memory[i].end = range->end;
        memory[i].pxm = layout.vnode_pxm[range->nid];
        memory[i].flags = flags[i];
    }

    /* Gaps have no row: the SLIT's emitter fills them. */
    for ( i = 0; i < n; i++ )
    {
        if ( layout.vnode_pxm[i] == HVG_NONE )
            continue;
        pxms[tables.nr_distances++] = layout.vnode_pxm[i];
        for ( j = 0; j < n; j++ )
            if ( layout.vnode_pxm[j] != HVG_NONE )
                distances[filled++] = vdistance[i * n + j];
    }
    xfree(vdistance);
    xfree(flags);

    tables.processors = processors;
    tables.nr_processors = d->max_vcpus;
    tables.memory = memory;
    tables.nr_memory = layout.nr_vmemranges;
    tables.distance_pxm = pxms;
    tables.distances = distances;

    return 0;
}

static int __init describe_interrupts(const struct domain *d)
{
    struct hvg_io_apic *io_apics = xzalloc_array(struct hvg_io_apic, nr_ioapics);
    unsigned int i;

    if ( !io_apics )
        return -ENOMEM;

    for ( i = 0; i < nr_ioapics; i++ )
    {
        io_apics[i].id = domain_vioapic(d, i)->id;
        io_apics[i].address = domain_vioapic(d, i)->base_address;
        io_apics[i].gsi_base = domain_vioapic(d, i)->base_gsi;
    }
    tables.io_apics = io_apics;
    tables.nr_io_apics = nr_ioapics;

    acpi_table_parse_madt(ACPI_MADT_TYPE_INTERRUPT_OVERRIDE, add_override, 0);
    tables.overrides = overrides;
    tables.nr_overrides = nr_overrides;

    return 0;
}

/* The size of all tables; everything that may fail for their content is here. */
int __init hv_glue_dom0_tables_begin(const struct domain *d,
                                     const uint64_t *foreign,
                                     unsigned int nr_foreign,
                                     unsigned long *size)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct acpi_table_header *native;
    uint64_t len = 0;
    int rc;

    if ( !ACPI_SUCCESS(acpi_get_table(ACPI_SIG_MADT, 0, &native)) )
    {
        printk("Failed to get MADT ACPI table, aborting.\n");
        return -EINVAL;
    }

    tables = (struct hvg_tables)HVG_INIT(struct hvg_tables);
    tables.madt_revision = min_t(unsigned int, native->revision, MADT_REVISION);
    tables.oem_revision = native->oem_revision;
    memcpy(tables.oem_id, native->oem_id, sizeof(tables.oem_id));
    memcpy(tables.oem_table_id, native->oem_table_id,
           sizeof(tables.oem_table_id));
    tables.foreign = foreign;
    tables.nr_foreign = nr_foreign;

    rc = describe_nodes(d, &err);
    if ( !rc )
        rc = describe_interrupts(d);
    if ( !rc )
        rc = hvg_tables_work_len(&tables, &tables_work_len, &err);
    if ( !rc && (tables_work = xmalloc_bytes(tables_work_len)) == NULL )
        rc = -ENOMEM;
    if ( !rc )
        rc = hvg_tables_len(&tables, tables_work, tables_work_len, &len, &err);
    if ( rc )
        printk(XENLOG_ERR
               "vNUMA: no tables for dom0: %d (rule %#x, element %"PRIu64", value %#"PRIx64")\n",
               rc, err.what, err.index, err.value);
    *size = max(len, opt_arena);

    return rc;
}

static int __init copy_to_dom0(struct domain *d, paddr_t to, void *from,
                               unsigned long size, const void *what,
                               int what_len)
{
    static unsigned int __initdata copies;

    if ( ++copies != opt_copy_fails &&
         hvm_copy_to_guest_phys(to, from, size, d->vcpu[0]) == HVMTRANS_okay )
        return 0;

    printk(XENLOG_ERR
           "vNUMA: dom0's %.*s: %lu bytes at %#"PRIpaddr" could not be written\n",
           what_len, (const char *)what, size, to);

    return -EFAULT;
}

int __init hv_glue_dom0_tables_emit(struct domain *d, paddr_t arena,
                                    unsigned long size, paddr_t start_info,
                                    paddr_t *madt)
{
    unsigned int i;
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_placed where = HVG_INIT(struct hvg_placed);
    uint8_t *image = xzalloc_bytes(size);
    int rc = image ? 0 : -ENOMEM;

    if ( !rc )
        rc = hvg_tables_emit(&tables, tables_work, tables_work_len, image, size,
                             arena, &where, &err);
    /* Each with the zeros behind it, so that all of the arena is written. */
    for ( i = 0; !rc && i < where.nr_tables; i++ )
    {
        paddr_t from = where.tables[i].address;
        paddr_t end = i + 1 < where.nr_tables ? where.tables[i + 1].address
                                              : arena + size;

        rc = copy_to_dom0(d, from, image + (from - arena), end - from,
                          where.tables[i].signature, 4);
    }
    /* The kernel finds nothing of a set that is not whole. */
    if ( !rc )
        rc = copy_to_dom0(d, start_info + offsetof(struct hvm_start_info,
                                                   rsdp_paddr),
                          &where.rsdp, sizeof(where.rsdp), "start info", 10);
    if ( rc )
        printk(XENLOG_ERR "vNUMA: dom0's tables at %#"PRIpaddr": %d (rule %#x)\n",
               arena, rc, err.what);
    else
        printk(XENLOG_INFO
               "vNUMA: dom0's tables: %"PRIu64" bytes at %#"PRIpaddr"\n",
               where.len, arena);

    *madt = where.madt;
    xfree(image);
    xfree(tables_work);
    xfree((void *)tables.processors);
    xfree((void *)tables.memory);
    xfree((void *)tables.distance_pxm);
    xfree((void *)tables.distances);
    xfree((void *)tables.io_apics);
    hv_glue_dom0_forget_plan();

    return rc;
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
