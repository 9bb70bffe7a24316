// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <cstdlib>

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
environment variable DTCP_PASSWORD.

Exit status: 0 every answer was 200; 1 an answer was an error; 2 the command was
not understood; 3 no connection, no login, no answer, or one that does not verify.)";

void declare(CLI::App& app, options& to, unsigned& minor) {
    app.add_option("-p,--port", to.port, "Port of the access point")->capture_default_str();
    app.add_option("-l,--login", to.user, "Login name, and Csource-ID; default: your own");
    app.add_option("-i,--identity", to.identities,
                   "File of a private key to log in with; may be repeated");
    app.add_option("--key-file", to.key_file, "File whose first line is the key of the HMAC");
    app.add_option("--password-file", to.password_file, "File whose first line is the password");
    app.add_option("--known-hosts", to.known_hosts, "File of known host keys");
    app.add_option("--host-key-fingerprint", to.host_key_fingerprint,
                   "Accept the host key with this fingerprint (SHA256:...) and no other");
    app.add_option("--protocol", minor, "Minor version of DTCP: 5 to 8 (for 0.5 to 0.8)")
        ->check(CLI::Range(5U, 8U));
    app.add_option("--seq", to.first_sequence, "First sequence number; default: from the clock");
    app.add_option("--timeout", to.timeout, "Seconds to wait for the access point")
        ->check(CLI::Range(1, 86400))
        ->default_str("30");
    app.add_flag("--json", to.json, "Print a JSON object a line");
    app.add_option("HOST", to.host, "The access point")->required();
    app.add_option("COMMAND", to.command, "add, delete, list, refresh, noop or send")
        ->required()
        ->check(CLI::IsMember({"add", "delete", "list", "refresh", "noop", "send"}));
    app.add_option("PARAMETERS", to.rest,
                   "'Name: value' for each parameter, - to read them from standard input; for "
                   "send: a file of requests, or -");
}

} // namespace

std::variant<options, int> read_command_line(int count, char** arguments) {
    options made;
    unsigned minor = 0;
    CLI::App app("Tasks an intercept access point over DTCP.", "dtcp");
    app.footer(after_help);
    app.set_version_flag("--version", "dtcp (libflowtap) " FLOWTAP_VERSION);
    declare(app, made, minor);
    try {
        app.parse(count, arguments);
        if (made.command == "send" && made.rest.size() != 1)
            throw CLI::ValidationError("send", "takes one file");
    } catch (const CLI::ParseError& mistake) {
        return app.exit(mistake) == 0 ? static_cast<int>(exit_ok) : static_cast<int>(exit_usage);
    }
    if (minor != 0)
        made.spoken = flowtap::dtcp::version{0, static_cast<std::uint8_t>(minor)};
    if (made.user.empty())
        made.user = own_login();
    return made;
}

} // namespace dtcp_tool
