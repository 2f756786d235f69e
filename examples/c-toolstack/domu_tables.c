/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * domu_tables.c
 *
 * A guest's ACPI tables from the arrays that a C toolstack has at hand, as libxl could make
 * them in the place of libacpi. The guest is fixtures/domu/3-2.toml; the set is written to
 * standard output as it lies in guest memory.
 *
 * Where libxl calls build functions per table and patches them afterwards, this is: size,
 * place, emit. The caller lends all memory.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv_glue.h"

#define NR_VCPUS 5
#define NR_VNODES 2
/* Where libxl has the tables of a PVH guest. */
#define TABLES_AT 0xFC000000u
/* The highest id of a guest that has neither interrupt remapping nor extended ids. */
#define APIC_ID_LIMIT 254

/* As in libxl_domain_build_info: vnuma_nodes[] and what libxl__build_vnuma_ranges_* made. */
static const uint32_t vcpu_to_vnode[NR_VCPUS] = { 0, 0, 0, 1, 1 };
static const struct hvg_memory vmemranges[] = {
    { .start = 0, .end = 0x18000000, .pxm = 0 },
    { .start = 0x18000000, .end = 0x30000000, .pxm = 1 },
};
/* nr_vnodes squared, as the hypervisor reads them: not nr_vnodes, as libxl allocates. */
static const uint32_t distances[NR_VNODES * NR_VNODES] = { 10, 17, 17, 10 };
static const uint32_t vnode_pxm[NR_VNODES] = { 0, 1 };

static void fail(const char *call, int32_t rc, const struct hvg_error *error)
{
    fprintf(stderr, "%s: %" PRId32 ", rule %#" PRIx32 ", index %" PRIu64 ", value %" PRIu64 "\n",
            call, rc, error->what, error->index, error->value);
    exit(1);
}

/*
 * The ids of the guest's vCPUs. A toolstack on Xen asks the hypervisor for them
 * (XEN_DOMCTL_get_vcpu_apicids), which has them from this very function; where that answers
 * -ENOSYS, they are 2 * vCPU.
 */
static void vcpu_apicids(uint32_t ids[NR_VCPUS])
{
    struct hvg_error error = HVG_INIT(struct hvg_error);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    uint64_t work[(HVG_APIC_IDS_WORK(NR_VNODES) + 7) / 8];
    int32_t rc = hvg_apic_ids(vcpu_to_vnode, NR_VCPUS, vnode_pxm, NR_VNODES, APIC_ID_LIMIT,
                              (uint8_t *)work, sizeof(work), ids, &shape, &error);

    if ( rc )
        fail("hvg_apic_ids", rc, &error);
}

/* Memory for the library's work, aligned for anything. */
static uint8_t *lend(uint64_t len)
{
    uint8_t *memory = malloc(len ? len : 1);

    if ( !memory )
    {
        fprintf(stderr, "no memory for %" PRIu64 " bytes\n", len);
        exit(1);
    }
    return memory;
}

int main(void)
{
    struct hvg_error error = HVG_INIT(struct hvg_error);
    struct hvg_placed placed = HVG_INIT(struct hvg_placed);
    struct hvg_tables tables = HVG_INIT(struct hvg_tables);
    struct hvg_processor processors[NR_VCPUS];
    uint32_t ids[NR_VCPUS], i;
    uint64_t work_len = 0, len = 0;
    uint8_t *work, *buffer;
    int32_t rc;

    vcpu_apicids(ids);
    for ( i = 0; i < NR_VCPUS; i++ )
    {
        processors[i].apic_id = ids[i];
        processors[i].pxm = vnode_pxm[vcpu_to_vnode[i]];
        processors[i].flags = 0;
    }

    tables.processors = processors;
    tables.nr_processors = NR_VCPUS;
    tables.memory = vmemranges;
    tables.nr_memory = sizeof(vmemranges) / sizeof(vmemranges[0]);
    tables.distance_pxm = vnode_pxm;
    tables.nr_distances = NR_VNODES;
    tables.distances = distances;
    tables.flags = HVG_TABLES_COMPLETE;
    tables.oem_revision = 1;
    for ( i = 0; i < 3; i++ )
        tables.oem_id[i] = (uint8_t)"XEN"[i];
    for ( i = 0; i < 5; i++ )
        tables.oem_table_id[i] = (uint8_t)"VNUMA"[i];

    rc = hvg_tables_work_len(&tables, &work_len, &error);
    if ( rc )
        fail("hvg_tables_work_len", rc, &error);
    work = lend(work_len);

    rc = hvg_tables_len(&tables, work, work_len, &len, &error);
    if ( rc )
        fail("hvg_tables_len", rc, &error);
    buffer = lend(len);

    /* A buffer that is one byte short is refused, and nothing is written. */
    rc = hvg_tables_emit(&tables, work, work_len, buffer, (uint32_t)len - 1, TABLES_AT, &placed,
                         &error);
    if ( rc != -ENOBUFS )
        fail("hvg_tables_emit with a short buffer", rc, &error);

    rc = hvg_tables_emit(&tables, work, work_len, buffer, (uint32_t)len, TABLES_AT, &placed,
                         &error);
    if ( rc )
        fail("hvg_tables_emit", rc, &error);

    for ( i = 0; i < placed.nr_tables; i++ )
        fprintf(stderr, "%.4s at %#llx, %u bytes\n", (const char *)placed.tables[i].signature,
                (unsigned long long)placed.tables[i].address, (unsigned)placed.tables[i].len);
    /* The guest's hvm_start_info takes placed.rsdp. */
    if ( fwrite(buffer, 1, len, stdout) != len )
        return 1;
    free(buffer);
    free(work);
    return placed.rsdp == TABLES_AT ? 0 : 1;
}
