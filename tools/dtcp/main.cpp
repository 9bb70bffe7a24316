// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>
#include <variant>

#include "options.hpp"
#include "printer.hpp"
#include "requests.hpp"
#include "session.hpp"
#include "shell.hpp"

namespace {

using namespace dtcp_tool;
namespace transport = flowtap::transport;

/// Shows notifications. Over SSH they come to a channel that has asked for them.
exit_code listen(const options& asked, session& way) {
    interruption signals;
    if (!asked.over_udp) {
        const interruption::pause meanwhile(signals);
        const auto asking = make_request("noop", {{"Flags", "SendAsync"}}, asked);
        if (const exit_code failed = way.ask({&asking, 1}); failed != exit_ok)
            return failed;
    }
    return way.show_notifications(signals, asked.await, std::nullopt);
}

exit_code send(const options& asked, session& way,
               const std::vector<transport::outgoing_request>& requests) {
    const exit_code done = way.ask(requests);
    if (!asked.await || done == exit_connection || done == exit_usage)
        return done;
    interruption signals;
    const exit_code waited = way.show_notifications(signals, asked.await, asked.timeout);
    return waited == exit_ok ? done : waited;
}

exit_code run(const options& asked, printer& answers) {
    std::vector<transport::outgoing_request> requests;
    if (asked.command != "listen" && asked.command != "shell") {
        auto made = make_requests(asked);
        if (!made)
            return complain(made.error().message(), exit_usage);
        requests = std::move(*made);
    }
    auto opened = session::open(asked, answers);
    if (const auto* const failed = std::get_if<exit_code>(&opened))
        return *failed;
    session& way = *std::get<std::unique_ptr<session>>(opened);
    if (asked.command == "listen")
        return listen(asked, way);
    if (asked.command == "shell")
        return run_shell(asked, way);
    return send(asked, way, requests);
}

} // namespace

int main(int count, char** arguments) {
    const auto read = read_command_line(count, arguments);
    if (const int* const ended = std::get_if<int>(&read))
        return *ended;
    const options& asked = std::get<options>(read);
    if (asked.json) {
        json_printer answers(std::cout);
        return run(asked, answers);
    }
    text_printer answers(std::cout);
    return run(asked, answers);
}
