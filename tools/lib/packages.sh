# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the build, the tests and the demonstration need on Debian 12, in one place. Sourced by
# tools/check and tools/demo.

flowtap_packages_build=(
    meson ninja-build pkg-config g++ ccache git python3
    libboost-dev libedit-dev libssh-dev libpcap-dev libfmt-dev libssl-dev libcrypt-dev libsnmp-dev libcli11-dev
    nlohmann-json3-dev doctest-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev liblz4-dev
)

# shellcheck disable=SC2034 # used by the scripts that source this file
flowtap_packages_demo=(
    "${flowtap_packages_build[@]}"
    iproute2 openssh-client tcpdump tshark
)

# shellcheck disable=SC2034
flowtap_packages_check=(
    "${flowtap_packages_build[@]}"
    binutils clang clang-format clang-tidy libclang-rt-14-dev mandoc shellcheck jq
    ethtool freeradius freeradius-utils iproute2 openssh-client openssl python3-paramiko snmptrapd sshpass tcpdump tmux tshark
)

# shellcheck disable=SC2034
flowtap_packages_bench=(libbenchmark-dev libdpdk-dev gnuplot-nox)

# Prints those of the given packages that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016 # the braces are dpkg's
        if [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
            printf '%s\n' "$package"
        fi
    done
}

# Installs those of the given packages that are not installed; does nothing when all are there.
install_missing_packages() {
    local -a missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    if ((${#missing[@]} == 0)); then
        return 0
    fi
    if ! command -v apt-get >/dev/null; then
        echo "missing, and there is no apt-get here to install it: ${missing[*]}" >&2
        return 1
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "missing; install as root: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing ${missing[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -q -y --no-install-recommends install "${missing[@]}" </dev/null || return 1
    # The tests start FreeRADIUS and snmptrapd by themselves, on loopback: the services that came with
    # their packages would answer, or listen, at this machine's addresses.
    local service
    for service in freeradius.service snmptrapd.socket snmptrapd.service; do
        if [[ " ${missing[*]} " == *" ${service%.*} "* && -d /run/systemd/system ]]; then
            "${as_root[@]}" systemctl --quiet disable --now "$service"
        fi
    done
}
