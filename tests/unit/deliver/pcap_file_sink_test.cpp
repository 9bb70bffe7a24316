// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/pcap_file_sink.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/path/delivery_ledger.hpp>

#include "copies.hpp"

using namespace flowtap;
using namespace flowtap::deliver;
using namespace flowtap::deliver::test;
using path::drop_cause;

namespace {

struct scratch_path {
    scratch_path() {
        const int made = ::mkstemp(name.data());
        REQUIRE(made >= 0);
        ::close(made);
    }
    ~scratch_path() { ::unlink(name.c_str()); }
    std::string read() const {
        std::ifstream in(name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string name = "/tmp/flowtap-deliver-XXXXXX";
};

std::uint32_t word(const std::string& text, std::size_t at) {
    std::uint32_t value = 0;
    text.copy(reinterpret_cast<char*>(&value), sizeof value, at);
    return value;
}

/// The lengths of the records of a file, and whether it ends with a whole one.
struct records {
    explicit records(const std::string& file) {
        std::size_t at = 24;
        while (at + 16 <= file.size() && at + 16 + word(file, at + 8) <= file.size()) {
            lengths.push_back(word(file, at + 8));
            at += 16 + lengths.back();
        }
        whole = at == file.size();
    }
    std::vector<std::size_t> lengths;
    bool whole = false;
};

/// No file grows above a limit while this lives.
struct file_size_limit {
    explicit file_size_limit(rlim_t octets) {
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = before;
        now.rlim_cur = octets;
        handler = std::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &before);
        std::signal(SIGXFSZ, handler);
    }
    rlimit before{};
    void (*handler)(int) = nullptr;
};

/// Has copies written to a file.
std::size_t write(pcap_file_sink& to, const std::vector<path::copy>& copies) {
    const std::size_t taken = to.consume(copies);
    to.flush();
    return taken;
}

} // namespace

TEST_CASE("copies are written with their outer headers, as they would be sent") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy first(from_to(loopback(1000), loopback(2000)), inner_packet(100));
    const owned_copy second(from_to(loopback(1000), loopback(2001)), inner_packet(60, 9));
    const std::vector<path::copy> copies{first.view(7), second.view(8)};
    CHECK(write(sink, copies) == 2);

    const std::string text = path.read();
    CHECK(word(text, 0) == 0xA1B23C4D);
    CHECK(word(text, 20) == 101);
    CHECK(word(text, 24) == 100);
    CHECK(word(text, 28) == 5);
    const records found(text);
    CHECK(found.whole);
    CHECK(found.lengths == std::vector<std::size_t>{128, 88});
    octets header(28);
    REQUIRE(first.header.write(first.packet, 7, header));
    CHECK(text.compare(40, 28, reinterpret_cast<const char*>(header.data()), 28) == 0);
    CHECK(text.compare(68, 100, reinterpret_cast<const char*>(first.packet.data()), 100) == 0);
    CHECK(sink.counters().delivered == 2);
    CHECK_FALSE((*file)->failure().code);
}

TEST_CASE("copies for a file are collected until they are asked for, and counted then") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    const owned_copy one(from_to(loopback(1000), loopback(2000)), inner_packet(100));
    std::vector<path::copy> copies(4, one.view());
    copies[1].stream = copies[2].stream = stream_id(1);
    path::delivery_ledger ledger(2);
    ledger.cover(2);
    {
        pcap_file_sink sink(*file);
        sink.report_to(ledger);
        CHECK_FALSE(sink.has_collected());
        sink.consume(copies);
        sink.consume(copies);
        CHECK(sink.has_collected());
        CHECK(records(path.read()).lengths.empty());
        CHECK(ledger.totals().delivered == 0);
        sink.flush();
        CHECK_FALSE(sink.has_collected());
        CHECK(records(path.read()).lengths.size() == 8);
        ledger.show();
        for (const std::uint32_t stream : {0, 1}) {
            CHECK(ledger.counters(stream_id(stream)).delivered == 4);
            CHECK(ledger.counters(stream_id(stream)).delivered_octets == 400);
        }
        sink.flush();
        CHECK(records(path.read()).lengths.size() == 8);
        sink.consume(copies);
    }
    // What is left when a sink ends is written, too.
    CHECK(records(path.read()).lengths.size() == 12);
    CHECK(ledger.totals().delivered == 12);
}

