// SPDX-License-Identifier: Apache-2.0
//
// write_corpus DIRECTORY: writes the packet corpus as one classic pcap file per link type,
// `DIRECTORY/link-N.pcap`. The same octets on every run.
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "builder.hpp"
#include "corpus.hpp"

namespace {

using flowtap::test::octets;
using flowtap::test::operator+;
using flowtap::test::u16;
using flowtap::test::u32;

octets file_header(std::uint16_t link) {
    return u32(0xA1B2C3D4) + u16(2) + u16(4) + u32(0) + u32(0) + u32(262144) + u32(link);
}

octets record(std::size_t number, const flowtap::test::frame_sample& sample) {
    return u32(static_cast<std::uint32_t>(number)) + u32(0) +
           u32(static_cast<std::uint32_t>(sample.frame.size())) +
           u32(static_cast<std::uint32_t>(sample.wire_length)) + sample.frame;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: write_corpus DIRECTORY\n";
        return 2;
    }
    std::map<std::uint16_t, octets> files;
    std::size_t number = 0;
    for (const auto& sample : flowtap::test::corpus()) {
        if (sample.frame.empty())
            continue; // tshark takes one for damage to the file
        const auto link = static_cast<std::uint16_t>(sample.link);
        auto& file = files.try_emplace(link, file_header(link)).first->second;
        file = std::move(file) + record(number++, sample);
    }
    for (const auto& [link, content] : files) {
        const std::string name = std::string(argv[1]) + "/link-" + std::to_string(link) + ".pcap";
        std::ofstream file(name, std::ios::binary);
        for (const std::byte octet : content)
            file.put(std::to_integer<char>(octet));
        if (!file.flush()) {
            std::cerr << "cannot write " << name << '\n';
            return 1;
        }
    }
    return 0;
}
