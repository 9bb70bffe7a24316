// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_udp_client.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <deque>
#include <optional>
#include <poll.h>
#include <string_view>
#include <utility>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/transport/error.hpp>

#include "datagram_socket.hpp"
#include "outgoing.hpp"
#include "partial_answer.hpp"

namespace flowtap::transport {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t batch_size = 16;
/// Then whoever waits for a signal or a deadline has a turn, also in a flood.
constexpr int batches_in_a_row = 16;
constexpr std::size_t longest_datagram = 64UL * 1024;
constexpr std::size_t largest_window = 64;
/// Octets of requests on their way at a time, so that they do not overrun the access point.
constexpr std::size_t most_octets = 64UL * 1024;

bool is_method(std::string_view start_line, std::string_view upper_case) {
    const std::string_view method = start_line.substr(0, start_line.find_first_of(" \t"));
    return std::equal(method.begin(), method.end(), upper_case.begin(), upper_case.end(),
                      [](unsigned char a, unsigned char b) { return std::toupper(a) == b; });
}

unexpected<error> system_failure(int number, std::string subject) {
    return fail(error(std::error_code(number, std::generic_category()), std::move(subject)));
}

/// Receives what has come on `socket`, up to a bounded number, and calls `take` for each datagram.
/// Does not wait.
template <class Take>
result<void> receive_all(const datagram_socket& socket, datagram_batch& batch, Take take) {
    for (int i = 0; i < batches_in_a_row; ++i) {
        const int count = batch.receive(socket.number());
        if (count == -EAGAIN)
            break;
        if (count == -EINTR)
            continue;
        if (count < 0)
            return system_failure(-count, {});
        for (std::size_t index = 0; index < static_cast<std::size_t>(count); ++index)
            take(batch[index]);
    }
    return {};
}

/// A request that has no answer yet, or one that waits for the answers to those before it.
struct request_under_way {
    request_under_way(const outgoing_request& asked, std::size_t place)
        : request(&asked), index(place) {}

    const outgoing_request* request;
    /// Its place among the requests of the exchange.
    std::size_t index;
    std::size_t octets = 0;
    sequence_number seq;
    answer_form form = answer_form::single;
    std::size_t tries_left = 0;
    std::chrono::milliseconds patience{};
    clock::time_point deadline;
    /// None once it was given up.
    std::optional<partial_answer> answer;

    bool is_settled() const { return !answer || answer->is_complete(); }
};

} // namespace

struct dtcp_udp_client::implementation {
    implementation(dtcp_udp_options with, datagram_socket on, const hash_maker& make_hash,
                   sequence_numbers from)
        : options(std::move(with)), socket(std::move(on)), hash(make_hash()),
          numbers(std::move(from)), batch(batch_size, longest_datagram) {}

    result<void> send(request_under_way& one, std::chrono::milliseconds timeout);
    result<void> send_octets(std::string_view octets);
    result<void> fill_window(std::span<const outgoing_request> requests,
                             std::chrono::milliseconds timeout);
    void take(byte_view octets, dtcp::response_handler& to);
    result<void> take_all(dtcp::response_handler& to);
    result<void> wait();
    result<void> try_again(std::chrono::milliseconds timeout);
    void hand_over(dtcp::response_handler& to);
    void give_up();

    dtcp_udp_options options;
    datagram_socket socket;
    std::unique_ptr<dtcp::keyed_hash> hash;
    sequence_numbers numbers;
    datagram_batch batch;
    std::size_t refused = 0;

    // Of the exchange that is under way.
    std::deque<request_under_way> window;
    std::size_t octets_under_way = 0;
    std::size_t next = 0;
    std::size_t unanswered = 0;
};

result<void> dtcp_udp_client::implementation::send_octets(std::string_view octets) {
    for (;;) {
        if (::send(socket.number(), octets.data(), octets.size(), MSG_NOSIGNAL) >= 0)
            return {};
        if (errno == EAGAIN || errno == ENOBUFS) {
            pollfd room{socket.number(), POLLOUT, 0};
            static_cast<void>(::poll(&room, 1, 10));
        } else if (errno != EINTR) {
            return system_failure(errno, options.host);
        }
    }
}

