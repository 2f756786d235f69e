// The domctl's fall-through to the architecture, the vNUMA setter, the room for the ids beside
// vcpu_to_vnode, and the allocator's two ends for the dom0 builder.
@arch@ expression op, d, u; @@
- arch_do_domctl(op, d, u)
+ hv_glue_do_domctl(op, d, u)

@set@ symbol vnuma; expression u, d; @@
 vnuma =
- vnuma_init(u, d)
+ hv_glue_vnuma_set(d, vnuma_init(u, d))

@roomy@ expression n; @@
 hv_glue_vcpu_slots(n)

@room depends on !roomy@ symbol vnuma; expression n; @@
 vnuma->vcpu_to_vnode = xmalloc_array(unsigned int,
- n
+ hv_glue_vcpu_slots(n)
 )

@unpause@ expression d; @@
- domain_unpause_by_systemcontroller(d)
+ hv_glue_unpause(d)

@there@ @@
 #include <xen/hv_glue_vnuma.h>

@ends depends on !there@ @@
 vnuma_init(...) { ... }
+
+#include <xen/hv_glue_vnuma.h>

@include depends on arch@ @@
 #include <...>
+#include <xen/hv_glue.h>
