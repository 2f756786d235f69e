/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pointers that are no arrays, and structures that are another version's. */

#include "check.h"

void test_border(void)
{
    const uint32_t vnodes[] = { 0, 0 }, pxms[] = { 0 };
    uint64_t words[32];
    uint8_t *const bytes = (uint8_t *)words;
    struct hvg_shape shape = HVG_INIT(struct hvg_shape), older = shape;
    struct hvg_error wrong = { 8, HVG_VERSION, 0, 0, 0, 0 };
    uint32_t ids[2] = { 7, 7 };
    uint64_t len = 0;

#define IDS(vnodes, nr, pxms, work, work_len, ids, shape) \
    hvg_apic_ids(vnodes, nr, pxms, 1, 254, work, work_len, ids, shape, error)
    REFUSED(IDS(NULL, 2, pxms, bytes, sizeof(words), ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, 2, NULL, bytes, sizeof(words), ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, 2, pxms, NULL, 64, ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, 2, pxms, bytes, sizeof(words), NULL, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, 2, pxms, bytes, sizeof(words), ids, NULL), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS((const uint32_t *)(uintptr_t)(bytes + 1), 2, pxms, bytes + 64, 64, ids, &shape), -HVG_EINVAL,
            HVG_WHAT_ARGUMENT_MISALIGNED);
    REFUSED(IDS(vnodes, 2, pxms, bytes, UINT64_MAX, ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_TOO_LONG);
    REFUSED(IDS(vnodes, 2, pxms, bytes, (uint64_t)1 << 63, ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_TOO_LONG);
    /* Output over input, and output over scratch memory. */
    REFUSED(IDS(ids, 2, pxms, bytes, sizeof(words), ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
    REFUSED(IDS(vnodes, 2, pxms, bytes, sizeof(words), (uint32_t *)words, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
    REFUSED(IDS(vnodes, 2, pxms, (uint8_t *)&shape, sizeof(shape), ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
    older.size -= 4;
    REFUSED(IDS(vnodes, 2, pxms, bytes, sizeof(words), ids, &older), -HVG_EINVAL, HVG_WHAT_STRUCT_VERSION);
    older.size += 4;
    older.version++;
    REFUSED(IDS(vnodes, 2, pxms, bytes, sizeof(words), ids, &older), -HVG_EINVAL, HVG_WHAT_STRUCT_VERSION);
    CHECK(ids[0] == 7 && ids[1] == 7);
    /* Inputs may share. */
    {
        struct hvg_error *error = NULL;

        CHECK(IDS(vnodes, 2, vnodes, bytes, sizeof(words), ids, &shape) == 0 && ids[1] == 2);
    }
    /* A report that is another version's is not written, and the call is not made. */
    ids[1] = 7;
    CHECK(hvg_apic_ids(vnodes, 2, pxms, 1, 254, bytes, sizeof(words), ids, &shape, &wrong) == -HVG_EINVAL);
    CHECK(wrong.what == 0 && ids[1] == 7);

    memset(words, 0, sizeof(words));
    REFUSED(hvg_populate_begin((struct hvg_plan *)words, 0, 1, error), -HVG_EINVAL, HVG_WHAT_NOT_A_PLAN);
    REFUSED(hvg_populate_begin(NULL, 0, 1, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(hvg_plan_work_len(NULL, &example_request, &len, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(hvg_plan_work_len(&example_host, &example_request, NULL, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    {
        struct hvg_host host = example_host;
        struct hvg_block twisted[] = { { 0x1000, 0x1000, 0, 0 } };
        struct hvg_gate gate = HVG_INIT(struct hvg_gate);
        struct hvg_plan *plan = NULL;
        static uint64_t work[4096];

        host.blocks = twisted;
        host.nr_blocks = 1;
        REFUSED(hvg_plan_make(&host, &example_request, (uint8_t *)work, sizeof(work), &gate, &plan, error), -HVG_EINVAL,
                HVG_WHAT_TABLE_RANGE_EMPTY);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)work, 64, &gate, &plan, error), -HVG_ENOBUFS,
                HVG_WHAT_WORK_TOO_SMALL);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)&gate, sizeof(gate), &gate, &plan, error),
                -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
        CHECK(plan == NULL && gate.conditions[0].bound == 0);
    }
}
