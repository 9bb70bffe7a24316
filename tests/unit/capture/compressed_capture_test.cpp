// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/pcap_file_source.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>

#include "capture_bytes.hpp"
#include "compressing.hpp"
#include "pipe_opener.hpp"
#include "reading.hpp"

using namespace flowtap;
using namespace flowtap::capture;
using namespace flowtap::capture::test;
using path::source_state;

namespace {

/// What does not get smaller.
std::vector<std::string> random_frames(std::size_t count, std::size_t size) {
    std::mt19937 random(20261130);
    std::vector<std::string> made(count, std::string(size, '\0'));
    for (std::string& frame : made)
        std::ranges::generate(frame, [&] { return static_cast<char>(random()); });
    return made;
}

bool is_beginning(const std::vector<std::string>& part, const std::vector<std::string>& whole) {
    return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

/// Whatever becomes of a damaged file: it ends, and with an error of this module if with any.
void ends_well(const std::string& contents) {
    const scratch_file file(contents);
    auto source = pcap_file_source::open(file.path);
    const error reason = source ? read_to_end(**source).failure : source.error();
    CHECK((!reason.code || reason.code.category() == capture_category()));
}

} // namespace

TEST_CASE("compressed captures of either format give their packets, whatever their name") {
    const std::vector<std::string> frames = numbered_frames(300);
    for (const compressor& each : compressors())
        for (const std::string& capture : {pcap_file(frames), pcapng(frames)})
            for (const std::size_t block :
                 {std::size_t{1}, std::size_t{100}, std::size_t{1} << 20}) {
                CAPTURE(each.name);
                CAPTURE(block);
                file_options options;
                options.block = block;
                const reading all = read_all(each.compress(capture), options);
                CHECK(all.end == source_state::finished);
                CHECK(all.frames == frames);
            }
}

TEST_CASE("compressed streams one after the other are one capture") {
    const std::vector<std::string> frames = numbered_frames(20);
    const std::string capture = pcap_file(frames);
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const std::string half = each.compress(capture.substr(0, capture.size() / 2));
        const std::string rest = each.compress(capture.substr(capture.size() / 2));
        const std::string nothing = each.compress("");
        const std::string zeros(8, '\0');
        for (const std::string& contents : {half + rest, half + nothing + rest, half + rest + zeros,
                                            half + zeros + rest + nothing}) {
            const reading all = read_all(contents);
            CHECK(all.end == source_state::finished);
            CHECK(all.frames == frames);
        }
    }
}

TEST_CASE("what follows compressed data and is none ends the capture after all its packets") {
    const std::vector<std::string> frames = numbered_frames(20);
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const reading all =
            read_all(each.compress(pcap_file(frames)) + "something else, and long enough");
        CHECK(all.frames == frames);
        CHECK(all.end == source_state::failed);
        CHECK(all.failure.code == capture::errc::damaged_compression);
        CHECK(all.failure.subject.find(each.name) != std::string::npos);
        CHECK(all.failure.subject.find("after record 20") != std::string::npos);
    }
}

TEST_CASE("a compressed capture cut at any octet gives packets from its beginning, then fails") {
    const std::vector<std::string> frames = random_frames(12, 40);
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const std::string whole = each.compress(pcap_file(frames));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            CAPTURE(length);
            const scratch_file file(whole.substr(0, length));
            auto source = pcap_file_source::open(file.path);
            if (!source) {
                CHECK(source.error().subject.find(file.path) == 0);
                continue;
            }
            const reading all = read_to_end(**source);
            CHECK(is_beginning(all.frames, frames));
            CHECK(all.end == source_state::failed);
            CHECK(all.failure.code == capture::errc::damaged_compression);
            CHECK(all.failure.subject.find(file.path) == 0);
        }
    }
}

