// The local APIC's id has one source: guest_vcpu_x2apic_id(). The pattern vanishes once replaced.
@parenthesised@ expression v; @@
- (v->vcpu_id * 2)
+ guest_vcpu_x2apic_id(v)

@bare@ expression v; @@
- v->vcpu_id * 2
+ guest_vcpu_x2apic_id(v)

@include depends on parenthesised || bare@ @@
 #include <...>
+#include <xen/hv_glue.h>