/// Sends a request for the first time or again, each time with a new Seq where that is ours.
result<void> dtcp_udp_client::implementation::send(request_under_way& one,
                                                   std::chrono::milliseconds timeout) {
    std::string octets;
    if (const auto written =
            write_outgoing(octets, *one.request, options.csource_id, numbers, *hash);
        !written)
        return fail(written.error());
    const auto parts = dtcp::parse_envelope(octets);
    if (!parts || !parts->sequence)
        return fail(dtcp::errc::missing_sequence, parts ? std::string(parts->start_line) : "");
    const bool is_list = is_method(parts->start_line, "LIST");
    const bool is_safe =
        has_chosen_sequence(*one.request) && (is_list || is_method(parts->start_line, "NOOP"));
    const std::size_t tries = is_safe ? std::max<std::size_t>(options.tries, 1) : 1;
    if (one.octets == 0)
        one.tries_left = tries;
    --one.tries_left;
    octets_under_way += octets.size() - one.octets;
    one.octets = octets.size();
    one.seq = *parts->sequence;
    one.answer.emplace(is_list ? answer_form::list : answer_form::single);
    one.patience = timeout / static_cast<int>(tries);
    one.deadline = clock::now() + one.patience;
    return send_octets(octets);
}

result<void>
dtcp_udp_client::implementation::fill_window(std::span<const outgoing_request> requests,
                                             std::chrono::milliseconds timeout) {
    const std::size_t most = std::clamp<std::size_t>(options.window, 1, largest_window);
    while (next < requests.size() && window.size() < most &&
           (window.empty() || octets_under_way < most_octets)) {
        window.emplace_back(requests[next], next);
        ++next;
        if (auto sent = send(window.back(), timeout); !sent) {
            window.pop_back();
            return sent;
        }
    }
    return {};
}

void dtcp_udp_client::implementation::take(byte_view octets, dtcp::response_handler& to) {
    auto message = read_datagram(octets, *hash);
    if (!message) {
        ++refused;
        return;
    }
    if (message->told)
        return to.on_notification(*std::move(message->told), dtcp::authenticity::verified);
    const auto found = std::find_if(window.begin(), window.end(), [&](const auto& one) {
        return one.seq == message->answer->seq && !one.is_settled();
    });
    // Answers to what was given up, or sent again under another number, come late.
    if (found != window.end() && found->answer->add(*std::move(message)))
        found->deadline = clock::now() + found->patience;
}

result<void> dtcp_udp_client::implementation::take_all(dtcp::response_handler& to) {
    const auto done =
        receive_all(socket, batch, [&](const datagram_batch::item& one) { take(one.octets, to); });
    if (!done)
        return fail(error(done.error().code, options.host));
    return {};
}

/// Waits until something comes, or the first deadline.
result<void> dtcp_udp_client::implementation::wait() {
    auto first = clock::time_point::max();
    for (const request_under_way& one : window)
        if (!one.is_settled())
            first = std::min(first, one.deadline);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - clock::now()).count();
    if (left <= 0)
        return {};
    pollfd input{socket.number(), POLLIN, 0};
    if (::poll(&input, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0 &&
        errno != EINTR)
        return system_failure(errno, options.host);
    return {};
}

/// Sends again, or gives up, whatever has waited long enough.
result<void> dtcp_udp_client::implementation::try_again(std::chrono::milliseconds timeout) {
    const auto now = clock::now();
    for (request_under_way& one : window) {
        if (one.is_settled() || one.deadline > now)
            continue;
        if (one.tries_left == 0)
            one.answer.reset();
        else if (auto sent = send(one, timeout); !sent)
            return sent;
    }
    return {};
}

void dtcp_udp_client::implementation::hand_over(dtcp::response_handler& to) {
    for (; !window.empty() && window.front().is_settled(); window.pop_front()) {
        request_under_way& one = window.front();
        octets_under_way -= one.octets;
        if (one.answer) {
            one.answer->hand_over(to);
            continue;
        }
        ++unanswered;
        if (options.on_silence)
            options.on_silence(one.index, one.seq);
    }
}

