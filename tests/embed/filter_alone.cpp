// SPDX-License-Identifier: Apache-2.0
// A product that matches packets with the classifier and nothing else of libflowtap: a set that is
// built at once, and one that changes.
#include <cstdio>
#include <span>
#include <vector>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/live_classifier.hpp>

using namespace flowtap;

namespace {

filter::criterion everything_to(slot_id slot, const char* address) {
    range_entry<address_bits> host;
    host.first = host.last = parse_ip_address(address).value().bits();
    filter_spec spec;
    spec.families = family::inet6;
    spec.destination_addresses.entries = {host};
    return filter::criterion::make(slot, spec).value();
}

void show(const filter::classifier& criteria, const packet_key& packet) {
    filter::match_buffer found(1, 16);
    criteria.match(std::span(&packet, 1), found);
    for (const slot_id slot : found.matches(0))
        std::printf("%u ", slot.value());
    std::printf("of %zu\n", criteria.cost().criteria);
}

} // namespace

int main() {
    packet_key packet;
    packet.of_family = family::inet6;
    packet.destination = parse_ip_address("2001:db8::1").value().bits();

    const std::vector<filter::criterion> two = {everything_to(slot_id(7), "2001:db8::1"),
                                                everything_to(slot_id(3), "2001:db8::2")};
    show(filter::classifier::build(two).value(), packet);

    filter::live_classifier live;
    for (const filter::criterion& one : two) {
        if (!live.insert(one))
            return 1;
    }
    const filter::classifier before = live.version();
    live.erase(slot_id(7));
    show(before, packet);
    show(live.version(), packet);
    return 0;
}
