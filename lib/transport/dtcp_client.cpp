// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_client.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <string_view>
#include <utility>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/transport/dtcp_service.hpp>
#include <flowtap/transport/error.hpp>

#include "outgoing.hpp"

namespace flowtap::transport {

namespace {

/// Hands on what comes in, and knows which responses are still to come.
class matching_handler final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry entry) override { to->on_entry(std::move(entry)); }
    void on_response(dtcp::response answer, dtcp::authenticity signature) override {
        // One to a request that was given up comes late, and answers none of the others.
        const auto found = std::find(wanted.begin(), wanted.end(), answer.seq);
        if (found == wanted.end())
            return;
        wanted.erase(found);
        to->on_response(std::move(answer), signature);
    }
    void on_notification(dtcp::notification told, dtcp::authenticity signature) override {
        to->on_notification(std::move(told), signature);
    }

    dtcp::response_handler* to = nullptr;
    /// The Seq of the requests that have no response yet, in their order.
    std::deque<sequence_number> wanted;
};

} // namespace

struct dtcp_client::implementation {
    implementation(ssh_client with, std::string user, const hash_maker& make_hash,
                   sequence_numbers from)
        : session(std::move(with)), login(std::move(user)), signing(make_hash()),
          verifying(make_hash()), reader(handler, verifying.get()), numbers(std::move(from)) {}

    result<sequence_number> write(std::string& out, const outgoing_request& request);
    result<bool> step(std::string_view& rest, std::chrono::milliseconds timeout);

    ssh_client session;
    std::string login;
    std::unique_ptr<dtcp::keyed_hash> signing;
    std::unique_ptr<dtcp::keyed_hash> verifying;
    matching_handler handler;
    dtcp::response_reader reader;
    sequence_numbers numbers;
};

/// Appends a request; its Seq, 0 for one that goes out as it stands and has none.
result<sequence_number> dtcp_client::implementation::write(std::string& out,
                                                           const outgoing_request& request) {
    const std::size_t begin = out.size();
    if (const auto written = write_outgoing(out, request, login, numbers, *signing); !written)
        return fail(written.error());
    const auto parts = dtcp::parse_envelope(std::string_view(out).substr(begin));
    return parts ? parts->sequence.value_or(sequence_number()) : sequence_number();
}

/// One step of sending and receiving. False once the server has ended the channel.
result<bool> dtcp_client::implementation::step(std::string_view& rest,
                                               std::chrono::milliseconds timeout) {
    std::array<char, 16UL * 1024> room{};
    const auto done = session.exchange(rest, room, timeout);
    if (!done)
        return fail(done.error());
    rest.remove_prefix(done->sent);
    const std::string_view received(room.data(), done->received);
    if (const auto read = reader.put(as_byte_view(received)); !read)
        return fail(read.error());
    return !done->ended;
}

dtcp_client::dtcp_client(std::unique_ptr<implementation> with) : implementation_(std::move(with)) {}
dtcp_client::~dtcp_client() = default;
dtcp_client::dtcp_client(dtcp_client&& other) noexcept = default;
dtcp_client& dtcp_client::operator=(dtcp_client&& other) noexcept = default;

result<dtcp_client> dtcp_client::connect(const ssh_client_options& options,
                                         const hash_maker& make_hash, sequence_numbers numbers) {
    auto session = ssh_client::connect(options, dtcp_subsystem);
    if (!session)
        return fail(session.error());
    return dtcp_client(std::make_unique<implementation>(std::move(*session), options.user,
                                                        make_hash, std::move(numbers)));
}

result<void> dtcp_client::exchange(std::span<const outgoing_request> requests,
                                   dtcp::response_handler& answers,
                                   std::chrono::milliseconds timeout) {
    matching_handler& handler = implementation_->handler;
    handler.to = &answers;
    handler.wanted.clear();
    std::string octets;
    for (const outgoing_request& request : requests) {
        const auto seq = implementation_->write(octets, request);
        if (!seq)
            return fail(seq.error());
        handler.wanted.push_back(*seq);
    }
    std::string_view rest = octets;
    while (!handler.wanted.empty()) {
        const auto more = implementation_->step(rest, timeout);
        if (!more)
            return fail(more.error());
        if (!*more && !handler.wanted.empty())
            return fail(errc::channel_closed, implementation_->session.diagnostic());
    }
    return {};
}

result<void> dtcp_client::receive(dtcp::response_handler& to) {
    implementation_->handler.to = &to;
    std::string_view nothing;
    for (;;) {
        const auto more = implementation_->step(nothing, std::chrono::milliseconds(0));
        if (!more && more.error().code == errc::timed_out)
            return {};
        if (!more)
            return fail(more.error());
        if (!*more)
            return fail(errc::channel_closed, implementation_->session.diagnostic());
    }
}

int dtcp_client::descriptor() const noexcept {
    return implementation_->session.descriptor();
}

std::optional<int> dtcp_client::finish(dtcp::response_handler& answers,
                                       std::chrono::milliseconds timeout) {
    implementation_->handler.to = &answers;
    implementation_->session.end_input();
    std::string_view nothing;
    for (;;) {
        const auto more = implementation_->step(nothing, timeout);
        if (!more)
            return std::nullopt;
        if (!*more)
            return implementation_->session.exit_status();
    }
}

const std::string& dtcp_client::diagnostic() const noexcept {
    return implementation_->session.diagnostic();
}

} // namespace flowtap::transport
