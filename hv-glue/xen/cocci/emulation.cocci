// For boots under software emulation only (apply.sh --emulation): without an invariant time-stamp counter Xen
// traps every RDTSC of dom0, and more than a few CPUs then hang. Not part of the integration.
@tsc@ identifier d; expression mode; @@
 tsc_set_info(struct domain *d, ...)
 {
 <+...
 mode &&
- host_tsc_is_safe()
+ (is_hardware_domain(d) || host_tsc_is_safe())
 ...+>
 }
