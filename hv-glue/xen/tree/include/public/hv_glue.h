/* SPDX-License-Identifier: MIT */
/*
 * hv_glue.h
 *
 * Hypercalls of a Xen that was built with CONFIG_HV_GLUE. They are additive:
 * no existing structure changes, and XEN_DOMCTL_INTERFACE_VERSION does not
 * move. A Xen without them answers -ENOSYS (the subops) or -EINVAL (the flag).
 */

#ifndef __XEN_PUBLIC_HV_GLUE_H__
#define __XEN_PUBLIC_HV_GLUE_H__

#include "xen.h"

#if defined(__XEN__) || defined(__XEN_TOOLS__)

/*
 * Flag of struct xen_domctl_createdomain: the guest's APIC ids and CPUID
 * topology follow its vNUMA layout. By setting it, a toolstack asserts that it
 * reads the ids back (below) after XEN_DOMCTL_setvnumainfo and writes those
 * into the guest's MADT and SRAT. Refused for PV. Without a layout such a
 * domain cannot be unpaused: -EOPNOTSUPP. A layout with other ids is refused
 * after the first unpause: -EBUSY. The highest bit, so that the tree's own
 * flags may grow.
 */
#define XEN_DOMCTL_CDF_vnuma_apic_topology (1U << 31)

/*
 * XEN_DOMCTL_get_vcpu_apicids: the x2APIC id of each vCPU, by vCPU number.
 * With a null handle, or with nr_vcpus 0: only sets nr_filled to the number of
 * vCPUs. With too short an array: -ENOBUFS, and nr_filled set likewise. With
 * the flag and no layout: -EOPNOTSUPP. Of a dying domain: -EINVAL.
 * The structure stands in the domctl's union, at struct xen_domctl's u.
 */
#define XEN_DOMCTL_get_vcpu_apicids 2001

struct xen_domctl_get_vcpu_apicids {
    uint32_t nr_vcpus;                    /* IN: elements of apicids */
    uint32_t nr_filled;                   /* OUT */
    XEN_GUEST_HANDLE_64(uint32) apicids;  /* OUT */
};
typedef struct xen_domctl_get_vcpu_apicids xen_domctl_get_vcpu_apicids_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_get_vcpu_apicids_t);

#endif /* __XEN__ || __XEN_TOOLS__ */

/*
 * XENMEM_get_mfn_pxms: the proximity domain of the node that each host frame
 * is on, as the firmware numbers it. A frame in no memory block of the SRAT
 * or beyond the host's memory, gets XEN_INVALID_NUMA_ID without failing the
 * others. If Xen has refused the SRAT, all frames do. For the hardware domain
 * only: -EPERM for others, whatever flags, count and frames are. -EINVAL for
 * flags and for a start_extent, -E2BIG for too many frames. The memory op's
 * number has six bits, so it cannot be a 2xxx one.
 */
#define XENMEM_get_mfn_pxms 40
#define XEN_GET_MFN_PXMS_MAX 1024
#ifndef XEN_INVALID_NUMA_ID
#define XEN_INVALID_NUMA_ID (~0U)
#endif

struct xen_get_mfn_pxms {
    XEN_GUEST_HANDLE(xen_pfn_t) mfns;     /* IN */
    XEN_GUEST_HANDLE(uint32) pxms;        /* OUT */
    uint32_t nr_mfns;                     /* IN: at most XEN_GET_MFN_PXMS_MAX */
    uint32_t flags;                       /* IN: 0 */
};
typedef struct xen_get_mfn_pxms xen_get_mfn_pxms_t;
DEFINE_XEN_GUEST_HANDLE(xen_get_mfn_pxms_t);

#endif /* __XEN_PUBLIC_HV_GLUE_H__ */
