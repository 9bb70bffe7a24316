// SPDX-License-Identifier: Apache-2.0
//
// dump_keys CAPTURE: prints what each packet of a capture decodes to, one line a packet, with the
// link type on the first line. For tests that compare the decoder with other programs.
#include <array>
#include <cstdio>
#include <memory>
#include <span>

#include <pcap/pcap.h>

#include <flowtap/packet/view.hpp>

#include "key_text.hpp"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: dump_keys CAPTURE\n");
        return 2;
    }
    std::array<char, PCAP_ERRBUF_SIZE> problem{};
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> capture(
        pcap_open_offline(argv[1], problem.data()), &pcap_close);
    if (!capture) {
        std::fprintf(stderr, "%s\n", problem.data());
        return 3;
    }
    const int link = pcap_datalink(capture.get());
    std::printf("link %d\n", link);

    pcap_pkthdr* header = nullptr;
    const unsigned char* octets = nullptr;
    int outcome = 0;
    while ((outcome = pcap_next_ex(capture.get(), &header, &octets)) == 1) {
        flowtap::packet::packet_view view;
        flowtap::packet::decode(static_cast<flowtap::packet::link_type>(link),
                                std::as_bytes(std::span(octets, header->caplen)), header->len,
                                view);
        std::printf("%s\n", flowtap::test::to_line(view).c_str());
    }
    if (outcome == PCAP_ERROR) {
        std::fprintf(stderr, "%s\n", pcap_geterr(capture.get()));
        return 4;
    }
    return 0;
}
