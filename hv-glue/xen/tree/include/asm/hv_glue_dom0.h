/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue_dom0.h
 *
 * A PVH dom0's vNUMA, step by step as its builder takes them.
 */

#ifndef __ASM_HV_GLUE_DOM0_H__
#define __ASM_HV_GLUE_DOM0_H__

#include <xen/hv_glue.h>

/* In order, after the gate: hv_glue_create_dom0(). */
void hv_glue_dom0_e820(struct domain *d, unsigned long nr_pages);
void hv_glue_dom0_place(struct domain *d);
bool hv_glue_dom0_placed(void);
struct hvg_plan *hv_glue_dom0_plan(void);
void hv_glue_dom0_forget_plan(void);
void hv_glue_dom0_report(const char *what, const struct hvg_error *err);
unsigned int hv_glue_dom0_table_elements(void);
int hv_glue_dom0_populate(struct domain *d, unsigned long start,
                          unsigned long nr_pages);
void hv_glue_dom0_populated(struct domain *d);
int hv_glue_dom0_tables_begin(const struct domain *d, const uint64_t *addresses,
                              unsigned int nr_addresses, unsigned long *size);
int hv_glue_dom0_tables_emit(struct domain *d, paddr_t arena,
                             unsigned long size, paddr_t start_info,
                             paddr_t *madt);

#endif /* __ASM_HV_GLUE_DOM0_H__ */
