#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the names of the files <module>_<subject>.cpp in a directory, one a line."""

import pathlib
import sys

for source in sorted(pathlib.Path(sys.argv[1]).glob("*_*.cpp")):
    print(source.stem)
