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

/* An override is of one of 256 ISA interrupts. */
#define MAX_OVERRIDES 256

#ifdef CONFIG_DEBUG
/* More room for the tables than they need, to see what happens where there is none. */
static uint64_t __initdata opt_arena;
size_param("hv_glue_arena", opt_arena);

/* Which copy into dom0 is to fail, counted from 1, to see what happens then. */
static unsigned int __initdata opt_copy_fails;
integer_param("hv_glue_copy_fails", opt_copy_fails);
#else
#define opt_arena ((uint64_t)0)
#define opt_copy_fails 0
#endif

static struct hvg_tables __initdata tables;
static struct hvg_override __initdata overrides[MAX_OVERRIDES];
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

/* Elements of all arrays of `tables`, which the plan makes room for. */
unsigned int __init hv_glue_dom0_table_elements(void)
{
    return nr_ioapics + MAX_OVERRIDES + acpi_gbl_root_table_list.count;
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
                                     const uint64_t *addresses,
                                     unsigned int nr_addresses,
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
    tables.madt_revision = native->revision;
    tables.oem_revision = native->oem_revision;
    memcpy(tables.oem_id, native->oem_id, sizeof(tables.oem_id));
    memcpy(tables.oem_table_id, native->oem_table_id,
           sizeof(tables.oem_table_id));
    tables.tables = addresses;
    tables.nr_tables = nr_addresses;

    rc = describe_interrupts(d);
    if ( rc )
        return rc;
    rc = hvg_plan_tables_len(hv_glue_dom0_plan(), &tables, &len, &err);
    if ( rc )
        hv_glue_dom0_report("no tables for dom0", &err);
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
        rc = hvg_plan_tables_emit(hv_glue_dom0_plan(), &tables, image, size,
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
    {
        printk(XENLOG_ERR "vNUMA: dom0's tables at %#"PRIpaddr": %d\n", arena, rc);
        if ( err.what != HVG_WHAT_NONE )
            hv_glue_dom0_report("no tables for dom0", &err);
    }
    else
        printk(XENLOG_INFO
               "vNUMA: dom0's tables: %"PRIu64" bytes at %#"PRIpaddr"\n",
               where.len, arena);

    *madt = where.madt;
    xfree(image);
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
