// SPDX-License-Identifier: Apache-2.0
// Feeds the input to both servers: as it is, and with its attributes in requests that the harness
// signs and gives the time, so that what lies behind the authentication is reached. What is signed
// is always answered by dynamic authorization, once with a new answer and then with the same one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/packet.hpp>
#include <flowtap/radius/server_state.hpp>

#include "radius_input.hpp"

namespace {

using namespace flowtap;

const endpoint client{ip_address::v4(0xC000020A), 40'000};
constexpr std::uint32_t second = 1'700'000'000;
const time_stamp now{steady_time(std::chrono::seconds(9)), wall_time(std::chrono::seconds(second))};

void require(bool condition) {
    if (!condition)
        std::abort();
}

radius::server_settings settings() {
    radius::server_settings made;
    made.clients.push_back({client.address, radius::secret("key")});
    return made;
}

std::vector<std::byte> request(radius::packet_code code, const radius::packet_view& with) {
    radius::packet_builder builder(code, with.id());
    require(builder.add_number(radius::attribute_type::event_timestamp, second).has_value());
    for (const radius::attribute_view& one : with)
        if (one.type != radius::attribute_type::message_authenticator &&
            one.type != radius::attribute_type::event_timestamp)
            static_cast<void>(builder.add(one.type, one.value));
    radius::shared_secret key(radius::secret("key"), radius::weak_cryptography());
    return std::move(builder).finish(key);
}

void check_session(const radius::subscriber_session& session) {
    require(session.prefixes.size() <= radius::most_prefixes);
    for (const ip_prefix& each : session.prefixes)
        require(each.length <= 128 && each.first() == each.address);
    require(!session.address || session.address->is_unicast());
}

void check_order(const radius::mirror_order& order) {
    require(order.handle.empty() || order.handle.size() == 4 || order.handle.size() == 8);
    require(order.action == radius::mirror_action::off ||
            (!order.handle.empty() && order.address && order.port != 0));
}

void ask_for_change(const radius::packet_view& input, radius::authorization_state& server) {
    for (const auto code :
         {radius::packet_code::coa_request, radius::packet_code::disconnect_request}) {
        const auto asked = request(code, input);
        const byte_view first = server.feed(client, asked, now);
        require(!first.empty());
        const std::vector<std::byte> answer(first.begin(), first.end());
        const auto read = radius::packet_view::parse(answer);
        require(read && read->id() == input.id());
        const auto handled = server.counters().handled;
        require(std::ranges::equal(server.feed(client, asked, now), answer));
        require(server.counters().handled == handled);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const byte_view input = std::as_bytes(std::span(data, size));
    radius::accounting_state accounting(
        settings(), radius::weak_cryptography(),
        [](const radius::accounting_record& record, const ip_address&) {
            check_session(record.session);
            return true;
        });
    radius::authorization_state authorization(
        settings(), radius::weak_cryptography(),
        [](const radius::authorization_request& asked) -> std::optional<radius::error_cause> {
            check_session(asked.session);
            if (asked.order)
                check_order(*asked.order);
            return std::nullopt;
        });
    static_cast<void>(accounting.feed(client, input, now));
    static_cast<void>(authorization.feed(client, input, now));
    const auto read = radius::packet_view::parse(input);
    if (!read)
        return 0;
    ask_for_change(*read, authorization);
    const auto told = request(radius::packet_code::accounting_request, *read);
    static_cast<void>(accounting.feed(client, told, now));
    return 0;
}
