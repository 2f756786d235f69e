// The gate is asked, and its answer goes into dom0's creation flags, before the domain exists.
@create@ expression id, flags; symbol dom0_cfg; @@
- domain_create(id, &dom0_cfg, flags)
+ hv_glue_create_dom0(id, &dom0_cfg, flags)

@include depends on create@ @@
 #include <...>
+#include <xen/hv_glue.h>
