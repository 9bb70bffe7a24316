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

} // namespace

TEST_CASE("copies are written with their outer headers, as they would be sent") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy first(from_to(loopback(1000), loopback(2000)), inner_packet(100));
    const owned_copy second(from_to(loopback(1000), loopback(2001)), inner_packet(60, 9));
    const std::vector<path::copy> copies{first.view(7), second.view(8)};
    CHECK(sink.consume(copies) == 2);

    // Everything is in the file already.
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

TEST_CASE("more copies than the buffer holds are all written") {
    const scratch_path path;
    auto file = pcap_file::create(path.name);
    REQUIRE(file);
    pcap_file_sink sink(*file);
    const owned_copy one(from_to(loopback(1000), loopback(2000)), inner_packet(60'000));
    const std::vector<path::copy> copies(40, one.view());
    CHECK(sink.consume(copies) == 40);
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
    CHECK(sink.consume(copies) == 2);
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
        CHECK(sink.consume(copies) == 10);
        CHECK(sink.consume(copies) == 10);
    }
    CHECK(sink.counters().delivered == 10);
    CHECK(dropped(sink.counters(), drop_cause::send_error) == 10);
    CHECK((*file)->failure().code == std::errc::file_too_large);
    CHECK((*file)->failure().subject == path.name);
    // There is room again.
    CHECK(sink.consume(copies) == 10);
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
            sink.consume(copies);
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
