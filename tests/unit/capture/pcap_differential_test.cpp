// SPDX-License-Identifier: Apache-2.0
// Classic pcap files as the block reader reads them and as libpcap does.
#include <flowtap/capture/pcap_file_source.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <flowtap/capture/error.hpp>

#include "capture_bytes.hpp"
#include "reading.hpp"

using namespace flowtap;
using namespace flowtap::capture;
using namespace flowtap::capture::test;
using path::source_state;

namespace {

/// What there is to compare of a packet.
struct seen_packet {
    std::string frame;
    std::uint32_t wire_length = 0;
    wall_time time;

    friend bool operator==(const seen_packet&, const seen_packet&) = default;
};

struct seen_file {
    bool opened = false;
    bool failed = false;
    std::vector<seen_packet> packets;

    friend bool operator==(const seen_file&, const seen_file&) = default;
};

seen_file by_libpcap(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                reason.data()),
        pcap_close);
    seen_file seen;
    seen.opened = handle != nullptr;
    if (!handle)
        return seen;
    pcap_pkthdr* record = nullptr;
    const unsigned char* data = nullptr;
    int outcome = 0;
    while ((outcome = pcap_next_ex(handle.get(), &record, &data)) == 1) {
        // libpcap takes seconds for a number with a sign: they are none (draft-ietf-opsawg-pcap).
        const auto seconds = static_cast<std::uint32_t>(record->ts.tv_sec);
        seen.packets.push_back({std::string(reinterpret_cast<const char*>(data), record->caplen),
                                record->len,
                                wall_time(std::chrono::seconds(seconds) +
                                          std::chrono::nanoseconds(record->ts.tv_usec))});
    }
    seen.failed = outcome != PCAP_ERROR_BREAK;
    return seen;
}

seen_file by_source(const std::string& path, std::size_t block, std::size_t batch) {
    file_options options;
    options.block = block;
    auto source = pcap_file_source::open(path, options);
    seen_file seen;
    seen.opened = source.has_value();
    if (!source)
        return seen;
    const reading all = read_to_end(**source, batch);
    for (std::size_t i = 0; i < all.packets.size(); ++i)
        seen.packets.push_back({all.frames[i], all.packets[i].wire_length, all.packets[i].time});
    seen.failed = all.end == source_state::failed;
    return seen;
}

/// Both agree, whatever the size of the blocks.
void compare(const std::string& contents, const std::vector<std::size_t>& blocks) {
    const scratch_file file(contents);
    const seen_file expected = by_libpcap(file.path);
    for (const std::size_t block : blocks) {
        CAPTURE(block);
        CHECK(by_source(file.path, block, 4) == expected);
    }
}

struct variant {
    const char* what;
    std::uint32_t snap_length = 65535;
    std::uint32_t link = 101;
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
};

