// SPDX-License-Identifier: Apache-2.0
//
// What the system tells a route table by netlink, and what neighbours answer: any octets are read
// without going past their end, and leave a table that still gives a plan for every destination.
// The first octet says which of the two the rest is; netlink's octets are also taken for answers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "neighbour_frames.hpp"
#include "netlink.hpp"
#include "route_messages.hpp"
#include "route_table.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::deliver::detail;

void require(bool held) {
    if (!held)
        std::abort();
}

/// A system whose answers are the messages of the input, in turn.
class scripted_network final : public network_view {
public:
    explicit scripted_network(byte_view input) : input_(input), walk_(input) {}

    route_state route_to(const ip_address& to) noexcept override { return read_route(next(), to); }
    link_state link(unsigned) noexcept override { return read_link(next()); }
    neighbour_state neighbour(unsigned, const ip_address&) noexcept override {
        return read_neighbour(next());
    }
    std::size_t socket_mtu(const ip_address&) noexcept override { return 1500; }
    void send(unsigned, const solicitation& frame) noexcept override {
        require(frame.octets().size() >= 42);
    }

private:
    netlink_message next() noexcept {
        netlink_message made;
        if (!walk_.next(made)) {
            walk_ = netlink_walk(input_);
            walk_.next(made);
        }
        return made;
    }

    byte_view input_;
    netlink_walk walk_;
};

void run_table(byte_view input) {
    scripted_network network(input);
    route_table table(network);
    steady_time now = steady_time(std::chrono::seconds(100));
    const auto destinations =
        std::to_array<ip_address>({ip_address::v4(0xC6336405), ip_address::v4(0xC0000207),
                                   ip_address(family::inet6, {1, 5})});
    netlink_walk events(input);
    for (netlink_message message; events.next(message);) {
        const network_event event = read_event(message);
        table.on_event(event, now);
        if (event.what == network_event::kind::neighbour)
            table.on_advertisement(event.device, {event.address, event.neighbour.address}, now);
        for (const ip_address& each : destinations) {
            const egress_plan plan = table.look_up(each, now);
            require(plan.how != egress_plan::way::frame || (plan.device != 0 && plan.mtu != 0));
        }
        now += std::chrono::milliseconds(700);
        table.tick(now);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const byte_view input = std::as_bytes(std::span(data, size));
    if (input.empty())
        return 0;
    if (input.front() == std::byte{0}) {
        if (const auto read = read_advertisement(input.subspan(1)))
            require((read->mac[0] & std::byte{1}) == std::byte{0});
    } else {
        run_table(input.subspan(1));
    }
    return 0;
}
