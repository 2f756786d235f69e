/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pointers that are no arrays, and structures that are another version's. */

#include "check.h"

void test_border(void)
{
    const uint32_t vnodes[] = { 0, 0 };
    uint64_t words[32];
    uint8_t *const bytes = (uint8_t *)words;
    struct hvg_shape shape = HVG_INIT(struct hvg_shape), older = shape;
    struct hvg_error wrong = { 8, HVG_VERSION, 0, 0, 0, 0 };
    uint32_t ids[2] = { 7, 7 };
    uint64_t len = 0;

#define IDS(vnodes, ids, shape) hvg_apic_ids(vnodes, 2, 1, ids, shape, error)
    REFUSED(IDS(NULL, ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, NULL, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS(vnodes, ids, NULL), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(IDS((const uint32_t *)(uintptr_t)(bytes + 1), ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_MISALIGNED);
    /* Output over input, and output over output. */
    REFUSED(IDS(ids, ids, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
    REFUSED(IDS(vnodes, (uint32_t *)&shape, &shape), -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
    older.size -= 4;
    REFUSED(IDS(vnodes, ids, &older), -HVG_EINVAL, HVG_WHAT_STRUCT_VERSION);
    older.size += 4;
    older.version++;
    REFUSED(IDS(vnodes, ids, &older), -HVG_EINVAL, HVG_WHAT_STRUCT_VERSION);
    CHECK(ids[0] == 7 && ids[1] == 7);
    /* A report that is another version's is not written, and the call is not made. */
    CHECK(hvg_apic_ids(vnodes, 2, 1, ids, &shape, &wrong) == -HVG_EINVAL);
    CHECK(wrong.what == 0 && ids[1] == 7);

    memset(words, 0, sizeof(words));
    REFUSED(hvg_plan_populate((struct hvg_plan *)words, 0, 1, error), -HVG_EINVAL, HVG_WHAT_NOT_A_PLAN);
    REFUSED(hvg_plan_populate(NULL, 0, 1, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(hvg_plan_len(NULL, &example_request, &len, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    REFUSED(hvg_plan_len(&example_host, &example_request, NULL, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
    {
        struct hvg_host host = example_host;
        struct hvg_block twisted[] = { { 0x1000, 0x1000, 0, 0 } };
        struct hvg_gate gate = HVG_INIT(struct hvg_gate);
        struct hvg_plan *plan = NULL;
        static uint64_t memory[4096];

        host.blocks = twisted;
        host.nr_blocks = 1;
        REFUSED(hvg_plan_make(&host, &example_request, (uint8_t *)memory, sizeof(memory), &gate, &plan, error), -HVG_EINVAL,
                HVG_WHAT_ELEMENT_FIELD);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)memory, 64, &gate, &plan, error), -HVG_ENOBUFS,
                HVG_WHAT_MEMORY_TOO_SMALL);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)memory, UINT64_MAX, &gate, &plan, error),
                -HVG_EINVAL, HVG_WHAT_ARGUMENT_TOO_LONG);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)memory, (uint64_t)1 << 63, &gate, &plan, error),
                -HVG_EINVAL, HVG_WHAT_ARGUMENT_TOO_LONG);
        REFUSED(hvg_plan_make(&example_host, &example_request, (uint8_t *)&gate, sizeof(gate), &gate, &plan, error),
                -HVG_EINVAL, HVG_WHAT_ARGUMENT_OVERLAP);
        CHECK(plan == NULL && gate.nr_nodes == 0);
    }
}
