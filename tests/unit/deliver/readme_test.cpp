// SPDX-License-Identifier: Apache-2.0
// The example of lib/deliver/README.md.
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/deliver/pcap_file_sink.hpp>

#include <doctest/doctest.h>

namespace {

using namespace flowtap;

/// Where a worker's copies go: to a file if one is named, else to the network.
result<std::unique_ptr<path::sink>> make_sink(const std::string& file) {
    if (!file.empty()) {
        auto made = deliver::pcap_file::create(file);
        if (!made)
            return fail(made.error());
        return std::unique_ptr<path::sink>(new deliver::pcap_file_sink(*made));
    }
    auto made = deliver::network_sink::open();
    if (!made)
        return fail(made.error());
    return std::unique_ptr<path::sink>(std::move(*made));
}

} // namespace

TEST_CASE("the example of the README makes both kinds of sinks") {
    CHECK(make_sink("/dev/null"));
    CHECK(make_sink(""));
    CHECK_FALSE(make_sink("/nowhere/a.pcap"));
}
