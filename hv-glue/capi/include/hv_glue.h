/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hv_glue.h: the C interface to hv-glue and acpi-gen.
 *
 * Made by `HV_GLUE_HEADER=write cargo test -p hv-glue-capi --test header`; edits here are lost.
 */

#ifndef HV_GLUE_H
#define HV_GLUE_H

/* A hypervisor has its own fixed-width types. */
#ifndef __XEN__
#include <stdint.h>
#endif

/* Initialises a structure that begins with its size and version (C99, C++20). */
#define HVG_INIT(type) { .size = sizeof(type), .version = HVG_VERSION }

/* Bytes of scratch memory for hvg_apic_ids(). */
#define HVG_APIC_IDS_WORK(nr_vnodes) ((nr_vnodes) * 12 + 16)

// The version that every versioned structure carries.
#define HVG_VERSION 1

// A number of a proximity domain, node or vnode that stands for "none".
#define HVG_NONE 4294967295

// The memory may be added or removed at run time.
#define HVG_MEMORY_HOTPLUG 1

// The memory keeps its contents without power.
#define HVG_MEMORY_NONVOLATILE 2

// dom0 is PVH.
#define HVG_REQUEST_PVH 1

// Every vCPU has hard affinity to one pCPU.
#define HVG_REQUEST_PINNED 2

// Fewer vCPUs than pCPUs are taken too.
#define HVG_REQUEST_PARTIAL 4

// dom0 is PVH: 0 or 1, against 1.
#define HVG_CONDITION_PVH 0

// vCPUs are pinned: 0 or 1, against 1.
#define HVG_CONDITION_PINNED 1

// vCPUs, against pCPUs.
#define HVG_CONDITION_VCPUS_COVER_PCPUS 2

// Nodes, against 2.
#define HVG_CONDITION_NODES 3

// Memory blocks, against the most that a layout holds.
#define HVG_CONDITION_BLOCKS 4

// The highest APIC id, against the limit.
#define HVG_CONDITION_IDS_FIT 5

// Number of conditions.
#define HVG_CONDITIONS 6

// The node's proximity domain.
#define HVG_NUMBERING_DOMAIN 0

// The node's rank.
#define HVG_NUMBERING_DENSE 1

// Intel.
#define HVG_VENDOR_INTEL 0

// AMD.
#define HVG_VENDOR_AMD 1

// Hygon.
#define HVG_VENDOR_HYGON 2

// Number of kinds.
#define HVG_ALLOC_KINDS 4

// From `node` alone, with dom0's flags.
#define HVG_ALLOC_NODE 0

// From `node` alone, its DMA reserve included.
#define HVG_ALLOC_NODE_DMA 1

// From any node, with dom0's flags.
#define HVG_ALLOC_ANY 2

// From any node, without flags.
#define HVG_ALLOC_PLAIN 3

// The largest order that is asked for: 4 GiB.
#define HVG_MAX_ORDER 20

// The most frames that one XENMEM_get_mfn_pxms asks for.
#define HVG_MFN_PXMS_MAX 1024

// Absent at boot, may be added.
#define HVG_PROCESSOR_ONLINE_CAPABLE 1

// Also FADT, DSDT and FACS: all that a guest without firmware needs.
#define HVG_TABLES_COMPLETE 1

// Type 0 entries below APIC id 255, types 9 and 2 above; else types 9 and 2 for all.
#define HVG_TABLES_HYBRID 2

// MADT flag PCAT_COMPAT.
#define HVG_TABLES_PCAT 4

// The most tables that a set has, the RSDP counted.
#define HVG_MAX_TABLES 8

