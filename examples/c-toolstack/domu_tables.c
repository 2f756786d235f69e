/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * domu_tables.c
 *
 * A guest's ACPI tables from the arrays that a C toolstack has at hand, as libxl could make
 * them in the place of libacpi. The guest is fixtures/domu/3-2.toml; the set is written to
 * standard output as it is in guest memory.
 *
 * Where libxl calls build functions per table and patches them afterwards, this is one plan:
 * the layout for the hypervisor, its ids, and the tables' size, place and bytes.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv_glue.h"

/* Where libxl has the tables of a PVH guest. */
#define TABLES_AT 0xFC000000u
#define NR_VCPUS 5

/* As in libxl_domain_build_info: vnuma_nodes[] and what libxl__build_vnuma_ranges_* made. */
static const struct hvg_processor processors[NR_VCPUS] = {
    { .pxm = 0 }, { .pxm = 0 }, { .pxm = 0 }, { .pxm = 1 }, { .pxm = 1 },
};
static const struct hvg_memory memory[] = {
    { .start = 0, .end = 0x18000000, .pxm = 0 },
    { .start = 0x18000000, .end = 0x30000000, .pxm = 1 },
};
static const uint32_t pxms[] = { 0, 1 };
static const uint32_t distances[] = { 10, 17, 17, 10 };

static void check(const char *call, int32_t rc, const struct hvg_error *error)
{
    char text[128];

    if ( !rc )
        return;
    hvg_strerror(error, text, sizeof(text));
    fprintf(stderr, "%s: %s (%" PRId32 ")\n", call, text, rc);
    exit(1);
}

static void *allocate(uint64_t len)
{
    void *memory = malloc(len);

    if ( memory )
        return memory;
    fprintf(stderr, "no memory for %" PRIu64 " bytes\n", len);
    exit(1);
}

int main(void)
{
    struct hvg_error error = HVG_INIT(struct hvg_error);
    struct hvg_placed placed = HVG_INIT(struct hvg_placed);
    struct hvg_tables tables = HVG_INIT(struct hvg_tables);
    struct hvg_guest guest = HVG_INIT(struct hvg_guest);
    struct hvg_plan *plan;
    uint64_t len;
    uint8_t *room, *buffer;
    uint32_t i;

    guest.processors = processors;
    guest.nr_processors = NR_VCPUS;
    guest.memory = memory;
    guest.nr_memory = sizeof(memory) / sizeof(memory[0]);
    guest.distance_pxm = pxms;
    guest.nr_distances = sizeof(pxms) / sizeof(pxms[0]);
    guest.distances = distances;
    check("hvg_guest_len", hvg_guest_len(&guest, &len, &error), &error);
    room = allocate(len);
    check("hvg_guest_make", hvg_guest_make(&guest, room, len, &plan, &error), &error);
    /*
     * A toolstack on Xen sets the layout of hvg_plan_layout(), asks for the ids
     * (XEN_DOMCTL_get_vcpu_apicids) and hands them over here; where Xen answers -ENOSYS they
     * are 2 * vCPU, as in a new plan. These are what a Xen with hv-glue answers.
     */
    check("hvg_guest_ids", hvg_guest_ids(plan, NULL, 0, &error), &error);

    tables.oem_revision = 1;
    for ( i = 0; i < 3; i++ )
        tables.oem_id[i] = (uint8_t)"XEN"[i];
    for ( i = 0; i < 5; i++ )
        tables.oem_table_id[i] = (uint8_t)"VNUMA"[i];
    check("hvg_plan_tables_len", hvg_plan_tables_len(plan, &tables, &len, &error), &error);
    buffer = allocate(len);

    /* A buffer that is one byte short is refused, and nothing is written. */
    if ( hvg_plan_tables_emit(plan, &tables, buffer, (uint32_t)len - 1, TABLES_AT, &placed,
                              &error) != -ENOBUFS )
        return 1;
    check("hvg_plan_tables_emit",
          hvg_plan_tables_emit(plan, &tables, buffer, (uint32_t)len, TABLES_AT, &placed, &error),
          &error);

    for ( i = 0; i < placed.nr_tables; i++ )
        fprintf(stderr, "%.4s at %#llx, %u bytes\n", (const char *)placed.tables[i].signature,
                (unsigned long long)placed.tables[i].address, (unsigned)placed.tables[i].len);
    /* The guest's hvm_start_info takes placed.rsdp. */
    if ( fwrite(buffer, 1, len, stdout) != len )
        return 1;
    free(buffer);
    free(room);
    return placed.rsdp == TABLES_AT ? 0 : 1;
}
