// numa_get_nr_memblks() and numa_get_memblk() beside the arrays that they read, after the file's last function.
@there@ @@
 #include <xen/hv_glue_memblks.h>

@add depends on !there@ identifier fn = {register_numa_trigger, __node_distance}; @@
 fn(...) { ... }
+
+#include <xen/hv_glue_memblks.h>