// What [`HvgError::what`](crate::types::HvgError) says. From 0x100 on the rule is
// one of the tables' (acpi-gen), from 0x200 on one of the layout's (hv-glue);
// index and value are those that the rule names, in its order.
enum hvg_what
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // No failure.
    HVG_WHAT_NONE = 0,
    // A null pointer for an array that is not empty; the argument's place and the array's length.
    HVG_WHAT_ARGUMENT_NULL = 1,
    // A pointer that is not aligned as its type; the argument's place and the address.
    HVG_WHAT_ARGUMENT_MISALIGNED = 2,
    // An array longer than memory; the argument's place and the length.
    HVG_WHAT_ARGUMENT_TOO_LONG = 3,
    // An array that shares memory with one that the call writes; the argument's place and the address.
    HVG_WHAT_ARGUMENT_OVERLAP = 4,
    // A structure of another size or version; its size and version.
    HVG_WHAT_STRUCT_VERSION = 5,
    // A field with a number that it cannot have; the field's offset in 32-bit words and the number.
    HVG_WHAT_STRUCT_FIELD = 6,
    // Scratch memory that is too short; what there is and what is needed, in bytes.
    HVG_WHAT_WORK_TOO_SMALL = 7,
    // Memory that holds no plan; 0 and the address.
    HVG_WHAT_NOT_A_PLAN = 8,
    // A report without a step, or a step without a walk.
    HVG_WHAT_NO_WALK = 9,
    // An array that is too short; what there is and what is needed, in elements.
    HVG_WHAT_ARRAY_TOO_SHORT = 10,
    // Not the hardware domain.
    HVG_WHAT_NOT_HARDWARE_DOMAIN = 11,
    // More elements than one call takes; what there is and the most.
    HVG_WHAT_TOO_MANY_ELEMENTS = 12,
    // An element of an array with a number that it cannot have; its index and the number.
    HVG_WHAT_ELEMENT_FIELD = 13,
    // A rule that is newer than this list.
    HVG_WHAT_UNKNOWN = 255,
    // A range whose end is not above its start.
    HVG_WHAT_TABLE_RANGE_EMPTY = 256,
    // A range that does not end below 2^64.
    HVG_WHAT_TABLE_RANGE_PAST_END = 257,
    // No processors at all.
    HVG_WHAT_TABLE_NO_PROCESSORS = 258,
    // The first processor is the boot processor and must be enabled.
    HVG_WHAT_TABLE_BOOT_PROCESSOR_ABSENT = 259,
    // Two processors with one UID.
    HVG_WHAT_TABLE_DUPLICATE_UID = 260,
    // Two processors with one APIC ID.
    HVG_WHAT_TABLE_DUPLICATE_APIC_ID = 261,
    // An ID that the MADT reserves for entries to ignore: 0xFFFFFFFF.
    HVG_WHAT_TABLE_RESERVED_APIC_ID = 262,
    // A type 0 entry holds 8 bits of UID.
    HVG_WHAT_TABLE_UID_TOO_LARGE_FOR_TYPE0 = 263,
    // Memory that does not stand in ascending order of address.
    HVG_WHAT_TABLE_MEMORY_NOT_ASCENDING = 264,
    // Two memory ranges that share addresses.
    HVG_WHAT_TABLE_MEMORY_OVERLAP = 265,
    // The distances' domains do not stand in strictly ascending order.
    HVG_WHAT_TABLE_DISTANCES_NOT_ASCENDING = 266,
    // A distance matrix that is not square over its domains.
    HVG_WHAT_TABLE_DISTANCES_NOT_SQUARE = 267,
    // A domain that has distances but neither a processor nor memory.
    HVG_WHAT_TABLE_DISTANCE_OF_UNKNOWN_DOMAIN = 268,
    // A distance of 0 to 9, which the SLIT reserves.
    HVG_WHAT_TABLE_DISTANCE_RESERVED = 269,
    // A domain whose distance to itself is not 10.
    HVG_WHAT_TABLE_DIAGONAL_NOT_LOCAL = 270,
    // Two different domains at distance 10: consumers drop the SLIT.
    HVG_WHAT_TABLE_REMOTE_AT_LOCAL_DISTANCE = 271,
    // A SLIT has at most 65,535 localities here: one for each domain number up to the highest.
    HVG_WHAT_TABLE_TOO_MANY_LOCALITIES = 272,
    // The SLIT, whose size is the square of the highest domain, is larger than the whole buffer that the caller lends.
    HVG_WHAT_TABLE_PXM_TOO_LARGE_FOR_BUFFER = 273,
    // Two I/O APICs with one ID.
    HVG_WHAT_TABLE_DUPLICATE_IO_APIC_ID = 274,
    // An I/O APIC at address 0.
    HVG_WHAT_TABLE_IO_APIC_ADDRESS_ZERO = 275,
    // Two overrides of one ISA interrupt.
    HVG_WHAT_TABLE_DUPLICATE_OVERRIDE = 276,
    // An NMI on an input other than LINT0 and LINT1.
    HVG_WHAT_TABLE_NMI_LINT = 277,
    // An NMI for a processor that does not exist.
    HVG_WHAT_TABLE_NMI_OF_UNKNOWN_PROCESSOR = 278,
    // An NMI whose structure cannot hold the UID: the field's highest value means "all".
    HVG_WHAT_TABLE_NMI_UID_TOO_LARGE = 279,
    // The scratch space that validation sorts in is too short.
    HVG_WHAT_TABLE_SCRATCH_TOO_SMALL = 280,
    // A table's 32-bit length field cannot hold its length.
    HVG_WHAT_TABLE_TOO_LARGE = 281,
    // More processors than the DSDT has names for.
    HVG_WHAT_TABLE_TOO_MANY_PROCESSOR_DEVICES = 282,
    // A complete set was asked for where the revisions say that the FADT is another's.
    HVG_WHAT_TABLE_FADT_NOT_OURS = 283,
    // The buffer is too short.
    HVG_WHAT_TABLE_BUFFER_TOO_SMALL = 284,
    // The base address is not aligned as the tables in the set need it.
    HVG_WHAT_TABLE_BASE_MISALIGNED = 285,
    // A layout or an encoding for no vCPUs at all.
    HVG_WHAT_NO_VCPUS = 512,
    // A vCPU on a vnode that does not exist.
    HVG_WHAT_VCPU_ON_UNKNOWN_VNODE = 513,
    // An APIC id that the guest cannot use.
    HVG_WHAT_APIC_ID_ABOVE_LIMIT = 514,
    // None of the encodings in the order of `Scheme::FirstThatFits` stays within the limit.
    HVG_WHAT_NO_ENCODING_FITS = 515,
    // Scratch space that is too short.
    HVG_WHAT_SCRATCH_TOO_SMALL = 516,
    // An output that is too short.
    HVG_WHAT_OUTPUT_TOO_SMALL = 517,
    // A CPUID field that cannot hold a topology's number.
    HVG_WHAT_CPUID_FIELD_OVERFLOW = 518,
    // The opt-in was asked for a PV guest.
    HVG_WHAT_OPT_IN_FOR_PV = 519,
    // More vCPUs than valid pCPUs to pin them to.
    HVG_WHAT_TOO_MANY_VCPUS = 520,
    // A host without memory blocks: no SRAT, or `numa=fake`.
    HVG_WHAT_NO_BLOCKS = 521,
    // More ranges than the hypervisor's vNUMA layout holds.
    HVG_WHAT_TOO_MANY_RANGES = 522,
    // More vnodes than the hypervisor's vNUMA layout holds.
    HVG_WHAT_TOO_MANY_VNODES = 523,
    // A node of a block or pCPU that has no proximity domain.
    HVG_WHAT_NODE_WITHOUT_DOMAIN = 524,
    // Two host nodes that claim one proximity domain.
    HVG_WHAT_TWO_NODES_ONE_DOMAIN = 525,
    // `pnodes` and `domains` of different lengths.
    HVG_WHAT_PNODES_FOR_VNODES = 526,
    // Proximity domains that do not ascend with vnode numbers.
    HVG_WHAT_DOMAINS_NOT_ASCENDING = 527,
    // A distance matrix that is not square over its nodes.
    HVG_WHAT_DISTANCES_NOT_SQUARE = 528,
    // A distance that makes consumers drop the SLIT: not 10 on the diagonal, or 10 and less elsewhere.
    HVG_WHAT_DISTANCE_INVALID = 529,
    // A range on a vnode that does not exist.
    HVG_WHAT_RANGE_ON_UNKNOWN_VNODE = 530,
    // A range whose borders are not on 4 KiB pages.
    HVG_WHAT_RANGE_MISALIGNED = 531,
    // Ranges that do not stand in ascending order.
    HVG_WHAT_RANGES_NOT_ASCENDING = 532,
    // Two ranges that share addresses.
    HVG_WHAT_RANGES_OVERLAP = 533,
    // A vnode with another's range between two of its own.
    HVG_WHAT_RANGES_INTERLEAVE = 534,
    // A memory map whose entries do not ascend, or overlap.
    HVG_WHAT_MAP_NOT_ASCENDING = 535,
    // Ranges to keep that do not ascend, or overlap.
    HVG_WHAT_KEEP_NOT_ASCENDING = 536,
    // A range to keep whose borders are not on 4 KiB pages.
    HVG_WHAT_KEEP_MISALIGNED = 537,
    // Fewer pages than the ranges to keep have.
    HVG_WHAT_PAGES_BELOW_KEPT = 538,
    // More pages than the map has RAM.
    HVG_WHAT_PAGES_ABOVE_TOTAL = 539,
    // A trimmed map that stays longer than allowed when every node is merged.
    HVG_WHAT_TOO_MANY_ENTRIES = 540,
    // No page at all for a frame: every fallback refused order 0.
    HVG_WHAT_OUT_OF_MEMORY = 541,
    // An allocation on a node for which no counters were lent.
    HVG_WHAT_NODE_WITHOUT_COUNTERS = 542,
    // RAM in no vmemrange.
    HVG_WHAT_RAM_NOT_COVERED = 543,
    // Frame ranges that do not ascend, or overlap.
    HVG_WHAT_FRAMES_NOT_ASCENDING = 544,
    // As many APIC ids as vCPUs are needed.
    HVG_WHAT_IDS_FOR_VCPUS = 545,
    // A guest's memory that is not a multiple of a page.
    HVG_WHAT_MEMORY_MISALIGNED = 546,
    // A guest's memory that does not end below 2^64.
    HVG_WHAT_MEMORY_PAST_END = 547,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hvg_what hvg_what;
