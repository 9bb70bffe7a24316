// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/pcap_file_source.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>

#include "capture_bytes.hpp"
#include "pipe_opener.hpp"
#include "reading.hpp"

using namespace flowtap;
using namespace flowtap::capture;
using namespace flowtap::capture::test;
using path::source_state;

TEST_CASE("captures of every byte order and resolution give their packets in order") {
    const std::vector<std::string> frames = numbered_frames(11);
    for (const byte_order order : {byte_order::little, byte_order::big}) {
        for (const std::uint32_t magic : {microseconds, nanoseconds}) {
            CAPTURE(static_cast<int>(order));
            CAPTURE(magic);
            file_options options;
            options.port = port_id(3);
            options.way = direction::egress;
            const reading all = read_all(pcap_file(frames, {order, magic, 101}), options);
            CHECK(all.end == source_state::finished);
            CHECK_FALSE(all.failure.code);
            REQUIRE(all.frames == frames);
            const path::captured_packet& first = all.packets.front();
            const auto fraction = std::chrono::nanoseconds(magic == nanoseconds ? 5 : 5000);
            CHECK(first.time == wall_time(std::chrono::seconds(100) + fraction));
            CHECK(first.wire_length == frames[0].size());
            CHECK(first.port == port_id(3));
            CHECK(first.way == direction::egress);
        }
    }
}

TEST_CASE("pcapng files are read as well") {
    const std::vector<std::string> frames = numbered_frames(9);
    for (const byte_order order : {byte_order::little, byte_order::big}) {
        const reading all = read_all(pcapng(frames, order));
        CHECK(all.end == source_state::finished);
        CHECK(all.frames == frames);
        CHECK(all.packets.front().time ==
              wall_time(std::chrono::seconds(100) + std::chrono::nanoseconds(5000)));
    }
}

TEST_CASE("a packet cut by the snap length keeps its length on the wire") {
    const reading all = read_all(pcap_header() + pcap_record("abcd", {}, 1500));
    REQUIRE(all.packets.size() == 1);
    CHECK(all.packets[0].wire_length == 1500);
    CHECK(all.frames[0] == "abcd");
}

TEST_CASE("an empty capture ends at once") {
    const reading all = read_all(pcap_header());
    CHECK(all.end == source_state::finished);
    CHECK(all.frames.empty());
}

TEST_CASE("a capture cut at any octet gives all whole packets, then fails") {
    const std::vector<std::string> frames = numbered_frames(3, 10);
    const std::string whole = pcap_file(frames);
    std::size_t border = pcap_header().size();
    std::size_t before = 0;
    for (std::size_t length = border; length < whole.size(); ++length) {
        CAPTURE(length);
        if (length == border + 16 + frames[before].size())
            border = length, ++before;
        const reading all = read_all(whole.substr(0, length));
        CHECK(all.frames.size() == before);
        CHECK(all.end == (length == border ? source_state::finished : source_state::failed));
        CHECK((all.failure.code == capture::errc::damaged_capture) == (length != border));
    }
}

TEST_CASE("a damaged record ends the capture after everything before it, with its reason") {
    const std::vector<std::string> frames = numbered_frames(5);
    writer damage(byte_order::little);
    damage.u32(100).u32(5).u32(0x7FFFFFFF).u32(0x7FFFFFFF).octets("rest");
    const reading all = read_all(pcap_file(frames) + damage.text);
    CHECK(all.frames == frames);
    CHECK(all.end == source_state::failed);
    CHECK(all.failure.code == capture::errc::damaged_capture);
    CHECK(all.failure.message().find("/tmp/flowtap-capture-") != std::string::npos);
}

TEST_CASE("more packets than one batch or one buffer holds come in several reads") {
    // Two megabytes: the source keeps one at a time.
    const std::vector<std::string> frames = numbered_frames(500, 4000);
    for (const std::size_t batch : {1U, 64U, 1000U}) {
        CAPTURE(batch);
        const reading all = read_all(pcap_file(frames), {}, batch);
        CHECK(all.end == source_state::finished);
        CHECK(all.frames == frames);
    }
}

TEST_CASE("what is no capture is refused with its name") {
    const scratch_file text("this is a text of no particular kind, and long enough");
    const auto refused = pcap_file_source::open(text.path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::not_a_capture);
    CHECK(refused.error().subject.find(text.path) == 0);

    const scratch_file empty("");
    CHECK(pcap_file_source::open(empty.path).error().code == capture::errc::not_a_capture);

    const auto missing = pcap_file_source::open("/nowhere/a.pcap");
    CHECK(missing.error().code == std::errc::no_such_file_or_directory);
}

TEST_CASE("captures of a link type that cannot be decoded are refused") {
    const scratch_file file(pcap_header({byte_order::little, microseconds, 147}));
    const auto refused = pcap_file_source::open(file.path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::unsupported_link_type);
}

