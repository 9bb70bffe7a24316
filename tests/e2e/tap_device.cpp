// SPDX-License-Identifier: Apache-2.0
// An access point in small, for tests: taps one device and sends what it sees to one address.
//
// usage: tap_device METHOD WORKERS DEVICE SOURCE DESTINATION MARK [auto | packet | raw | udp]
//
// It taps UDP alone: what kernels say of themselves (neighbour discovery, reports of multicast
// groups) comes when it likes and is no test's business. METHOD is ring or libpcap, and WORKERS how
// many share the device. Packets that the device received go to port 2300, those that leave through
// it to port 2301, both from port 40000. With two destinations, `ONE,OTHER`, the other one gets
// those that leave. MARK is the socket mark of the copies, which the device is not tapped for; 0 is
// none. Prints `ready`, taps until its standard input ends, and prints its counters.
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <flowtap/capture/live.hpp>
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/path/data_path.hpp>

namespace {

using namespace flowtap;

struct arguments {
    capture::live_method method = capture::live_method::ring;
    std::size_t workers = 1;
    std::string device;
    ip_address source;
    ip_address destination;
    ip_address second; ///< that of what leaves
    std::uint32_t mark = 0;
    deliver::egress_choice egress = deliver::egress_choice::automatic;
};

constexpr std::uint16_t ingress_port = 2300;
constexpr std::uint16_t egress_port = 2301;
constexpr std::uint8_t udp = 17;

path::action send_to(const arguments& given, std::uint16_t port) {
    packet::encapsulation with;
    with.source = {given.source, 40'000};
    with.destination = {port == ingress_port ? given.destination : given.second, port};
    with.ttl = 100;
    path::action made;
    made.targets.push_back(
        {stream_id(port - ingress_port), {}, packet::header_template::make(with).value()});
    return made;
}

void tap_both_ways(path::data_path& path, const arguments& given) {
    filter_spec ingress;
    ingress.families = family_set(family::inet) | family_set(family::inet6);
    ingress.protocols.entries = {{{udp, udp}, false}};
    filter_spec egress = ingress;
    egress.scope = output_scope{{interface_id(1)}};
    auto names = std::make_shared<path::interface_map>();
    names->bind(port_id(0), {interface_id(1), {}});

    std::vector<filter::criterion> criteria;
    path::snapshot next;
    for (const filter_spec& spec : {ingress, egress}) {
        slot_id slot;
        path.acquire(slot);
        next.actions.assign(slot, send_to(given, criteria.empty() ? ingress_port : egress_port));
        criteria.push_back(filter::criterion::make(slot, spec).value());
    }
    next.criteria =
        std::make_shared<const filter::classifier>(filter::classifier::build(criteria).value());
    next.interfaces = std::move(names);
    path.publish(std::move(next));
}

int run(const arguments& given) {
    capture::live_options from;
    deliver::network_options to;
    to.choice = given.egress;
    if (given.mark != 0) {
        from.excluded_mark = given.mark;
        to.socket.mark = given.mark;
    }
    auto opened = capture::open_live(given.device, from, given.workers, given.method);
    if (!opened) {
        std::cerr << opened.error().message() << '\n';
        return 1;
    }
    path::data_path path;
    std::vector<path::worker*> workers;
    for (auto& source : opened->sources) {
        auto sink = deliver::network_sink::open(to);
        if (!sink) {
            std::cerr << sink.error().message() << '\n';
            return 1;
        }
        path::worker_options how;
        how.loop_brake = true;
        workers.push_back(&path.add_worker(std::move(source), std::move(*sink), how));
    }
    tap_both_ways(path, given);
    std::vector<std::thread> tapping;
    for (path::worker* each : workers)
        tapping.emplace_back([each] { each->run(); });
    std::cout << "ready" << std::endl;
    std::cin.get();
    for (path::worker* each : workers)
        each->request_stop();
    for (std::thread& each : tapping)
        each.join();
    const path::path_counters counters = path.counters();
    std::uint64_t dropped = 0;
    for (const std::uint64_t count : counters.dropped)
        dropped += count;
    const auto of = [&counters](path::drop_cause cause) {
        return counters.dropped[static_cast<std::size_t>(cause)];
    };
    std::cout << "seen " << counters.seen << " tapped " << counters.tapped << " copies "
              << counters.copies << " delivered " << counters.delivered << " dropped " << dropped
              << " lost " << counters.lost << " unreachable " << of(path::drop_cause::unreachable)
              << " sink_full " << of(path::drop_cause::sink_full) << " looped "
              << of(path::drop_cause::looped) << '\n';
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::map<std::string_view, deliver::egress_choice> choices{
        {"auto", deliver::egress_choice::automatic},
        {"packet", deliver::egress_choice::frames},
        {"raw", deliver::egress_choice::raw},
        {"udp", deliver::egress_choice::udp}};
    if (argc != 7 && argc != 8)
        return 2;
    const auto chosen = choices.find(argc == 8 ? argv[7] : "auto");
    const auto source = parse_ip_address(argv[4]);
    const std::string destinations = argv[5];
    const std::size_t comma = destinations.find(',');
    const auto one = parse_ip_address(destinations.substr(0, comma));
    const auto other =
        comma == std::string::npos ? one : parse_ip_address(destinations.substr(comma + 1));
    if (!source || !one || !other || chosen == choices.end())
        return 2;
    const bool ring = std::string_view(argv[1]) == "ring";
    return run({ring ? capture::live_method::ring : capture::live_method::libpcap,
                std::stoul(argv[2]), argv[3], *source, *one, *other,
                static_cast<std::uint32_t>(std::stoul(argv[6])), chosen->second});
}
