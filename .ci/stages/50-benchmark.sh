#!/usr/bin/env bash
# title: tables in linear time, and how many times faster than acpi_tables in the same run (500 at least at 4,096 CPUs)
# quick: no
# packages:
cargo bench -p acpi-gen --bench tables
