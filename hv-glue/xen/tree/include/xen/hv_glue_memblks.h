/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_memblks.h
 *
 * Included once, at the end of the file that holds the memory blocks: the
 * arrays are static there, and in 4.17 the way to a proximity domain is, too.
 */

#ifdef CONFIG_HV_GLUE

#include <xen/hv_glue.h>
#include <xen/hv_glue_names.h>

unsigned int hv_glue_node_to_pxm(nodeid_t node)
{
    return HV_GLUE_NODE_TO_PXM(node);
}

unsigned int numa_get_nr_memblks(void)
{
    return num_node_memblks;
}

bool numa_get_memblk(unsigned int idx, paddr_t *start, paddr_t *end,
                     nodeid_t *nid)
{
    if ( idx >= numa_get_nr_memblks() )
        return false;

    *start = node_memblk_range[idx].start;
    *end = node_memblk_range[idx].end;
    *nid = memblk_nodeid[idx];

    return true;
}

/* The flags are initial data, gone after boot. */
bool __init hv_glue_memblk_hotplug(unsigned int idx)
{
    return idx < numa_get_nr_memblks() && test_bit(idx, memblk_hotplug);
}

#endif /* CONFIG_HV_GLUE */
