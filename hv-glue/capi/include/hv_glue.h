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

/*
 * Of every function: a pointer is NULL or points at as many initialised elements as its length says, which nothing else
 * uses during the call. A plan came from hvg_plan_make() or hvg_guest_make(), and its memory is still there, unchanged.
 */

/* The rules that a call may find broken. Numbers do not change. In the messages,
 * %i is the index and %v the value of struct hvg_error; %I and %V in hexadecimal. */
enum hvg_what {
    /* no failure */
    HVG_WHAT_NONE = 0,
    /* argument %i is null; expected %v elements */
    HVG_WHAT_ARGUMENT_NULL = 0x1,
    /* argument %i at %V is not aligned */
    HVG_WHAT_ARGUMENT_MISALIGNED = 0x2,
    /* argument %i has %v elements, more than memory */
    HVG_WHAT_ARGUMENT_TOO_LONG = 0x3,
    /* argument %i at %V shares memory with another */
    HVG_WHAT_ARGUMENT_OVERLAP = 0x4,
    /* structure of size %i, version %v is not this library's */
    HVG_WHAT_STRUCT_VERSION = 0x5,
    /* structure field %i has invalid number %v */
    HVG_WHAT_STRUCT_FIELD = 0x6,
    /* %i bytes of memory; expected %v */
    HVG_WHAT_MEMORY_TOO_SMALL = 0x7,
    /* memory at %V holds no plan of this kind */
    HVG_WHAT_NOT_A_PLAN = 0x8,
    /* no region is being populated */
    HVG_WHAT_NO_WALK = 0x9,
    /* array of %i elements; expected %v */
    HVG_WHAT_ARRAY_TOO_SHORT = 0xa,
    /* array element %i has invalid number %v */
    HVG_WHAT_ELEMENT_FIELD = 0xd,
    /* range from %I to %V is empty */
    HVG_WHAT_TABLE_RANGE_EMPTY = 0x100,
    /* range from %I of size %V ends above 2^64 */
    HVG_WHAT_TABLE_RANGE_PAST_END = 0x101,
    /* no processors */
    HVG_WHAT_TABLE_NO_PROCESSORS = 0x102,
    /* the boot processor, UID %v, is absent */
    HVG_WHAT_TABLE_BOOT_PROCESSOR_ABSENT = 0x103,
    /* processor %i: duplicate UID %v */
    HVG_WHAT_TABLE_DUPLICATE_UID = 0x104,
    /* processor %i: duplicate APIC id %v */
    HVG_WHAT_TABLE_DUPLICATE_APIC_ID = 0x105,
    /* processor %i: reserved APIC id %V */
    HVG_WHAT_TABLE_RESERVED_APIC_ID = 0x106,
    /* processor %i: UID %v > 255 in a type 0 entry */
    HVG_WHAT_TABLE_UID_TOO_LARGE_FOR_TYPE0 = 0x107,
    /* memory range %i at %V starts below the one before it */
    HVG_WHAT_TABLE_MEMORY_NOT_ASCENDING = 0x108,
    /* memory range %i at %V overlaps the one before it */
    HVG_WHAT_TABLE_MEMORY_OVERLAP = 0x109,
    /* distance row %i: proximity domain %v is not ascending */
    HVG_WHAT_TABLE_DISTANCES_NOT_ASCENDING = 0x10a,
    /* %v distances for %i proximity domains */
    HVG_WHAT_TABLE_DISTANCES_NOT_SQUARE = 0x10b,
    /* distances of proximity domain %v, which has neither processors nor memory */
    HVG_WHAT_TABLE_DISTANCE_OF_UNKNOWN_DOMAIN = 0x10c,
    /* reserved distance %v from proximity domain %i */
    HVG_WHAT_TABLE_DISTANCE_RESERVED = 0x10d,
    /* distance %v from proximity domain %i to itself; expected 10 */
    HVG_WHAT_TABLE_DIAGONAL_NOT_LOCAL = 0x10e,
    /* distance 10 from proximity domain %i to %v; expected more */
    HVG_WHAT_TABLE_REMOTE_AT_LOCAL_DISTANCE = 0x10f,
    /* proximity domain %v > %i */
    HVG_WHAT_TABLE_TOO_MANY_LOCALITIES = 0x110,
    /* I/O APIC %i: duplicate id %v */
    HVG_WHAT_TABLE_DUPLICATE_IO_APIC_ID = 0x112,
    /* I/O APIC %i is at address 0 */
    HVG_WHAT_TABLE_IO_APIC_ADDRESS_ZERO = 0x113,
    /* override %i: duplicate ISA interrupt %v */
    HVG_WHAT_TABLE_DUPLICATE_OVERRIDE = 0x114,
    /* NMI %i: LINT %v; expected 0 or 1 */
    HVG_WHAT_TABLE_NMI_LINT = 0x115,
    /* NMI %i: no processor has UID %v */
    HVG_WHAT_TABLE_NMI_OF_UNKNOWN_PROCESSOR = 0x116,
    /* NMI %i: UID %v does not fit */
    HVG_WHAT_TABLE_NMI_UID_TOO_LARGE = 0x117,
    /* scratch space of %i words; expected %v */
    HVG_WHAT_TABLE_SCRATCH_TOO_SMALL = 0x118,
    /* table %I of %v bytes does not fit in 32 bits */
    HVG_WHAT_TABLE_TABLE_TOO_LARGE = 0x119,
    /* %v processors > %i, the names in a DSDT */
    HVG_WHAT_TABLE_TOO_MANY_PROCESSOR_DEVICES = 0x11a,
    /* a complete set has no FADT of another origin */
    HVG_WHAT_TABLE_FADT_NOT_OURS = 0x11b,
    /* buffer of %i bytes; expected %v */
    HVG_WHAT_TABLE_BUFFER_TOO_SMALL = 0x11c,
    /* base address %I; expected a multiple of %v */
    HVG_WHAT_TABLE_BASE_MISALIGNED = 0x11d,
    /* table of %i bytes; expected %v */
    HVG_WHAT_TABLE_TABLE_TRUNCATED = 0x11e,
    /* table length %v; expected at least %i */
    HVG_WHAT_TABLE_TABLE_LENGTH = 0x11f,
    /* signature %V; expected %I */
    HVG_WHAT_TABLE_WRONG_SIGNATURE = 0x120,
    /* no RSDP: it does not begin with RSD PTR */
    HVG_WHAT_TABLE_NOT_AN_RSDP = 0x121,
    /* entry at %I: length %v is below that of its type */
    HVG_WHAT_TABLE_ENTRY_LENGTH = 0x122,
    /* entry at %I: length %v is above the rest of the table */
    HVG_WHAT_TABLE_ENTRY_PAST_END = 0x123,
    /* SLIT of %v localities in %i bytes of distances */
    HVG_WHAT_TABLE_SLIT_SIZE = 0x124,
    /* no vCPUs; expected at least one */
    HVG_WHAT_NO_VCPUS = 0x200,
    /* vCPU %i is on vnode %v, which does not exist */
    HVG_WHAT_VCPU_ON_UNKNOWN_VNODE = 0x201,
    /* APIC id %v > %i */
    HVG_WHAT_APIC_ID_ABOVE_LIMIT = 0x202,
    /* highest APIC id %v > %i in every encoding */
    HVG_WHAT_NO_ENCODING_FITS = 0x203,
    /* scratch space of %i elements; expected %v */
    HVG_WHAT_SCRATCH_TOO_SMALL = 0x204,
    /* output of %i elements; expected %v */
    HVG_WHAT_OUTPUT_TOO_SMALL = 0x205,
    /* a CPUID field holds up to %i, found %v */
    HVG_WHAT_CPUID_FIELD_OVERFLOW = 0x206,
    /* %v vCPUs > %i pCPUs */
    HVG_WHAT_TOO_MANY_VCPUS = 0x208,
    /* the host has no memory blocks */
    HVG_WHAT_NO_BLOCKS = 0x209,
    /* %v memory blocks > %i */
    HVG_WHAT_TOO_MANY_RANGES = 0x20a,
    /* %v vnodes or more > %i */
    HVG_WHAT_TOO_MANY_VNODES = 0x20b,
    /* node %v has memory or CPUs but no proximity domain */
    HVG_WHAT_NODE_WITHOUT_DOMAIN = 0x20c,
    /* nodes %i and %v have one proximity domain */
    HVG_WHAT_TWO_NODES_ONE_DOMAIN = 0x20d,
    /* %v distances for %i nodes */
    HVG_WHAT_DISTANCES_NOT_SQUARE = 0x210,
    /* distance %v from vnode %i; expected 10 to itself, above 10 to others */
    HVG_WHAT_DISTANCE_INVALID = 0x211,
    /* memory range %i at %V is not on 4 KiB pages */
    HVG_WHAT_RANGE_MISALIGNED = 0x213,
    /* memory range %i at %V starts below the one before it */
    HVG_WHAT_RANGES_NOT_ASCENDING = 0x214,
    /* memory ranges at %I and %V overlap */
    HVG_WHAT_RANGES_OVERLAP = 0x215,
    /* another node's memory range at %I is below %V of its neighbour: nodes interleave */
    HVG_WHAT_RANGES_INTERLEAVE = 0x216,
    /* memory map entry %i at %V starts below the end of the one before it */
    HVG_WHAT_MAP_NOT_ASCENDING = 0x217,
    /* range to keep %i at %V starts below the end of the one before it */
    HVG_WHAT_KEEP_NOT_ASCENDING = 0x218,
    /* range to keep %i at %V is not on 4 KiB pages */
    HVG_WHAT_KEEP_MISALIGNED = 0x219,
    /* %i pages < %v pages to keep for kernel and modules */
    HVG_WHAT_PAGES_BELOW_KEPT = 0x21a,
    /* %i pages > %v pages of RAM */
    HVG_WHAT_PAGES_ABOVE_TOTAL = 0x21b,
    /* %v memory map entries > %i */
    HVG_WHAT_TOO_MANY_ENTRIES = 0x21c,
    /* no page for frame %I, %v pages missing */
    HVG_WHAT_OUT_OF_MEMORY = 0x21d,
    /* frame range %i at frame %V starts below the end of the one before it */
    HVG_WHAT_FRAMES_NOT_ASCENDING = 0x220,
    /* %v APIC ids for %i vCPUs */
    HVG_WHAT_IDS_FOR_VCPUS = 0x221,
    /* vCPU %v is on no node */
    HVG_WHAT_VCPU_WITHOUT_NODE = 0x224,
    /* %v host nodes for %i vnodes */
    HVG_WHAT_PNODES_FOR_NODES = 0x225,
    /* no region of RAM holds %v bytes of modules */
    HVG_WHAT_NO_ROOM_FOR_MODULES = 0x226,
    /* not the hardware domain */
    HVG_WHAT_NOT_HARDWARE_DOMAIN = 0x227,
    /* %v frames > %i */
    HVG_WHAT_TOO_MANY_FRAMES = 0x228,
    /* padding is %V; expected 0 */
    HVG_WHAT_PAD_NOT_ZERO = 0x229,
    /* dom0 is not PVH */
    HVG_WHAT_NOT_PVH = 0x22a,
    /* no dom0_vcpus_pin */
    HVG_WHAT_NOT_PINNED = 0x22b,
    /* %v vCPUs < %i pCPUs */
    HVG_WHAT_TOO_FEW_VCPUS = 0x22c,
    /* %v nodes < %i */
    HVG_WHAT_TOO_FEW_NODES = 0x22d,
    /* %v pages of RAM in no memory block */
    HVG_WHAT_RAM_OUTSIDE_BLOCKS = 0x22e,
};