#else
typedef uint32_t hvg_what;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// dom0's layout with its APIC ids. It stands in the scratch memory of
// `hvg_plan_make` and is valid as long as that.
struct hvg_plan;

// Registers of a CPUID leaf.
struct hvg_leaf {
    // EAX.
    uint32_t a;
    // EBX.
    uint32_t b;
    // ECX.
    uint32_t c;
    // EDX.
    uint32_t d;
};

// The leaves of a guest's CPUID policy that carry topology; null for what the
// policy does not hold.
struct hvg_cpuid {
    // sizeof(struct hvg_cpuid).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Leaf 1.
    struct hvg_leaf *leaf_1;
    // Leaf 4 by subleaf.
    struct hvg_leaf *leaf_4;
    // Leaf 0xB by subleaf.
    struct hvg_leaf *leaf_b;
    // Leaf 0x80000008.
    struct hvg_leaf *leaf_80000008;
    // Elements of `leaf_4`.
    uint32_t nr_leaf_4;
    // Elements of `leaf_b`.
    uint32_t nr_leaf_b;
    // One of HVG_VENDOR_*.
    uint32_t vendor;
    // 0.
    uint32_t reserved;
};

// The shape of an APIC id encoding.
struct hvg_shape {
    // sizeof(struct hvg_shape).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // HVG_NUMBERING_*: which number of a node stands in the high bits.
    uint32_t numbering;
    // Distance between the ids of neighbours, 1 or 2; 0 for `2 * vCPU`.
    uint32_t stride;
    // The bit at which the package's number starts.
    uint32_t pkg_shift;
    // vCPUs of the fullest node.
    uint32_t max_per_node;
    // The highest id.
    uint32_t highest;
    // 0.
    uint32_t reserved;
};

