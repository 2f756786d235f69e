/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue.c
 *
 * What stays after boot: APIC ids and CPUID topology of opted-in guests, and
 * their domctl of public/hv_glue.h. The rules are the library's (hvg.h).
 */

#include <xen/err.h>
#include <xen/guest_access.h>
#include <xen/hv_glue.h>
#include <xen/hvg.h>
#include <xen/hypercall.h>
#include <xen/sched.h>

#include <asm/cpu-policy.h>
#include <asm/e820.h>
#include <asm/hvm/vlapic.h>
#include <asm/mm.h>

static void __init __maybe_unused build_assertions(void)
{
    struct xen_domctl op;
    struct cpuid_leaf leaf;
    struct hvg_leaf hvg;
    struct xen_vmemrange range;
    struct hvg_vmemrange hvg_range;

    BUILD_BUG_ON(sizeof(struct xen_domctl_get_vcpu_apicids) != 16);
    BUILD_BUG_ON(sizeof(struct xen_domctl_get_vcpu_apicids) > sizeof(op.u.pad));

    /* Numbers of Xen's that the library takes for its own. */
    BUILD_BUG_ON(E820_RAM != 1 || E820_RESERVED != 2 || E820_ACPI != 3 ||
                 E820_NVS != 4 || E820_UNUSABLE != 5);
    BUILD_BUG_ON(EINVAL != 22 || ENOBUFS != 105 || E2BIG != 7 || EPERM != 1 ||
                 ERANGE != 34);

    /* Structures of Xen's that the library reads as its own. */
    BUILD_BUG_ON(sizeof(leaf) != sizeof(hvg));
    BUILD_BUG_ON(offsetof(typeof(leaf), a) != offsetof(typeof(hvg), a));
    BUILD_BUG_ON(offsetof(typeof(leaf), b) != offsetof(typeof(hvg), b));
    BUILD_BUG_ON(offsetof(typeof(leaf), c) != offsetof(typeof(hvg), c));
    BUILD_BUG_ON(offsetof(typeof(leaf), d) != offsetof(typeof(hvg), d));
    BUILD_BUG_ON(sizeof(range) != sizeof(hvg_range));
    BUILD_BUG_ON(offsetof(typeof(range), start) !=
                 offsetof(typeof(hvg_range), start));
    BUILD_BUG_ON(offsetof(typeof(range), end) !=
                 offsetof(typeof(hvg_range), end));
    BUILD_BUG_ON(offsetof(typeof(range), flags) !=
                 offsetof(typeof(hvg_range), flags));
    BUILD_BUG_ON(offsetof(typeof(range), nid) !=
                 offsetof(typeof(hvg_range), nid));
}

static bool opted_in(const struct domain *d)
{
    return d->options & XEN_DOMCTL_CDF_vnuma_apic_topology;
}

/*
 * Takes the lock: a layout may be replaced until the first unpause, and is
 * freed when the domain is killed, while a device model resets a local APIC.
 */
uint32_t hv_glue_x2apic_id(struct domain *d, unsigned int vcpu_id)
{
    uint32_t id = vcpu_id * 2;

    if ( likely(!opted_in(d)) )
        return id;

    read_lock(&d->vnuma_rwlock);
    if ( d->vnuma )
        id = hv_glue_vnuma_ids(d, d->vnuma)[vcpu_id];
    read_unlock(&d->vnuma_rwlock);

    return id;
}

uint32_t guest_vcpu_x2apic_id(const struct vcpu *v)
{
    return hv_glue_x2apic_id(v->domain, v->vcpu_id);
}

int hv_glue_sanitise_domain_config(struct xen_domctl_createdomain *config)
{
    if ( (config->flags & XEN_DOMCTL_CDF_vnuma_apic_topology) &&
         !(config->flags & XEN_DOMCTL_CDF_hvm) )
    {
        dprintk(XENLOG_INFO, "vnuma_apic_topology requested for non-HVM guest\n");
        return -EINVAL;
    }

    return arch_sanitise_domain_config(config);
}

