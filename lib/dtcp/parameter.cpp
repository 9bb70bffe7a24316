// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstddef>

#include <flowtap/dtcp/parameter.hpp>

#include "text.hpp"

namespace flowtap::dtcp {

namespace {

struct parameter_names {
    std::string_view usual;
    std::string_view upper;
};

/// In the order of `parameter`.
constexpr parameter_names names[] = {
    {"Seq", "SEQ"},
    {"Criteria-ID", "CRITERIA-ID"},
    {"Csource-ID", "CSOURCE-ID"},
    {"Cdest-ID", "CDEST-ID"},
    {"Csource-Address", "CSOURCE-ADDRESS"},
    {"Timestamp", "TIMESTAMP"},
    {"Flags", "FLAGS"},
    {"Source-Address", "SOURCE-ADDRESS"},
    {"Dest-Address", "DEST-ADDRESS"},
    {"Protocol", "PROTOCOL"},
    {"Source-Port", "SOURCE-PORT"},
    {"Dest-Port", "DEST-PORT"},
    {"ICMP-Type", "ICMP-TYPE"},
    {"ICMP-Code", "ICMP-CODE"},
    {"Timeout-Idle", "TIMEOUT-IDLE"},
    {"Timeout-Total", "TIMEOUT-TOTAL"},
    {"Timeout-Packets", "TIMEOUT-PACKETS"},
    {"Timeout-Bytes", "TIMEOUT-BYTES"},
    {"Priority", "PRIORITY"},
    {"Action", "ACTION"},
    {"X-JTap-Cdest-Dest-Address", "X-JTAP-CDEST-DEST-ADDRESS"},
    {"X-JTap-Cdest-Dest-Port", "X-JTAP-CDEST-DEST-PORT"},
    {"X-JTap-Cdest-Source-Address", "X-JTAP-CDEST-SOURCE-ADDRESS"},
    {"X-JTap-Cdest-Source-Port", "X-JTAP-CDEST-SOURCE-PORT"},
    {"X-JTap-Cdest-TTL", "X-JTAP-CDEST-TTL"},
    {"X-JTap-Input-Interface", "X-JTAP-INPUT-INTERFACE"},
    {"X-JTap-Output-Interface", "X-JTAP-OUTPUT-INTERFACE"},
    {"X-JTap-VRF-Name", "X-JTAP-VRF-NAME"},
    {"X-JTap-IP-Version", "X-JTAP-IP-VERSION"},
    {"X-JTap-Filter-Family", "X-JTAP-FILTER-FAMILY"},
    {"X-MD-Intercept-Id", "X-MD-INTERCEPT-ID"},
    {"X-UserName", "X-USERNAME"},
    {"X-Act-Sess-Id", "X-ACT-SESS-ID"},
    {"X-IP-Addr", "X-IP-ADDR"},
    {"X-Interface-Id", "X-INTERFACE-ID"},
    {"X-NAS-Port-Id", "X-NAS-PORT-ID"},
    {"X-RM-Circuit-Id", "X-RM-CIRCUIT-ID"},
    {"X-Call-Sta-Id", "X-CALL-STA-ID"},
    {"X-Logical-System", "X-LOGICAL-SYSTEM"},
    {"X-Router-Instance", "X-ROUTER-INSTANCE"},
    {"X-Drop-Policy", "X-DROP-POLICY"},
    {"Remaining-Idle", "REMAINING-IDLE"},
    {"Remaining-Total", "REMAINING-TOTAL"},
    {"Remaining-Packets", "REMAINING-PACKETS"},
    {"Remaining-Bytes", "REMAINING-BYTES"},
    {"Average-Bandwidth", "AVERAGE-BANDWIDTH"},
    {"Matching-Packets", "MATCHING-PACKETS"},
    {"Matching-Bytes", "MATCHING-BYTES"},
    {"Num-Refresh", "NUM-REFRESH"},
    {"Last-Refresh", "LAST-REFRESH"},
    {"Criteria-Num", "CRITERIA-NUM"},
    {"Criteria-Count", "CRITERIA-COUNT"},
    {"Num-Criteria", "NUM-CRITERIA"},
    {"Alert-Info", "ALERT-INFO"},
    {"Alert-Bandwidth", "ALERT-BANDWIDTH"},
    {"Max-Bandwidth", "MAX-BANDWIDTH"},
    {"Dropped-Packets", "DROPPED-PACKETS"},
    {"Dropped-Bytes", "DROPPED-BYTES"},
    {"X-Offending-Line", "X-OFFENDING-LINE"},
    {"Authentication-Info", "AUTHENTICATION-INFO"},
};

constexpr std::size_t count = std::size(names);
static_assert(count == static_cast<std::size_t>(parameter::authentication_info) + 1);

/// Open addressing, sparse enough that most names are found at once.
constexpr std::size_t table_size = 256;
constexpr std::uint8_t no_entry = 0xFF;

/// Of the length and a few letters: it runs for every line of every message.
constexpr std::size_t hash_of(std::string_view name) noexcept {
    if (name.empty())
        return 0;
    const auto letter = [name](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(lower(name[at])));
    };
    const std::size_t size = name.size();
    return (size * 7 + letter(0) + letter(size - 1) * 3 + letter(size / 2) * 31 +
            letter(size * 3 / 4) * 17) %
           table_size;
}

constexpr auto make_table() {
    std::array<std::uint8_t, table_size> table{};
    table.fill(no_entry);
    for (std::size_t index = 0; index < count; ++index) {
        std::size_t place = hash_of(names[index].usual);
        while (table[place] != no_entry)
            place = (place + 1) % table_size;
        table[place] = static_cast<std::uint8_t>(index);
    }
    return table;
}

constexpr auto table = make_table();

} // namespace

std::string_view name_of(parameter known) noexcept {
    return names[static_cast<std::size_t>(known)].usual;
}

std::string_view upper_name_of(parameter known) noexcept {
    return names[static_cast<std::size_t>(known)].upper;
}

std::optional<parameter> find_parameter(std::string_view name) noexcept {
    for (std::size_t place = hash_of(name); table[place] != no_entry;
         place = (place + 1) % table_size) {
        const parameter_names& known = names[table[place]];
        // Nearly every client writes the usual case, every server upper case.
        if (name == known.usual || name == known.upper || equal_ignoring_case(known.usual, name))
            return static_cast<parameter>(table[place]);
    }
    return std::nullopt;
}

} // namespace flowtap::dtcp
