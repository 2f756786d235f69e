/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue.h
 *
 * The names that the semantic patches put in place of Xen's own. With
 * CONFIG_HV_GLUE off, each is what stood there before.
 */

#ifndef __XEN_HV_GLUE_H__
#define __XEN_HV_GLUE_H__

#include <xen/types.h>

struct domain;
struct vcpu;
struct vlapic;
struct vnuma_info;
struct xen_domctl_createdomain;

#ifdef CONFIG_HV_GLUE

#include <xen/hvg.h>
#include <xen/numa.h>
#include <public/domctl.h>
#include <public/hv_glue.h>

#define XEN_HV_GLUE_CDF XEN_DOMCTL_CDF_vnuma_apic_topology

/*
 * vcpu_to_vnode[] is followed by the APIC ids and by their shape, so that they
 * come and go with the layout they derive from.
 */
#define hv_glue_vcpu_slots(nr_vcpus) \
    ((nr_vcpus) * 2 + sizeof(struct hvg_shape) / sizeof(uint32_t))
#define hv_glue_vnuma_ids(d, vnuma) ((vnuma)->vcpu_to_vnode + (d)->max_vcpus)
#define hv_glue_vnuma_shape(d, vnuma) \
    ((struct hvg_shape *)((vnuma)->vcpu_to_vnode + (d)->max_vcpus * 2))

/* The one source of APIC ids. */
uint32_t hv_glue_x2apic_id(struct domain *d, unsigned int vcpu_id);
uint32_t guest_vcpu_x2apic_id(const struct vcpu *v);

int hv_glue_sanitise_domain_config(struct xen_domctl_createdomain *config);
struct domain *hv_glue_create_dom0(domid_t domid,
                                   struct xen_domctl_createdomain *config,
                                   unsigned int flags);

struct vnuma_info *hv_glue_vnuma_set(struct domain *d,
                                     struct vnuma_info *vnuma);
struct vnuma_info *hv_glue_vnuma_alloc(unsigned int nr_vnodes,
                                       unsigned int nr_ranges,
                                       unsigned int nr_vcpus);
void hv_glue_vnuma_free(struct vnuma_info *vnuma);
int hv_glue_vnuma_install(struct domain *d, struct vnuma_info *vnuma,
                          struct hvg_error *err);
void hv_glue_vnuma_destroy(struct domain *d);
void hv_glue_recalculate_cpuid_policy(struct domain *d);
int hv_glue_unpause(struct domain *d);
int hv_glue_lapic_loaded(struct vlapic *vlapic);

/* A fork has its parent's CPUID leaves, but no layout that they follow. */
#define hv_glue_fork(cd, d)                                              \
    ((d)->options & XEN_DOMCTL_CDF_vnuma_apic_topology                   \
     ? -EOPNOTSUPP : fork(cd, d))

long hv_glue_do_domctl(struct xen_domctl *op, struct domain *d,
                       XEN_GUEST_HANDLE_PARAM(xen_domctl_t) u_domctl);
long hv_glue_memory_op(unsigned long cmd, XEN_GUEST_HANDLE_PARAM(void) arg);
int hv_glue_compat_memory_op(unsigned long cmd,
                             XEN_GUEST_HANDLE_PARAM(void) arg);

/* A macro, since its parts are static in FLASK's hooks. */
#define hv_glue_flask_domctl(d, cmd)                                     \
    ((cmd) == XEN_DOMCTL_get_vcpu_apicids                                \
     ? current_has_perm(d, SECCLASS_DOMAIN, DOMAIN__GETVCPUCONTEXT)      \
     : avc_unknown_permission("domctl", cmd))

unsigned int numa_get_nr_memblks(void);
bool numa_get_memblk(unsigned int idx, paddr_t *start, paddr_t *end,
                     nodeid_t *nid);
bool hv_glue_memblk_hotplug(unsigned int idx);
unsigned int hv_glue_node_to_pxm(nodeid_t node);

#else /* !CONFIG_HV_GLUE */

#define XEN_HV_GLUE_CDF 0U
#define hv_glue_vcpu_slots(nr_vcpus) (nr_vcpus)
#define hv_glue_x2apic_id(d, vcpu_id) ((vcpu_id) * 2)
#define guest_vcpu_x2apic_id(v) ((v)->vcpu_id * 2)
#define hv_glue_sanitise_domain_config(c) arch_sanitise_domain_config(c)
#define hv_glue_create_dom0(id, c, flags) domain_create(id, c, flags)
#define hv_glue_vnuma_set(d, vnuma) (vnuma)
#define hv_glue_vnuma_destroy(d) vnuma_destroy((d)->vnuma)
#define hv_glue_recalculate_cpuid_policy(d) recalculate_cpuid_policy(d)
#define hv_glue_unpause(d) domain_unpause_by_systemcontroller(d)
#define hv_glue_lapic_loaded(vlapic) 0
#define hv_glue_fork(cd, d) fork(cd, d)
#define hv_glue_do_domctl(op, d, u) arch_do_domctl(op, d, u)
#define hv_glue_memory_op(cmd, arg) subarch_memory_op(cmd, arg)
#define hv_glue_compat_memory_op(cmd, arg) compat_arch_memory_op(cmd, arg)
#define hv_glue_flask_domctl(d, cmd) avc_unknown_permission("domctl", cmd)

#endif /* CONFIG_HV_GLUE */

#endif /* __XEN_HV_GLUE_H__ */
