// SPDX-License-Identifier: Apache-2.0
#include "waiting.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace dtcp_tool {

using flowtap::result;

namespace {

/// For the handler of the signals: the end of a pipe to write to.
std::atomic<int> pipe_of_signals = -1;

extern "C" void tell_signal(int number) {
    const int before = errno;
    const auto octet = static_cast<unsigned char>(number);
    static_cast<void>(!::write(pipe_of_signals.load(), &octet, 1));
    errno = before;
}

} // namespace

interruption::interruption() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return; // signals end the program then, as ever
    reading_.reset(ends[0]);
    writing_.reset(ends[1]);
    pipe_of_signals = ends[1];
    install();
}

void interruption::install() {
    if (!reading_)
        return;
    struct sigaction handled {};
    handled.sa_handler = tell_signal;
    sigemptyset(&handled.sa_mask);
    ::sigaction(SIGINT, &handled, &interrupt_before_);
    ::sigaction(SIGTERM, &handled, &terminate_before_);
}

void interruption::uninstall() {
    if (!reading_)
        return;
    ::sigaction(SIGINT, &interrupt_before_, nullptr);
    ::sigaction(SIGTERM, &terminate_before_, nullptr);
}

interruption::~interruption() {
    uninstall();
    pipe_of_signals = -1;
}

void interruption::pass_on(int number) {
    const pause now(*this);
    ::raise(number);
}

std::optional<int> interruption::take() {
    unsigned char octet = 0;
    if (!reading_ || ::read(reading_.number(), &octet, 1) != 1)
        return std::nullopt;
    return octet;
}

result<wakeup> wait_for_messages(const std::vector<flowtap::transport::message_source*>& sources,
                                 flowtap::dtcp::response_handler& to, interruption& signals,
                                 const wait_conditions& conditions) {
    using clock = std::chrono::steady_clock;
    std::vector<pollfd> wanted{{signals.descriptor(), POLLIN, 0}, {conditions.input, POLLIN, 0}};
    for (const auto* const source : sources)
        wanted.push_back({source->descriptor(), POLLIN, 0});
    const auto end = clock::now() + conditions.timeout.value_or(std::chrono::hours(1));
    for (;;) {
        for (auto* const source : sources)
            if (const auto received = source->receive(to); !received)
                return fail(received.error());
        if (conditions.on_messages)
            conditions.on_messages();
        if (conditions.is_enough && conditions.is_enough())
            return wakeup::enough;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock::now()).count();
        if (conditions.timeout && left <= 0)
            return wakeup::late;
        const int patience =
            conditions.timeout ? static_cast<int>(std::min<std::int64_t>(left, 3'600'000)) : -1;
        const int ready = ::poll(wanted.data(), wanted.size(), patience);
        if (ready < 0 && errno != EINTR)
            return fail(flowtap::error(std::error_code(errno, std::generic_category())));
        if (const auto signal = signals.take())
            return *signal == SIGINT ? wakeup::interrupted : wakeup::terminated;
        if (ready > 0 && wanted[1].revents != 0)
            return wakeup::input;
    }
}

} // namespace dtcp_tool
