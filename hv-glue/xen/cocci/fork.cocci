// A fork copies the CPUID policy and no vNUMA layout.
@fork@ expression cd, d; @@
- fork(cd, d)
+ hv_glue_fork(cd, d)

@include depends on fork@ @@
 #include <...>
+#include <xen/hv_glue.h>
