// SPDX-License-Identifier: Apache-2.0
// Compiles two filters, holds a batch of packets against them and prints which of them match.
#include <cstdio>
#include <span>
#include <vector>

#include <flowtap/filter/classifier.hpp>

namespace {

using namespace flowtap;

/// Everything to or from 192.0.2.10.
std::vector<filter_spec> both_directions() {
    range_entry<address_bits> target;
    target.first = target.last = parse_ip_address("192.0.2.10").value().bits();

    filter_spec from;
    from.families = family::inet;
    from.source_addresses.entries = {target};
    filter_spec to;
    to.families = family::inet;
    to.destination_addresses.entries = {target};
    return {from, to};
}

/// A TCP packet. In a product, module packet makes the key from the packet's octets.
packet_key tcp(const char* source, const char* destination, std::uint16_t destination_port) {
    packet_key key;
    key.source = parse_ip_address(source).value().bits();
    key.destination = parse_ip_address(destination).value().bits();
    key.protocol = 6;
    key.has_ports = true;
    key.source_port = 40000;
    key.destination_port = destination_port;
    return key;
}

} // namespace

int main() {
    std::vector<filter::criterion> criteria;
    for (const filter_spec& spec : both_directions()) {
        const slot_id slot(static_cast<std::uint32_t>(criteria.size()));
        auto made = filter::criterion::make(slot, spec);
        if (!made) {
            std::fprintf(stderr, "%s\n", made.error().message().c_str());
            return 1;
        }
        criteria.push_back(*std::move(made));
    }
    const auto classifier = filter::classifier::build(criteria);
    if (!classifier) {
        std::fprintf(stderr, "%s\n", classifier.error().message().c_str());
        return 1;
    }

    const std::vector<packet_key> packets = {
        tcp("192.0.2.10", "198.51.100.1", 443),
        tcp("198.51.100.1", "192.0.2.10", 40000),
        tcp("198.51.100.1", "198.51.100.2", 80),
        tcp("192.0.2.10", "192.0.2.10", 22),
    };

    // One buffer a worker, made once. It may be too small for a whole batch: then match() stops
    // early, and goes on with the rest.
    filter::match_buffer found(64, 256);
    std::size_t number = 1;
    for (std::span<const packet_key> left(packets); !left.empty();) {
        const std::size_t done = classifier->match(left, found);
        for (std::size_t i = 0; i < done; ++i) {
            std::printf("packet %zu:", number++);
            for (const slot_id slot : found.matches(i))
                std::printf(" %u", slot.value());
            std::printf("\n");
        }
        left = left.subspan(done);
    }
    return 0;
}
