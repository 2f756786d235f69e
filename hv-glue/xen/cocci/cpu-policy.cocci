// A policy set after the vNUMA layout has its topology leaves recalculated too.
@recalculate@ expression d; @@
- recalculate_cpuid_policy(d)
+ hv_glue_recalculate_cpuid_policy(d)

@include depends on recalculate@ @@
 #include <...>
+#include <xen/hv_glue.h>