// Where a call failed. Optional everywhere: a null pointer takes no report.
struct hvg_error {
    // sizeof(struct hvg_error).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // The rule that was broken, one of HVG_WHAT_*.
    uint32_t what;
    // 0.
    uint32_t reserved;
    // The element that the rule speaks of, or what there is of it.
    uint64_t index;
    // What the element holds, or what would be needed.
    uint64_t value;
};

// A memory block of the host, as its firmware's SRAT has it.
struct hvg_block {
    // First byte.
    uint64_t start;
    // Past the last byte.
    uint64_t end;
    // The hypervisor's number of the node.
    uint32_t node;
    // HVG_MEMORY_* flags.
    uint32_t flags;
};

// An entry of a memory map.
struct hvg_e820 {
    // First byte.
    uint64_t start;
    // Past the last byte.
    uint64_t end;
    // As E820 numbers them: 1 RAM, 2 reserved, 3 ACPI, 4 NVS, 5 unusable.
    uint32_t kind;
    // 0.
    uint32_t reserved;
};

// The machine, as its hypervisor knows it.
struct hvg_host {
    // sizeof(struct hvg_host).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Memory blocks, ascending.
    const struct hvg_block *blocks;
    // The memory map, ascending.
    const struct hvg_e820 *e820;
    // The valid pCPUs of dom0's pool, ascending: vCPU n sits on the n-th.
    const uint32_t *pcpus;
    // The node of each of `pcpus`.
    const uint32_t *pcpu_node;
    // The proximity domain of each node, by node number; HVG_NONE for no such node.
    const uint32_t *node_pxm;
    // Distances by node number, nr_nodes squared, row by row; null for 10 and 20.
    const uint8_t *distances;
    // Elements of `blocks`.
    uint32_t nr_blocks;
    // Elements of `e820`.
    uint32_t nr_e820;
    // Elements of `pcpus` and `pcpu_node`.
    uint32_t nr_pcpus;
    // Elements of `node_pxm`.
    uint32_t nr_nodes;
};