// The version that every versioned structure carries.
#define HVG_VERSION 1

// No proximity domain, node or vnode.
#define HVG_NONE 4294967295

// The most vnodes of a guest.
#define HVG_MAX_VNODES 32

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

// The most entries of a map that is shared over the nodes.
#define HVG_MAP_ENTRIES 120

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

// Absent at boot, may be added.
#define HVG_PROCESSOR_ONLINE_CAPABLE 1

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

// The most frames that one XENMEM_get_mfn_pxms asks for.
#define HVG_MFN_PXMS_MAX 1024

// Type 0 entries below APIC id 255, types 9 and 2 above; else types 9 and 2 for all.
#define HVG_TABLES_HYBRID 2

// MADT flag PCAT_COMPAT.
#define HVG_TABLES_PCAT 4

// The most tables that a set has, the RSDP counted.
#define HVG_MAX_TABLES 8

// A plan. It is in the memory that `hvg_plan_make` or `hvg_guest_make` got, and is valid as
// long as that.
struct hvg_plan;

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
    // The most elements that the arrays of struct hvg_tables will have together.
    uint32_t max_elements;
};

// Where a call failed; hvg_strerror() has the words. Optional everywhere: a null pointer
// takes no report.
struct hvg_error {
    // sizeof(struct hvg_error).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // The rule that was broken, one of HVG_WHAT_*.
    uint32_t what;
    // 0.
    uint32_t reserved;
    // An element, or a bound.
    uint64_t index;
    // The number that is wrong.
    uint64_t value;
};

