/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A dom0 kernel of 32 bits that asks Xen for the proximity domains of host frames.
 *
 * A hypercall out of 32-bit protected mode, in which a PVH kernel is entered, is one
 * in the compat layout: handles and frame numbers of 32 bits. The frames stand on the
 * kernel's line, "mfns=A:B:C" in hexadecimal; the answers go to Xen's console as
 * lines of dom0-probe's form, and then the machine is reset.
 */

#include <stdint.h>

/* Xen public/xen.h, sched.h, arch-x86/cpuid.h, hvm/start_info.h. */
#define MEMORY_OP 12
#define CONSOLE_IO 18
#define SCHED_OP 29
#define CONSOLEIO_WRITE 0
#define SCHEDOP_SHUTDOWN 2
#define SHUTDOWN_REBOOT 1
#define CPUID_FIRST 0x40000000u
#define CPUID_LAST 0x40010000u
#define CPUID_STEP 0x100u
#define START_INFO_CMDLINE 24

/* hv-glue/xen, public/hv_glue.h. */
#define XENMEM_GET_MFN_PXMS 40
#define MOST 1024

struct compat_get_mfn_pxms {
    uint32_t mfns;
    uint32_t pxms;
    uint32_t nr_mfns;
    uint32_t flags;
};

_Static_assert(sizeof(struct compat_get_mfn_pxms) == 16, "compat layout");

/* The PVH entry point, as a note: Xen public/elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY. */
__asm__(".pushsection .note.Xen, \"a\", @note\n"
        ".long 4, 4, 18\n"
        ".asciz \"Xen\"\n"
        ".long _start\n"
        ".popsection\n"
        ".globl _start\n"
        "_start:\n"
        "    mov $stack + 4096, %esp\n"
        "    push %ebx\n"
        "    call kernel\n");

uint8_t stack[4096] __attribute__((aligned(16)));
static uint8_t stubs[4096] __attribute__((aligned(4096)));
static uint32_t mfns[MOST + 1], pxms[MOST + 1];

static uint32_t address(const volatile void *pointer)
{
    return (uint32_t)pointer;
}

static int32_t hypercall(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t result = address(stubs) + number * 32;

    __asm__ volatile("call *%%eax" : "+a"(result), "+b"(a), "+c"(b), "+d"(c) : : "memory");
    return (int32_t)result;
}

static void put(const char *text)
{
    uint32_t length = 0;

    while (text[length])
        length++;
    hypercall(CONSOLE_IO, CONSOLEIO_WRITE, length, address(text));
}

static void put_number(uint32_t value)
{
    char digits[11], *at = digits + sizeof(digits) - 1;

    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    put(at);
}

/* The first of Xen's leaves says who it is, the third which register takes the page. */
static void find_hypercalls(void)
{
    uint32_t base, a, b, c, d;

    for (base = CPUID_FIRST; base < CPUID_LAST; base += CPUID_STEP) {
        __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(base), "c"(0));
        if (b == 0x566e6558 && c == 0x65584d4d && d == 0x4d4d566e)
            break;
    }
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(base + 2), "c"(0));
    __asm__ volatile("wrmsr" : : "c"(b), "a"(address(stubs)), "d"(0) : "memory");
}

/* The frames of the line; how many. */
static uint32_t frames(const char *line)
{
    static const char key[] = "mfns=";
    uint32_t i, nr = 0;

    for (; *line; line++) {
        for (i = 0; key[i] && line[i] == key[i]; i++)
            ;
        if (!key[i])
            break;
    }
    if (!*line)
        return 0;
    for (line += i; nr < MOST; line++) {
        uint32_t frame = 0;

        for (;; line++) {
            if (*line >= '0' && *line <= '9')
                frame = frame << 4 | (uint32_t)(*line - '0');
            else if (*line >= 'a' && *line <= 'f')
                frame = frame << 4 | (uint32_t)(*line - 'a' + 10);
            else
                break;
        }
        mfns[nr++] = frame;
        if (*line != ':')
            break;
    }
    return nr;
}

static int32_t ask(uint32_t nr, uint32_t flags, uint32_t answers)
{
    struct compat_get_mfn_pxms op = { address(mfns), answers, nr, flags };

    return hypercall(MEMORY_OP, XENMEM_GET_MFN_PXMS, address(&op), 0);
}

static void put_refusal(const char *key, int32_t answer)
{
    put(key);
    put(answer < 0 ? "errno " : "ok ");
    put_number((uint32_t)(answer < 0 ? -answer : answer));
    put("\n");
}

void kernel(const uint8_t *start_info);
void kernel(const uint8_t *start_info)
{
    const char *line = *(const char *const *)(start_info + START_INFO_CMDLINE);
    uint32_t i, nr, reason = SHUTDOWN_REBOOT;

    find_hypercalls();
    nr = frames(line);
    for (i = 0; i < MOST; i++)
        pxms[i] = 0xa5a5a5a5;
    put_refusal("\nprobe answer ", ask(nr, 0, address(pxms)));
    put("probe pxms");
    for (i = 0; i < nr; i++) {
        put(" ");
        if (pxms[i] == UINT32_MAX)
            put("none");
        else
            put_number(pxms[i]);
    }
    put("\nprobe untouched ");
    put_number(pxms[nr] == 0xa5a5a5a5);
    put("\n");
    put_refusal("probe pxms-most ", ask(MOST, 0, address(pxms)));
    put_refusal("probe pxms-too-many ", ask(MOST + 1, 0, address(pxms)));
    put_refusal("probe pxms-flags ", ask(1, 1, address(pxms)));
    put("probe end\n");
    for (;;)
        hypercall(SCHED_OP, SCHEDOP_SHUTDOWN, address(&reason), 0);
}
