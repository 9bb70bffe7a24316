// SPDX-License-Identifier: Apache-2.0
// Feeds the input to a client with a login under way: as it is, and as an answer that the harness
// gives the right id and signs, so that what lies behind the authentication is reached. Such an
// answer ends the login; nothing else does before its time.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/client_state.hpp>
#include <flowtap/radius/packet.hpp>

#include "radius_input.hpp"

namespace {

using namespace flowtap;

const endpoint address{ip_address::v4(0xC000020A), 1812};

void require(bool condition) {
    if (!condition)
        std::abort();
}

struct effects {
    std::optional<radius::send_datagram> sent;
    std::optional<radius::login_outcome> outcome;

    explicit effects(radius::client_state& state) {
        while (auto next = state.next_effect()) {
            if (auto* const send = std::get_if<radius::send_datagram>(&*next))
                sent = std::move(*send);
            else if (auto* const ended = std::get_if<radius::login_ended>(&*next))
                outcome = std::move(ended->outcome);
        }
    }
};

/// The input's code and attributes in an answer that verifies; none if it is none.
std::optional<std::vector<std::byte>> signed_answer(byte_view input, byte_view request) {
    const auto read = radius::packet_view::parse(input);
    const auto asked = radius::packet_view::parse(request);
    require(asked.has_value());
    if (!read)
        return std::nullopt;
    const auto code = read->code();
    if (code != radius::packet_code::access_accept && code != radius::packet_code::access_reject &&
        code != radius::packet_code::access_challenge)
        return std::nullopt;
    radius::packet_builder builder(code, asked->id());
    for (const radius::attribute_view& one : *read)
        if (one.type != radius::attribute_type::message_authenticator)
            static_cast<void>(builder.add(one.type, one.value));
    radius::shared_secret key(radius::secret("key"), radius::weak_cryptography());
    return std::move(builder).finish(key, asked->authenticator());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const byte_view input = std::as_bytes(std::span(data, size));
    radius::client_settings settings;
    settings.servers.push_back({address, radius::secret("key")});
    radius::client_state state(std::move(settings), radius::weak_cryptography());
    steady_time now{};
    require(state.begin({"bob", radius::secret("abc123")}, now).has_value());
    const effects begun(state);
    require(begun.sent && !begun.outcome);

    state.feed(begun.sent->socket, address, input, now);
    require(!effects(state).outcome);
    if (const auto answer = signed_answer(input, begun.sent->octets)) {
        state.feed(begun.sent->socket, address, *answer, now);
        const effects ended(state);
        require(ended.outcome.has_value());
        if (const auto* const yes = std::get_if<radius::login_accepted>(&*ended.outcome))
            require(yes->permissions.size() < radius::longest_packet);
        require(state.logins() == 0 && !state.deadline());
        return 0;
    }
    while (state.deadline()) {
        now = *state.deadline();
        state.turn(now);
    }
    const effects ended(state);
    require(ended.outcome && std::holds_alternative<radius::login_unavailable>(*ended.outcome));
    return 0;
}
