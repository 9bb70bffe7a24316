// SPDX-License-Identifier: Apache-2.0
// A worker whose copies are bound to devices, for tests.
//
// usage: bound_copies EGRESS SOURCE DESTINATION DEVICE...
//
// EGRESS is auto, packet, raw or udp. Binding i is the i-th device; its copies go from SOURCE, port
// 40000, to DESTINATION, port 2300, and carry packets with numbers from 0 on, in turn for each of
// the bindings: a packet's payload is its number. Reads commands, a line each, and answers each
// with a line:
//
//     send N        make the next N packets; answers when the sink has taken or dropped all
//     begin N       the same, and answers at once
//     finish        answers when that is done
//     remove I | fail I | restore I | set I
//     up I          whether the device can send, as device_watch says
//     counts I      copies, delivered, queued, dropped and unreachable of binding I; 0: of all
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <poll.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/deliver/device_watch.hpp>
#include <flowtap/deliver/egress_bindings.hpp>
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/path/data_path.hpp>

namespace {

using namespace flowtap;

constexpr std::size_t packet_size = 64;

/// Packets to 10.0.0.1, 10.0.0.2 and so on in turn, as many as asked for. It cannot wait, as a live
/// device.
class numbered_source final : public path::source {
public:
    explicit numbered_source(std::uint32_t bindings) : bindings_(bindings), packets_(batch) {}

