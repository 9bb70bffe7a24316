// SPDX-License-Identifier: Apache-2.0
// The example of lib/path/README.md.
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

namespace {

using namespace flowtap;

slot_id tap_one_host(path::data_path& path, const filter_spec& spec,
                     const packet::encapsulation& copies) {
    slot_id slot;
    path.acquire(slot);
    const auto criterion = filter::criterion::make(slot, spec);
    path::action what;
    what.targets.push_back({stream_id(0), {}, *packet::header_template::make(copies)});
    path::snapshot next;
    next.criteria = std::make_shared<const filter::classifier>(
        *filter::classifier::build(std::span(&*criterion, 1)));
    next.actions.assign(slot, std::move(what));
    path.publish(std::move(next));
    return slot;
}

} // namespace

TEST_CASE("the example of the README taps one host") {
    path::test::deliveries got;
    path::data_path path;
    path::worker& worker =
        path.add_worker(std::make_unique<path::test::repeating_source>(
                            std::vector{path::test::udp_packet(2), path::test::udp_packet(3)}, 1),
                        std::make_unique<path::test::collecting_sink>(got));
    packet::encapsulation copies;
    copies.source = {ip_address::v4(0xC6336409), 40000};
    copies.destination = {ip_address::v4(0xC0000205), 2300};
    const slot_id slot = tap_one_host(path, path::test::to_host(2), copies);
    worker.run();
    CHECK(path.counters(slot).packets == 1);
    CHECK(got[0].size() == 1);
}
