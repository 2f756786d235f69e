// The PVH dom0 builder: five calls go through names of ours, and the MADT's ids come from the one source.
// Definitions are not calls, so they stay as they are, static and reachable from our header.
@e820@ expression d, n; @@
- pvh_setup_e820(d, n)
+ hv_glue_setup_e820(d, n)

@p2m@ expression d; @@
- pvh_populate_p2m(d)
+ hv_glue_populate_p2m(d)

@range@ expression d, s, n; @@
- pvh_populate_memory_range(d, s, n)
+ hv_glue_populate_memory_range(d, s, n)

@acpi@ identifier d, start_info; expression madt; @@
 pvh_setup_acpi(struct domain *d, paddr_t start_info)
 {
 <+...
- pvh_setup_acpi_madt(d, madt)
+ hv_glue_setup_acpi_madt(d, start_info, madt)
 ...+>
 }

@wrapped@ expression s; @@
 hv_glue_acpi_status(s)

@whole depends on !wrapped@ expression d, s; @@
- pvh_setup_acpi(d, s)
+ hv_glue_acpi_status(pvh_setup_acpi(d, s))

@ids@ identifier f, d; expression x, i; @@
 f(struct domain *d, ...)
 {
 <+...
 x->local_apic_id =
- i * 2
+ hv_glue_x2apic_id(d, i)
 ...+>
 }

@include depends on e820@ @@
 #include <...>
+#include <asm/hv_glue_pvh.h>
