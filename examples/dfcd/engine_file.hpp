// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <flowtap/core/result.hpp>

namespace dfcd {

/// Who sends notifications by SNMP.
struct snmp_engine {
    static constexpr std::size_t id_size = 13;

    /// snmpEngineID (RFC 3411, section 5): the enterprise of net-snmp, whose engine it is, format 5
    /// ("octets"), and eight random octets, made once.
    std::array<std::uint8_t, id_size> id{};
    /// snmpEngineBoots (RFC 3414, section 2.2): from 1, grows with each start.
    std::uint32_t boots = 0;
};

/// Hexadecimal, as receivers are configured with it, with `0x` before it.
std::string to_string(const snmp_engine& which);

/// Begins another boot of the engine whose file this is, mode 0600, and makes it and the engine
/// when it is missing. On the disk when the call returns. An engine whose boots have come to their
/// end becomes another one. As text:
/// ```
/// flowtap-snmp-engine 1
/// 0x80001f88050123456789abcdef 7
/// ```
/// Errors: those of the operating system; `errc::damaged_engine_file`.
flowtap::result<snmp_engine> boot_engine(const std::string& path);

} // namespace dfcd
