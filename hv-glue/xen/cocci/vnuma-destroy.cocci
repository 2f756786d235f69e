// A killed domain's layout is cleared before it is freed; later versions of Xen have vnuma_replace().
@destroy@ expression d; @@
- vnuma_destroy(d->vnuma)
+ hv_glue_vnuma_destroy(d)

@include depends on destroy@ @@
 #include <...>
+#include <xen/hv_glue.h>
