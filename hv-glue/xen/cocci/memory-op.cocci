// The memory op's two fall-throughs, native and compat.
@native@ expression cmd, arg; @@
- subarch_memory_op(cmd, arg)
+ hv_glue_memory_op(cmd, arg)

@compat@ expression cmd, arg; @@
- compat_arch_memory_op(cmd, arg)
+ hv_glue_compat_memory_op(cmd, arg)

@include depends on native || compat@ @@
 #include <...>
+#include <xen/hv_glue.h>