// A range of addresses.
struct hvg_range {
    // First byte.
    uint64_t start;
    // Past the last byte.
    uint64_t end;
};

// How dom0's memory map is cut to size.
struct hvg_trim {
    // sizeof(struct hvg_trim).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // 4 KiB pages of RAM that dom0 gets.
    uint64_t nr_pages;
    // Ranges that no trim cuts, ascending.
    const struct hvg_range *keep;
    // Elements of `keep`.
    uint32_t nr_keep;
    // The most entries that may come out; pieces of a node are merged for it.
    uint32_t max_entries;
    // Filled in: entries that came out, or would have.
    uint32_t nr_entries;
    // Filled in: pieces that were merged to stay within `max_entries`.
    uint32_t merged;
};

// What dom0 is to be.
struct hvg_request {
    // sizeof(struct hvg_request).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // vCPUs.
    uint32_t vcpus;
    // pCPUs that dom0's vCPUs are to cover: those of its pool, or all of the machine.
    uint32_t present_pcpus;
    // HVG_REQUEST_* flags.
    uint32_t flags;
    // The highest APIC id that the guest can use; 254 under Xen.
    uint32_t apic_id_limit;
};

// A condition of the gate.
struct hvg_condition {
    // One of HVG_CONDITION_*.
    uint32_t name;
    // 1 where it holds.
    uint32_t ok;
    // What was found.
    uint64_t value;
    // What it was held against.
    uint64_t bound;
};

// The gate's answer.
struct hvg_gate {
    // sizeof(struct hvg_gate).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // 1 where every condition holds.
    uint32_t enabled;
    // 0.
    uint32_t reserved;
    // 4 KiB pages of RAM in no memory block; `blocks` holds only at 0.
    uint64_t uncovered_pages;
    // By HVG_CONDITION_*.
    struct hvg_condition conditions[HVG_CONDITIONS];
};

// A range of a guest's memory on one of its nodes; the layout of Xen's
// struct xen_vmemrange, whose flags must be 0.
struct hvg_vmemrange {
    // First byte.
    uint64_t start;
    // Past the last byte.
    uint64_t end;
    // 0.
    uint32_t flags;
    // The vnode.
    uint32_t nid;
};

