// SPDX-License-Identifier: Apache-2.0
// Reads any octets as a capture file, compressed or not. The first two octets choose the size of
// the blocks and of the batches; the packets must not depend on them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <flowtap/capture/pcap_file_source.hpp>

namespace {

using namespace flowtap;

/// More than this from one input says nothing new: a few octets can hold gigabytes of nothing.
constexpr std::size_t most_packets = 20'000;

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// Opens the input, whatever it is asked for.
class memory_opener final : public opener {
public:
    explicit memory_opener(std::span<const std::uint8_t> contents) : contents_(contents) {}

    result<descriptor> file_to_read(const std::string&) override {
        descriptor made(::memfd_create("fuzz", MFD_CLOEXEC));
        require(::write(made.number(), contents_.data(), contents_.size()) ==
                static_cast<ssize_t>(contents_.size()));
        require(::lseek(made.number(), 0, SEEK_SET) == 0);
        return made;
    }
    result<descriptor> file_to_write(const std::string&) override { return none(); }
    result<descriptor> raw_socket(family) override { return none(); }
    result<descriptor> udp_socket(const endpoint&) override { return none(); }
    result<descriptor> packet_socket() override { return none(); }

private:
    static result<descriptor> none() {
        return fail(std::make_error_code(std::errc::not_supported));
    }

    std::span<const std::uint8_t> contents_;
};

struct outcome {
    bool opened = false;
    std::error_code reason;
    std::size_t packets = 0;
    std::uint64_t sum = 0; ///< over everything there is of the packets

    friend bool operator==(const outcome&, const outcome&) = default;
};

void add(const path::captured_packet& packet, outcome& to) {
    const auto mix = [&to](std::uint64_t value) { to.sum = (to.sum ^ value) * 0x100000001B3U; };
    for (const std::byte octet : packet.frame)
        mix(std::to_integer<std::uint64_t>(octet));
    mix(packet.frame.size());
    mix(packet.wire_length);
    mix(static_cast<std::uint64_t>(packet.time.time_since_epoch().count()));
    ++to.packets;
}

outcome read(std::span<const std::uint8_t> contents, std::size_t block, std::size_t batch) {
    memory_opener with(contents);
    capture::file_options options;
    options.block = block;
    outcome seen;
    const auto source = capture::pcap_file_source::open("fuzz", options, with);
    seen.opened = source.has_value();
    if (!source) {
        seen.reason = source.error().code;
        return seen;
    }
    std::vector<path::captured_packet> packets(batch);
    path::read_result got;
    while (got.state == path::source_state::ready && seen.packets < most_packets) {
        got = (*source)->read(packets);
        require(got.count <= batch);
        for (const auto& each : std::span(packets).first(got.count))
            if (seen.packets < most_packets)
                add(each, seen);
    }
    if (seen.packets == most_packets)
        return seen;
    seen.reason = (*source)->failure().code;
    require((got.state == path::source_state::failed) == static_cast<bool>(seen.reason));
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const std::span contents(data + 2, size - 2);
    const outcome usual = read(contents, std::size_t{1} << 20, 256);
    require(read(contents, 1U + data[0], 1U + data[1]) == usual);
    return 0;
}
