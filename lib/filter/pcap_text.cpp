// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <variant>
#include <vector>

#include <flowtap/filter/pcap_text.hpp>

#include "values.hpp"

namespace flowtap::filter {

namespace {

using texts = std::vector<std::string>;

/// `parts` with `word` between them. `and` and `or` bind equally in libpcap, so whatever has more
/// than one part stands in parentheses.
std::string join(const texts& parts, const char* word) {
    if (parts.size() == 1)
        return parts.front();
    std::string joined = "(";
    for (const std::string& part : parts) {
        if (joined.size() > 1)
            joined.append(" ").append(word).append(" ");
        joined += part;
    }
    return joined + ')';
}

std::string all_of(const texts& parts) {
    return join(parts, "and");
}
std::string any_of(const texts& parts) {
    return join(parts, "or");
}

std::string hex(std::uint32_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "0x%08x", static_cast<unsigned>(number));
    return text.data();
}

/// `what` in a range, where `what` is an arithmetic expression.
std::string in_range(const std::string& what, std::uint32_t first, std::uint32_t last,
                     std::uint32_t highest) {
    if (first == last)
        return what + " = " + std::to_string(first);
    if (last >= highest)
        return what + " >= " + std::to_string(first);
    if (first == 0)
        return what + " <= " + std::to_string(last);
    return all_of({what + " >= " + std::to_string(first), what + " <= " + std::to_string(last)});
}

/// A list, given the text of one range: what range_list says, in words.
template <class T, class RangeText>
std::string list_text(const range_list<T>& list, const RangeText& range_text) {
    texts plain;
    texts negated;
    for (const auto& entry : list.entries)
        (entry.negated ? negated : plain).push_back(range_text(entry));
    texts parts;
    if (!plain.empty())
        parts.push_back(any_of(plain));
    if (!negated.empty()) {
        const std::string inside = any_of(negated);
        parts.push_back("not " + (inside.front() == '(' ? inside : '(' + inside + ')'));
    }
    return all_of(parts);
}

// --- addresses

/// The prefix that is exactly `range`, or a negative number.
int prefix_length(family of, const value_range<address_bits>& range) {
    const int width = of == family::inet ? 32 : 128;
    for (int length = 0; length <= width; ++length) {
        const ip_prefix prefix{ip_address(of, range.first), static_cast<std::uint8_t>(length)};
        if (prefix.first().bits() == range.first && prefix.last().bits() == range.last)
            return length;
    }
    return -1;
}

/// The 32-bit words of an IPv6 address at `offset` of the header, compared with `bound`:
/// lexicographically, strictly for all words but the last.
std::string compare_words(std::size_t offset, const address_bits& bound, const char* strict,
                          const char* last) {
    const std::array<std::uint32_t, 4> words = {
        static_cast<std::uint32_t>(bound.high >> 32), static_cast<std::uint32_t>(bound.high),
        static_cast<std::uint32_t>(bound.low >> 32), static_cast<std::uint32_t>(bound.low)};
    std::string text;
    for (std::size_t i = words.size(); i-- > 0;) {
        const std::string word = "ip6[" + std::to_string(offset + 4 * i) + ":4] ";
        if (text.empty())
            text = word + last + ' ' + hex(words[i]);
        else
            text = any_of(
                {word + strict + ' ' + hex(words[i]), all_of({word + "= " + hex(words[i]), text})});
    }
    return text;
}

std::string address_range(family of, const char* side, std::size_t offset,
                          value_range<address_bits> range) {
    const char* const name = of == family::inet ? "ip" : "ip6";
    if (of == family::inet) {
        if (highest_address(of) < range.first)
            return "ip[9] > 255"; // out of reach
        range.last = std::min(range.last, highest_address(of));
    }
    if (range.first == range.last)
        return std::string(name) + ' ' + side + " host " + to_string(ip_address(of, range.first));
    const int length = prefix_length(of, range);
    if (length == 0)
        return name;
    if (length > 0)
        return std::string(name) + ' ' + side + " net " + to_string(ip_address(of, range.first)) +
               '/' + std::to_string(length);
    if (of == family::inet6)
        return all_of({compare_words(offset, range.first, ">", ">="),
                       compare_words(offset, range.last, "<", "<=")});
    const std::string word = "ip[" + std::to_string(offset) + ":4] ";
    return all_of({word + ">= " + hex(static_cast<std::uint32_t>(range.first.low)),
                   word + "<= " + hex(static_cast<std::uint32_t>(range.last.low))});
}

void add_addresses(texts& parts, family of, const filter_spec& spec) {
    const std::size_t source_at = of == family::inet ? 12 : 8;
    const std::size_t destination_at = of == family::inet ? 16 : 24;
    if (!spec.source_addresses.is_wildcard())
        parts.push_back(list_text(spec.source_addresses, [&](const auto& range) {
            return address_range(of, "src", source_at, {range.first, range.last});
        }));
    if (!spec.destination_addresses.is_wildcard())
        parts.push_back(list_text(spec.destination_addresses, [&](const auto& range) {
            return address_range(of, "dst", destination_at, {range.first, range.last});
        }));
}

// --- what stands behind the IP header

/// Where a packet's protocol and transport header are, as text.
struct header_place {
    std::string protocol;
    std::string source_port;
    std::string destination_port;
    std::string icmp_type;
    std::string icmp_code;
    int icmp_protocol;
};

header_place inet_place() {
    // tcp[] and udp[] skip the options as well, but would need every condition twice.
    const std::string header = "((ip[0] & 15) << 2)";
    return {"ip[9]",
            "ip[" + header + ":2]",
            "ip[" + header + " + 2:2]",
            "ip[" + header + "]",
            "ip[" + header + " + 1]",
            1};
}

/// With the transport header at `offset`, its number in the octet at `number`.
header_place inet6_place(std::size_t number, std::size_t offset) {
    const auto at = [](std::size_t index, const char* size) {
        return "ip6[" + std::to_string(index) + size + "]";
    };
    return {at(number, ""), at(offset, ":2"),   at(offset + 2, ":2"),
            at(offset, ""), at(offset + 1, ""), 58};
}

template <class T>
std::string field_text(const range_list<T>& list, const std::string& where) {
    return list_text(list, [&](const auto& range) {
        return in_range(where, range.first, range.last, value_traits<T>::highest);
    });
}

bool are_pairs(const filter_spec& spec) {
    return spec.port_lists == port_list_mode::pairs && spec.source_ports.entries.size() > 1 &&
           spec.destination_ports.entries.size() > 1;
}

std::string pairs_text(const filter_spec& spec, const header_place& place) {
    const auto& sources = spec.source_ports.entries;
    const auto& destinations = spec.destination_ports.entries;
    texts pairs;
    for (std::size_t i = 0; i < std::min(sources.size(), destinations.size()); ++i)
        pairs.push_back(
            all_of({in_range(place.source_port, sources[i].first, sources[i].last, 0xFFFF),
                    in_range(place.destination_port, destinations[i].first, destinations[i].last,
                             0xFFFF)}));
    return any_of(pairs);
}

void add_headers(texts& parts, const filter_spec& spec, const header_place& place) {
    if (!spec.protocols.is_wildcard())
        parts.push_back(field_text(spec.protocols, place.protocol));
    if (!spec.source_ports.is_wildcard() || !spec.destination_ports.is_wildcard())
        parts.push_back(any_of({place.protocol + " = 6", place.protocol + " = 17"}));
    if (are_pairs(spec)) {
        parts.push_back(pairs_text(spec, place));
    } else {
        if (!spec.source_ports.is_wildcard())
            parts.push_back(field_text(spec.source_ports, place.source_port));
        if (!spec.destination_ports.is_wildcard())
            parts.push_back(field_text(spec.destination_ports, place.destination_port));
    }
    if (!spec.icmp_types.is_wildcard() || !spec.icmp_codes.is_wildcard())
        parts.push_back(place.protocol + " = " + std::to_string(place.icmp_protocol));
    if (!spec.icmp_types.is_wildcard())
        parts.push_back(field_text(spec.icmp_types, place.icmp_type));
    if (!spec.icmp_codes.is_wildcard())
        parts.push_back(field_text(spec.icmp_codes, place.icmp_code));
}

std::string inet_text(const filter_spec& spec) {
    texts parts = {"ip", "ip[6:2] & 0x1fff = 0"};
    add_addresses(parts, family::inet, spec);
    add_headers(parts, spec, inet_place());
    return all_of(parts);
}

std::string inet6_text(const filter_spec& spec) {
    texts whole = {"ip6[6] != 44"};
    add_headers(whole, spec, inet6_place(6, 40));
    texts fragment = {"ip6[6] = 44", "ip6[42:2] & 0xfff8 = 0"};
    add_headers(fragment, spec, inet6_place(40, 48));

    texts parts = {"ip6"};
    add_addresses(parts, family::inet6, spec);
    parts.push_back(any_of({all_of(whole), all_of(fragment)}));
    return all_of(parts);
}

} // namespace

std::optional<std::string> to_pcap_filter(const filter_spec& spec) {
    if (spec.families.contains(family::ccc) || !std::holds_alternative<global_scope>(spec.scope))
        return std::nullopt;
    texts families;
    if (spec.families.contains(family::inet))
        families.push_back(inet_text(spec));
    if (spec.families.contains(family::inet6))
        families.push_back(inet6_text(spec));
    if (families.empty())
        return std::nullopt;
    return any_of(families);
}

} // namespace flowtap::filter
