/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_vnuma.h
 *
 * Included once, behind vnuma_alloc() and vnuma_destroy(): whoever allocates
 * must free by the matching call, and these two match.
 */

#ifdef CONFIG_HV_GLUE

struct vnuma_info *hv_glue_vnuma_alloc(unsigned int nr_vnodes,
                                       unsigned int nr_ranges,
                                       unsigned int nr_vcpus)
{
    return vnuma_alloc(nr_vnodes, nr_ranges, nr_vcpus);
}

void hv_glue_vnuma_free(struct vnuma_info *vnuma)
{
    vnuma_destroy(vnuma);
}

/* XSA-502, for a Xen without vnuma_replace(): readers must not find it freed. */
void hv_glue_vnuma_destroy(struct domain *d)
{
    struct vnuma_info *old;

    write_lock(&d->vnuma_rwlock);
    old = d->vnuma;
    d->vnuma = NULL;
    write_unlock(&d->vnuma_rwlock);

    vnuma_destroy(old);
}

#endif /* CONFIG_HV_GLUE */