// A vNUMA layout in arrays that the caller lends. Where a pointer is null, or
// its array too short, only the counts are filled in: a dry call.
struct hvg_layout {
    // sizeof(struct hvg_layout).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Each vCPU's vnode.
    uint32_t *vcpu_to_vnode;
    // Each vCPU's APIC id.
    uint32_t *apic_ids;
    // Each vnode's host node; HVG_NONE for a gap.
    uint32_t *vnode_to_pnode;
    // Each vnode's proximity domain; HVG_NONE for a gap.
    uint32_t *vnode_pxm;
    // Distances by vnode, nr_vnodes squared, row by row.
    uint32_t *vdistance;
    // Memory ranges, ascending.
    struct hvg_vmemrange *vmemranges;
    // HVG_MEMORY_* flags of each of `vmemranges`.
    uint32_t *range_flags;
    // Elements of `vcpu_to_vnode` and `apic_ids`: lent, then filled.
    uint32_t nr_vcpus;
    // Elements of `vnode_to_pnode` and `vnode_pxm`: lent, then filled.
    uint32_t nr_vnodes;
    // Elements of `vmemranges` and `range_flags`: lent, then filled.
    uint32_t nr_vmemranges;
    // 0.
    uint32_t reserved;
};

// The next allocation.
struct hvg_step {
    // sizeof(struct hvg_step).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // The first guest frame.
    uint64_t pfn;
    // log2 of the number of frames.
    uint32_t order;
    // The host node to allocate from; HVG_NONE for any.
    uint32_t node;
    // One of HVG_ALLOC_*.
    uint32_t kind;
    // The host node that the frames belong on; HVG_NONE for none.
    uint32_t home;
};

// Host frames of one proximity domain.
struct hvg_pxm_range {
    // The first frame.
    uint64_t start;
    // Past the last frame.
    uint64_t end;
    // The proximity domain.
    uint32_t pxm;
};

// A processor for MADT and SRAT; its ACPI UID is its place in the array.
struct hvg_processor {
    // Its APIC id.
    uint32_t apic_id;
    // Its proximity domain; HVG_NONE for none.
    uint32_t pxm;
    // HVG_PROCESSOR_* flags.
    uint32_t flags;
};

// A range of memory for the SRAT.
struct hvg_memory {
    // First byte.
    uint64_t start;
    // Past the last byte.
    uint64_t end;
    // The proximity domain.
    uint32_t pxm;
    // HVG_MEMORY_* flags.
    uint32_t flags;
};

// An I/O APIC for the MADT.
struct hvg_io_apic {
    // Its id, at most 255.
    uint32_t id;
    // Address of its registers.
    uint32_t address;
    // Its first global system interrupt.
    uint32_t gsi_base;
};

// An interrupt source override for the MADT.
struct hvg_override {
    // ISA interrupt, at most 255.
    uint32_t source;
    // Global system interrupt.
    uint32_t gsi;
    // MPS INTI flags, as the MADT has them.
    uint32_t flags;
};

// A local APIC's NMI input for the MADT.
struct hvg_nmi {
    // The processor's UID; HVG_NONE for all.
    uint32_t uid;
    // LINT input, 0 or 1.
    uint32_t lint;
    // MPS INTI flags, as the MADT has them.
    uint32_t flags;
};

// What the tables are to say.
struct hvg_tables {
    // sizeof(struct hvg_tables).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // The boot processor first.
    const struct hvg_processor *processors;
    // Memory, ascending.
    const struct hvg_memory *memory;
    // The proximity domains of `distances`, ascending.
    const uint32_t *distance_pxm;
    // Distances, nr_distances squared, row by row. Numbers above 254 become 254.
    const uint32_t *distances;
    // I/O APICs.
    const struct hvg_io_apic *io_apics;
    // Interrupt source overrides.
    const struct hvg_override *overrides;
    // Local APICs' NMI inputs.
    const struct hvg_nmi *nmis;
    // Addresses of further tables for the XSDT.
    const uint64_t *foreign;
    // Elements of `processors`.
    uint32_t nr_processors;
    // Elements of `memory`.
    uint32_t nr_memory;
    // Elements of `distance_pxm`.
    uint32_t nr_distances;
    // Elements of `io_apics`.
    uint32_t nr_io_apics;
    // Elements of `overrides`.
    uint32_t nr_overrides;
    // Elements of `nmis`.
    uint32_t nr_nmis;
    // Elements of `foreign`.
    uint32_t nr_foreign;
    // HVG_TABLES_* flags.
    uint32_t flags;
    // The MADT's revision where the FADT is another's, else 0.
    uint32_t madt_revision;
    // OEM revision of every header.
    uint32_t oem_revision;
    // OEM id of every header.
    uint8_t oem_id[6];
    // OEM table id of every header.
    uint8_t oem_table_id[8];
    // 0.
    uint8_t reserved[2];
};

