// The createdomain flag: known to the common check, and refused for PV by the arch one.
@known@ expression E; @@
 E | XEN_HV_GLUE_CDF

@mask depends on !known@ identifier c; expression E; @@
 sanitise_domain_config(...)
 {
 <+...
 c->flags & ~(E
+  | XEN_HV_GLUE_CDF
 )
 ...+>
 }

@arch@ expression c; @@
- arch_sanitise_domain_config(c)
+ hv_glue_sanitise_domain_config(c)

@include depends on arch@ @@
 #include <...>
+#include <xen/hv_glue.h>
