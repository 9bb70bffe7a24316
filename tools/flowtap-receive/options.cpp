// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cmath>
#include <filesystem>

#include <CLI/CLI.hpp>

namespace flowtap::tools {

namespace {

constexpr int usage_status = 2;

constexpr const char* after_help =
    R"(Copies come from one of: sockets (--listen, --ip-in-ip), captures (--read), a
device (--live). Nothing in a copy tells whether a mirror header stands in it.

Exit status: 0 all is well; 1 something could not be opened, read or written;
2 the command was not understood.)";

/// What stands on the command line and is not yet what the program works with.
struct given_text {
    std::vector<std::string> listen;
    std::string ip_in_ip;
    std::string encapsulation = "udp";
    std::string inner = "ip";
    double duration = 0;
    double idle = 0;
    double interval = 0;
    bool force = false;
};

constexpr const char* any_address = "any";

void declare_sources(CLI::App& app, receive_options& to, given_text& given) {
    app.add_option("--listen", given.listen,
                   "Receive copies in UDP; =udp or =mirror behind the port overrides "
                   "--encapsulation")
        ->type_name("ADDRESS:PORT[-PORT]")
        ->allow_extra_args(false);
    app.add_option("--ip-in-ip", given.ip_in_ip,
                   "Receive copies in IP-in-IP, for one address or for any (needs CAP_NET_RAW)")
        ->type_name("ADDRESS|any");
    app.add_option("--read", to.read,
                   "Take the copies out of a pcap or pcapng file; - is "
                   "standard input")
        ->type_name("CAPTURE")
        ->allow_extra_args(false);
    app.add_option("--live", to.live, "Take the copies that a device receives (needs CAP_NET_RAW)")
        ->type_name("DEVICE");
    app.add_option("--filter", to.filter, "With --live: only these packets, see pcap-filter(7)")
        ->type_name("EXPRESSION")
        ->needs("--live");
    app.add_option("--encapsulation", given.encapsulation, "What stands around the packets")
        ->check(CLI::IsMember({"udp", "mirror", "ip-in-ip"}))
        ->capture_default_str();
    app.add_option("--inner", given.inner, "What is in the copies: packets, or frames of a link")
        ->check(CLI::IsMember({"ip", "ethernet", "ppp"}))
        ->capture_default_str();
    app.add_option("--receive-buffer", to.sockets.buffer, "Octets of each socket's buffer")
        ->check(CLI::Range(4096, 1 << 30))
        ->capture_default_str();
}

void declare_results(CLI::App& app, receive_options& to, given_text& given) {
    app.add_option("--output", to.output, "Write one pcap file an intercept to a directory")
        ->type_name("DIRECTORY");
    app.add_option("--write", to.write, "Write all packets to one pcap file; - is standard output")
        ->type_name("FILE");
    app.add_flag("--force", given.force, "Overwrite files that are there");
    app.add_option("--max-intercepts", to.collect.intercepts,
                   "How many intercepts are told apart; the copies of others are counted together")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->capture_default_str();
    app.add_option("--count", to.collect.copies, "End after so many copies")
        ->check(CLI::PositiveNumber);
    const CLI::Range seconds(0.01, 1e9);
    app.add_option("--duration", given.duration, "End after so many seconds")->check(seconds);
    app.add_option("--idle", given.idle, "End after so many seconds without a copy")
        ->check(seconds);
    app.add_option("--interval", given.interval,
                   "Print counters every so many seconds; default: 1 on a terminal, else never")
        ->check(seconds);
    app.add_flag("--quiet", to.quiet, "Print nothing but errors and the summary");
    app.add_flag("--json", to.json, "Print counters and the summary as JSON objects, one a line");
}

std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

packet::link_type link_of(const std::string& inner) {
    if (inner == "ethernet")
        return packet::link_type::ethernet;
    return inner == "ppp" ? packet::link_type::ppp : packet::link_type::raw;
}

void convert_sockets(receive_options& to, const given_text& given) {
    for (const std::string& text : given.listen) {
        const auto parsed = parse_listener(text, to.encapsulation);
        if (!parsed)
            throw CLI::ValidationError("--listen", parsed.error().message());
        to.sockets.udp.push_back(*parsed);
    }
    if (given.ip_in_ip.empty())
        return;
    to.sockets.ip_in_ip = true;
    if (given.ip_in_ip == any_address)
        return;
    const auto address = parse_ip_address(given.ip_in_ip);
    if (!address)
        throw CLI::ValidationError("--ip-in-ip", address.error().message());
    to.sockets.ip_in_ip_address = *address;
}

/// What CLI11's own checks do not cover.
void check(const receive_options& given) {
    const bool has_sockets = !given.sockets.udp.empty() || given.sockets.ip_in_ip;
    const int kinds =
        (has_sockets ? 1 : 0) + (given.read.empty() ? 0 : 1) + (given.live.empty() ? 0 : 1);
    if (kinds != 1)
        throw CLI::ValidationError("--listen, --ip-in-ip, --read or --live",
                                   kinds == 0
                                       ? "one of them is required"
                                       : "sockets, captures and a device exclude each other");
    if (!given.sockets.udp.empty() && given.encapsulation == packet::encapsulation_kind::ip_in_ip)
        throw CLI::ValidationError("--listen", "copies in IP-in-IP have no port: use --ip-in-ip");
    if (given.encapsulation == packet::encapsulation_kind::ip_in_ip &&
        given.collect.inner != packet::link_type::raw)
        throw CLI::ValidationError("--inner", "IP-in-IP holds IP packets");
    std::error_code unknown;
    for (const std::string& each : given.read)
        if (!given.write.empty() && std::filesystem::equivalent(each, given.write, unknown))
            throw CLI::ValidationError("--write", "the capture would be overwritten");
}

void convert(receive_options& to, const given_text& given) {
    to.encapsulation = parse_encapsulation(given.encapsulation).value_or(to.encapsulation);
    to.collect.inner = link_of(given.inner);
    to.found = given.force ? existing_files::overwrite : existing_files::keep;
    to.ends.duration = milliseconds_of(given.duration);
    to.ends.idle = milliseconds_of(given.idle);
    if (given.interval != 0)
        to.interval = milliseconds_of(given.interval);
    convert_sockets(to, given);
}

} // namespace

parsed_options parse_options(int argc, char** argv) {
    CLI::App app("Receives copies as a content destination: takes the packets out of their "
                 "encapsulation, tells the intercepts apart, writes and counts.",
                 "flowtap-receive");
    receive_options made;
    given_text given;
    app.set_version_flag("--version", "flowtap-receive (libflowtap) " FLOWTAP_VERSION);
    declare_sources(app, made, given);
    declare_results(app, made, given);
    app.footer(after_help);
    try {
        app.parse(argc, argv);
        convert(made, given);
        check(made);
    } catch (const CLI::ParseError& reason) {
        return {{}, app.exit(reason) == 0 ? 0 : usage_status};
    }
    return {std::move(made), 0};
}

} // namespace flowtap::tools
