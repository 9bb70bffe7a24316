// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <doctest/doctest.h>

namespace flowtap::capture::test {

enum class byte_order { little, big };

/// Writes numbers in one byte order.
class writer {
public:
    explicit writer(byte_order order) : order_(order) {}

    writer& number(std::uint64_t value, int octets) {
        for (int i = 0; i < octets; ++i) {
            const int shift = order_ == byte_order::little ? i : octets - 1 - i;
            text += static_cast<char>((value >> (8 * shift)) & 0xFF);
        }
        return *this;
    }
    writer& u16(std::uint64_t value) { return number(value, 2); }
    writer& u32(std::uint64_t value) { return number(value, 4); }
    writer& octets(const std::string& value) {
        text += value;
        return *this;
    }

    std::string text;

private:
    byte_order order_;
};

constexpr std::uint32_t microseconds = 0xA1B2C3D4;
constexpr std::uint32_t nanoseconds = 0xA1B23C4D;

struct pcap_kind {
    byte_order order = byte_order::little;
    std::uint32_t magic = microseconds;
    std::uint32_t link = 101;
};

inline std::string pcap_header(const pcap_kind& kind = {}) {
    writer out(kind.order);
    out.u32(kind.magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(kind.link);
    return out.text;
}

/// A record at 100 s and 5 units of the file's resolution.
inline std::string pcap_record(const std::string& frame, const pcap_kind& kind = {},
                               std::size_t wire_length = 0) {
    writer out(kind.order);
    out.u32(100).u32(5).u32(frame.size()).u32(wire_length == 0 ? frame.size() : wire_length);
    out.octets(frame);
    return out.text;
}

/// A pcapng file of one interface with microseconds.
inline std::string pcapng(const std::vector<std::string>& frames,
                          byte_order order = byte_order::little) {
    writer out(order);
    out.u32(0x0A0D0D0A).u32(28).u32(0x1A2B3C4D).u16(1).u16(0).number(~0ULL, 8).u32(28);
    out.u32(1).u32(20).u16(101).u16(0).u32(65535).u32(20);
    for (const std::string& frame : frames) {
        const std::size_t padded = (frame.size() + 3) / 4 * 4;
        const std::uint64_t time = 100'000'005;
        out.u32(6).u32(32 + padded).u32(0).u32(time >> 32).u32(time & 0xFFFFFFFFU);
        out.u32(frame.size()).u32(frame.size()).octets(frame);
        out.octets(std::string(padded - frame.size(), '\0')).u32(32 + padded);
    }
    return out.text;
}

/// A file with given contents, gone at the end.
class scratch_file {
public:
    explicit scratch_file(const std::string& contents) {
        const int made = ::mkstemp(path.data());
        REQUIRE(made >= 0);
        ::close(made);
        std::ofstream(path, std::ios::binary) << contents;
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { ::unlink(path.c_str()); }

    std::string path = "/tmp/flowtap-capture-XXXXXX";
};

} // namespace flowtap::capture::test
