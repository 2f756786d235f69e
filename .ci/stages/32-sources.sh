#!/usr/bin/env bash
# title: packages of Debian and the source of Xen come from the first candidate of a mirror that is whole
# quick: yes
# packages: apt gnupg patch python3 xz-utils

.ci/debian-test.sh
hv-glue/xen/source-test.sh
