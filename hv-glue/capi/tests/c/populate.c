/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Populating frames on a heap that refuses. */

#include "check.h"

void test_populate(void)
{
    struct hvg_plan *plan = example_plan();
    struct hvg_step step = HVG_INIT(struct hvg_step);
    uint64_t done = 0, next = 0x100000 - 512;
    unsigned int kinds[HVG_ALLOC_KINDS] = { 0, 0, 0, 0 };
    int rc;

    REFUSED(hvg_plan_next(plan, &step, error), -HVG_EINVAL, HVG_WHAT_NO_WALK);
    REFUSED(hvg_plan_report(plan, 1, error), -HVG_EINVAL, HVG_WHAT_NO_WALK);

    /* 512 frames in no block, then 1,024 on PXM 0, which refuses all but its DMA reserve, order by order. */
    CHECK(hvg_plan_populate(plan, next, 1536, NULL) == 0);
    while ((rc = hvg_plan_next(plan, &step, NULL)) == 1) {
        uint32_t granted = step.kind != HVG_ALLOC_NODE || step.node == HVG_NONE;

        CHECK(step.pfn == next && step.pfn % (1ULL << step.order) == 0);
        if (step.pfn < 0x100000)
            CHECK(step.home == HVG_NONE && step.node == HVG_NONE);
        else
            CHECK(step.home == 1 && (step.node == 1 || step.kind >= HVG_ALLOC_ANY));
        if (granted) {
            done += 1ULL << step.order;
            next += 1ULL << step.order;
            kinds[step.kind] += 1U << step.order;
        }
        CHECK(hvg_plan_report(plan, granted, NULL) == 0);
    }
    CHECK(rc == 0 && done == 1536);
    CHECK(kinds[HVG_ALLOC_NODE] == 0 && kinds[HVG_ALLOC_NODE_DMA] == 1024 && kinds[HVG_ALLOC_ANY] == 512);
    REFUSED(hvg_plan_report(plan, 2, error), -HVG_EINVAL, HVG_WHAT_STRUCT_FIELD);

    /* Nothing at all is left: every kind is tried, and then it is said. */
    CHECK(hvg_plan_populate(plan, 0x140000, 1, NULL) == 0);
    for (unsigned int tries = 0; tries < 3; tries++) {
        CHECK(hvg_plan_next(plan, &step, NULL) == 1 && step.kind == tries);
        CHECK(hvg_plan_report(plan, 0, NULL) == 0);
    }
    CHECK(hvg_plan_next(plan, &step, NULL) == 1 && step.kind == HVG_ALLOC_PLAIN);
    REFUSED(hvg_plan_report(plan, 0, error), -HVG_ENOMEM, HVG_WHAT_OUT_OF_MEMORY);
}