TEST_CASE("no copy is lost where each belongs to another stream than the one before") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy shortest(from_to(loopback(1000), loopback(2000)), {});
    std::vector<path::copy> copies(20'000, shortest.view());
    for (std::size_t i = 1; i < copies.size(); i += 2)
        copies[i].stream = stream_id(1);
    CHECK(write(sink, copies) == 20'000);
    CHECK(sink.counters().delivered == 20'000);
    CHECK(records(path.read()).lengths.size() == 20'000);
}

TEST_CASE("more copies than the buffer holds are all written") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy one(from_to(loopback(1000), loopback(2000)), inner_packet(60'000));
    const std::vector<path::copy> copies(40, one.view());
    CHECK(write(sink, copies) == 40);
    CHECK(sink.counters().delivered == 40);
    CHECK(records(path.read()).lengths == std::vector<std::size_t>(40, 60'028));
}

TEST_CASE("a copy that is longer than IP allows is dropped and counted") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy longest(from_to(loopback(1), loopback(2)), inner_packet(65'535 - 28));
    const owned_copy longer(from_to(loopback(1), loopback(2)), inner_packet(65'535 - 27));
    const std::vector<path::copy> copies{longer.view(), longest.view()};
    CHECK(write(sink, copies) == 2);
    CHECK(sink.counters().delivered == 1);
    CHECK(dropped(sink.counters(), drop_cause::too_long) == 1);
    CHECK(records(path.read()).lengths == std::vector<std::size_t>{65'535});
}

TEST_CASE("when the disk is full, copies are counted as dropped and the file stays valid") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy one(from_to(loopback(1), loopback(2)), inner_packet(100));
    const std::vector<path::copy> copies(10, one.view());
    {
        const file_size_limit limit(2000);
        CHECK(write(sink, copies) == 10);
        CHECK(write(sink, copies) == 10);
    }
    CHECK(sink.counters().delivered == 10);
    CHECK(dropped(sink.counters(), drop_cause::send_error) == 10);
    CHECK((*file)->failure().code == std::errc::file_too_large);
    CHECK((*file)->failure().subject == path.name);
    // There is room again.
    CHECK(write(sink, copies) == 10);
    CHECK(sink.counters().delivered == 20);
    const records found(path.read());
    CHECK(found.whole);
    CHECK(found.lengths.size() == 20);
}

namespace {

/// Opens the writing end of a pipe, whatever it is asked for.
class pipe_opener final : public opener {
public:
    pipe_opener() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        reading = descriptor(ends[0]);
        writing_ = descriptor(ends[1]);
    }

    /// Reads what there is, or all if nobody writes any more.
    std::string read() const {
        std::string text;
        std::array<char, 4096> piece{};
        pollfd asked{reading.number(), POLLIN, 0};
        while (::poll(&asked, 1, 0) > 0) {
            const ssize_t count = ::read(reading.number(), piece.data(), piece.size());
            if (count <= 0)
                break;
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
        return text;
    }

    result<descriptor> file_to_read(const std::string&) override { return none(); }
    result<descriptor> file_to_write(const std::string&) override { return std::move(writing_); }
    result<descriptor> raw_socket(family) override { return none(); }
    result<descriptor> udp_socket(const endpoint&) override { return none(); }
    result<descriptor> packet_socket() override { return none(); }

    descriptor reading;

private:
    static result<descriptor> none() {
        return fail(std::make_error_code(std::errc::not_supported));
    }

    descriptor writing_;
};

} // namespace

TEST_CASE("a pipe that nobody reads is full and keeps nobody waiting; no copy is lost or cut") {
    for (const std::size_t size : {100, 1400, 60000}) {
        CAPTURE(size);
        pipe_opener pipe;
        auto file = pcap_file::create("pipe", pipe);
        REQUIRE(file);
        auto sink = std::make_unique<pcap_file_sink>(*file);
        const owned_copy one(from_to(loopback(1), loopback(2)), inner_packet(size));
        const std::vector<path::copy> copies(10, one.view());
        std::size_t given = 0;
        std::size_t taken = 10;
        while (taken == 10) {
            taken = sink->consume(copies);
            given += taken;
            REQUIRE(given < 10'000);
        }
        CHECK(sink->consume(copies) == 0);
        CHECK(sink->counters().delivered == given);

        std::string text;
        for (int round = 0; round < 50; ++round) {
            text += pipe.read();
            given += sink->consume(copies);
        }
        text += pipe.read();
        const std::jthread reader([&] {
            // The end of the last copy comes when the file is closed.
            sink.reset();
            file->reset();
        });
        const auto whole = [&] {
            const records found(text);
            return found.whole && found.lengths.size() == given;
        };
        while (!whole()) {
            std::array<char, 4096> piece{};
            const ssize_t count = ::read(pipe.reading.number(), piece.data(), piece.size());
            REQUIRE(count > 0);
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
        CHECK(records(text).lengths == std::vector<std::size_t>(given, size + 28));
    }
}

TEST_CASE("copies for a pipe that has lost its reader are counted as dropped") {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    pipe_opener pipe;
    auto file = pcap_file::create("pipe", pipe);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy one(from_to(loopback(1), loopback(2)), inner_packet(100));
    const std::vector<path::copy> copies(10, one.view());
    CHECK(sink.consume(copies) == 10);
    pipe.reading.reset();
    CHECK(sink.consume(copies) == 10);
    CHECK(sink.counters().delivered == 10);
    CHECK(dropped(sink.counters(), drop_cause::send_error) == 10);
    CHECK((*file)->failure().code == std::errc::broken_pipe);
    std::signal(SIGPIPE, before);
}

TEST_CASE("a file that cannot be made is refused") {
    CHECK(pcap_file::create("/nowhere/a.pcap").error().code ==
          std::errc::no_such_file_or_directory);
    const auto full = pcap_file::create("/dev/full");
    REQUIRE_FALSE(full);
    CHECK(full.error().code == std::errc::no_space_on_device);
}

TEST_CASE("two workers write to one file without mixing records") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    const auto work = [&file](std::size_t size) {
        pcap_file_sink sink(*file);
        const owned_copy one(from_to(loopback(1), loopback(2)), inner_packet(size));
        const std::vector<path::copy> copies(32, one.view());
        for (int i = 0; i < 50; ++i)
            write(sink, copies);
    };
    std::thread a(work, 100);
    std::thread b(work, 300);
    a.join();
    b.join();
    const records found(path.read());
    CHECK(found.whole);
    CHECK(std::ranges::count(found.lengths, 128) == 1600);
    CHECK(std::ranges::count(found.lengths, 328) == 1600);
}
