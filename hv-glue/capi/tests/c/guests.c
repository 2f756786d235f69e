/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Ids, CPUID and hypercalls: what a running hypervisor uses. */

#include "check.h"

static void ids_of_three_and_two(struct hvg_shape *shape)
{
    const uint32_t vnodes[] = { 0, 0, 0, 1, 1 };
    const uint32_t right[] = { 0, 2, 4, 8, 10 };
    uint32_t ids[128], uneven[128], i;

    CHECK(hvg_apic_ids(vnodes, 5, 2, ids, shape, NULL) == 0);
    CHECK(memcmp(ids, right, sizeof(right)) == 0);
    CHECK(shape->stride == 2 && shape->pkg_shift == 3 && shape->max_per_node == 3 && shape->highest == 10);

    /* 97 vCPUs on one vnode and 1 on each of 31 others: no encoding fits, and the ids stay. */
    for (i = 0; i < COUNT(uneven); i++)
        uneven[i] = i < 97 ? 0 : i - 96;
    REFUSED(hvg_apic_ids(uneven, 128, 32, ids, shape, error), -HVG_ERANGE, HVG_WHAT_NO_ENCODING_FITS);
    CHECK(memcmp(ids, right, sizeof(right)) == 0);
    REFUSED(hvg_apic_ids(vnodes, 5, 1, ids, shape, error), -HVG_EINVAL, HVG_WHAT_VCPU_ON_UNKNOWN_VNODE);
    REFUSED(hvg_apic_ids(vnodes, 5, HVG_MAX_VNODES + 1, ids, shape, error), -HVG_EINVAL,
            HVG_WHAT_TOO_MANY_VNODES);
}

static void leaves_follow(const struct hvg_shape *shape)
{
    struct hvg_leaf leaf_1 = { 1, 0x11223344, 3, 4 }, leaf_b[2], extended = { 0, 0, 0, 0 }, leaf_4[4];
    struct hvg_cpuid cpuid = HVG_INIT(struct hvg_cpuid);
    struct hvg_shape other = *shape;

    memset(leaf_b, 0, sizeof(leaf_b));
    memset(leaf_4, 0, sizeof(leaf_4));
    leaf_4[0].a = 3 | 3 << 5;
    cpuid.leaf_1 = &leaf_1;
    cpuid.leaf_b = leaf_b;
    cpuid.nr_leaf_b = COUNT(leaf_b);
    cpuid.vendor = HVG_VENDOR_AMD;
    cpuid.leaf_80000008 = &extended;
    CHECK(hvg_cpuid_patch(&cpuid, shape, NULL) == 0);
    CHECK((leaf_1.b >> 16 & 0xff) == 3 && leaf_1.a == 1);
    CHECK(extended.c == (3 << 12 | 2));
    CHECK(leaf_b[0].a == 1 && leaf_b[0].b == 1 && leaf_b[1].a == 3 && leaf_b[1].b == 3);

    cpuid.vendor = HVG_VENDOR_INTEL;
    cpuid.leaf_4 = leaf_4;
    cpuid.nr_leaf_4 = COUNT(leaf_4);
    CHECK(hvg_cpuid_patch(&cpuid, shape, NULL) == 0);
    CHECK((leaf_4[0].a >> 14 & 0xfff) == 5 && (leaf_1.b >> 16 & 0xff) == 6);

    cpuid.vendor = 3;
    REFUSED(hvg_cpuid_patch(&cpuid, shape, error), -HVG_EINVAL, HVG_WHAT_STRUCT_FIELD);
    cpuid.vendor = HVG_VENDOR_HYGON;
    other.pkg_shift = 4;
    REFUSED(hvg_cpuid_patch(&cpuid, &other, error), -HVG_EINVAL, HVG_WHAT_STRUCT_FIELD);
    /* Ids of 2 * vCPU leave every leaf alone. */
    other.stride = 0;
    leaf_1.b = 5;
    CHECK(hvg_cpuid_patch(&cpuid, &other, NULL) == 0 && leaf_1.b == 5);
}

