/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the C tests share: a failed CHECK says where, and the program ends with 1. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

#include "hv_glue.h"

#define CHECK(condition)                                                  \
    do {                                                                  \
        checks++;                                                         \
        if (!(condition)) {                                               \
            failures++;                                                   \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
        }                                                                 \
    } while (0)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern unsigned int checks, failures;

/* A call that must fail: by this errno, for this rule. */
#define REFUSED(call, number, rule)                                       \
    do {                                                                  \
        struct hvg_error err = HVG_INIT(struct hvg_error);                \
        struct hvg_error *error = &err;                                   \
        CHECK((call) == (number));                                        \
        CHECK(err.what == (rule));                                        \
    } while (0)

enum { HVG_EPERM = 1, HVG_E2BIG = 7, HVG_ENOMEM = 12, HVG_EINVAL = 22, HVG_ERANGE = 34, HVG_ENOBUFS = 105 };

void test_plan(void);
void test_populate(void);
void test_tables(void);
void test_guests(void);
void test_border(void);

/* A host of three nodes with two CPUs each, PXMs 5, 0 and 2 in the order of addresses. */
extern const struct hvg_host example_host;
extern const struct hvg_request example_request;
/* Makes the plan of the example in static memory. */
struct hvg_plan *example_plan(void);

#endif
