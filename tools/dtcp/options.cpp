// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <charconv>
#include <cstdlib>
#include <system_error>

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

namespace dtcp_tool {

namespace {

std::string own_login() {
    const passwd* const entry = ::getpwuid(::getuid());
    return entry == nullptr ? std::string() : std::string(entry->pw_name);
}

constexpr const char* after_help =
    R"(The key that requests are signed with is read from --key-file, else from the
environment variable DTCP_KEY; without either it is the fixed key of Junos.
The password is asked for on the terminal, or read from --password-file or the
environment variable DTCP_PASSWORD. Over UDP there is no login, and a key must be given.

Without a command, on a terminal, it is an interactive shell.

Exit status: 0 every answer was 200; 1 an answer was an error; 2 the command was
not understood; 3 no connection, no login, no answer, or one that does not verify.)";

/// What is looked at once the command line was read.
struct raw_options {
    unsigned minor = 0;
    std::string notify;
    std::string sequence_file;
};

void declare(CLI::App& app, options& to, raw_options& raw) {
    app.add_option("-p,--port", to.port, "Port of the access point; over UDP it has no default")
        ->capture_default_str();
    app.add_option("-l,--login", to.user, "Login name, and Csource-ID; default: your own");
    app.add_option("-i,--identity", to.identities,
                   "File of a private key to log in with; may be repeated")
        ->allow_extra_args(false);
    app.add_option("--key-file", to.key_file, "File whose first line is the key of the HMAC");
    app.add_option("--password-file", to.password_file, "File whose first line is the password");
    app.add_option("--known-hosts", to.known_hosts, "File of known host keys");
    app.add_option("--host-key-fingerprint", to.host_key_fingerprint,
                   "Accept the host key with this fingerprint (SHA256:...) and no other");
    app.add_flag("--udp", to.over_udp, "Ask over UDP, without SSH");
    app.add_option("--notify", raw.notify,
                   "Receive notifications over UDP on ADDRESS:PORT (port 0: a free one)");
    app.add_option("--await", to.await,
                   "Wait, once all is answered, until so many notifications have come");
    app.add_option("--protocol", raw.minor, "Minor version of DTCP: 5 to 8 (for 0.5 to 0.8)")
        ->check(CLI::Range(5U, 8U));
    app.add_option("--seq", to.first_sequence, "First sequence number; default: from the clock");
    app.add_option("--sequence-file", raw.sequence_file,
                   "Keep sequence numbers in this file; default over UDP: "
                   "~/.local/state/dtcp/sequence");
    app.add_option("--timeout", to.timeout, "Seconds to wait for the access point")
        ->check(CLI::Range(1, 86400))
        ->default_str("30, over UDP 10");
    app.add_flag("--json", to.json, "Print a JSON object a line");
    app.add_option("HOST", to.host, "The access point")->required();
    app.add_option("COMMAND", to.command,
                   "add, delete, list, refresh, noop, send, listen (or monitor) or shell")
        ->check(CLI::IsMember(
            {"add", "delete", "list", "refresh", "noop", "send", "listen", "monitor", "shell"}));
    app.add_option("PARAMETERS", to.rest,
                   "'Name: value' for each parameter, - to read them from standard input; for "
                   "send: a file of requests, or -");
}

/// `192.0.2.7:2100` or `[2001:db8::7]:2100`.
std::optional<flowtap::endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    std::string_view address = text.substr(0, colon);
    const bool in_brackets = address.starts_with('[') && address.ends_with(']');
    if (in_brackets)
        address = address.substr(1, address.size() - 2);
    const std::string_view digits = text.substr(colon + 1);
    flowtap::endpoint made;
    const auto port = std::from_chars(digits.data(), digits.data() + digits.size(), made.port);
    const auto parsed = flowtap::parse_ip_address(address);
    if (!parsed || port.ec != std::errc() || port.ptr != digits.data() + digits.size() ||
        in_brackets != (parsed->ip_family() == flowtap::family::inet6))
        return std::nullopt;
    made.address = *parsed;
    return made;
}

/// Where sequence numbers are kept over UDP when nobody says where: there, an access point takes
/// no other than those that follow.
std::filesystem::path default_sequence_file() {
    const auto variable = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::filesystem::path(value == nullptr ? "" : value);
    };
    std::filesystem::path state = variable("XDG_STATE_HOME");
    if (!state.is_absolute() && !variable("HOME").empty())
        state = variable("HOME") / ".local/state";
    if (!state.is_absolute())
        throw CLI::ValidationError("--udp", "needs --sequence-file where there is no HOME");
    const std::filesystem::path directory = state / "dtcp";
    std::error_code failure;
    std::filesystem::create_directories(directory, failure);
    if (failure)
        throw CLI::ValidationError(directory.string(), failure.message());
    return directory / "sequence";
}

void check_udp(const CLI::App& app, const options& asked) {
    if (!asked.over_udp) {
        if (asked.notify)
            throw CLI::ValidationError("--notify", "goes with --udp");
        return;
    }
    if (asked.command == "listen") {
        if (!asked.notify)
            throw CLI::ValidationError("listen", "needs --notify over UDP");
    } else if (app.count("--port") == 0) {
        throw CLI::ValidationError("--udp", "needs --port");
    }
}

/// What the options mean together.
void complete(const CLI::App& app, options& asked, const raw_options& raw) {
    if (asked.command == "monitor")
        asked.command = "listen";
    if (asked.command.empty() && (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0))
        throw CLI::RequiredError("COMMAND");
    if (asked.command.empty())
        asked.command = "shell";
    if (asked.command == "send" && asked.rest.size() != 1)
        throw CLI::ValidationError("send", "takes one file");
    if ((asked.command == "listen" || asked.command == "shell") && !asked.rest.empty())
        throw CLI::ValidationError(asked.command, "takes no parameters");
    if (raw.minor != 0)
        asked.spoken = flowtap::dtcp::version{0, static_cast<std::uint8_t>(raw.minor)};
    if (asked.user.empty())
        asked.user = own_login();
    if (!raw.notify.empty()) {
        asked.notify = parse_endpoint(raw.notify);
        if (!asked.notify)
            throw CLI::ValidationError("--notify", "is not ADDRESS:PORT: " + raw.notify);
    }
    check_udp(app, asked);
    if (asked.over_udp && app.count("--timeout") == 0)
        asked.timeout = std::chrono::seconds(10);
    if (!raw.sequence_file.empty())
        asked.sequence_file = raw.sequence_file;
    else if (asked.over_udp && !asked.first_sequence && asked.command != "listen")
        asked.sequence_file = default_sequence_file();
}

} // namespace

std::variant<options, int> read_command_line(int count, char** arguments) {
    options made;
    raw_options raw;
    CLI::App app("Tasks an intercept access point over DTCP.", "dtcp");
    app.footer(after_help);
    app.set_version_flag("--version", "dtcp (libflowtap) " FLOWTAP_VERSION);
    declare(app, made, raw);
    try {
        app.parse(count, arguments);
        complete(app, made, raw);
    } catch (const CLI::ParseError& mistake) {
        return app.exit(mistake) == 0 ? static_cast<int>(exit_ok) : static_cast<int>(exit_usage);
    }
    return made;
}

} // namespace dtcp_tool
