#!/usr/bin/env bash
# title: tables in linear time, and 500 times faster at 4,096 CPUs than acpi_tables in the same run
# quick: no
# packages:
cargo bench -p acpi-gen --bench tables
