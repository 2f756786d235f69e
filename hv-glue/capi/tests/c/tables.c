/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Tables of any guest. */

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
    const struct hvg_processor processors[] = { { 0, 0, 0 }, { 2, 0, 0 }, { 8, 1, HVG_PROCESSOR_ONLINE_CAPABLE } };
    const struct hvg_memory memory[] = {
        { 0, 0x40000000, 0, 0 },
        { 0x40000000, 0x80000000, 1, HVG_MEMORY_HOTPLUG | HVG_MEMORY_NONVOLATILE },
    };
    const uint32_t pxms[] = { 0, 1 };
    const uint32_t distances[] = { 10, 300, 21, 10 };
    const struct hvg_io_apic io_apics[] = { { 1, 0xfec00000, 0 } };
    const struct hvg_override overrides[] = { { 0, 2, 0 }, { 9, 9, 0xd } };
    const struct hvg_nmi nmis[] = { { HVG_NONE, 1, 5 } };
    const uint64_t foreign[] = { 0x7ffe0000 };
    struct hvg_tables tables = HVG_INIT(struct hvg_tables);
    struct hvg_placed placed = HVG_INIT(struct hvg_placed);
    uint64_t work_len = 0, len = 0;
    uint8_t *work, *image;

    tables.processors = processors;
    tables.nr_processors = COUNT(processors);
    tables.memory = memory;
    tables.nr_memory = COUNT(memory);
    tables.distance_pxm = pxms;
    tables.distances = distances;
    tables.nr_distances = COUNT(pxms);
    tables.io_apics = io_apics;
    tables.nr_io_apics = COUNT(io_apics);
    tables.overrides = overrides;
    tables.nr_overrides = COUNT(overrides);
    tables.nmis = nmis;
    tables.nr_nmis = COUNT(nmis);
    tables.foreign = foreign;
    tables.nr_foreign = COUNT(foreign);
    tables.oem_revision = 7;
    memcpy(tables.oem_id, "ABCDEF", 6);
    memcpy(tables.oem_table_id, "GHIJKLMN", 8);

    CHECK(hvg_tables_work_len(&tables, &work_len, NULL) == 0);
    work = malloc(work_len);
    CHECK(hvg_tables_len(&tables, work, work_len, &len, NULL) == 0 && len > 0);
    /* Exactly as much as is needed, so that the sanitizers see one byte more. */
    image = malloc(len);
    memset(image, 0xaa, len);
    REFUSED(hvg_tables_emit(&tables, work, work_len, image, (uint32_t)len - 1, 0x1000, &placed, error), -HVG_ENOBUFS,
            HVG_WHAT_TABLE_BUFFER_TOO_SMALL);
    CHECK(image[0] == 0xaa && placed.len == 0);
    REFUSED(hvg_tables_emit(&tables, work, work_len, image, (uint32_t)len, 0x1008, &placed, error), -HVG_EINVAL,
            HVG_WHAT_TABLE_BASE_MISALIGNED);
    REFUSED(hvg_tables_emit(&tables, work, work_len / 2, image, (uint32_t)len, 0x1000, &placed, error), -HVG_ENOBUFS,
            HVG_WHAT_WORK_TOO_SMALL);
    CHECK(image[0] == 0xaa);
    CHECK(hvg_tables_emit(&tables, work, work_len, image, (uint32_t)len, 0x1000, &placed, NULL) == 0);
    CHECK(placed.rsdp == 0x1000 && placed.len == len && placed.madt > placed.rsdp);
    CHECK(memcmp(image, "RSD PTR ", 8) == 0 && sum(image, 20) == 0 && sum(image, 36) == 0);
    CHECK(placed.nr_tables == 5 && placed.tables[0].address == 0x1000 && placed.tables[0].len == 36);
    CHECK(memcmp(placed.tables[0].signature, "RSDP", 4) == 0 && placed.tables[2].address == placed.madt);
    {
        const char *order[] = { "XSDT", "APIC", "SRAT", "SLIT" };
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
        CHECK(end == 0x1000 + placed.len);
    }
    {
        const uint8_t *madt = image + (placed.madt - 0x1000);

        CHECK(memcmp(madt, "APIC", 4) == 0 && sum(madt, word(madt + 4)) == 0);
        CHECK(memcmp(madt + 10, "ABCDEFGHIJKLMN", 14) == 0 && word(madt + 24) == 7);
        CHECK(madt[44] == 9 && word(madt + 44 + 4) == 0 && word(madt + 44 + 16 + 4) == 2);
        CHECK(word(madt + 44 + 32 + 8) == 2 && word(madt + 44 + 32 + 12) == 2);
    }

    /* A complete set is larger, and not to be had where the FADT is another's. */
    tables.flags = HVG_TABLES_COMPLETE | HVG_TABLES_HYBRID | HVG_TABLES_PCAT;
    {
        uint64_t complete = 0;

        CHECK(hvg_tables_len(&tables, work, work_len, &complete, NULL) == 0 && complete > len);
    }
    tables.madt_revision = 4;
    REFUSED(hvg_tables_len(&tables, work, work_len, &len, error), -HVG_EINVAL, HVG_WHAT_TABLE_FADT_NOT_OURS);
    tables.flags = 0;
    {
        struct hvg_processor twins[] = { { 4, 0, 0 }, { 4, 1, 0 } };

        tables.processors = twins;
        tables.nr_processors = COUNT(twins);
        REFUSED(hvg_tables_len(&tables, work, work_len, &len, error), -HVG_EINVAL, HVG_WHAT_TABLE_DUPLICATE_APIC_ID);
        twins[1].apic_id = 5;
        twins[1].flags = 4;
        REFUSED(hvg_tables_len(&tables, work, work_len, &len, error), -HVG_EINVAL, HVG_WHAT_ELEMENT_FIELD);
    }
    free(image);
    free(work);
}