static void domains_of_frames(void)
{
    const struct hvg_pxm_range ranges[] = { { 0, 0xa0, 5 }, { 0x100, 0x80000, 5 }, { 0x100000, 0x140000, 0 } };
    static uint64_t frames[HVG_MFN_PXMS_MAX];
    static uint32_t pxms[HVG_MFN_PXMS_MAX];

    frames[1] = 0xa0;
    frames[2] = 0x13ffff;
    frames[3] = UINT64_MAX;
    CHECK(hvg_mfn_pxms(ranges, COUNT(ranges), 1, 4, 0, frames, pxms, NULL) == 0);
    CHECK(pxms[0] == 5 && pxms[1] == HVG_NONE && pxms[2] == 0 && pxms[3] == HVG_NONE);
    CHECK(hvg_mfn_pxms(ranges, COUNT(ranges), 1, HVG_MFN_PXMS_MAX, 0, frames, pxms, NULL) == 0);
    pxms[0] = 99;
    REFUSED(hvg_mfn_pxms(ranges, COUNT(ranges), 1, HVG_MFN_PXMS_MAX + 1, 0, frames, pxms, error), -HVG_E2BIG,
            HVG_WHAT_TOO_MANY_FRAMES);
    REFUSED(hvg_mfn_pxms(ranges, COUNT(ranges), 0, 1, 0, frames, pxms, error), -HVG_EPERM,
            HVG_WHAT_NOT_HARDWARE_DOMAIN);
    REFUSED(hvg_mfn_pxms(ranges, COUNT(ranges), 1, 1, 1, frames, pxms, error), -HVG_EINVAL, HVG_WHAT_PAD_NOT_ZERO);
    CHECK(pxms[0] == 99);
}

static void ranges_of_one_domain(void)
{
    struct hvg_pxm_range ranges[] = { { 0, 0xa0, 5 }, { 0, 0x80, 5 }, { 0x90, 0x100, 5 }, { 0x100, 0x200, 5 } };

    CHECK(hvg_merge_pxm_ranges(ranges, COUNT(ranges), NULL) == 2);
    CHECK(ranges[0].start == 0 && ranges[0].end == 0x100 && ranges[1].start == 0x100 && ranges[1].end == 0x200);
    CHECK(hvg_merge_pxm_ranges(NULL, 0, NULL) == 0);
    REFUSED(hvg_merge_pxm_ranges(NULL, 1, error), -HVG_EINVAL, HVG_WHAT_ARGUMENT_NULL);
}

