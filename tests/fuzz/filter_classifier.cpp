// SPDX-License-Identifier: Apache-2.0
// Reads a set of filters and some packets from the input and holds the classifier, on every code
// path, against the definitions; every criterion's libpcap text is made as well.
#include <vector>

#include <flowtap/filter/pcap_text.hpp>

#include "filter_input.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::fuzzing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz_input input(std::span(data, size));
    std::vector<criterion> criteria;
    for (unsigned left = input.octet() % 130U; left != 0 && !input.done(); --left) {
        auto made = criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())),
                                    draw_filter(input));
        if (!made)
            continue;
        to_pcap_filter(made->spec());
        criteria.push_back(*std::move(made));
    }
    std::vector<packet_key> keys;
    for (unsigned left = 40; left != 0 && !input.done(); --left) {
        const std::uint8_t near = left % 2 == 0 || criteria.empty() ? 0 : input.octet();
        keys.push_back(near < 0x40
                           ? draw_packet(input)
                           : draw_packet_near(input, criteria[near % criteria.size()].spec()));
    }
    for (const code_path path :
         {code_path::fastest, code_path::portable, code_path::avx2, code_path::avx512}) {
        const auto built = classifier::build(criteria, {}, path);
        require(built.has_value());
        compare(*built, criteria, keys);
    }
    return 0;
}
