/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_pvh.h
 *
 * For the PVH dom0 builder alone: the names that stand in it, and the way from
 * them to its own functions, which are static there.
 */

#ifndef __ASM_HV_GLUE_PVH_H__
#define __ASM_HV_GLUE_PVH_H__

#include <xen/hv_glue.h>

#ifdef CONFIG_HV_GLUE

#include <asm/hv_glue_dom0.h>

static void pvh_setup_e820(struct domain *d, unsigned long nr_pages);
static int pvh_populate_memory_range(struct domain *d, unsigned long start,
                                     unsigned long nr_pages);
static int pvh_populate_p2m(struct domain *d);
static int pvh_steal_ram(struct domain *d, unsigned long size,
                         unsigned long align, paddr_t limit, paddr_t *addr);
static int pvh_add_mem_range(struct domain *d, uint64_t s, uint64_t e,
                             unsigned int type);
static int pvh_setup_acpi_madt(struct domain *d, paddr_t *addr);
static bool pvh_acpi_xsdt_table_allowed(const char *sig, unsigned long address,
                                        unsigned long size);

/* Xen's own map remains where ours is refused, so it is made first. */
static void __init hv_glue_setup_e820(struct domain *d, unsigned long nr_pages)
{
    pvh_setup_e820(d, nr_pages);
    hv_glue_dom0_e820(d, nr_pages);
}

static int __init hv_glue_populate_p2m(struct domain *d)
{
    int rc;

    hv_glue_dom0_place(d);
    rc = pvh_populate_p2m(d);
    if ( !rc )
        hv_glue_dom0_populated(d);

    return rc;
}

static int __init hv_glue_populate_memory_range(struct domain *d,
                                                unsigned long start,
                                                unsigned long nr_pages)
{
    if ( !hv_glue_dom0_placed() )
        return pvh_populate_memory_range(d, start, nr_pages);

    return hv_glue_dom0_populate(d, start, nr_pages);
}

/* Returned in place of a MADT where all tables and the RSDP stand already. */
#define HV_GLUE_TABLES_DONE 1
#define hv_glue_acpi_status(rc) hv_glue_done_is_success(rc)

static int __init hv_glue_done_is_success(int rc)
{
    return rc == HV_GLUE_TABLES_DONE ? 0 : rc;
}

static int __init hv_glue_setup_acpi_madt(struct domain *d, paddr_t start_info,
                                          paddr_t *madt)
{
    const struct acpi_table_desc *tables = acpi_gbl_root_table_list.tables;
    unsigned int i, nr = 0;
    unsigned long size;
    uint64_t *addresses;
    paddr_t arena;
    int rc;

    if ( !hv_glue_dom0_placed() )
        return pvh_setup_acpi_madt(d, madt);

    /* As Xen's own XSDT: the DMAR gets its signature back, but stays out. */
    acpi_dmar_reinstate();

    addresses = xzalloc_array(uint64_t, acpi_gbl_root_table_list.count + 1);
    if ( !addresses )
        return -ENOMEM;
    for ( i = 0; i < acpi_gbl_root_table_list.count; i++ )
        if ( pvh_acpi_xsdt_table_allowed(tables[i].signature.ascii,
                                         tables[i].address,
                                         tables[i].length) )
            addresses[nr++] = tables[i].address;

    rc = hv_glue_dom0_tables_begin(d, addresses, nr, &size);
    if ( !rc )
    {
        /* Whole pages, so that the memory map has no hole beside them. */
        size = ROUNDUP(size, PAGE_SIZE);
        /* pvh_steal_ram() wraps where a region ends below the size. */
        for ( i = 0; i < d->arch.nr_e820; i++ )
            if ( d->arch.e820[i].type == E820_RAM &&
                 d->arch.e820[i].addr + d->arch.e820[i].size <= GB(4) &&
                 d->arch.e820[i].size > size )
                break;
        rc = i == d->arch.nr_e820
             ? -ENOMEM : pvh_steal_ram(d, size, PAGE_SIZE, GB(4), &arena);
        if ( rc )
            printk(XENLOG_ERR
                   "vNUMA: no %lu bytes of dom0's RAM below 4GiB are free for its ACPI tables\n",
                   size);
    }
    if ( !rc )
    {
        /*
         * pvh_add_mem_range() would move the start of a range that follows
         * at once without growing it.
         */
        for ( i = 0; i < d->arch.nr_e820; i++ )
            if ( d->arch.e820[i].type == E820_ACPI &&
                 d->arch.e820[i].addr == arena + size )
            {
                d->arch.e820[i].addr = arena;
                d->arch.e820[i].size += size;
                break;
            }
        if ( i == d->arch.nr_e820 &&
             pvh_add_mem_range(d, arena, arena + size, E820_ACPI) )
            printk("Unable to add vNUMA tables to memory map\n");
        rc = hv_glue_dom0_tables_emit(d, arena, size, start_info, madt);
    }
    xfree(addresses);

    return rc ?: HV_GLUE_TABLES_DONE;
}

#else /* !CONFIG_HV_GLUE */

#define hv_glue_setup_e820(d, n) pvh_setup_e820(d, n)
#define hv_glue_populate_p2m(d) pvh_populate_p2m(d)
#define hv_glue_populate_memory_range(d, s, n) pvh_populate_memory_range(d, s, n)
#define hv_glue_setup_acpi_madt(d, si, madt) pvh_setup_acpi_madt(d, madt)
#define hv_glue_acpi_status(rc) (rc)

#endif /* CONFIG_HV_GLUE */

#endif /* __ASM_HV_GLUE_PVH_H__ */
