// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/server_state.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/error.hpp>

#include "place.hpp"
#include "request_gate.hpp"

namespace flowtap::radius {

namespace {

using kind = authorization_request::kind;

/// Puts an answer together, with what proxies want to see again (RFC 2865 section 5.33). It fits:
/// it is no longer than the request.
std::vector<std::byte> answer_to(const packet_view& request, packet_code code, shared_secret& key,
                                 message_authenticator presence,
                                 std::optional<error_cause> cause = {}) {
    packet_builder answer(code, request.id(), presence);
    if (cause)
        static_cast<void>(
            answer.add_number(attribute_type::error_cause, static_cast<std::uint32_t>(*cause)));
    for (const attribute_view& one : request)
        if (one.type == attribute_type::proxy_state)
            static_cast<void>(answer.add(one.type, one.value));
    return std::move(answer).finish(key, request.authenticator());
}

error_cause cause_of(const std::error_code& why) {
    if (why == errc::missing_attribute)
        return error_cause::missing_attribute;
    if (why == errc::wrong_size || why == errc::value_out_of_range ||
        why == errc::malformed_hidden_value)
        return error_cause::invalid_attribute_value;
    return error_cause::invalid_request;
}

bool tells_of_session(attribute_type type) {
    switch (type) {
    case attribute_type::user_name:
    case attribute_type::nas_ip_address:
    case attribute_type::nas_port:
    case attribute_type::framed_ip_address:
    case attribute_type::calling_station_id:
    case attribute_type::nas_identifier:
    case attribute_type::proxy_state:
    case attribute_type::acct_session_id:
    case attribute_type::event_timestamp:
    case attribute_type::message_authenticator:
    case attribute_type::nas_port_id:
    case attribute_type::nas_ipv6_address:
    case attribute_type::framed_ipv6_prefix:
    case attribute_type::delegated_ipv6_prefix:
    case attribute_type::framed_ipv6_address:
        return true;
    default:
        return false;
    }
}

bool is_supported(vendor of, std::uint8_t type, kind what) {
    if (of == vendor::dsl_forum)
        return type == static_cast<std::uint8_t>(dsl_attribute::agent_circuit_id) ||
               type == static_cast<std::uint8_t>(dsl_attribute::agent_remote_id);
    if (type == static_cast<std::uint8_t>(erx_attribute::virtual_router_name))
        return true;
    return what == kind::change && type >= static_cast<std::uint8_t>(erx_attribute::li_action) &&
           type <= static_cast<std::uint8_t>(erx_attribute::med_port_number);
}

/// Why a Vendor-Specific attribute is refused, if it is.
std::optional<error_cause> refuse_vendor(const attribute_view& one, kind what) {
    constexpr std::size_t number_size = 4;
    if (one.value.size() < number_size)
        return error_cause::invalid_request;
    const auto of = static_cast<vendor>(load_big_endian<std::uint32_t>(one.value));
    if (of != vendor::dsl_forum && of != vendor::juniper_erx)
        return error_cause::unsupported_attribute;
    for (byte_view rest = one.value.subspan(number_size); !rest.empty();) {
        const std::size_t length = rest.size() < 2 ? 0 : std::to_integer<std::size_t>(rest[1]);
        if (length < 2 || length > rest.size())
            return error_cause::invalid_request;
        if (!is_supported(of, std::to_integer<std::uint8_t>(rest[0]), what))
            return error_cause::unsupported_attribute;
        rest = rest.subspan(length);
    }
    return std::nullopt;
}

/// RFC 5176 section 3: what is not understood must not be passed over.
std::optional<error_cause> refuse_attributes(const packet_view& packet, kind what) {
    for (const attribute_view& one : packet) {
        if (one.type == attribute_type::service_type)
            return error_cause::unsupported_service;
        if (one.type == attribute_type::vendor_specific) {
            if (const auto refused = refuse_vendor(one, what))
                return refused;
        } else if (!tells_of_session(one.type)) {
            return error_cause::unsupported_attribute;
        }
    }
    return std::nullopt;
}

bool names_nothing(subscriber_session session) {
    session.nas_address.reset();
    session.nas_identifier.clear();
    session.virtual_router.clear();
    return session == subscriber_session{};
}

/// Fills in what was asked for. Returns why it is refused, if it is.
std::optional<error_cause> read_request(const packet_view& packet, const shared_secret& key,
                                        authorization_request& into) {
    into.what = packet.code() == packet_code::coa_request ? kind::change : kind::disconnect;
    if (const auto refused = refuse_attributes(packet, into.what))
        return refused;
    auto session = read_session(packet);
    if (!session)
        return cause_of(session.error().code);
    if (names_nothing(*session))
        return error_cause::missing_attribute;
    into.session = std::move(*session);
    if (into.what == kind::disconnect)
        return std::nullopt;
    auto order = read_mirror_order(packet, key);
    if (!order)
        return cause_of(order.error().code);
    if (!*order)
        return error_cause::missing_attribute;
    into.order = std::move(*order);
    return std::nullopt;
}

packet_code answer_code(packet_code request, bool is_refusal) {
    if (request == packet_code::coa_request)
        return is_refusal ? packet_code::coa_nak : packet_code::coa_ack;
    return is_refusal ? packet_code::disconnect_nak : packet_code::disconnect_ack;
}

/// Acct-Status-Type of a kind that tells nothing of sessions.
bool is_of_no_interest(const packet_view& packet, const error& why) {
    const auto status = packet.find(attribute_type::acct_status_type);
    return status && why.code == errc::value_out_of_range && why.subject == place(status->offset);
}

} // namespace

result<void> check(const server_settings& settings) {
    std::set<ip_address> known;
    for (const server_client& each : settings.clients) {
        if (!each.address.is_unicast() || !known.insert(each.address).second)
            return fail(errc::invalid_client);
        if (each.shared.empty())
            return fail(errc::invalid_secret);
    }
    if (known.empty())
        return fail(errc::invalid_client);
    const auto least = std::min({settings.remembered, settings.window, settings.log_interval});
    if (settings.most_remembered == 0 || least <= std::chrono::seconds(0))
        return fail(errc::invalid_limit);
    return {};
}

accounting_state::accounting_state(server_settings settings, cryptography functions, handler handle)
    : gate_(std::make_unique<detail::request_gate>(std::move(settings), std::move(functions),
                                                   "RADIUS accounting")),
      handle_(std::move(handle)) {}
accounting_state::~accounting_state() = default;
accounting_state::accounting_state(accounting_state&&) noexcept = default;
accounting_state& accounting_state::operator=(accounting_state&&) noexcept = default;

byte_view accounting_state::feed(const endpoint& from, byte_view datagram, const time_stamp& now) {
    const auto request = gate_->verify_request(from, datagram, {packet_code::accounting_request},
                                               message_authenticator::optional);
    if (!request)
        return {};
    if (const auto before = gate_->earlier_answer(from, request->packet, now.steady))
        return *before;
    const auto record = read_accounting(request->packet);
    if (!record && !is_of_no_interest(request->packet, record.error())) {
        gate_->ignore(ignored_request::malformed);
        return {};
    }
    if (record && !handle_(*record, from.address)) {
        gate_->ignore(ignored_request::not_recorded);
        return {};
    }
    gate_->count_answer(false);
    auto answer = answer_to(request->packet, packet_code::accounting_response, *request->key,
                            message_authenticator::optional);
    return gate_->remember(from, request->packet, std::move(answer),
                           now.steady + gate_->settings().remembered, now.wall);
}

void accounting_state::set_clients(std::vector<server_client> clients) {
    gate_->set_clients(std::move(clients));
}
const server_counters& accounting_state::counters() const noexcept {
    return gate_->counters();
}
std::optional<std::string> accounting_state::log_line(steady_time now) {
    return gate_->log_line(now);
}
std::optional<steady_time> accounting_state::deadline() const noexcept {
    return gate_->deadline();
}

authorization_state::authorization_state(server_settings settings, cryptography functions,
                                         handler handle)
    : gate_(std::make_unique<detail::request_gate>(std::move(settings), std::move(functions),
                                                   "RADIUS dynamic authorization")),
      handle_(std::move(handle)) {}
authorization_state::~authorization_state() = default;
authorization_state::authorization_state(authorization_state&&) noexcept = default;
authorization_state& authorization_state::operator=(authorization_state&&) noexcept = default;

/// Whether a request is of now. Counted if not.
bool authorization_state::is_current(const packet_view& packet, const time_stamp& now,
                                     wall_time& timestamp) {
    const auto told = packet.find(attribute_type::event_timestamp);
    const auto number = told ? told->number() : result<std::uint32_t>(0U);
    if (!told || !number) {
        gate_->ignore(told ? ignored_request::malformed : ignored_request::no_timestamp);
        return false;
    }
    timestamp = wall_time(std::chrono::seconds(*number));
    const auto window = gate_->settings().window;
    // The timestamp is whole seconds.
    const auto second = std::chrono::floor<std::chrono::seconds>(now.wall);
    if (timestamp < second - window || timestamp > second + window) {
        gate_->ignore(ignored_request::wrong_time);
        return false;
    }
    if (gate_->has_forgotten(timestamp)) {
        gate_->ignore(ignored_request::replayed);
        return false;
    }
    return true;
}

byte_view authorization_state::feed(const endpoint& from, byte_view datagram,
                                    const time_stamp& now) {
    const auto request = gate_->verify_request(
        from, datagram, {packet_code::coa_request, packet_code::disconnect_request},
        message_authenticator::required);
    if (!request)
        return {};
    if (const auto before = gate_->earlier_answer(from, request->packet, now.steady))
        return *before;
    authorization_request read;
    if (!is_current(request->packet, now, read.timestamp))
        return {};
    read.client = from.address;
    auto refused = read_request(request->packet, *request->key, read);
    if (!refused)
        refused = handle_(read);
    gate_->count_answer(refused.has_value());
    auto answer =
        answer_to(request->packet, answer_code(request->packet.code(), refused.has_value()),
                  *request->key, message_authenticator::required, refused);
    // One second more than its timestamp is within the window.
    const auto until = now.steady + (read.timestamp - now.wall) + gate_->settings().window +
                       std::chrono::seconds(1);
    return gate_->remember(from, request->packet, std::move(answer), until, read.timestamp);
}

void authorization_state::set_clients(std::vector<server_client> clients) {
    gate_->set_clients(std::move(clients));
}
const server_counters& authorization_state::counters() const noexcept {
    return gate_->counters();
}
std::optional<std::string> authorization_state::log_line(steady_time now) {
    return gate_->log_line(now);
}
std::optional<steady_time> authorization_state::deadline() const noexcept {
    return gate_->deadline();
}

} // namespace flowtap::radius