// The gate's answer.
struct hvg_gate {
    // sizeof(struct hvg_gate).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // 1 where dom0 gets vNUMA; else hvg_plan_unmet() says why not.
    uint32_t enabled;
    // Nodes of the layout; this and the rest 0 without one.
    uint32_t nr_nodes;
    // Vnodes of the layout: its nodes and gaps.
    uint32_t nr_vnodes;
    // Memory ranges of the layout.
    uint32_t nr_vmemranges;
};

// dom0's memory map: its size in, its entries out.
struct hvg_map {
    // sizeof(struct hvg_map).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // 4 KiB pages of RAM that dom0 gets.
    uint64_t nr_pages;
    // Bytes of kernel and modules.
    uint64_t modules;
    // The trimmed map, ascending; null to get the numbers alone.
    struct hvg_e820 *entries;
    // Elements of `entries`; then, entries of the map.
    uint32_t nr_entries;
    // Filled in: 1 where RAM is shared over the nodes, 0 where it is in address order.
    uint32_t by_node;
    // Filled in: nodes whose pieces were merged to keep the map short.
    uint32_t merged;
    // 0.
    uint32_t reserved;
    // Filled in: the end of the ranges that no node's share cuts.
    uint64_t kept_up_to;
    // Filled in: pages of dom0's RAM below 4 GiB.
    uint64_t low_pages;
    // Filled in: the least of these that a dom0 of this size gets where RAM is shared over
    // the nodes, as far as the host has them.
    uint64_t low_floor;
};