// One table of a set.
struct hvg_table {
    // Its signature; "RSDP" for the RSDP.
    uint8_t signature[4];
    // Its length in bytes.
    uint32_t len;
    // Its address in the guest.
    uint64_t address;
};

// Where the tables stand.
struct hvg_placed {
    // sizeof(struct hvg_placed).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Address of the RSDP.
    uint64_t rsdp;
    // Address of the MADT.
    uint64_t madt;
    // Bytes of the whole set.
    uint64_t len;
    // The tables as they lie in memory: each may be copied by itself.
    struct hvg_table tables[HVG_MAX_TABLES];
    // Number of tables.
    uint32_t nr_tables;
    // 0.
    uint32_t reserved;
};

// A guest's layout, as XEN_DOMCTL_setvnumainfo takes it.
struct hvg_vnuma {
    // sizeof(struct hvg_vnuma).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Distances by vnode, nr_vnodes squared, row by row.
    const uint32_t *vdistance;
    // Each vCPU's vnode.
    const uint32_t *vcpu_to_vnode;
    // Memory ranges, ascending.
    const struct hvg_vmemrange *vmemranges;
    // The guest's memory map, ascending; null where it is not known.
    const struct hvg_e820 *e820;
    // Vnodes.
    uint32_t nr_vnodes;
    // Elements of `vcpu_to_vnode`.
    uint32_t nr_vcpus;
    // Elements of `vmemranges`.
    uint32_t nr_vmemranges;
    // Elements of `e820`.
    uint32_t nr_e820;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Makes a guest's CPUID policy say what its APIC ids say: one package and one
// last-level cache for each node. Nothing changes for ids of `2 * vCPU`, nor on
// an error: -ERANGE where a field is too narrow.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_cpuid_patch(const struct hvg_cpuid *cpuid,
                        const struct hvg_shape *of,
                        struct hvg_error *error);

// The number of bytes that `hvg_e820_trim` needs for this host and trim.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_e820_work_len(const struct hvg_host *host,
                          const struct hvg_trim *trim,
                          uint64_t *work_len,
                          struct hvg_error *error);

// Trims the host's map to dom0's pages: the ranges to keep first, then each
// memory block in proportion; what dom0 does not get becomes unusable. Fills in
// `nr_entries` and `merged`; with `entries` null that is all, and with too few
// of them the call says -ENOBUFS.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_e820_trim(const struct hvg_host *host,
                      struct hvg_trim *trim,
                      uint8_t *work,
                      uint64_t work_len,
                      struct hvg_e820 *entries,
                      uint32_t nr_entries,
                      struct hvg_error *error);

// Gives each vCPU its APIC id: the first of (proximity domain, stride 2),
// (domain, 1), (rank, 2) and (rank, 1) whose ids are all at most `limit`.
//
// `vcpu_to_vnode` and `ids` have `nr_vcpus` elements, `vnode_pxm` has
// `nr_vnodes`, HVG_NONE for a gap. `work` has HVG_APIC_IDS_WORK(nr_vnodes)
// bytes. Errors: -ERANGE where no encoding fits.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_apic_ids(const uint32_t *vcpu_to_vnode,
                     uint32_t nr_vcpus,
                     const uint32_t *vnode_pxm,
                     uint32_t nr_vnodes,
                     uint32_t limit,
                     uint8_t *work,
                     uint64_t work_len,
                     uint32_t *ids,
                     struct hvg_shape *shape,
                     struct hvg_error *error);

// The number of bytes that `hvg_plan_make` needs for this host and request.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_plan_work_len(const struct hvg_host *host,
                          const struct hvg_request *request,
                          uint64_t *work_len,
                          struct hvg_error *error);

