// SPDX-License-Identifier: Apache-2.0
// flowtap-match: tells which packets of a capture a DTCP filter matches. See
// tools/man/flowtap-match.1.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/capture/pcap_file_source.hpp>

#include "../common/capture_writer.hpp"
#include "filters.hpp"
#include "matching.hpp"
#include "options.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::tools;

/// What the program exits with.
constexpr int success = 0;
constexpr int failure = 1; ///< a file cannot be read or written
constexpr int usage = 2;   ///< the command line or a filter is wrong

int complain(const error& reason, int status) {
    std::fprintf(stderr, "flowtap-match: %s\n", reason.message().c_str());
    return status;
}

/// Prints what was found, as far as that was not done packet by packet.
void print_totals(const match_options& options, const match_totals& totals,
                  const std::vector<std::uint64_t>& numbers) {
    if (!options.json) {
        if (options.count)
            std::printf("%ju\n", std::uintmax_t{totals.matched});
        return;
    }
    std::printf("{\"packets\": %ju, \"matched\": %ju", std::uintmax_t{totals.packets},
                std::uintmax_t{totals.matched});
    if (!options.count && options.write.empty()) {
        std::printf(", \"numbers\": [");
        for (std::size_t i = 0; i < numbers.size(); ++i)
            std::printf("%s%ju", i == 0 ? "" : ", ", std::uintmax_t{numbers[i]});
        std::printf("]");
    }
    std::printf("}\n");
}

int run(const match_options& options) {
    const auto filters = make_filters(options);
    if (!filters)
        return complain(filters.error(), usage);
    auto source = capture::pcap_file_source::open(options.capture);
    if (!source)
        return complain(source.error(), failure);
    std::optional<capture_writer> writer;
    if (!options.write.empty()) {
        auto made = capture_writer::create(options.write, (*source)->link());
        if (!made)
            return complain(made.error(), failure);
        writer = std::move(*made);
    }
    std::vector<std::uint64_t> numbers;
    const bool lists = !options.count && options.write.empty();
    const auto totals = match_packets(
        **source, *filters, [&](std::uint64_t number, const path::captured_packet& packet) {
            if (writer)
                writer->write(packet.frame, packet.wire_length, packet.time);
            if (lists && options.json)
                numbers.push_back(number);
            else if (lists)
                std::printf("%ju\n", std::uintmax_t{number});
        });
    if (!totals)
        return complain(totals.error(), usage);
    print_totals(options, *totals, numbers);
    if (writer)
        if (auto closed = writer->close(); !closed)
            return complain(closed.error(), failure);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        return complain(error(std::error_code(errno, std::system_category()), "-"), failure);
    return totals->broken_off.code ? complain(totals->broken_off, failure) : success;
}

} // namespace

int main(int argc, char** argv) {
    const parsed_options parsed = parse_options(argc, argv);
    return parsed.options ? run(*parsed.options) : parsed.status;
}
