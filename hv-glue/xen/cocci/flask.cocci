// FLASK's default for an unknown domctl: ours asks for getvcpucontext, others stay unknown.
@unknown@ expression X; @@
- avc_unknown_permission("domctl", X)
+ hv_glue_flask_domctl(d, X)

@include depends on unknown@ @@
 #include <...>
+#include <xen/hv_glue.h>
