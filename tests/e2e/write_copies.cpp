// SPDX-License-Identifier: Apache-2.0
//
// write_copies OUT.pcap: encapsulates packets of the corpus in every way, writes the copies as raw
// IP, some of them in fragments, and prints what each must be found to be, one line a copy:
// frames kind source destination source-port destination-port ttl dscp intercept session inner
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/fragment.hpp>

#include "builder.hpp"
#include "corpus.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::packet;
using test::octets;
using test::operator+;
using test::u16;
using test::u32;

class copy_file {
public:
    explicit copy_file(const char* name) : out_(name, std::ios::binary) {
        constexpr std::uint16_t raw_ip = 101;
        put(u32(0xA1B2C3D4) + u16(2) + u16(4) + u32(0) + u32(0) + u32(262144) + u32(raw_ip));
    }

    void add(const octets& packet) {
        const auto size = static_cast<std::uint32_t>(packet.size());
        put(u32(++number_) + u32(0) + u32(size) + u32(size) + packet);
    }

    bool good() { return static_cast<bool>(out_.flush()); }

private:
    void put(const octets& bytes) {
        for (const std::byte octet : bytes)
            out_.put(std::to_integer<char>(octet));
    }

    std::ofstream out_;
    std::uint32_t number_ = 0;
};

const char* name_of(encapsulation_kind kind) {
    switch (kind) {
    case encapsulation_kind::udp:
        return "udp";
    case encapsulation_kind::udp_mirror:
        return "udp_mirror";
    case encapsulation_kind::ip_in_ip:
        break;
    }
    return "ip_in_ip";
}

std::vector<encapsulation> all_parameters() {
    const auto address = [](const char* text) { return parse_ip_address(text).value(); };
    const endpoint v4_source{address("198.51.100.9"), 65535};
    const endpoint v4_destination{address("192.0.2.5"), 2300};
    const endpoint v6_source{address("2001:db8::9"), 1};
    const endpoint v6_destination{address("2001:db8::5"), 6502};
    std::vector<encapsulation> out;
    for (const auto kind :
         {encapsulation_kind::udp, encapsulation_kind::udp_mirror, encapsulation_kind::ip_in_ip}) {
        const mirror_header mirror = kind == encapsulation_kind::udp_mirror
                                         ? mirror_header{0x3FFFFFFF, 0x0010F447}
                                         : mirror_header{};
        out.push_back({kind, v4_source, v4_destination, 255, 0, mirror});
        out.push_back({kind, v4_source, v4_destination, 1, 46, mirror});
        out.push_back({kind, v6_source, v6_destination, 255, std::nullopt, mirror});
        out.push_back({kind, v6_source, v6_destination, 64, 10, mirror});
    }
    return out;
}

/// The DSCP of an inner packet, by the layout of the two headers.
unsigned dscp_of(const octets& inner) {
    const auto first = std::to_integer<unsigned>(inner[0]);
    const auto second = std::to_integer<unsigned>(inner[1]);
    return first >> 4 == 4 ? second >> 2 : ((first << 4 | second >> 4) & 0xFFU) >> 2;
}

void describe(const encapsulation& parameters, const octets& inner, std::size_t frames) {
    const bool has_ports = parameters.kind != encapsulation_kind::ip_in_ip;
    std::printf(
        "%zu %s %s %s %u %u %u %u %u %u %s\n", frames, name_of(parameters.kind),
        to_string(parameters.source.address).c_str(),
        to_string(parameters.destination.address).c_str(), has_ports ? parameters.source.port : 0U,
        has_ports ? parameters.destination.port : 0U, unsigned{parameters.ttl},
        parameters.dscp ? unsigned{*parameters.dscp} : dscp_of(inner),
        parameters.mirror.intercept_id, parameters.mirror.session_id, test::to_hex(inner).c_str());
}

bool add_copy(copy_file& file, const encapsulation& parameters, const octets& inner,
              std::uint32_t identification, std::size_t mtu) {
    const auto header = header_template::make(parameters);
    if (!header)
        return false;
    auto pieces = fragmenter::make(*header, inner, identification, mtu);
    if (!pieces)
        return false;
    fragmenter::piece piece;
    std::size_t frames = 0;
    for (; pieces->next(piece); ++frames)
        file.add(octets(piece.header.begin(), piece.header.end()) +
                 octets(piece.payload.begin(), piece.payload.end()));
    describe(parameters, inner, frames);
    return true;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: write_copies OUT.pcap\n";
        return 2;
    }
    copy_file file(argv[1]);
    std::uint32_t identification = 0x11110000;
    bool good = true;
    for (const encapsulation& parameters : all_parameters()) {
        for (const auto& sample : test::packet_samples()) {
            if (sample.expected.starts_with("ip ") && sample.packet.size() < 60'000)
                good &= add_copy(file, parameters, sample.packet, ++identification, 65535);
        }
        const octets large = test::ipv4({.type_of_service = 0xB8}, test::counting(3000));
        good &= add_copy(file, parameters, large, ++identification, 1500);
        const octets large6 = test::ipv6({.traffic_class = 0x28}, test::counting(1460));
        good &= add_copy(file, parameters, large6, ++identification, 1280);
    }
    if (!good || !file.good()) {
        std::cerr << "write_copies: a copy could not be written\n";
        return 1;
    }
    return 0;
}
