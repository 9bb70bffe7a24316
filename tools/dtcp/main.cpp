// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <variant>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/transport/dtcp_client.hpp>
#include <flowtap/transport/error.hpp>

#include "options.hpp"
#include "printer.hpp"
#include "requests.hpp"
#include "secrets.hpp"

namespace {

using namespace dtcp_tool;
using flowtap::result;
namespace dtcp = flowtap::dtcp;
namespace transport = flowtap::transport;

int complain(std::string_view message, exit_code with) {
    std::cerr << "dtcp: " << message << '\n';
    return with;
}

result<std::string> hmac_key(const options& asked) {
    if (!asked.key_file.empty())
        return first_line(asked.key_file);
    const char* const key = std::getenv("DTCP_KEY");
    return std::string(key == nullptr ? "Juniper" : key);
}

/// Sequence numbers that grow from one run to the next: milliseconds since 1970.
flowtap::sequence_number first_sequence(const options& asked) {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970);
    return flowtap::sequence_number(
        asked.first_sequence.value_or(static_cast<std::uint64_t>(milliseconds.count())));
}

std::optional<std::string> password(const options& asked) {
    if (!asked.password_file.empty()) {
        const auto read = first_line(asked.password_file);
        if (!read)
            std::cerr << "dtcp: " << read.error().message() << '\n';
        return read ? std::optional(*read) : std::nullopt;
    }
    if (const char* const given = std::getenv("DTCP_PASSWORD"))
        return given;
    return ask_secret(asked.user + "@" + asked.host + "'s password: ");
}

transport::ssh_client_options client_options(const options& asked) {
    transport::ssh_client_options made;
    made.host = asked.host;
    made.port = asked.port;
    made.user = asked.user;
    made.timeout = asked.timeout;
    made.host_key_fingerprint = asked.host_key_fingerprint;
    made.known_hosts = asked.known_hosts;
    made.identities = asked.identities;
    made.accept_unknown_host = [&asked](std::string_view fingerprint) {
        return ask_host_key(asked.host, fingerprint);
    };
    made.password = [&asked] { return password(asked); };
    return made;
}

/// Why there was no answer, as far as one can know: the server tells nobody.
std::string explain(const flowtap::error& reason) {
    std::string text = reason.message();
    if (reason.code == transport::errc::timed_out)
        text += " (it never answers a request with a wrong key, Csource-ID or Seq)";
    return text;
}

int run(const options& asked, const std::vector<transport::outgoing_request>& requests,
        const std::string& key, printer& answers) {
    const auto make_hash = [&key]() -> std::unique_ptr<dtcp::keyed_hash> {
        return std::make_unique<flowtap::crypto::keyed_hash_as<dtcp::keyed_hash>>(key);
    };
    auto client = transport::dtcp_client::connect(client_options(asked), make_hash,
                                                  transport::count_from(first_sequence(asked)));
    if (!client)
        return complain(client.error().message(), exit_connection);
    const auto done = client->exchange(requests, answers, asked.timeout);
    if (!done)
        return complain(explain(done.error()), exit_connection);
    if (answers.forgeries() > 0)
        return complain("an answer does not verify: it was signed with another key",
                        exit_connection);
    return answers.errors() == 0 ? exit_ok : exit_dtcp_error;
}

} // namespace

int main(int count, char** arguments) {
    const auto read = read_command_line(count, arguments);
    if (const int* const ended = std::get_if<int>(&read))
        return *ended;
    const options& asked = std::get<options>(read);
    const auto key = hmac_key(asked);
    if (!key)
        return complain(key.error().message(), exit_usage);
    const auto requests = make_requests(asked);
    if (!requests)
        return complain(requests.error().message(), exit_usage);
    if (asked.json) {
        json_printer answers(std::cout);
        return run(asked, *requests, *key, answers);
    }
    text_printer answers(std::cout);
    return run(asked, *requests, *key, answers);
}