/* Fills in the ids behind vcpu_to_vnode[], and the shape behind those. */
static int assign_ids(const struct domain *d, struct vnuma_info *vnuma)
{
    struct hvg_error err = HVG_INIT(struct hvg_error);
    struct hvg_shape shape = HVG_INIT(struct hvg_shape);
    int rc = hvg_apic_ids(vnuma->vcpu_to_vnode, d->max_vcpus, vnuma->nr_vnodes,
                          hv_glue_vnuma_ids(d, vnuma), &shape, &err);

    if ( rc == -ERANGE )
        printk(XENLOG_G_WARNING
               "%pd: highest APIC id of %u vCPUs on %u vnodes: %"PRIu64" > %"PRIu64"\n",
               d, d->max_vcpus, vnuma->nr_vnodes, err.value, err.index);
    else if ( rc )
        printk(XENLOG_G_WARNING "%pd: no APIC ids for %u vCPUs on %u vnodes: %d\n",
               d, d->max_vcpus, vnuma->nr_vnodes, rc);
    else
        *hv_glue_vnuma_shape(d, vnuma) = shape;

    return rc;
}

static int patch_policy(struct cpu_policy *p, const struct hvg_shape *shape,
                        struct hvg_error *err)
{
    struct hvg_cpuid cpuid = HVG_INIT(struct hvg_cpuid);

    cpuid.leaf_1 = (struct hvg_leaf *)&p->basic.raw[1];
    cpuid.leaf_4 = (struct hvg_leaf *)p->cache.raw;
    cpuid.nr_leaf_4 = ARRAY_SIZE(p->cache.raw);
    cpuid.leaf_b = (struct hvg_leaf *)p->topo.raw;
    cpuid.nr_leaf_b = ARRAY_SIZE(p->topo.raw);
    cpuid.leaf_80000008 = (struct hvg_leaf *)&p->extd.raw[8];
    switch ( p->x86_vendor )
    {
    case X86_VENDOR_AMD:
        cpuid.vendor = HVG_VENDOR_AMD;
        break;

    case X86_VENDOR_HYGON:
        cpuid.vendor = HVG_VENDOR_HYGON;
        break;

    default:
        cpuid.vendor = HVG_VENDOR_INTEL;
        break;
    }

    return hvg_cpuid_patch(&cpuid, shape, err);
}

/* The local APICs that exist already take their ids; later ones at their reset. */
static void refresh_vlapics(struct domain *d, const uint32_t *ids)
{
    struct vcpu *v;

    for_each_vcpu ( d, v )
    {
        struct vlapic *vlapic = vcpu_vlapic(v);
        uint32_t id = ids[v->vcpu_id];

        if ( !has_vlapic(d) || !vlapic->regs )
            continue;

        if ( vlapic_x2apic_mode(vlapic) )
        {
            vlapic_set_reg(vlapic, APIC_ID, id);
            vlapic_set_reg(vlapic, APIC_LDR,
                           ((id & ~0xfU) << 12) | (1U << (id & 0xf)));
        }
        else
            vlapic_set_reg(vlapic, APIC_ID, SET_xAPIC_ID(id));
    }
}

static bool same_ids(const struct domain *d, const struct vnuma_info *vnuma)
{
    const struct vnuma_info *old = d->vnuma;

    /* Only domctls replace a layout, and their lock is held. */
    return old &&
           !memcmp(hv_glue_vnuma_ids(d, old), hv_glue_vnuma_ids(d, vnuma),
                   d->max_vcpus * sizeof(uint32_t)) &&
           !memcmp(hv_glue_vnuma_shape(d, old), hv_glue_vnuma_shape(d, vnuma),
                   sizeof(struct hvg_shape));
}

/*
 * A toolstack's layout, about to be installed by the caller, which cannot fail
 * any more: so that a refusal changes nothing, all of it happens here.
 */
struct vnuma_info *hv_glue_vnuma_set(struct domain *d,
                                     struct vnuma_info *vnuma)
{
    int rc;

    if ( IS_ERR(vnuma) || !opted_in(d) )
        return vnuma;

    rc = assign_ids(d, vnuma);
    /*
     * The ids are in the guest's tables and in devices' messages by now. A
     * soft reset sets the same layout again.
     */
    if ( !rc && d->creation_finished && !same_ids(d, vnuma) )
        rc = -EBUSY;
    if ( !rc )
        rc = patch_policy(d->arch.cpu_policy, hv_glue_vnuma_shape(d, vnuma), NULL);
    if ( rc )
    {
        hv_glue_vnuma_free(vnuma);
        return ERR_PTR(rc);
    }

