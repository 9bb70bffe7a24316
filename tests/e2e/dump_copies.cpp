// SPDX-License-Identifier: Apache-2.0
//
// dump_copies CAPTURE: takes the copies with a mirror header out of a capture and prints one line a
// packet: source, destination, Intercept-ID, Session-ID, and what the copied packet decodes to, as
// IP or as PPP.
#include <array>
#include <cstdio>
#include <memory>
#include <span>

#include <pcap/pcap.h>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/view.hpp>

#include "key_text.hpp"

namespace {

using namespace flowtap::packet;

packet_view decode_inner(flowtap::byte_view inner) {
    const unsigned version = inner.empty() ? 0 : std::to_integer<unsigned>(inner[0]) >> 4;
    const bool is_ip = version == 4 || version == 6;
    packet_view view;
    decode(is_ip ? link_type::raw : link_type::ppp, inner, inner.size(), view);
    return view;
}

void print(const packet_view& view) {
    const auto copy = decapsulate(encapsulation_kind::udp_mirror, view);
    if (!copy) {
        std::printf("%s\n", copy.error().message().c_str());
        return;
    }
    std::printf("%s %s %x %x %s\n", to_string(copy->source).c_str(),
                to_string(copy->destination).c_str(), copy->mirror.intercept_id,
                copy->mirror.session_id, flowtap::test::to_line(decode_inner(copy->inner)).c_str());
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: dump_copies CAPTURE\n");
        return 2;
    }
    std::array<char, PCAP_ERRBUF_SIZE> problem{};
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture(
        pcap_open_offline(argv[1], problem.data()), &pcap_close);
    if (!capture) {
        std::fprintf(stderr, "%s\n", problem.data());
        return 3;
    }
    const auto link = static_cast<link_type>(pcap_datalink(capture.get()));
    pcap_pkthdr* header = nullptr;
    const unsigned char* octets = nullptr;
    while (pcap_next_ex(capture.get(), &header, &octets) == 1) {
        packet_view view;
        decode(link, std::as_bytes(std::span(octets, header->caplen)), header->len, view);
        print(view);
    }
    return 0;
}