// Asks the gate, and where it is met lays dom0 out: `*plan` is then not null.
// A host that cannot be laid out is no failure: the gate is not met, and
// `error` says why.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
// `work` stays as it is for as long as the plan is used.
int32_t hvg_plan_make(const struct hvg_host *host,
                      const struct hvg_request *request,
                      uint8_t *work,
                      uint64_t work_len,
                      struct hvg_gate *gate,
                      struct hvg_plan **plan,
                      struct hvg_error *error);

// Copies the layout into the arrays that are lent, skipping null ones, and fills
// in their lengths. -ENOBUFS where one is too short: then only the lengths are.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said;
// `plan` came from `hvg_plan_make`, whose memory is still there.
int32_t hvg_plan_layout(struct hvg_plan *plan,
                        struct hvg_layout *layout,
                        struct hvg_shape *shape,
                        struct hvg_error *error);

// Begins to populate `nr_pages` frames from `start` on: a region of RAM. A walk
// that was not finished is given up.
//
// # Safety
// `plan` came from `hvg_plan_make`, whose memory is still there.
int32_t hvg_populate_begin(struct hvg_plan *plan,
                           uint64_t start,
                           uint64_t nr_pages,
                           struct hvg_error *error);

// Says what to allocate now: 1 with a step, the same until it is reported on; 0
// where all is done.
//
// # Safety
// As `hvg_populate_begin`; `step` is null or points at an initialised structure.
int32_t hvg_populate_next(struct hvg_plan *plan, struct hvg_step *step, struct hvg_error *error);

// Reports what became of the step: `granted` is 1 where its frames are
// populated, 0 where the allocation was refused. -ENOMEM where nothing is left
// to try.
//
// # Safety
// As `hvg_populate_begin`.
int32_t hvg_populate_report(struct hvg_plan *plan, uint32_t granted, struct hvg_error *error);

// Answers XENMEM_get_mfn_pxms by a table of the host's memory blocks, HVG_NONE
// for a frame in none. `nr` and `pad` are the hypercall's own; `mfns` and `pxms`
// have the lesser of `nr` and HVG_MFN_PXMS_MAX elements.
//
// Errors: -EPERM for another than the hardware domain, -EINVAL for a pad other
// than 0 or ranges that do not ascend, -E2BIG above HVG_MFN_PXMS_MAX frames.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_mfn_pxms(const struct hvg_pxm_range *ranges,
                     uint32_t nr_ranges,
                     uint32_t hardware_domain,
                     uint32_t nr,
                     uint32_t pad,
                     const uint64_t *mfns,
                     uint32_t *pxms,
                     struct hvg_error *error);

// The number of bytes that the other two calls need for these tables.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_tables_work_len(const struct hvg_tables *tables,
                            uint64_t *work_len,
                            struct hvg_error *error);

// Checks the tables' content and says how many bytes the whole set takes.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_tables_len(const struct hvg_tables *tables,
                       uint8_t *work,
                       uint64_t work_len,
                       uint64_t *tables_len,
                       struct hvg_error *error);

// Writes the whole set into `buffer`, which the guest will see at `base`: a
// multiple of 16, of 64 for a complete set. -ENOBUFS where it does not fit.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_tables_emit(const struct hvg_tables *tables,
                        uint8_t *work,
                        uint64_t work_len,
                        uint8_t *buffer,
                        uint32_t buffer_len,
                        uint64_t base,
                        struct hvg_placed *placed,
                        struct hvg_error *error);

// The number of bytes that `hvg_vnuma_check` needs.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_vnuma_work_len(const struct hvg_vnuma *vnuma,
                           uint64_t *work_len,
                           struct hvg_error *error);

// Refuses a layout that a guest would refuse, or see otherwise than it was
// meant: distances other than 10 on the diagonal or not above 10 elsewhere,
// ranges that do not ascend or overlap or are not on pages, vCPUs and ranges on
// vnodes that do not exist, and, where the guest's memory map is given, RAM in
// no range.
//
// # Safety
// Every pointer is null or points at as many initialised elements as said.
int32_t hvg_vnuma_check(const struct hvg_vnuma *vnuma,
                        uint8_t *work,
                        uint64_t work_len,
                        struct hvg_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HV_GLUE_H */
