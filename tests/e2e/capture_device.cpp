// SPDX-License-Identifier: Apache-2.0
// Captures a device, for tests of what a source hands over.
//
// usage: capture_device METHOD WORKERS DEVICE DIRECTORY
//
// METHOD is ring or libpcap, and WORKERS how many share the device. Prints `ready`, and `up`,
// `down` and `gone` when the device has changed. When its standard input has ended and nothing more
// comes, it prints its counters, and the processor time that its workers took. Worker N writes what
// is ingress to in.N.pcap in the directory, and what is egress to out.N.pcap; nothing is written
// when the directory is -.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <flowtap/capture/live.hpp>
#include <flowtap/capture/ring_source.hpp>

namespace {

using namespace flowtap;

constexpr std::chrono::milliseconds turn{20};
/// Turns without a packet after which nothing more is on its way.
constexpr int quiet_turns = 10;

class pcap_writer {
public:
    pcap_writer(const std::string& name, packet::link_type link) : out_(name, std::ios::binary) {
        constexpr std::uint32_t magic_of_nanoseconds = 0xA1B23C4D;
        constexpr std::uint32_t version = 0x0004'0002;
        put({magic_of_nanoseconds, version, 0, 0, 1U << 20, static_cast<std::uint32_t>(link)});
    }

    void add(const path::captured_packet& packet) {
        const auto time = packet.time.time_since_epoch();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
        put({static_cast<std::uint32_t>(seconds.count()),
             static_cast<std::uint32_t>((time - seconds).count()),
             static_cast<std::uint32_t>(packet.frame.size()), packet.wire_length});
        const void* const octets = packet.frame.data();
        out_.write(static_cast<const char*>(octets),
                   static_cast<std::streamsize>(packet.frame.size()));
    }

private:
    void put(std::initializer_list<std::uint32_t> words) {
        for (const std::uint32_t each : words) {
            const std::array<char, 4> octets{static_cast<char>(each), static_cast<char>(each >> 8),
                                             static_cast<char>(each >> 16),
                                             static_cast<char>(each >> 24)};
            out_.write(octets.data(), octets.size());
        }
    }

    std::ofstream out_;
};

/// One worker: reads until it is told to stop and nothing more comes.
class reader {
public:
    reader(path::source& from, packet::link_type link, const std::string& directory,
           std::size_t number)
        : from_(from) {
        if (directory == "-")
            return;
        const std::string end = "." + std::to_string(number) + ".pcap";
        in_.emplace(directory + "/in" + end, link);
        out_.emplace(directory + "/out" + end, link);
    }

    void run() {
        int quiet = 0;
        while (!stop_ || quiet < quiet_turns) {
            const path::read_result got = from_.read(batch_);
            packets_ += got.count;
            if (in_)
                for (const path::captured_packet& each : std::span(batch_).first(got.count))
                    (each.way == direction::ingress ? *in_ : *out_).add(each);
            if (got.state == path::source_state::failed) {
                std::cerr << from_.failure().message() << std::endl;
                break;
            }
            quiet = got.count == 0 ? quiet + 1 : 0;
            if (got.state == path::source_state::idle)
                from_.wait(turn);
        }
        timespec used{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        nanoseconds_ = static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 +
                       static_cast<std::uint64_t>(used.tv_nsec);
    }

    // Both when it has run.
    std::uint64_t packets() const { return packets_; }
    std::uint64_t nanoseconds() const { return nanoseconds_; }

    void stop() { stop_ = true; }

private:
    path::source& from_;
    std::optional<pcap_writer> in_;
    std::optional<pcap_writer> out_;
    std::array<path::captured_packet, 256> batch_;
    std::uint64_t packets_ = 0;
    std::uint64_t nanoseconds_ = 0;
    std::atomic<bool> stop_{false};
};

void print_change(capture::device_state now) {
    static std::mutex guard;
    const std::lock_guard held(guard);
    switch (now) {
    case capture::device_state::up:
        std::cout << "up" << std::endl;
        return;
    case capture::device_state::down:
        std::cout << "down" << std::endl;
        return;
    case capture::device_state::gone:
        std::cout << "gone" << std::endl;
        return;
    }
}

packet::link_type link_of(const path::source& source) {
    const auto* const ring = dynamic_cast<const capture::ring_source*>(&source);
    return ring != nullptr ? ring->link() : packet::link_type::ethernet;
}

void print_counters(const std::vector<std::unique_ptr<path::source>>& sources,
                    const std::vector<std::unique_ptr<reader>>& readers) {
    std::uint64_t packets = 0;
    std::uint64_t nanoseconds = 0;
    for (const auto& each : readers) {
        packets += each->packets();
        nanoseconds += each->nanoseconds();
    }
    capture::ring_counters sum;
    std::uint64_t lost = 0;
    for (const auto& each : sources) {
        lost += each->lost();
        const capture::ring_counters one = capture::counters_of(*each);
        sum.frames += one.frames;
        sum.super_packets += one.super_packets;
        sum.segments += one.segments;
        sum.unsplit += one.unsplit;
        sum.completed_checksums += one.completed_checksums;
    }
    std::cout << "lost " << lost << " frames " << sum.frames << " super_packets "
              << sum.super_packets << " segments " << sum.segments << " unsplit " << sum.unsplit
              << " completed " << sum.completed_checksums << " packets " << packets
              << " nanoseconds " << nanoseconds << std::endl;
}

int run(capture::live_method method, std::size_t workers, const std::string& device,
        const std::string& directory) {
    capture::live_options options;
    options.on_change = print_change;
    auto opened = capture::open_live(device, options, workers, method);
    if (!opened) {
        std::cerr << opened.error().message() << '\n';
        return 1;
    }
    std::vector<std::unique_ptr<reader>> readers;
    std::vector<std::thread> threads;
    for (const auto& each : opened->sources)
        readers.push_back(
            std::make_unique<reader>(*each, link_of(*each), directory, readers.size()));
    for (const auto& each : readers)
        threads.emplace_back([&each] { each->run(); });
    std::cout << "ready" << std::endl;
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    for (std::size_t i = 0; i < readers.size(); ++i) {
        readers[i]->stop();
        opened->sources[i]->interrupt();
    }
    for (std::thread& each : threads)
        each.join();
    print_counters(opened->sources, readers);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5)
        return 2;
    const bool ring = std::string_view(argv[1]) == "ring";
    return run(ring ? capture::live_method::ring : capture::live_method::libpcap,
               std::stoul(argv[2]), argv[3], argv[4]);
}
