// SPDX-License-Identifier: Apache-2.0
// Reads a set of filters and some packets from the input and holds the classifier, on both code
// paths, against the definitions; every criterion's libpcap text is made as well.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/pcap_text.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::filter;

/// Values out of the input; zero once it is used up.
class fuzz_input {
public:
    explicit fuzz_input(std::span<const std::uint8_t> octets) : left_(octets) {}

    bool done() const { return left_.empty(); }
    std::uint8_t octet() {
        if (left_.empty())
            return 0;
        const std::uint8_t value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    /// Half of the values are small, so that different places of the input meet.
    template <class T>
    T number() {
        const std::uint8_t kind = octet();
        if (kind < 0x80)
            return static_cast<T>(kind % 8);
        if (kind < 0x90)
            return static_cast<T>(~T{0} - kind % 4);
        T value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value = static_cast<T>((std::uint64_t{value} << 8) | octet());
        return value;
    }
    address_bits address(family of) {
        if (of == family::inet)
            return {0, number<std::uint32_t>()};
        return {number<std::uint64_t>(), number<std::uint64_t>()};
    }

private:
    std::span<const std::uint8_t> left_;
};

template <class T, class Draw>
range_list<T> draw_list(fuzz_input& input, const Draw& draw) {
    range_list<T> list;
    const std::uint8_t shape = input.octet();
    for (unsigned left = shape % 4U; left != 0; --left) {
        range_entry<T> entry;
        entry.first = draw();
        entry.last = (shape & 0x10) != 0 ? draw() : entry.first;
        entry.negated = (shape & (0x20U << (left & 1U))) != 0;
        list.entries.push_back(entry);
    }
    return list;
}

filter_scope draw_scope(fuzz_input& input) {
    const std::uint8_t kind = input.octet();
    std::vector<interface_id> interfaces;
    for (unsigned left = (kind >> 4U) % 4U; left != 0; --left)
        interfaces.emplace_back(input.number<std::uint32_t>());
    switch (kind % 6U) {
    case 0:
        return vrf_scope{vrf_id(input.number<std::uint32_t>())};
    case 1:
        return input_scope{interfaces};
    case 2:
        return output_scope{interfaces};
    default:
        return global_scope{};
    }
}

filter_spec draw_filter(fuzz_input& input) {
    filter_spec spec;
    const std::uint8_t kind = input.octet();
    for (const family member : {family::inet, family::inet6, family::ccc}) {
        if ((kind & (1U << static_cast<unsigned>(member))) != 0)
            spec.families.insert(member);
    }
    const family of = spec.families.contains(family::inet6) ? family::inet6 : family::inet;
    const auto address = [&] { return input.address(of); };
    const auto octet = [&] { return input.number<std::uint8_t>(); };
    const auto port = [&] { return input.number<std::uint16_t>(); };
    spec.source_addresses = draw_list<address_bits>(input, address);
    spec.destination_addresses = draw_list<address_bits>(input, address);
    spec.protocols = draw_list<std::uint8_t>(input, octet);
    spec.source_ports = draw_list<std::uint16_t>(input, port);
    spec.destination_ports = draw_list<std::uint16_t>(input, port);
    spec.icmp_types = draw_list<std::uint8_t>(input, octet);
    spec.icmp_codes = draw_list<std::uint8_t>(input, octet);
    if ((kind & 0x08U) != 0)
        spec.port_lists = port_list_mode::pairs;
    spec.scope = draw_scope(input);
    return spec;
}

packet_key draw_packet(fuzz_input& input) {
    packet_key key;
    const std::uint8_t kind = input.octet();
    key.of_family = static_cast<family>(kind % 3U);
    key.way = (kind & 0x10U) != 0 ? direction::egress : direction::ingress;
    key.interface = interface_id(input.number<std::uint32_t>());
    key.vrf = vrf_id(input.number<std::uint32_t>());
    if (key.of_family == family::ccc)
        return key;
    key.source = input.address(key.of_family);
    key.destination = input.address(key.of_family);
    key.protocol = input.number<std::uint8_t>();
    key.has_ports = (kind & 0x20U) != 0;
    key.has_icmp = (kind & 0x40U) != 0;
    if (key.has_ports) {
        key.source_port = input.number<std::uint16_t>();
        key.destination_port = input.number<std::uint16_t>();
    }
    if (key.has_icmp) {
        key.icmp_type = input.number<std::uint8_t>();
        key.icmp_code = input.number<std::uint8_t>();
    }
    return key;
}

void require(bool holds) {
    if (!holds)
        std::abort();
}

void compare(const std::vector<criterion>& criteria, const std::vector<packet_key>& keys,
             code_path path) {
    const auto built = classifier::build(criteria, {}, path);
    require(built.has_value());
    match_buffer found(5, criteria.size() + 2);
    for (std::span<const packet_key> left(keys); !left.empty();) {
        const std::size_t done = built->match(left, found);
        require(done != 0);
        for (std::size_t i = 0; i < done; ++i) {
            std::vector<slot_id> expected;
            for (const criterion& one : criteria) {
                if (matches(one.spec(), left[i]))
                    expected.push_back(one.slot());
            }
            require(std::ranges::equal(expected, found.matches(i)));
        }
        left = left.subspan(done);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz_input input(std::span(data, size));
    std::vector<criterion> criteria;
    for (unsigned left = input.octet() % 130U; left != 0 && !input.done(); --left) {
        auto made = criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())),
                                    draw_filter(input));
        if (!made)
            continue;
        to_pcap_filter(made->spec());
        criteria.push_back(*std::move(made));
    }
    std::vector<packet_key> keys;
    for (unsigned left = 40; left != 0 && !input.done(); --left)
        keys.push_back(draw_packet(input));
    compare(criteria, keys, code_path::fastest);
    compare(criteria, keys, code_path::portable);
    return 0;
}
