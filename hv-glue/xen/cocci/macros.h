// What spatch must know to parse Xen's files without their includes.
#define XEN_GUEST_HANDLE_PARAM(x) int
#define XEN_GUEST_HANDLE_64(x) int
#define XEN_GUEST_HANDLE(x) int
#define __ro_after_init
#define __read_mostly
#define __initdata
#define cf_check
#define uint64_aligned_t uint64_t