    refresh_vlapics(d, hv_glue_vnuma_ids(d, vnuma));

    return vnuma;
}

/* A policy that was computed anew gets the layout's leaves again. */
void hv_glue_recalculate_cpuid_policy(struct domain *d)
{
    recalculate_cpuid_policy(d);

    /* The shape fitted when it was set, and the vendor does not change. */
    if ( opted_in(d) && d->vnuma &&
         patch_policy(d->arch.cpu_policy, hv_glue_vnuma_shape(d, d->vnuma), NULL) )
        ASSERT_UNREACHABLE();
}

/* dom0's layout, ids and shape, from its builder. */
int __init hv_glue_vnuma_install(struct domain *d, struct vnuma_info *vnuma,
                                 struct hvg_error *err)
{
    int rc = patch_policy(d->arch.cpu_policy, hv_glue_vnuma_shape(d, vnuma), err);

    if ( rc )
        return rc;

    write_lock(&d->vnuma_rwlock);
    d->vnuma = vnuma;
    write_unlock(&d->vnuma_rwlock);

    refresh_vlapics(d, hv_glue_vnuma_ids(d, vnuma));

    return 0;
}

/* A guest's owner must not see ids that the guest will not have. */
static int require_layout(const struct domain *d)
{
    if ( d->is_dying )
        return -EINVAL;

    return opted_in(d) && !d->vnuma ? -EOPNOTSUPP : 0;
}

/* The first unpause: from here on ids do not change. */
int hv_glue_unpause(struct domain *d)
{
    int rc = d->creation_finished ? 0 : require_layout(d);

    if ( rc )
    {
        printk(XENLOG_G_WARNING "%pd: no vNUMA layout, but flag %#x; not started\n",
               d, XEN_DOMCTL_CDF_vnuma_apic_topology);
        return rc;
    }

    return domain_unpause_by_systemcontroller(d);
}

/*
 * The registers of a saved local APIC have the ids of the layout that was saved
 * with them. The id is in bits 31:24 in xAPIC mode, in all bits in x2APIC mode.
 */
int hv_glue_lapic_loaded(struct vlapic *vlapic)
{
    struct vcpu *v = vlapic_vcpu(vlapic);
    uint32_t id, loaded = vlapic_get_reg(vlapic, APIC_ID);

    if ( !opted_in(v->domain) || require_layout(v->domain) )
        return 0;

    id = guest_vcpu_x2apic_id(v);
    if ( loaded == id || loaded == SET_xAPIC_ID(id) )
        return 0;

    printk(XENLOG_G_WARNING "%pv: local APIC id register %#x, layout's id %#x\n",
           v, loaded, id);

    return -EINVAL;
}

/* Ids that are copied at once, from the stack. */
#define IDS_AT_ONCE 64

static int get_vcpu_apicids(struct domain *d,
                            struct xen_domctl_get_vcpu_apicids *op)
{
    uint32_t ids[IDS_AT_ONCE];
    unsigned int i, done;
    int rc = require_layout(d);

    if ( rc )
        return rc;

    op->nr_filled = d->max_vcpus;
    if ( guest_handle_is_null(op->apicids) || !op->nr_vcpus )
        return 0;
    if ( op->nr_vcpus < d->max_vcpus )
        return -ENOBUFS;

    for ( done = 0; done < d->max_vcpus; done += i )
    {
        for ( i = 0; i < ARRAY_SIZE(ids) && done + i < d->max_vcpus; i++ )
            ids[i] = hv_glue_x2apic_id(d, done + i);
        /* Killing a domain frees its layout at any time. */
        rc = require_layout(d);
        if ( !rc && copy_to_guest_offset(op->apicids, done, ids, i) )
            rc = -EFAULT;
        if ( rc )
            return rc;
    }

    return 0;
}

long hv_glue_do_domctl(struct xen_domctl *op, struct domain *d,
                       XEN_GUEST_HANDLE_PARAM(xen_domctl_t) u_domctl)
{
    long rc;

    if ( op->cmd != XEN_DOMCTL_get_vcpu_apicids )
        return arch_do_domctl(op, d, u_domctl);

    rc = get_vcpu_apicids(d, (void *)op->u.pad);
    if ( (!rc || rc == -ENOBUFS) && __copy_to_guest(u_domctl, op, 1) )
        rc = -EFAULT;

    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