// A vCPU of a guest; its ACPI UID is its place in the array.
struct hvg_processor {
    // Its proximity domain.
    uint32_t pxm;
    // HVG_PROCESSOR_* flags.
    uint32_t flags;
};

// A range of a guest's memory.
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

// A guest, as its toolstack asks for it.
struct hvg_guest {
    // sizeof(struct hvg_guest).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // The vCPUs.
    const struct hvg_processor *processors;
    // Memory, ascending, on whole pages.
    const struct hvg_memory *memory;
    // The proximity domains of `distances`, ascending.
    const uint32_t *distance_pxm;
    // Distances, nr_distances squared, row by row. Numbers above 254 become 254.
    const uint32_t *distances;
    // The host node of each proximity domain, ascending; null for any.
    const uint32_t *pnodes;
    // Elements of `processors`.
    uint32_t nr_processors;
    // Elements of `memory`.
    uint32_t nr_memory;
    // Elements of `distance_pxm`.
    uint32_t nr_distances;
    // Elements of `pnodes`.
    uint32_t nr_pnodes;
    // The most elements that the arrays of struct hvg_tables will have together.
    uint32_t max_elements;
    // 0.
    uint32_t reserved;
};

// The shape of an APIC id encoding.
struct hvg_shape {
    // sizeof(struct hvg_shape).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // HVG_NUMBERING_*: which number of a node the high bits have.
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

// Host frames of one proximity domain.
struct hvg_pxm_range {
    // The first frame.
    uint64_t start;
    // Past the last frame.
    uint64_t end;
    // The proximity domain.
    uint32_t pxm;
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

// A vNUMA layout in the caller's arrays, of which null ones are skipped.
struct hvg_layout {
    // sizeof(struct hvg_layout).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // Each vCPU's vnode.
    uint32_t *vcpu_to_vnode;
    // Each vCPU's APIC id.
    uint32_t *apic_ids;
    // Each vnode's host node; HVG_NONE for a gap or any.
    uint32_t *vnode_to_pnode;
    // Distances by vnode, nr_vnodes squared, row by row.
    uint32_t *vdistance;
    // Memory ranges, ascending; those of a guest that it has at boot.
    struct hvg_vmemrange *vmemranges;
    // Elements of `vcpu_to_vnode` and `apic_ids`; then, vCPUs.
    uint32_t nr_vcpus;
    // Elements of `vnode_to_pnode`, and the side of `vdistance`; then, vnodes.
    uint32_t nr_vnodes;
    // Elements of `vmemranges`; then, memory ranges.
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

// What a plan's tables say besides the plan.
struct hvg_tables {
    // sizeof(struct hvg_tables).
    uint32_t size;
    // HVG_VERSION.
    uint32_t version;
    // I/O APICs.
    const struct hvg_io_apic *io_apics;
    // Interrupt source overrides.
    const struct hvg_override *overrides;
    // Local APICs' NMI inputs.
    const struct hvg_nmi *nmis;
    // Addresses of further tables for the XSDT.
    const uint64_t *tables;
    // Elements of `io_apics`.
    uint32_t nr_io_apics;
    // Elements of `overrides`.
    uint32_t nr_overrides;
    // Elements of `nmis`.
    uint32_t nr_nmis;
    // Elements of `tables`.
    uint32_t nr_tables;
    // HVG_TABLES_* flags.
    uint32_t flags;
    // For a dom0: the revision of the host's MADT.
    uint32_t madt_revision;
    // OEM revision of every header.
    uint32_t oem_revision;
    // OEM id of every header.
    uint8_t oem_id[6];
    // OEM table id of every header.
    uint8_t oem_table_id[8];
    // 0.
    uint8_t reserved[6];
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

// Where the tables are.
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
    // The tables in the order of their addresses: each may be copied by itself.
    struct hvg_table tables[HVG_MAX_TABLES];
    // Number of tables.
    uint32_t nr_tables;
    // 0.
    uint32_t reserved;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The number of bytes that `hvg_plan_make` needs for this host and request.
int32_t hvg_plan_len(const struct hvg_host *host,
                     const struct hvg_request *request,
                     uint64_t *memory_len,
                     struct hvg_error *error);

// Plans a dom0: asks the gate, and where it is met lays dom0 out. A host that cannot be laid
// out is no failure: the gate is not met. Nothing of `host` is kept.
// `memory` stays as it is for as long as the plan is used.
int32_t hvg_plan_make(const struct hvg_host *host,
                      const struct hvg_request *request,
                      uint8_t *memory,
                      uint64_t memory_len,
                      struct hvg_gate *gate,
                      struct hvg_plan **plan,
                      struct hvg_error *error);

// Says why dom0 gets no vNUMA: 1 with the reason at `index` in `error`, 0 where there are no
// more.
int32_t hvg_plan_unmet(struct hvg_plan *plan, uint32_t index, struct hvg_error *error);

// Trims the host's map to dom0's pages: for a PVH dom0 of several nodes, each node in
// proportion, of which room for the kernel and RAM below 4 GiB come first; else, or where that
// is refused and `error` says why, in address order as Xen does. What dom0 does not get becomes
// unusable. Fills in the numbers; -ENOBUFS where `entries` are too few.
int32_t hvg_plan_trim(struct hvg_plan *plan, struct hvg_map *map, struct hvg_error *error);

// Writes a failure's message with its numbers into `text`, NUL-terminated and cut where it
// is longer. Returns the length of the whole message without the NUL.
int32_t hvg_strerror(const struct hvg_error *error, char *text, uint32_t len);

// The number of bytes that `hvg_guest_make` needs for this guest.
int32_t hvg_guest_len(const struct hvg_guest *guest, uint64_t *memory_len, struct hvg_error *error);

// Plans a guest. Its APIC ids are 2 * vCPU until `hvg_guest_ids` says otherwise. Nothing of
// `guest` is kept.
// `memory` stays as it is for as long as the plan is used.
int32_t hvg_guest_make(const struct hvg_guest *guest,
                       uint8_t *memory,
                       uint64_t memory_len,
                       struct hvg_plan **plan,
                       struct hvg_error *error);

// Gives a guest's vCPUs the ids that the hypervisor returned
// (XEN_DOMCTL_get_vcpu_apicids); with `ids` null those that a hypervisor with hv-glue gives
// an opted-in guest.
int32_t hvg_guest_ids(struct hvg_plan *plan,
                      const uint32_t *ids,
                      uint32_t nr_ids,
                      struct hvg_error *error);

// Gives each vCPU of an opted-in guest its APIC id: the first of (vnode, stride 2) and
// (vnode, stride 1) whose ids are all at most 254. A guest's nodes have no other number than
// their vnode's. `vcpu_to_vnode` and `ids` have `nr_vcpus` elements.
//
// Errors: -ERANGE where no encoding fits; -EINVAL above HVG_MAX_VNODES vnodes.
int32_t hvg_apic_ids(const uint32_t *vcpu_to_vnode,
                     uint32_t nr_vcpus,
                     uint32_t nr_vnodes,
                     uint32_t *ids,
                     struct hvg_shape *shape,
                     struct hvg_error *error);

// Makes a guest's CPUID policy say what its APIC ids say: one package and one
// last-level cache for each node. Nothing changes for ids of `2 * vCPU`, nor on
// an error: -ERANGE where a field is too narrow.
int32_t hvg_cpuid_patch(const struct hvg_cpuid *cpuid,
                        const struct hvg_shape *of,
                        struct hvg_error *error);

// Makes one of ranges that overlap and have one PXM, in place: hvg_mfn_pxms needs ranges that
// ascend, while Xen accepts an SRAT in which a node's overlap or repeat. Returns how many are
// left, at the front.
int32_t hvg_merge_pxm_ranges(struct hvg_pxm_range *ranges,
                             uint32_t nr_ranges,
                             struct hvg_error *error);

// Answers XENMEM_get_mfn_pxms by a table of the host's memory blocks, HVG_NONE
// for a frame in none. `nr` and `pad` are the hypercall's own; `mfns` and `pxms`
// have the lesser of `nr` and HVG_MFN_PXMS_MAX elements.
//
// Errors: -EPERM for another than the hardware domain, -EINVAL for a pad other
// than 0 or ranges that do not ascend, -E2BIG above HVG_MFN_PXMS_MAX frames.
int32_t hvg_mfn_pxms(const struct hvg_pxm_range *ranges,
                     uint32_t nr_ranges,
                     uint32_t hardware_domain,
                     uint32_t nr,
                     uint32_t pad,
                     const uint64_t *mfns,
                     uint32_t *pxms,
                     struct hvg_error *error);

// Copies the layout into the caller's arrays, skipping null ones, and fills in their
// lengths. -ENOBUFS where one is too short: then only the lengths are.
int32_t hvg_plan_layout(struct hvg_plan *plan,
                        struct hvg_layout *layout,
                        struct hvg_shape *shape,
                        struct hvg_error *error);

// Begins to populate `nr_pages` frames from `start` on: a region of RAM. A region
// that was not finished is given up.
int32_t hvg_plan_populate(struct hvg_plan *plan,
                          uint64_t start,
                          uint64_t nr_pages,
                          struct hvg_error *error);

// Says what to allocate now: 1 with a step, the same until it is reported on; 0
// where all is done.
int32_t hvg_plan_next(struct hvg_plan *plan, struct hvg_step *step, struct hvg_error *error);

// Reports the result of the step: `granted` is 1 where its frames are populated, 0 where
// the allocation was refused. -ENOMEM where nothing is left to try.
int32_t hvg_plan_report(struct hvg_plan *plan, uint32_t granted, struct hvg_error *error);

// Checks the tables' content and says how many bytes the whole set takes: RSDP, XSDT, MADT,
// and SRAT and SLIT where the plan has a layout; for a guest FADT, DSDT and FACS, too.
int32_t hvg_plan_tables_len(struct hvg_plan *plan,
                            const struct hvg_tables *tables,
                            uint64_t *tables_len,
                            struct hvg_error *error);

// Writes the whole set into `buffer`, which the guest will see at `base`: a
// multiple of 16, for a guest's set of 64. -ENOBUFS where it does not fit.
int32_t hvg_plan_tables_emit(struct hvg_plan *plan,
                             const struct hvg_tables *tables,
                             uint8_t *buffer,
                             uint32_t buffer_len,
                             uint64_t base,
                             struct hvg_placed *placed,
                             struct hvg_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HV_GLUE_H */
