#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that modules use each other only along the edges that the design allows.

Reads every #include under include/flowtap/<module> and lib/<module>, and module_uses in
lib/<module>/meson.build. Whether public headers are self-contained is a test of tests/embed.
"""

import pathlib
import re
import sys

# module: (modules it may use, third-party code it may use in its sources)
EDGES = {
    "core": ((), ()),
    "dtcp": (("core",), ("boost",)),
    "filter": (("core",), ()),
    "packet": (("core",), ()),
    "permission": (("core",), ("crypt",)),
    "path": (("core", "filter", "packet"), ()),
    "tap": (("core", "dtcp", "filter", "packet", "permission", "path"), ()),
    "crypto": (("core",), ("openssl",)),
    "transport": (("core", "dtcp", "permission", "tap"), ("boost", "libssh")),
    "capture": (("core", "packet", "path"), ("pcap", "zlib", "bzip2", "lzma", "zstd", "lz4")),
    "deliver": (("core", "packet", "path"), ()),
    "radius": (("core",), ("boost",)),
    "subscriber": (("core", "packet", "tap"), ()),
    "config": (("core", "permission"), ("boost", "fmt")),
    "cli": (("core", "config", "permission", "tap"), ("fmt",)),
}

# Public headers of these show no third-party type at all.
PURE = {"core", "dtcp", "filter", "packet", "permission", "path", "tap"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
MODULE_USES = re.compile(r"^module_uses\s*=\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
SYSTEM_DIRECTORIES = {"arpa", "asm", "linux", "net", "netinet", "netpacket", "sys"}
THIRD_PARTY_FILES = {"crypt.h": "crypt", "pcap.h": "pcap", "argon2.h": "argon2", "zlib.h": "zlib",
                     "bzlib.h": "bzip2", "lzma.h": "lzma", "zstd.h": "zstd", "lz4frame.h": "lz4"}


def third_party(header):
    """The third-party package a header in angle brackets belongs to, or None for the system's."""
    if header in THIRD_PARTY_FILES:
        return THIRD_PARTY_FILES[header]
    directory, slash, _ = header.partition("/")
    return directory if slash and directory not in SYSTEM_DIRECTORIES else None


def includes(path):
    """Line, whether in quotes, and name of each header that a file includes."""
    text = path.read_text(encoding="utf-8")
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        yield line, match.group(1) == '"', match.group(2)


def check_file(path, module, is_public, linked):
    """Yields what is wrong with the includes of one file."""
    used, packages = EDGES[module]
    for line, quoted, header in includes(path):
        where = f"{path}:{line}: "
        if quoted:
            if is_public:
                yield where + f'a public header includes "{header}": it is not installed'
            elif ".." in header.split("/") or not (path.parent / header).is_file():
                yield where + f'"{header}" is not a private header of module {module}'
            continue
        parts = header.split("/")
        if parts[0] == "flowtap":
            other = parts[1] if len(parts) > 2 else "?"
            if other != module and other not in used:
                yield where + f"module {module} may not use module {other}"
            elif other != module and other not in linked:
                yield where + f"{other} is missing from module_uses of module {module}"
            continue
        package = third_party(header)
        if package is None:
            continue
        if is_public and module in PURE:
            yield where + f"a public header of module {module} includes <{header}>"
        elif package not in packages:
            yield where + f"module {module} may not use {package} (<{header}>)"


def module_uses(root, module):
    """The modules that a module names in module_uses."""
    build = root / "lib" / module / "meson.build"
    if not build.is_file():
        return []
    match = MODULE_USES.search(build.read_text(encoding="utf-8"))
    return re.findall(r"'([\w-]+)'", match.group(1)) if match else []


def linked_modules(root, module):
    """The modules that a module links, directly or through others."""
    linked, waiting = set(), module_uses(root, module)
    while waiting:
        name = waiting.pop()
        if name not in linked:
            linked.add(name)
            waiting += module_uses(root, name)
    return linked


def check_module(root, module):
    """Yields what is wrong with one module."""
    for name in module_uses(root, module):
        if name not in EDGES[module][0]:
            yield f"{root}/lib/{module}/meson.build: module {module} may not use module {name}"
    linked = linked_modules(root, module)
    for top, is_public in ((root / "include" / "flowtap", True), (root / "lib", False)):
        for path in sorted((top / module).rglob("*.[hc]pp")):
            # Headers may stand there before the module is built; then nothing is linked yet.
            built = (root / "lib" / module / "meson.build").is_file()
            yield from check_file(path, module, is_public, linked if built else EDGES[module][0])


def check(root):
    """All that is wrong under a source tree, as lines of text."""
    problems = []
    for top in (root / "include" / "flowtap", root / "lib"):
        for directory in sorted(top.iterdir()):
            if directory.is_dir() and directory.name not in EDGES:
                problems.append(f"{directory}: there is no module {directory.name} in the design")
    for module in EDGES:
        problems += check_module(root, module)
    return problems


def main():
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) if problems else f"{len(EDGES)} modules keep to their edges")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