const std::vector<variant> variants = {
    {"usual"},
    {"no snap length", 0},
    {"snap length with a sign", 0x8000'0000},
    {"packets longer than the snap length", 9},
    {"snap length beyond all there is", 0x7FFF'FFFF},
    {"frame check sequence", 65535, 0x4400'0001},
    {"reserved bits beside the link type", 65535, 0x0001'0001},
    {"version 2.3, of which lengths are swapped", 65535, 101, 2, 3},
    {"version 2.2", 65535, 101, 2, 2},
    {"version of the future", 65535, 101, 2, 5},
    {"version of the past", 65535, 101, 1, 4},
    {"version of DG/UX", 65535, 101, 543, 0},
};

constexpr std::array magics = {0xA1B2C3D4U, 0xA1B23C4DU, 0xA1B2CD34U, 0xA1B2C3D5U};

std::string header_of(const variant& each, byte_order order, std::uint32_t magic) {
    writer out(order);
    out.u32(magic).u16(each.major).u16(each.minor).u32(0).u32(0).u32(each.snap_length);
    return out.u32(each.link).text;
}

std::string record_of(byte_order order, std::uint32_t magic, std::uint32_t seconds,
                      const std::string& frame, std::uint32_t length) {
    writer out(order);
    out.u32(seconds).u32(999'999).u32(frame.size()).u32(length);
    if (magic == 0xA1B2CD34U) // Kuznetzov's: interface, protocol, type of packet
        out.u32(1).u16(0x800).u16(0);
    return out.octets(frame).text;
}

std::vector<std::size_t> all_blocks(std::size_t size) {
    std::vector<std::size_t> blocks(size + 1);
    for (std::size_t i = 0; i < blocks.size(); ++i)
        blocks[i] = i + 1;
    return blocks;
}

} // namespace

TEST_CASE("every kind of pcap file is read as libpcap reads it, whatever the size of the blocks") {
    for (const byte_order order : {byte_order::little, byte_order::big})
        for (const std::uint32_t magic : magics)
            for (const variant& each : variants) {
                CAPTURE(static_cast<int>(order));
                CAPTURE(magic);
                CAPTURE(std::string(each.what));
                const std::string contents =
                    header_of(each, order, magic) + record_of(order, magic, 1, "a frame", 7) +
                    record_of(order, magic, 0x7FFFFFFF, "", 0) +
                    record_of(order, magic, 0x80000000, "cut by a snap length", 1500) +
                    record_of(order, magic, 3, "longer than it was", 4);
                compare(contents, all_blocks(contents.size()));
            }
}

TEST_CASE("a file with any octet changed is read as libpcap reads it") {
    const std::string whole = pcap_file(std::vector<std::string>(3, "twelve octet"));
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const int change : {0x01, 0x80, 0xFF}) {
            CAPTURE(at);
            CAPTURE(change);
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ change);
            // libpcap reads link types that cannot be decoded, and has signs in fractions.
            const bool is_link = at == 20 || at == 21;
            const bool is_fraction = at >= 24 && (at - 24) % 28 >= 4 && (at - 24) % 28 < 8;
            if (!is_link && !is_fraction)
                compare(changed, {1, 40, 1000});
        }
}

TEST_CASE("a file cut at any octet is read as libpcap reads it") {
    const std::string whole = pcap_file(numbered_frames(3, 12), {byte_order::big, nanoseconds, 1});
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        CAPTURE(length);
        compare(whole.substr(0, length), {1, 40, 1000});
    }
}

TEST_CASE("the longest packets there can be are read, and longer ones are damage") {
    for (const std::size_t size : {65535U, 262143U, 262144U, 262145U}) {
        CAPTURE(size);
        std::string contents = header_of({"no snap length", 0}, byte_order::little, nanoseconds);
        contents += record_of(byte_order::little, nanoseconds, 1, "before", 6);
        contents += record_of(byte_order::little, nanoseconds, 1, std::string(size, 'x'), 6);
        contents += record_of(byte_order::little, nanoseconds, 1, "after", 5);
        compare(contents, {4096, 262144, 262145, std::size_t{1} << 20});
    }
}

TEST_CASE("the captures of others are read as libpcap reads them") {
    const char* shared = std::getenv("FLOWTAP_SHARED_DATA");
    const std::filesystem::path root =
        std::filesystem::path(shared == nullptr ? "" : shared) / "pcaps";
    if (!std::filesystem::is_directory(root)) {
        std::puts("SKIPPED: there is no ../shared/pcaps");
        return;
    }
    std::size_t compared = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string path = entry.path().string();
        const auto refused = pcap_file_source::open(path);
        if (!entry.is_regular_file() ||
            (!refused && refused.error().code == capture::errc::unsupported_link_type))
            continue;
        CAPTURE(path);
        const seen_file expected = by_libpcap(path);
        for (const std::size_t block : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{61}})
            CHECK(by_source(path, block, 256) == expected);
        compared += expected.opened ? 1 : 0;
    }
    CHECK(compared > 100);
}

TEST_CASE("generated captures are the same in blocks and batches of any size") {
    const std::uint32_t seed = 20261130;
    CAPTURE(seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 20; ++round) {
        std::vector<std::string> frames(1 + random() % 200);
        for (std::string& frame : frames)
            frame.assign(random() % 1600, static_cast<char>(random()));
        const scratch_file file(pcap_file(frames));
        const seen_file expected = by_libpcap(file.path);
        for (int i = 0; i < 5; ++i) {
            const std::size_t block = 1 + random() % 5000;
            const std::size_t batch = 1 + random() % 300;
            CAPTURE(block);
            CAPTURE(batch);
            CHECK(by_source(file.path, block, batch) == expected);
        }
    }
}
