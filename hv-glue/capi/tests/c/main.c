/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Uses every function of hv_glue.h, under the sanitizers. */

#include "check.h"

unsigned int checks, failures;

static const struct hvg_block blocks[] = {
    { 0x0, 0xa0000, 0, 0 },
    { 0x100000, 0x80000000, 0, 0 },
    { 0x100000000, 0x140000000, 1, 0 },
    { 0x140000000, 0x180000000, 2, HVG_MEMORY_HOTPLUG },
};
static const struct hvg_e820 e820[] = {
    { 0x0, 0x9fc00, 1, 0 },
    { 0x9fc00, 0x100000, 2, 0 },
    { 0x100000, 0x80000000, 1, 0 },
    { 0xfed00000, 0x100000000, 2, 0 },
    { 0x100000000, 0x180000000, 1, 0 },
};
static const uint32_t pcpus[] = { 0, 1, 2, 3, 4, 5 };
static const uint32_t pcpu_node[] = { 0, 0, 1, 1, 2, 2 };
static const uint32_t node_pxm[] = { 5, 0, 2 };
static const uint8_t distances[] = { 10, 21, 31, 21, 10, 255, 31, 26, 10 };

const struct hvg_host example_host = {
    .size = sizeof(struct hvg_host),
    .version = HVG_VERSION,
    .blocks = blocks,
    .e820 = e820,
    .pcpus = pcpus,
    .pcpu_node = pcpu_node,
    .node_pxm = node_pxm,
    .distances = distances,
    .nr_blocks = COUNT(blocks),
    .nr_e820 = COUNT(e820),
    .nr_pcpus = COUNT(pcpus),
    .nr_nodes = COUNT(node_pxm),
};
const struct hvg_request example_request = {
    .size = sizeof(struct hvg_request),
    .version = HVG_VERSION,
    .vcpus = 6,
    .present_pcpus = 6,
    .flags = HVG_REQUEST_PVH | HVG_REQUEST_PINNED,
    .max_elements = 8,
};

struct hvg_plan *example_plan(void)
{
    static uint64_t memory[4096];
    struct hvg_gate gate = HVG_INIT(struct hvg_gate);
    struct hvg_plan *plan = NULL;
    uint64_t needed = 0;

    CHECK(hvg_plan_len(&example_host, &example_request, &needed, NULL) == 0);
    CHECK(needed > 0 && needed <= sizeof(memory));
    CHECK(hvg_plan_make(&example_host, &example_request, (uint8_t *)memory, needed, &gate, &plan, NULL) == 0);
    CHECK(gate.enabled == 1 && gate.nr_nodes == 3 && gate.nr_vnodes == 6 && gate.nr_vmemranges == 4);
    CHECK(plan != NULL);

    return plan;
}

int main(void)
{
    test_plan();
    test_populate();
    test_tables();
    test_guests();
    test_border();
    printf("%u checks, %u failed\n", checks, failures);

    return failures != 0;
}