    path::read_result read(std::span<path::captured_packet> into) noexcept override {
        std::size_t count = 0;
        while (count < std::min(into.size(), batch) && next_ < wanted.load()) {
            put(packets_[count], next_++);
            into[count] = {.frame = packets_[count],
                           .wire_length = packet_size,
                           .link = packet::link_type::raw};
            ++count;
        }
        made.store(next_);
        return {count, count == 0 ? path::source_state::idle : path::source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override { ::poll(nullptr, 0, 1); }
    void interrupt() noexcept override {}
    path::backpressure when_full() const noexcept override { return path::backpressure::drop; }

    std::atomic<std::uint32_t> wanted{0};
    std::atomic<std::uint32_t> made{0};

private:
    static constexpr std::size_t batch = 16;
    using octets = std::array<std::byte, packet_size>;

    void put(octets& into, std::uint32_t number) const noexcept {
        const std::span<std::byte> out(into);
        store_big_endian<std::uint8_t>(out, 0x45);
        store_big_endian<std::uint16_t>(out.subspan(2), packet_size);
        store_big_endian<std::uint8_t>(out.subspan(8), 64);
        store_big_endian<std::uint8_t>(out.subspan(9), 17);
        store_big_endian<std::uint32_t>(out.subspan(12), 0x0A010001);
        store_big_endian<std::uint32_t>(out.subspan(16), 0x0A000001U + number % bindings_);
        store_big_endian<std::uint16_t>(out.subspan(24), packet_size - 20);
        store_big_endian<std::uint32_t>(out.subspan(28), number);
    }

    const std::uint32_t bindings_;
    std::vector<octets> packets_;
    std::uint32_t next_ = 0;
};

struct arguments {
    deliver::egress_choice egress = deliver::egress_choice::automatic;
    ip_address source;
    ip_address destination;
    std::vector<std::string> devices;
};

/// For each binding one criterion, with a stream of its own.
path::snapshot tasked(path::data_path& path, const arguments& given) {
    packet::encapsulation with;
    with.source = {given.source, 40'000};
    with.destination = {given.destination, 2300};
    std::vector<filter::criterion> criteria;
    path::snapshot next;
    for (std::uint32_t i = 0; i < given.devices.size(); ++i) {
        slot_id slot;
        path.acquire(slot);
        filter_spec spec;
        spec.families = family::inet;
        const address_bits to{0, 0x0A000001U + i};
        spec.destination_addresses.entries.push_back({{to, to}, false});
        criteria.push_back(filter::criterion::make(slot, spec).value());
        path::action what;
        what.targets.push_back(
            {stream_id(i), path::egress_id(i + 1), packet::header_template::make(with).value()});
        next.actions.assign(slot, std::move(what));
    }
    next.criteria =
        std::make_shared<const filter::classifier>(filter::classifier::build(criteria).value());
    return next;
}

class control {
public:
    explicit control(const arguments& given)
        : given_(given), watch_(deliver::device_watch::open().value()) {
        for (std::uint32_t i = 1; i <= given_.devices.size(); ++i)
            set(i);
        deliver::network_options plain;
        plain.choice = given_.egress;
        auto otherwise = deliver::network_sink::open(plain).value();
        auto from =
            std::make_unique<numbered_source>(static_cast<std::uint32_t>(given_.devices.size()));
        source_ = from.get();
        worker_ =
            &path_.add_worker(std::move(from), bindings_.make_sink(std::move(otherwise)).value());
        path_.publish(tasked(path_, given_));
        thread_ = std::thread([this] { worker_->run(); });
    }
    ~control() {
        worker_->request_stop();
        thread_.join();
    }

    std::string obey(std::string_view command, std::uint32_t number) {
        if (command == "send" || command == "begin")
            source_->wanted += number;
        if (command == "send" || command == "finish")
            return finish();
        if (command == "set")
            return set(number);
        if (command == "remove")
            bindings_.remove(path::egress_id(number));
        if (command == "fail")
            bindings_.fail(path::egress_id(number));
        if (command == "restore")
            return to_text(bindings_.restore(path::egress_id(number)));
        if (command == "up") {
            watch_.read();
            return watch_.can_send(given_.devices[number - 1]) ? "yes" : "no";
        }
        return command == "counts" ? counts(number) : "ok";
    }

private:
    static std::string to_text(const result<void>& what) {
        return what ? "ok" : what.error().message();
    }

    std::string set(std::uint32_t number) {
        deliver::network_options with;
        with.choice = given_.egress;
        with.socket.device = given_.devices[number - 1];
        auto routes = deliver::route_watch::open(with.socket);
        if (!routes)
            return routes.error().message();
        with.routes = std::move(*routes);
        return to_text(
            bindings_.set(path::egress_id(number), [with]() -> result<std::unique_ptr<path::sink>> {
                auto made = deliver::network_sink::open(with);
                if (!made)
                    return fail(made.error());
                return std::unique_ptr<path::sink>(std::move(*made));
            }));
    }

    std::string finish() {
        while (source_->made < source_->wanted || path_.counters().tapped < source_->made)
            ::poll(nullptr, 0, 1);
        return "ok";
    }

    std::string counts(std::uint32_t number) {
        const path::delivery_counters counted =
            number == 0 ? path_.counters() : bindings_.counters(path::egress_id(number));
        std::uint64_t dropped = 0;
        for (const std::uint64_t each : counted.dropped)
            dropped += each;
        const auto unreachable = static_cast<std::size_t>(path::drop_cause::unreachable);
        return "copies " + std::to_string(counted.copies) + " delivered " +
               std::to_string(counted.delivered) + " queued " + std::to_string(counted.queued) +
               " dropped " + std::to_string(dropped) + " unreachable " +
               std::to_string(counted.dropped[unreachable]);
    }

    const arguments given_;
    deliver::device_watch watch_;
    deliver::egress_bindings bindings_;
    path::data_path path_;
    numbered_source* source_ = nullptr;
    path::worker* worker_ = nullptr;
    std::thread thread_;
};

} // namespace

int main(int argc, char** argv) {
    const std::map<std::string_view, deliver::egress_choice> choices{
        {"auto", deliver::egress_choice::automatic},
        {"packet", deliver::egress_choice::frames},
        {"raw", deliver::egress_choice::raw},
        {"udp", deliver::egress_choice::udp}};
    const auto chosen = choices.find(argc > 4 ? argv[1] : "");
    if (chosen == choices.end())
        return 2;
    const auto source = parse_ip_address(argv[2]);
    const auto destination = parse_ip_address(argv[3]);
    if (!source || !destination)
        return 2;
    control all({chosen->second, *source, *destination, {argv + 4, argv + argc}});
    std::cout << "ready" << std::endl;
    std::uint32_t number = 0;
    for (std::string line; std::getline(std::cin, line);) {
        const std::size_t blank = line.find(' ');
        const std::string_view rest =
            std::string_view(line).substr(blank == std::string::npos ? line.size() : blank + 1);
        number = 0;
        std::from_chars(rest.data(), rest.data() + rest.size(), number);
        std::cout << all.obey(std::string_view(line).substr(0, blank), number) << std::endl;
    }
    return 0;
}
