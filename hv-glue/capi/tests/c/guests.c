/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Ids, CPUID and hypercalls: what a running hypervisor uses. */

#include "check.h"

static void ids_of_three_and_two(struct hvg_shape *shape)
{
    const uint32_t vnodes[] = { 0, 0, 0, 1, 1 };
    const uint32_t pxms[] = { 0, 1 };
    const uint32_t right[] = { 0, 2, 4, 8, 10 };
    uint8_t work[HVG_APIC_IDS_WORK(2)];
    uint32_t ids[5];

    CHECK(hvg_apic_ids(vnodes, 5, pxms, 2, 254, work, sizeof(work), ids, shape, NULL) == 0);
    CHECK(memcmp(ids, right, sizeof(ids)) == 0);
    CHECK(shape->stride == 2 && shape->pkg_shift == 3 && shape->max_per_node == 3 && shape->highest == 10);

    /* No encoding fits, and the ids stay. */
    REFUSED(hvg_apic_ids(vnodes, 5, pxms, 2, 3, work, sizeof(work), ids, shape, error), -HVG_ERANGE,
            HVG_WHAT_NO_ENCODING_FITS);
    CHECK(memcmp(ids, right, sizeof(ids)) == 0);
    REFUSED(hvg_apic_ids(vnodes, 5, pxms, 1, 254, work, sizeof(work), ids, shape, error), -HVG_EINVAL,
            HVG_WHAT_VCPU_ON_UNKNOWN_VNODE);
    REFUSED(hvg_apic_ids(vnodes, 5, pxms, 2, 254, work, 8, ids, shape, error), -HVG_ENOBUFS, HVG_WHAT_WORK_TOO_SMALL);
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
            HVG_WHAT_TOO_MANY_ELEMENTS);
    REFUSED(hvg_mfn_pxms(ranges, COUNT(ranges), 0, 1, 0, frames, pxms, error), -HVG_EPERM,
            HVG_WHAT_NOT_HARDWARE_DOMAIN);
    REFUSED(hvg_mfn_pxms(ranges, COUNT(ranges), 1, 1, 1, frames, pxms, error), -HVG_EINVAL, HVG_WHAT_STRUCT_FIELD);
    CHECK(pxms[0] == 99);
}

static void layouts_of_toolstacks(void)
{
    uint32_t distances[] = { 10, 20, 20, 10 };
    uint32_t vnodes[] = { 0, 0, 1 };
    struct hvg_vmemrange ranges[] = { { 0, 0x40000000, 0, 0 }, { 0x40000000, 0x80000000, 0, 1 } };
    struct hvg_e820 map[] = { { 0, 0x80000000, 1, 0 } };
    struct hvg_vnuma vnuma = HVG_INIT(struct hvg_vnuma);
    uint64_t work[64], needed = 0;
    uint8_t *const bytes = (uint8_t *)work;

    vnuma.vdistance = distances;
    vnuma.nr_vnodes = 2;
    vnuma.vcpu_to_vnode = vnodes;
    vnuma.nr_vcpus = COUNT(vnodes);
    vnuma.vmemranges = ranges;
    vnuma.nr_vmemranges = COUNT(ranges);
    vnuma.e820 = map;
    vnuma.nr_e820 = COUNT(map);
    CHECK(hvg_vnuma_work_len(&vnuma, &needed, NULL) == 0 && needed <= sizeof(work));
    CHECK(hvg_vnuma_check(&vnuma, bytes, needed, NULL) == 0);
    map[0].end += 0x1000;
    REFUSED(hvg_vnuma_check(&vnuma, bytes, needed, error), -HVG_EINVAL, HVG_WHAT_RAM_NOT_COVERED);
    vnuma.e820 = NULL;
    vnuma.nr_e820 = 0;
    CHECK(hvg_vnuma_check(&vnuma, bytes, needed, NULL) == 0);
    ranges[1].start -= 0x1000;
    REFUSED(hvg_vnuma_check(&vnuma, bytes, needed, error), -HVG_EINVAL, HVG_WHAT_RANGES_OVERLAP);
    ranges[1].start += 0x1000;
    distances[1] = 10;
    REFUSED(hvg_vnuma_check(&vnuma, bytes, needed, error), -HVG_EINVAL, HVG_WHAT_DISTANCE_INVALID);
    distances[1] = 20;
    vnodes[2] = 2;
    REFUSED(hvg_vnuma_check(&vnuma, bytes, needed, error), -HVG_EINVAL, HVG_WHAT_VCPU_ON_UNKNOWN_VNODE);
}

void test_guests(void)
{
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);

    ids_of_three_and_two(&shape);
    leaves_follow(&shape);
    domains_of_frames();
    layouts_of_toolstacks();
}
