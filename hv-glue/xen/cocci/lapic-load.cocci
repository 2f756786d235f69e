// The id in a saved local APIC's registers is that of the layout.
@loaded@ identifier s; @@
 lapic_load_regs(...)
 {
 <+...
 lapic_rearm(s);
- return 0;
+ return hv_glue_lapic_loaded(s);
 ...+>
 }