TEST_CASE("everything that was compressed before a cut or damage is read") {
    // Blocks of bzip2 have 100 kB here, those of zstd 128 KiB; nothing gets smaller. Up to two of
    // them may be in parts only.
    const std::vector<std::string> frames = random_frames(1000, 1000);
    constexpr std::size_t two_blocks = 280;
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const std::string whole = each.compress(pcap_file(frames));
        const std::size_t place = whole.size() * 7 / 10;
        std::string damaged = whole;
        damaged.replace(place, 64, std::string(64, '\xA5'));
        for (const std::string& contents : {whole.substr(0, place), damaged}) {
            const reading all = read_all(contents, {}, 256);
            CHECK(all.end == source_state::failed);
            CHECK(all.frames.size() > 700 - two_blocks);
            CHECK(
                is_beginning({all.frames.begin(), all.frames.begin() + 700 - two_blocks}, frames));
        }
    }
}

TEST_CASE("a compressed capture with any octet changed ends, one way or the other") {
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const std::string whole = each.compress(pcap_file(random_frames(4, 30)));
        for (std::size_t at = 0; at < whole.size(); ++at)
            for (const int change : {0x01, 0x80, 0xFF}) {
                CAPTURE(at);
                CAPTURE(change);
                std::string changed = whole;
                changed[at] = static_cast<char>(changed[at] ^ change);
                ends_well(changed);
            }
    }
}

TEST_CASE("a compressed pipe gives what is in it without waiting for more") {
    const std::vector<std::string> frames = numbered_frames(6);
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        pipe_opener pipe;
        pipe.put(each.compress(pcap_file({frames[0], frames[1]})));
        auto source = pcap_file_source::open("pipe", {}, pipe);
        REQUIRE(source);
        std::vector<path::captured_packet> packets(64);
        path::read_result got = (*source)->read(packets);
        CHECK(got.count == 2);
        CHECK(got.state == source_state::ready);

        pipe.put(each.compress(pcap_record(frames[2])));
        got = (*source)->read(packets);
        CHECK(got.count == 1);
        CHECK(got.state == source_state::ready);

        std::thread reader([&] { got = (*source)->read(packets); });
        (*source)->interrupt();
        reader.join();
        CHECK(got.count == 0);
        CHECK(got.state == source_state::finished);
    }
}

TEST_CASE("much that is compressed into little is read piece by piece") {
    // 64 MiB of packets, in a thousandth of that.
    const std::string record = pcap_record(std::string(65520, 'x'));
    std::string mebibyte;
    for (int i = 0; i < 16; ++i)
        mebibyte += record;
    for (const compressor& each : compressors()) {
        CAPTURE(each.name);
        const std::string piece = each.compress(mebibyte);
        std::string contents = each.compress(pcap_header());
        for (int i = 0; i < 64; ++i)
            contents += piece;
        const scratch_file file(contents);
        auto source = pcap_file_source::open(file.path);
        REQUIRE(source);
        std::vector<path::captured_packet> packets(64);
        std::size_t count = 0;
        path::read_result got;
        while (got.state == source_state::ready) {
            got = (*source)->read(packets);
            count += got.count;
        }
        CHECK(count == 1024);
        CHECK(got.state == source_state::finished);
        CHECK((*source)->position().read == contents.size());
    }
}

TEST_CASE("other data that begins as compressed data does is refused as damaged") {
    for (const std::string& mark :
         {std::string("\x1F\x8B\x08"), std::string("BZh91A"), std::string("\xFD\x37zXZ\0", 6),
          std::string("\x28\xB5\x2F\xFD"), std::string("\x04\x22\x4D\x18")}) {
        CAPTURE(mark);
        const scratch_file file(mark + std::string(100, '\xE7'));
        const auto refused = pcap_file_source::open(file.path);
        REQUIRE_FALSE(refused);
        CHECK((refused.error().code == capture::errc::damaged_compression ||
               refused.error().code == capture::errc::unsupported_compression));
        CHECK(refused.error().subject.find(file.path) == 0);
    }
}
