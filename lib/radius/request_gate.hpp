// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/radius/packet.hpp>
#include <flowtap/radius/server_state.hpp>
#include <flowtap/radius/signature.hpp>

namespace flowtap::radius::detail {

/// What the servers have in common: who may ask, what was asked before, and what is counted.
class request_gate {
public:
    /// `name` begins the lines for the log.
    request_gate(server_settings settings, cryptography functions, std::string_view name);

    void set_clients(std::vector<server_client> clients);
    const server_settings& settings() const noexcept { return settings_; }

    /// A request that a client made.
    struct verified {
        packet_view packet;
        shared_secret* key;
    };
    /// None for anything else, which is counted.
    std::optional<verified> verify_request(const endpoint& from, byte_view datagram,
                                           std::initializer_list<packet_code> codes,
                                           message_authenticator presence);

    /// What became of the same request before: its answer, empty if it must not get one from here;
    /// none if there was none. Counted.
    std::optional<byte_view> earlier_answer(const endpoint& from, const packet_view& request,
                                            steady_time now);
    /// Remembers the answer to a request up to `until`, and returns it. What was forgotten for it,
    /// for want of room, makes `has_forgotten` true for its timestamp and older ones.
    byte_view remember(const endpoint& from, const packet_view& request,
                       std::vector<std::byte> answer, steady_time until, wall_time timestamp);
    bool has_forgotten(wall_time timestamp) const noexcept { return timestamp <= forgotten_; }

    void ignore(ignored_request why) noexcept {
        ++counters_.ignored[static_cast<std::size_t>(why)];
    }
    void count_answer(bool is_refusal) noexcept {
        ++counters_.handled;
        counters_.refused += is_refusal ? 1U : 0U;
    }
    const server_counters& counters() const noexcept { return counters_; }

    std::optional<std::string> log_line(steady_time now);
    std::optional<steady_time> deadline() const noexcept;

private:
    /// An authenticator is a digest over the whole request and the secret.
    using request_key = std::pair<ip_address, authenticator>;
    struct answered {
        std::uint16_t port;
        std::vector<std::byte> answer;
        steady_time until;
        wall_time timestamp;
    };

    void forget_old(steady_time now);
    bool has_news() const noexcept;

    server_settings settings_;
    cryptography functions_;
    std::string name_;
    std::map<ip_address, shared_secret> clients_;
    std::map<request_key, answered> answers_;
    std::set<std::pair<steady_time, request_key>> by_end_;
    wall_time forgotten_ = wall_time::min();
    server_counters counters_;
    server_counters logged_;
    std::optional<steady_time> last_line_;
};

} // namespace flowtap::radius::detail
