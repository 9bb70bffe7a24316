// SPDX-License-Identifier: Apache-2.0
#include "request_gate.hpp"

#include <algorithm>
#include <array>

#include <flowtap/radius/error.hpp>

namespace flowtap::radius::detail {

namespace {

/// By `ignored_request`.
constexpr std::array<std::string_view, ignored_request_kinds> kinds = {
    "from unknown clients",
    "malformed",
    "with the code of no request to this server",
    "with a wrong authenticator (not the same shared secret?)",
    "without Message-Authenticator",
    "with a wrong Message-Authenticator",
    "without Event-Timestamp",
    "with an Event-Timestamp too far from this clock",
    "handled before",
    "not recorded",
};

ignored_request kind_of(const std::error_code& why) {
    if (why == errc::wrong_authenticator)
        return ignored_request::wrong_authenticator;
    if (why == errc::missing_message_authenticator)
        return ignored_request::missing_message_authenticator;
    if (why == errc::wrong_message_authenticator)
        return ignored_request::wrong_message_authenticator;
    return ignored_request::malformed;
}

void append(std::string& to, std::uint64_t count, std::string_view what) {
    if (count == 0)
        return;
    to += to.empty() ? "" : ", ";
    to += std::to_string(count) + ' ' + std::string(what);
}

} // namespace

request_gate::request_gate(server_settings settings, cryptography functions, std::string_view name)
    : settings_(std::move(settings)), functions_(std::move(functions)), name_(name) {
    set_clients(std::move(settings_.clients));
}

void request_gate::set_clients(std::vector<server_client> clients) {
    clients_.clear();
    for (server_client& each : clients)
        clients_.try_emplace(each.address, std::move(each.shared), functions_);
    settings_.clients.clear();
}

std::optional<request_gate::verified>
request_gate::verify_request(const endpoint& from, byte_view datagram,
                             std::initializer_list<packet_code> codes,
                             message_authenticator presence) {
    const auto ignored = [this](ignored_request why) {
        ignore(why);
        return std::nullopt;
    };
    const auto client = clients_.find(from.address);
    if (client == clients_.end())
        return ignored(ignored_request::unknown_client);
    const auto packet = packet_view::parse(datagram);
    if (!packet)
        return ignored(ignored_request::malformed);
    if (std::ranges::find(codes, packet->code()) == codes.end())
        return ignored(ignored_request::wrong_code);
    if (const auto right = verify(*packet, client->second, presence); !right)
        return ignored(kind_of(right.error().code));
    return verified{*packet, &client->second};
}

std::optional<byte_view> request_gate::earlier_answer(const endpoint& from,
                                                      const packet_view& request, steady_time now) {
    forget_old(now);
    const auto found = answers_.find({from.address, request.authenticator()});
    if (found == answers_.end())
        return std::nullopt;
    if (found->second.port != from.port) {
        ignore(ignored_request::replayed);
        return byte_view();
    }
    ++counters_.repeated;
    return found->second.answer;
}

byte_view request_gate::remember(const endpoint& from, const packet_view& request,
                                 std::vector<std::byte> answer, steady_time until,
                                 wall_time timestamp) {
    while (answers_.size() >= settings_.most_remembered) {
        const auto first = answers_.find(by_end_.begin()->second);
        forgotten_ = std::max(forgotten_, first->second.timestamp);
        answers_.erase(first);
        by_end_.erase(by_end_.begin());
    }
    const request_key key{from.address, request.authenticator()};
    const auto [made, is_new] =
        answers_.try_emplace(key, answered{from.port, std::move(answer), until, timestamp});
    if (is_new)
        by_end_.emplace(until, key);
    return made->second.answer;
}

void request_gate::forget_old(steady_time now) {
    while (!by_end_.empty() && by_end_.begin()->first < now) {
        answers_.erase(by_end_.begin()->second);
        by_end_.erase(by_end_.begin());
    }
}

bool request_gate::has_news() const noexcept {
    return counters_.ignored != logged_.ignored || counters_.refused != logged_.refused;
}

std::optional<std::string> request_gate::log_line(steady_time now) {
    if (!has_news() || (last_line_ && now < *last_line_ + settings_.log_interval))
        return std::nullopt;
    std::string ignored;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind)
        append(ignored, counters_.ignored[kind] - logged_.ignored[kind], kinds[kind]);
    std::string line = name_ + ": ";
    const std::uint64_t refused = counters_.refused - logged_.refused;
    if (refused != 0)
        line += "refused " + std::to_string(refused) + (refused == 1 ? " request" : " requests") +
                (ignored.empty() ? "" : "; ");
    if (!ignored.empty())
        line += "ignored: " + ignored;
    logged_ = counters_;
    last_line_ = now;
    return line;
}

std::optional<steady_time> request_gate::deadline() const noexcept {
    if (!has_news())
        return std::nullopt;
    return last_line_ ? *last_line_ + settings_.log_interval : steady_time::min();
}

} // namespace flowtap::radius::detail
