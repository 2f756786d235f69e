/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Tables of a guest and of a dom0. */

#include <stdlib.h>

#include "check.h"

static uint8_t sum(const uint8_t *bytes, size_t len)
{
    uint8_t total = 0;

    while (len--)
        total += *bytes++;
    return total;
}

static uint32_t word(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

void test_tables(void)
{
    const struct hvg_processor processors[] = { { 0, 0 }, { 0, 0 }, { 1, HVG_PROCESSOR_ONLINE_CAPABLE } };
    const struct hvg_memory memory[] = {
        { 0, 0x40000000, 0, 0 },
        { 0x40000000, 0x80000000, 1, HVG_MEMORY_HOTPLUG | HVG_MEMORY_NONVOLATILE },
    };
    const uint32_t pxms[] = { 0, 1 }, ids[] = { 0, 2, 8 }, twins[] = { 4, 4, 8 };
    const uint32_t distances[] = { 10, 300, 21, 10 };
    struct hvg_io_apic io_apics[] = { { 1, 0xfec00000, 0 } };
    const struct hvg_override overrides[] = { { 0, 2, 0 }, { 9, 9, 0xd } };
    const struct hvg_nmi nmis[] = { { HVG_NONE, 1, 5 } };
    const uint64_t further[] = { 0x7ffe0000 };
    struct hvg_guest guest = HVG_INIT(struct hvg_guest);
    struct hvg_tables tables = HVG_INIT(struct hvg_tables);
    struct hvg_placed placed = HVG_INIT(struct hvg_placed);
    struct hvg_plan *plan = NULL;
    uint64_t memory_len = 0, len = 0;
    uint8_t *room, *image;

    guest.processors = processors;
    guest.nr_processors = COUNT(processors);
    guest.memory = memory;
    guest.nr_memory = COUNT(memory);
    guest.distance_pxm = pxms;
    guest.distances = distances;
    guest.nr_distances = COUNT(pxms);
    guest.max_elements = 5;
    tables.io_apics = io_apics;
    tables.nr_io_apics = COUNT(io_apics);
    tables.overrides = overrides;
    tables.nr_overrides = COUNT(overrides);
    tables.nmis = nmis;
    tables.nr_nmis = COUNT(nmis);
    tables.tables = further;
    tables.nr_tables = COUNT(further);
    tables.oem_revision = 7;
    memcpy(tables.oem_id, "ABCDEF", 6);
    memcpy(tables.oem_table_id, "GHIJKLMN", 8);

    CHECK(hvg_guest_len(&guest, &memory_len, NULL) == 0);
    room = malloc(memory_len);
    CHECK(hvg_guest_make(&guest, room, memory_len, &plan, NULL) == 0);
    CHECK(hvg_guest_ids(plan, ids, COUNT(ids), NULL) == 0);
    CHECK(hvg_plan_tables_len(plan, &tables, &len, NULL) == 0 && len > 0);
    /* Exactly as much as is needed, so that the sanitizers see one byte more. */
    image = malloc(len);
    memset(image, 0xaa, len);
    REFUSED(hvg_plan_tables_emit(plan, &tables, image, (uint32_t)len - 1, 0x1000, &placed, error), -HVG_ENOBUFS,
            HVG_WHAT_TABLE_BUFFER_TOO_SMALL);
    CHECK(image[0] == 0xaa && placed.len == 0);
    REFUSED(hvg_plan_tables_emit(plan, &tables, image, (uint32_t)len, 0x1010, &placed, error), -HVG_EINVAL,
            HVG_WHAT_TABLE_BASE_MISALIGNED);
    CHECK(image[0] == 0xaa);
    CHECK(hvg_plan_tables_emit(plan, &tables, image, (uint32_t)len, 0x1000, &placed, NULL) == 0);
    CHECK(placed.rsdp == 0x1000 && placed.len == len && placed.madt > placed.rsdp);
    CHECK(memcmp(image, "RSD PTR ", 8) == 0 && sum(image, 20) == 0 && sum(image, 36) == 0);
    CHECK(placed.nr_tables == 8 && placed.tables[0].address == 0x1000 && placed.tables[0].len == 36);
    CHECK(memcmp(placed.tables[0].signature, "RSDP", 4) == 0 && placed.tables[3].address == placed.madt);
    {
        const char *order[] = { "XSDT", "FACP", "APIC", "SRAT", "SLIT", "DSDT" };
        uint64_t end = placed.tables[0].address + placed.tables[0].len;
        unsigned int i;

        for ( i = 0; i < COUNT(order); i++ )
        {
            const struct hvg_table *table = &placed.tables[i + 1];
            const uint8_t *bytes = image + (table->address - 0x1000);

            CHECK(table->address >= end && memcmp(table->signature, order[i], 4) == 0);
            CHECK(memcmp(bytes, order[i], 4) == 0 && word(bytes + 4) == table->len && sum(bytes, table->len) == 0);
            end = table->address + table->len;
        }
        CHECK(memcmp(placed.tables[7].signature, "FACS", 4) == 0 && placed.tables[7].address >= end);
        CHECK(placed.tables[7].address + placed.tables[7].len == 0x1000 + placed.len);
    }
    {
        const uint8_t *madt = image + (placed.madt - 0x1000);

        CHECK(memcmp(madt, "APIC", 4) == 0 && sum(madt, word(madt + 4)) == 0);
        CHECK(memcmp(madt + 10, "ABCDEFGHIJKLMN", 14) == 0 && word(madt + 24) == 7);
        CHECK(madt[44] == 9 && word(madt + 44 + 4) == 0 && word(madt + 44 + 16 + 4) == 2);
        CHECK(word(madt + 44 + 32 + 8) == 2 && word(madt + 44 + 32 + 12) == 2);
    }

    /* What the library refuses, and more elements than there is room for. */
    CHECK(hvg_guest_ids(plan, twins, COUNT(twins), NULL) == 0);
    REFUSED(hvg_plan_tables_len(plan, &tables, &len, error), -HVG_EINVAL, HVG_WHAT_TABLE_DUPLICATE_APIC_ID);
    CHECK(hvg_guest_ids(plan, ids, COUNT(ids), NULL) == 0);
    io_apics[0].id = 256;
    REFUSED(hvg_plan_tables_len(plan, &tables, &len, error), -HVG_EINVAL, HVG_WHAT_ELEMENT_FIELD);
    io_apics[0].id = 1;
    guest.max_elements = 0;
    CHECK(hvg_guest_len(&guest, &memory_len, NULL) == 0);
    CHECK(hvg_guest_make(&guest, room, memory_len, &plan, NULL) == 0);
    REFUSED(hvg_plan_tables_len(plan, &tables, &len, error), -HVG_ENOBUFS, HVG_WHAT_MEMORY_TOO_SMALL);

    /* dom0's: the host has a FADT, and its MADT's revision is at most 4. */
    tables.madt_revision = 6;
    CHECK(hvg_plan_tables_len(example_plan(), &tables, &len, NULL) == 0);
    image = realloc(image, len);
    CHECK(hvg_plan_tables_emit(example_plan(), &tables, image, (uint32_t)len, 0x1000, &placed, NULL) == 0);
    CHECK(placed.nr_tables == 5 && placed.len == len);
    {
        const uint8_t *madt = image + (placed.madt - 0x1000);

        CHECK(madt[8] == 4 && madt[44] == 9 && word(madt + 44 + 4) == 20);
    }
    free(image);
    free(room);
}