/// Waits for no answer any more.
void dtcp_udp_client::implementation::give_up() {
    for (request_under_way& one : window)
        if (!one.is_settled())
            one.answer.reset();
}

dtcp_udp_client::dtcp_udp_client(std::unique_ptr<implementation> with)
    : implementation_(std::move(with)) {}
dtcp_udp_client::~dtcp_udp_client() = default;
dtcp_udp_client::dtcp_udp_client(dtcp_udp_client&& other) noexcept = default;
dtcp_udp_client& dtcp_udp_client::operator=(dtcp_udp_client&& other) noexcept = default;

result<dtcp_udp_client> dtcp_udp_client::open(dtcp_udp_options options, const hash_maker& make_hash,
                                              sequence_numbers numbers) {
    auto socket = datagram_socket::connect(options.host, options.port);
    if (!socket)
        return fail(socket.error());
    return dtcp_udp_client(std::make_unique<implementation>(std::move(options), std::move(*socket),
                                                            make_hash, std::move(numbers)));
}

result<void> dtcp_udp_client::exchange(std::span<const outgoing_request> requests,
                                       dtcp::response_handler& answers,
                                       std::chrono::milliseconds timeout) {
    implementation& state = *implementation_;
    state.window.clear();
    state.octets_under_way = 0;
    state.next = 0;
    state.unanswered = 0;
    const auto step = [&]() -> result<void> {
        if (auto sent = state.fill_window(requests, timeout); !sent)
            return sent;
        if (auto waited = state.wait(); !waited)
            return waited;
        if (auto taken = state.take_all(answers); !taken)
            return taken;
        return state.try_again(timeout);
    };
    while (state.next < requests.size() || !state.window.empty()) {
        auto done = step();
        if (!done)
            state.give_up(); // what has been answered is handed over all the same
        state.hand_over(answers);
        if (!done)
            return done;
    }
    if (state.unanswered > 0)
        return fail(errc::timed_out, std::to_string(state.unanswered) + " of " +
                                         std::to_string(requests.size()) + " requests");
    return {};
}

result<void> dtcp_udp_client::receive(dtcp::response_handler& to) {
    return implementation_->take_all(to);
}

int dtcp_udp_client::descriptor() const noexcept {
    return implementation_->socket.number();
}

std::size_t dtcp_udp_client::refused() const noexcept {
    return implementation_->refused;
}

struct notification_receiver::implementation {
    implementation(datagram_socket on, const hash_maker& make_hash)
        : socket(std::move(on)), hash(make_hash()), batch(batch_size, longest_datagram) {}

    datagram_socket socket;
    std::unique_ptr<dtcp::keyed_hash> hash;
    datagram_batch batch;
    std::size_t refused = 0;
};

notification_receiver::notification_receiver(std::unique_ptr<implementation> with)
    : implementation_(std::move(with)) {}
notification_receiver::~notification_receiver() = default;
notification_receiver::notification_receiver(notification_receiver&& other) noexcept = default;
notification_receiver&
notification_receiver::operator=(notification_receiver&& other) noexcept = default;

result<notification_receiver> notification_receiver::listen(const endpoint& at,
                                                            const hash_maker& make_hash) {
    auto socket = datagram_socket::open(at);
    if (!socket)
        return fail(socket.error());
    return notification_receiver(std::make_unique<implementation>(std::move(*socket), make_hash));
}

const endpoint& notification_receiver::address() const noexcept {
    return implementation_->socket.local();
}

result<void> notification_receiver::receive(dtcp::response_handler& to) {
    implementation& state = *implementation_;
    return receive_all(state.socket, state.batch, [&](const datagram_batch::item& one) {
        auto message = read_datagram(one.octets, *state.hash);
        if (message && message->told)
            to.on_notification(*std::move(message->told), dtcp::authenticity::verified);
        else
            ++state.refused;
    });
}

int notification_receiver::descriptor() const noexcept {
    return implementation_->socket.number();
}

std::size_t notification_receiver::refused() const noexcept {
    return implementation_->refused;
}

} // namespace flowtap::transport
