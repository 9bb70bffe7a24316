// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <iostream>
#include <map>
#include <utility>

#include <CLI/CLI.hpp>

namespace dfcd {

namespace {

constexpr int usage_error = 2;
constexpr std::size_t most_workers = 64;

using flowtap::capture::live_method;
const std::map<std::string, live_method> methods{{"ring", live_method::ring},
                                                 {"libpcap", live_method::libpcap}};

constexpr std::string_view description =
    "The intercept access point: mediation devices log in over SSH, task it with DTCP, and copies "
    "of the packets they ask for go to their content destinations.";

/// Takes `IF=NAME` or `IF:out=NAME` apart; explains to the user what is wrong with anything else.
input parse_input(input::kind from, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        throw CLI::ValidationError("\"" + text + "\" is not of the form INTERFACE=" +
                                   (from == input::kind::file ? "CAPTURE" : "DEVICE"));
    input parsed{from, text.substr(0, equals), flowtap::direction::ingress,
                 text.substr(equals + 1)};
    const std::size_t colon = parsed.interface.find(':');
    if (colon != std::string::npos && from == input::kind::device)
        throw CLI::ValidationError("\"" + parsed.interface +
                                   "\" names a direction; a device is captured in both");
    if (colon != std::string::npos) {
        const std::string way = parsed.interface.substr(colon + 1);
        if (way != "in" && way != "out")
            throw CLI::ValidationError("\"" + way + "\" is not a direction: in or out");
        parsed.way = way == "out" ? flowtap::direction::egress : flowtap::direction::ingress;
        parsed.interface.resize(colon);
    }
    return parsed;
}

/// Explains to the user what is wrong with an address.
metrics_address parse_address(const std::string& text) {
    auto where = parse_metrics_address(text);
    if (!where)
        throw CLI::ValidationError(where.error().message());
    return std::move(*where);
}

const std::map<std::string, flowtap::deliver::egress_choice> egress_choices{
    {"auto", flowtap::deliver::egress_choice::automatic},
    {"packet", flowtap::deliver::egress_choice::frames},
    {"raw", flowtap::deliver::egress_choice::raw},
    {"udp", flowtap::deliver::egress_choice::udp},
};

const std::map<std::string, flowtap::deliver::too_long_copies> oversize_choices{
    {"fragment", flowtap::deliver::too_long_copies::fragment},
    {"drop", flowtap::deliver::too_long_copies::drop},
};

const std::map<std::string, std::string> hash_schemes{{"sha512", "$6$"}, {"yescrypt", "$y$"}};

} // namespace

std::variant<options, int> read_options(int argc, const char* const* argv) {
    options chosen;
    bool start_now = false;
    std::vector<std::string> files;
    std::vector<std::string> devices;
    std::string metrics;
    std::string status;

    CLI::App app{std::string(description), "dfcd"};
    app.set_version_flag("--version", "dfcd (libflowtap) " FLOWTAP_VERSION);
    app.add_option("--config", chosen.config, "configuration file, in Junos' syntax")
        ->type_name("FILE");
    app.add_flag("--check", chosen.check_only,
                 "only check the configuration, and name every mistake with its place");
    app.add_option("--listen", chosen.listen, "address to listen on (default: all); repeatable")
        ->type_name("ADDRESS");
    app.add_option("--port", chosen.port, "SSH port; 0 picks a free one")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--host-key", chosen.host_key, "SSH host key; made on first start")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--audit-log", chosen.audit_log, "audit log, as JSON lines")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--audit-key", chosen.audit_key,
                   "where the first key of the audit log is written when its chain begins, to be "
                   "moved away (default: the audit log's name and .key)")
        ->type_name("FILE");
    app.add_option("--verify-audit", chosen.verify_audit,
                   "only verify the files of an audit log, given in any order, with its first key")
        ->type_name("KEYFILE FILE...")
        ->expected(2, CLI::detail::expected_max_vector_size);
    app.add_option("--audit-state", chosen.audit_state,
                   "the stored state to verify the end of the audit log with (default: the name of "
                   "one of the files and .state)")
        ->type_name("FILE");
    app.add_option("--sequence-file", chosen.sequence_file,
                   "where sequence numbers over UDP survive a restart")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--reset-sequence", chosen.reset_sequence,
                   "only forget the sequence number of a control source, in the file or in the "
                   "dfcd that runs")
        ->type_name("NAME");
    bool is_hashing = false;
    app.add_flag(
        "--hash-password", is_hashing,
        "only read a password, from the terminal or standard input, and print its hash for "
        "the configuration");
    std::string scheme = "$6$";
    app.add_option("--scheme", scheme, "how it is hashed (default: sha512)")
        ->type_name("sha512|yescrypt")
        ->transform(CLI::Transformer(hash_schemes).description(""));
    app.add_option(
           "--read", files,
           "replay a capture file (compressed or not; - is standard input) as the packets that "
           "enter (or leave, with IF:out) the interface IF; repeatable")
        ->type_name("IF[:out]=CAPTURE");
    app.add_option("--live", devices, "capture the interface IF from a network device; repeatable")
        ->type_name("IF=DEVICE");
    app.add_flag("--promiscuous", chosen.promiscuous, "capture devices in promiscuous mode");
    app.add_option("--workers", chosen.workers, "threads that share each device")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, most_workers))
        ->capture_default_str();
    app.add_option("--capture", chosen.method,
                   "how devices are captured: ring or libpcap (default: as is best)")
        ->type_name("ring|libpcap")
        ->transform(CLI::Transformer(methods).description(""));
    app.add_option("--write", chosen.write,
                   "write the copies to a pcap file instead of sending them; with {interface} in "
                   "its name, a file for each input")
        ->type_name("FILE");
    app.add_option(
           "--egress", chosen.egress,
           "how copies leave: auto (past this host's packet filter where it can); packet (the "
           "same, or not at all); raw or udp (through it)")
        ->type_name("auto|packet|raw|udp")
        ->transform(CLI::Transformer(egress_choices).description(""))
        ->default_str("auto");
    app.add_option(
           "--oversize", chosen.oversize,
           "what becomes of copies longer than the MTU: they are fragmented, or dropped and "
           "counted")
        ->type_name("fragment|drop")
        ->transform(CLI::Transformer(oversize_choices).description(""))
        ->default_str("fragment");
    app.add_flag("--loop-brake,!--no-loop-brake", chosen.loop_brake,
                 "whether flows of devices that grow out of copies are found, and not copied "
                 "(default: they are)");
    app.add_option("--criteria", chosen.criteria, "ADD requests to apply at start")
        ->type_name("FILE");
    app.add_flag("--once", chosen.once, "end when the capture files and their copies are done");
    auto* after = app.add_option("--start-after", chosen.start_after,
                                 "replay capture files when N criteria are in place")
                      ->type_name("N")
                      ->check(CLI::NonNegativeNumber)
                      ->capture_default_str();
    app.add_flag("--start-now", start_now, "replay capture files at once")->excludes(after);
    app.add_flag("--json", chosen.json,
                 "print the summary, the status or what was verified as JSON");
    app.add_option("--user", chosen.user,
                   "who root becomes (default: flowtap, if there is such a user); it keeps "
                   "CAP_NET_RAW alone")
        ->type_name("NAME[:GROUP]");
    app.add_option("--metrics", metrics,
                   "serve status and metrics over HTTP, at a socket of mode 0600 or a loopback "
                   "address")
        ->type_name("unix:PATH|ADDRESS:PORT");
    app.add_option("--status", status, "only show the status of the dfcd that serves it there")
        ->type_name("unix:PATH|ADDRESS:PORT");
    std::string shown;
    auto* progress =
        app.add_option("--progress", shown,
                       "show how far capture files are read, as a line (usual on a terminal), as "
                       "lines of JSON, or not at all")
            ->type_name("line|json|none")
            ->check(CLI::IsMember({"line", "json", "none"}))
            ->expected(0, 1);

    try {
        app.parse(argc, argv);
        for (const std::string& text : files)
            chosen.inputs.push_back(parse_input(input::kind::file, text));
        for (const std::string& text : devices)
            chosen.inputs.push_back(parse_input(input::kind::device, text));
        if (!metrics.empty())
            chosen.metrics = parse_address(metrics);
        if (!status.empty())
            chosen.status = parse_address(status);
        else if (is_hashing)
            chosen.hash_scheme = scheme;
        else if (chosen.config.empty() && chosen.verify_audit.empty())
            throw CLI::RequiredError("--config");
    } catch (const CLI::Error& problem) {
        return app.exit(problem) == 0 ? 0 : usage_error;
    }
    if (chosen.audit_key.empty())
        chosen.audit_key = chosen.audit_log + ".key";
    if (start_now)
        chosen.start_after = 0;
    if (progress->count() != 0)
        chosen.shown = shown == "json"   ? progress_kind::json
                       : shown == "none" ? progress_kind::none
                                         : progress_kind::line;
    if (chosen.once && files.empty()) {
        std::cerr << "--once needs a capture file to read: --read IF=CAPTURE\n";
        return usage_error;
    }
    return chosen;
}

} // namespace dfcd
