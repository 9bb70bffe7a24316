#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_output.sh PROGRAM EXPECTED: the program succeeds and prints exactly what the file holds.
set -eu
"$1" | diff -u "$2" -