static void layouts_of_toolstacks(void)
{
    uint32_t distances[] = { 10, 15, 25, 10 };
    const uint32_t pxms[] = { 3, 7 }, pnodes[] = { 1, 0 };
    const struct hvg_processor processors[] = { { 7, 0 }, { 3, 0 }, { 3, HVG_PROCESSOR_ONLINE_CAPABLE } };
    struct hvg_memory memory[] = {
        { 0, 0x40000000, 7, 0 },
        { 0x40000000, 0x80000000, 3, 0 },
        { 0x80000000, 0xc0000000, 3, HVG_MEMORY_HOTPLUG },
    };
    struct hvg_guest guest = HVG_INIT(struct hvg_guest);
    struct hvg_layout layout = HVG_INIT(struct hvg_layout);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    struct hvg_plan *plan = NULL;
    struct hvg_step step = HVG_INIT(struct hvg_step);
    static uint64_t room[4096];
    uint8_t *const bytes = (uint8_t *)room;
    uint64_t needed = 0;
    uint32_t vnodes[3], ids[3], of_vnodes[2], between[4];
    struct hvg_vmemrange ranges[3];
    const uint32_t from_xen[] = { 6, 1, 3 };

    guest.processors = processors;
    guest.nr_processors = COUNT(processors);
    guest.memory = memory;
    guest.nr_memory = COUNT(memory);
    guest.distance_pxm = pxms;
    guest.distances = distances;
    guest.nr_distances = COUNT(pxms);
    guest.pnodes = pnodes;
    guest.nr_pnodes = COUNT(pnodes);
    CHECK(hvg_guest_len(&guest, &needed, NULL) == 0 && needed <= sizeof(room));
    CHECK(hvg_guest_make(&guest, bytes, needed, &plan, NULL) == 0 && plan != NULL);

    layout.vcpu_to_vnode = vnodes;
    layout.apic_ids = ids;
    layout.nr_vcpus = COUNT(vnodes);
    layout.vnode_to_pnode = of_vnodes;
    layout.vdistance = between;
    layout.nr_vnodes = COUNT(of_vnodes);
    layout.vmemranges = ranges;
    layout.nr_vmemranges = COUNT(ranges);
    CHECK(hvg_plan_layout(plan, &layout, &shape, NULL) == 0);
    CHECK(layout.nr_vcpus == 3 && layout.nr_vnodes == 2 && vnodes[0] == 1 && vnodes[1] == 0 && vnodes[2] == 0);
    CHECK(ids[0] == 0 && ids[1] == 2 && ids[2] == 4 && shape.stride == 0 && shape.highest == 4);
    CHECK(of_vnodes[0] == 1 && of_vnodes[1] == 0 && memcmp(between, distances, sizeof(between)) == 0);
    /* What is not there at boot is in the tables alone. */
    CHECK(layout.nr_vmemranges == 2 && ranges[0].nid == 1 && ranges[1].nid == 0 && ranges[1].end == 0x80000000);

    CHECK(hvg_guest_ids(plan, NULL, 0, NULL) == 0);
    CHECK(hvg_plan_layout(plan, &layout, &shape, NULL) == 0);
    CHECK(ids[0] == 4 && ids[1] == 0 && ids[2] == 2 && shape.stride == 2 && shape.pkg_shift == 2);
    REFUSED(hvg_guest_ids(plan, from_xen, 2, error), -HVG_EINVAL, HVG_WHAT_IDS_FOR_VCPUS);
    CHECK(hvg_guest_ids(plan, from_xen, COUNT(from_xen), NULL) == 0);
    CHECK(hvg_plan_layout(plan, &layout, &shape, NULL) == 0 && memcmp(ids, from_xen, sizeof(ids)) == 0);

    /* A guest's plan has no steps, a dom0's takes no ids. */
    REFUSED(hvg_plan_next(plan, &step, error), -HVG_EINVAL, HVG_WHAT_NOT_A_PLAN);
    REFUSED(hvg_guest_ids(example_plan(), from_xen, 3, error), -HVG_EINVAL, HVG_WHAT_NOT_A_PLAN);

    memory[1].start -= 0x1000;
    REFUSED(hvg_guest_make(&guest, bytes, needed, &plan, error), -HVG_EINVAL, HVG_WHAT_RANGES_OVERLAP);
    memory[1].start += 0x1000;
    memory[1].flags = 4;
    REFUSED(hvg_guest_make(&guest, bytes, needed, &plan, error), -HVG_EINVAL, HVG_WHAT_ELEMENT_FIELD);
    memory[1].flags = 0;
    distances[1] = 10;
    REFUSED(hvg_guest_make(&guest, bytes, needed, &plan, error), -HVG_EINVAL, HVG_WHAT_DISTANCE_INVALID);
    distances[1] = 15;
    guest.nr_pnodes = 1;
    REFUSED(hvg_guest_make(&guest, bytes, needed, &plan, error), -HVG_EINVAL, HVG_WHAT_PNODES_FOR_NODES);
    REFUSED(hvg_guest_make(&guest, bytes, needed / 2, &plan, error), -HVG_ENOBUFS, HVG_WHAT_MEMORY_TOO_SMALL);
}

void test_guests(void)
{
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);

    ids_of_three_and_two(&shape);
    leaves_follow(&shape);
    domains_of_frames();
    ranges_of_one_domain();
    layouts_of_toolstacks();
}
