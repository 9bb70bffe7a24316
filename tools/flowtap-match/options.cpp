// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <CLI/CLI.hpp>

namespace flowtap::tools {

namespace {

constexpr int usage_status = 2;

/// What CLI11's own checks do not cover.
void check(const match_options& given) {
    if (given.write == "-" && (given.count || given.json))
        throw CLI::ValidationError("--write -", "standard output is taken by the packets");
    if (!given.write.empty() && given.write != "-" && given.write == given.capture)
        throw CLI::ValidationError("--write", "the capture would be overwritten");
}

} // namespace

parsed_options parse_options(int argc, char** argv) {
    CLI::App app("Tells which packets of a capture a DTCP filter matches: prints their numbers, "
                 "from 1, one a line.",
                 "flowtap-match");
    match_options given;
    app.set_version_flag("--version", "flowtap-match (libflowtap) " FLOWTAP_VERSION);
    app.add_option("-f,--field", given.fields, "A line of the filter, as in an ADD request")
        ->type_name("'Name: value'")
        ->allow_extra_args(false);
    app.add_option("--add", given.requests, "Take the filters of the ADD requests in a file")
        ->type_name("REQUEST-FILE")
        ->allow_extra_args(false);
    std::string port_lists = "pairs";
    app.add_option("--port-lists", port_lists, "How lists of source and destination ports combine")
        ->check(CLI::IsMember({"pairs", "product"}))
        ->capture_default_str();
    app.add_flag("--count", given.count, "Print only how many packets match");
    app.add_option("--write", given.write, "Write the packets that match to a pcap file instead")
        ->type_name("OUT.pcap");
    app.add_flag("--json", given.json, "Print the result as one JSON object");
    app.add_option("capture", given.capture, "A pcap or pcapng file; - is standard input")
        ->type_name("CAPTURE")
        ->required();
    app.footer("Without -f and --add every IP packet matches. A packet matches when the filter of "
               "-f or that of any ADD does.");
    try {
        app.parse(argc, argv);
        given.port_lists = port_lists == "pairs" ? port_list_mode::pairs : port_list_mode::product;
        check(given);
    } catch (const CLI::ParseError& reason) {
        return {{}, app.exit(reason) == 0 ? 0 : usage_status};
    }
    return {std::move(given), 0};
}

} // namespace flowtap::tools