TEST_CASE("every error code has a sentence of its own") {
    std::vector<std::string> sentences;
    for (int code = 1; code <= static_cast<int>(capture::errc::damaged_compression); ++code)
        sentences.push_back(make_error_code(static_cast<capture::errc>(code)).message());
    std::ranges::sort(sentences);
    CHECK(std::ranges::adjacent_find(sentences) == sentences.end());
    CHECK(std::ranges::find(sentences, "unknown error") == sentences.end());
}

TEST_CASE("a pipe gives its packets as they come, and its end") {
    pipe_opener pipe;
    pipe.put(pcap_file(numbered_frames(3)));
    auto source = pcap_file_source::open("pipe", {}, pipe);
    REQUIRE(source);
    std::vector<path::captured_packet> packets(64);
    path::read_result got = (*source)->read(packets);
    CHECK(got.count == 3);
    CHECK(got.state == source_state::ready);

    pipe.put(pcap_record("late"));
    got = (*source)->read(packets);
    CHECK(got.count == 1);
    CHECK(got.state == source_state::ready);

    pipe.put(pcap_record("last"));
    pipe.writing.reset();
    got = (*source)->read(packets);
    CHECK(got.count == 1);
    CHECK(got.state == source_state::finished);
}

TEST_CASE("the wait for a pipe's next octets ends when it is interrupted") {
    for (const std::size_t part : {0, 5, 20}) {
        CAPTURE(part);
        pipe_opener pipe;
        pipe.put(pcap_header());
        pipe.put(pcap_record("never whole").substr(0, part));
        auto source = pcap_file_source::open("pipe", {}, pipe);
        REQUIRE(source);
        std::vector<path::captured_packet> packets(4);
        path::read_result got;
        std::thread reader([&] { got = (*source)->read(packets); });
        (*source)->interrupt();
        reader.join();
        CHECK(got.count == 0);
        CHECK(got.state == source_state::finished);
        CHECK_FALSE((*source)->failure().code);
    }
}

TEST_CASE("a pipe that ends in the middle of a packet has failed") {
    pipe_opener pipe;
    pipe.put(pcap_file({"whole"}) + pcap_record("cut off").substr(0, 18));
    pipe.writing.reset();
    auto source = pcap_file_source::open("pipe", {}, pipe);
    REQUIRE(source);
    std::vector<path::captured_packet> packets(4);
    const path::read_result got = (*source)->read(packets);
    CHECK(got.count == 1);
    CHECK(got.state == source_state::failed);
    CHECK((*source)->failure().code == make_error_code(capture::errc::damaged_capture));
}

TEST_CASE("what is wrong with a file is told with its name, the record and its place") {
    const std::string good = pcap_file({"four", "fourteen octet"});
    writer damage(byte_order::little);
    damage.u32(100).u32(5).u32(262145).u32(262145).octets("rest");
    struct row {
        std::string contents;
        const char* expected;
    };
    for (const row& each : {
             row{good + "12345",
                 ": record 3, at octet 74, ends after 5 of the 16 octets of its header"},
             row{good + pcap_record("half").substr(0, 18),
                 ": record 3, at octet 74, ends after 2 of its 4 octets"},
             row{good + damage.text, ": record 3, at octet 74, claims 262145 octets, more than the "
                                     "most there can be (262144)"},
         }) {
        CAPTURE(each.expected);
        const scratch_file file(each.contents);
        auto source = pcap_file_source::open(file.path);
        REQUIRE(source);
        const reading all = read_to_end(**source);
        CHECK(all.frames.size() == 2);
        CHECK(all.end == source_state::failed);
        CHECK(all.failure.subject == file.path + each.expected);
    }
}

TEST_CASE("a source tells how far the file was read, and of a regular one how long it is") {
    const std::string contents = pcap_file(numbered_frames(100));
    const scratch_file file(contents);
    file_options options;
    options.block = 1000;
    auto source = pcap_file_source::open(file.path, options);
    REQUIRE(source);
    CHECK((*source)->position().size == contents.size());
    std::vector<path::captured_packet> packets(4);
    (*source)->read(packets);
    CHECK((*source)->position().read == 1024);
    read_to_end(**source);
    CHECK((*source)->position().read == contents.size());

    pipe_opener pipe;
    pipe.put(contents);
    auto piped = pcap_file_source::open("pipe", {}, pipe);
    REQUIRE(piped);
    CHECK_FALSE((*piped)->position().size);
}

TEST_CASE("a directory is no capture") {
    const auto refused = pcap_file_source::open("/tmp");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == std::errc::is_a_directory);
}

TEST_CASE("a pipe that gives one octet at a time gives its packets as they are whole") {
    pipe_opener pipe;
    const std::string contents = pcap_file({"one", "two"});
    std::thread writer([&] {
        for (const char octet : contents)
            pipe.put(std::string(1, octet));
        pipe.writing.reset();
    });
    auto source = pcap_file_source::open("pipe", {}, pipe);
    REQUIRE(source);
    const reading all = read_to_end(**source);
    writer.join();
    CHECK(all.frames == std::vector<std::string>{"one", "two"});
    CHECK(all.end == source_state::finished);
}
