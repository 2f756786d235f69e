/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The gate, dom0's layout and its memory map. */

#include "check.h"

static void gate_says_why(void)
{
    static uint64_t memory[4096];
    struct hvg_request request = example_request;
    struct hvg_gate gate = HVG_INIT(struct hvg_gate);
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_plan *plan = example_plan();

    request.flags = HVG_REQUEST_PVH;
    CHECK(hvg_plan_make(&example_host, &request, (uint8_t *)memory, sizeof(memory), &gate, &plan, &err) == 0);
    CHECK(gate.enabled == 0 && plan != NULL && gate.nr_vnodes == 0);
    CHECK(err.what == HVG_WHAT_NONE);
    CHECK(hvg_plan_unmet(plan, 0, &err) == 1 && err.what == HVG_WHAT_NOT_PINNED);
    CHECK(hvg_plan_unmet(plan, 1, &err) == 0);
    REFUSED(hvg_plan_unmet(NULL, 0, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);

    /* More vCPUs than pCPUs: no failure of the call, and the reason is there. */
    request = example_request;
    request.vcpus = 7;
    CHECK(hvg_plan_make(&example_host, &request, (uint8_t *)memory, sizeof(memory), &gate, &plan, &err) == 0);
    CHECK(gate.enabled == 0 && plan != NULL);
    CHECK(hvg_plan_unmet(plan, 0, &err) == 1 && err.what == HVG_WHAT_TOO_MANY_VCPUS && err.value == 7 && err.index == 6);

    {
        /* In words, cut where the buffer ends. */
        char text[64], cut[8];

        CHECK(hvg_strerror(&err, text, sizeof(text)) == 17 && strcmp(text, "7 vCPUs > 6 pCPUs") == 0);
        CHECK(hvg_strerror(&err, cut, sizeof(cut)) == 17 && strcmp(cut, "7 vCPUs") == 0);
        CHECK(hvg_strerror(NULL, text, sizeof(text)) == -HVG_EINVAL);
        err.what = HVG_WHAT_RANGES_OVERLAP;
        err.index = 0;
        err.value = 0x1f000;
        hvg_strerror(&err, text, sizeof(text));
        CHECK(strcmp(text, "memory ranges at 0x0 and 0x1f000 overlap") == 0);
    }
    {
        /* No layout, but a share of each node. */
        struct hvg_layout layout = HVG_INIT(struct hvg_layout);
        struct hvg_shape shape = HVG_INIT(struct hvg_shape);
        struct hvg_map map = HVG_INIT(struct hvg_map);

        REFUSED(hvg_plan_layout(plan, &layout, &shape, error), -HVG_EINVAL, HVG_WHAT_NOT_A_PLAN);
        map.nr_pages = 0x40000;
        CHECK(hvg_plan_trim(plan, &map, NULL) == 0 && map.by_node == 1);
    }

    /* Fewer are taken where that is asked for. */
    request.vcpus = 4;
    request.flags |= HVG_REQUEST_PARTIAL;
    CHECK(hvg_plan_make(&example_host, &request, (uint8_t *)memory, sizeof(memory), &gate, &plan, &err) == 0);
    CHECK(gate.enabled == 1 && plan != NULL);
}

static void layout_by_pxm(void)
{
    struct hvg_layout layout = HVG_INIT(struct hvg_layout);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    struct hvg_plan *plan = example_plan();
    uint32_t vnodes[6], ids[6], pnodes[6], distances[36];
    struct hvg_vmemrange ranges[4];
    static const uint32_t right_vnodes[] = { 5, 5, 0, 0, 2, 2 };
    static const uint32_t right_ids[] = { 20, 22, 0, 2, 8, 10 };
    static const uint32_t right_pnodes[] = { 1, HVG_NONE, 2, HVG_NONE, HVG_NONE, 0 };

    /* Without arrays, the lengths alone. */
    CHECK(hvg_plan_layout(plan, &layout, &shape, NULL) == 0);
    CHECK(layout.nr_vcpus == 6 && layout.nr_vnodes == 6 && layout.nr_vmemranges == 4);

    layout.vcpu_to_vnode = vnodes;
    layout.apic_ids = ids;
    layout.vnode_to_pnode = pnodes;
    layout.vdistance = distances;
    layout.vmemranges = ranges;
    CHECK(hvg_plan_layout(plan, &layout, &shape, NULL) == 0);
    CHECK(memcmp(vnodes, right_vnodes, sizeof(vnodes)) == 0);
    CHECK(memcmp(ids, right_ids, sizeof(ids)) == 0);
    CHECK(memcmp(pnodes, right_pnodes, sizeof(pnodes)) == 0);
    CHECK(distances[5 * 6 + 0] == 21 && distances[0 * 6 + 2] == 254 && distances[1 * 6 + 1] == 10 && distances[1 * 6 + 4] == 20);
    CHECK(ranges[3].start == 0x140000000 && ranges[3].end == 0x180000000 && ranges[3].flags == 0 && ranges[3].nid == 2);
    CHECK(shape.stride == 2 && shape.pkg_shift == 2 && shape.max_per_node == 2 && shape.highest == 22);
    CHECK(shape.numbering == HVG_NUMBERING_DOMAIN);

    /* Too short: the lengths are filled in, nothing else is. */
    vnodes[0] = 77;
    layout.nr_vcpus = 5;
    REFUSED(hvg_plan_layout(plan, &layout, &shape, error), -HVG_ENOBUFS, HVG_WHAT_ARRAY_TOO_SHORT);
    CHECK(layout.nr_vcpus == 6 && vnodes[0] == 77);
}

static void map_by_node(void)
{
    struct hvg_plan *plan = example_plan();
    struct hvg_map trim = HVG_INIT(struct hvg_map);
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_e820 map[32];
    uint64_t pages = 0, on_node[3] = { 0, 0, 0 };
    unsigned int i;

    trim.nr_pages = 0x40000;
    CHECK(hvg_plan_trim(plan, &trim, NULL) == 0);
    CHECK(trim.nr_entries > 0 && trim.nr_entries <= COUNT(map) && trim.by_node == 1 && trim.merged == 0);
    /* 512 MiB of RAM in whole pages, and the hole below 1 MiB. */
    CHECK(trim.kept_up_to == 0x20061000);
    trim.entries = map;
    trim.nr_entries = 1;
    REFUSED(hvg_plan_trim(plan, &trim, error), -HVG_ENOBUFS, HVG_WHAT_ARRAY_TOO_SHORT);
    CHECK(trim.nr_entries > 1);
    trim.nr_entries = COUNT(map);
    CHECK(hvg_plan_trim(plan, &trim, &err) == 0 && err.what == HVG_WHAT_NONE);
    for (i = 0; i < trim.nr_entries; i++) {
        CHECK(map[i].start < map[i].end && (i == 0 || map[i].start >= map[i - 1].end));
        if (map[i].kind != 1)
            continue;
        pages += (map[i].end - map[i].start) >> 12;
        on_node[map[i].start < 0x80000000 ? 0 : map[i].start < 0x140000000 ? 1 : 2] += (map[i].end - map[i].start) >> 12;
    }
    CHECK(pages == 0x40000);
    /* Half of dom0 is below 4 GiB, which is node 0's and a little more than its share. */
    CHECK(on_node[1] == on_node[2] || on_node[1] + 1 == on_node[2] || on_node[1] == on_node[2] + 1);
    CHECK(on_node[0] == 0x20000 && trim.low_pages == 0x20000 && trim.low_floor == 0x20000);

    /* Less than is kept, or modules that fit nowhere: in address order, and the reason. */
    trim.nr_pages = 100;
    trim.nr_entries = COUNT(map);
    CHECK(hvg_plan_trim(plan, &trim, &err) == 0 && err.what == HVG_WHAT_PAGES_BELOW_KEPT);
    CHECK(trim.by_node == 0 && map[0].kind == 1 && map[0].end == 100 << 12);
    trim.nr_pages = 0x40000;
    trim.modules = 0x80000000;
    trim.nr_entries = COUNT(map);
    CHECK(hvg_plan_trim(plan, &trim, &err) == 0 && err.what == HVG_WHAT_PAGES_BELOW_KEPT && trim.by_node == 0);
    trim.nr_pages = 1 << 30;
    REFUSED(hvg_plan_trim(plan, &trim, error), -HVG_EINVAL, HVG_WHAT_PAGES_ABOVE_TOTAL);
}

void test_plan(void)
{
    gate_says_why();
    layout_by_pxm();
    map_by_node();
}
