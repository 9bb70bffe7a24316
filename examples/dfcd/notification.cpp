// SPDX-License-Identifier: Apache-2.0
#include "notification.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>

#include <flowtap/subscriber/error.hpp>
#include <flowtap/tap/error.hpp>

namespace dfcd {

namespace subscriber = flowtap::subscriber;
namespace tap = flowtap::tap;
using flowtap::ip_prefix;
using subscriber::event_kind;
using type = notification_object::type;

namespace {

/// Below jnxJsPacketMirrorTrapVars.
enum object : std::uint8_t {
    identifier = 1,
    session_identifier,
    trigger,
    trigger_type,
    configuration_source,
    error_cause,
    error_string,
    application_name,
    analyzer_address,
    user_name,
    date_and_time,
    router_id,
    direction,
    target_address,
    termination_reason,
    calling_station,
    nas_identifier,
    octets_received,
    octets_transmitted,
    target_prefix,
    target_prefix_length,
};

constexpr std::array mirroring_failure{
    date_and_time, configuration_source, trigger_type, trigger,          router_id,   user_name,
    identifier,    session_identifier,   error_cause,  application_name, error_string};
constexpr std::array logged_in{
    date_and_time,  configuration_source, trigger_type,       trigger,
    router_id,      identifier,           session_identifier, direction,
    target_address, analyzer_address,     nas_identifier,     calling_station,
    target_prefix,  target_prefix_length};
/// Of a login and of an activation.
constexpr std::array failed{
    date_and_time, configuration_source, trigger_type,    trigger,        router_id,
    identifier,    session_identifier,   direction,       target_address, analyzer_address,
    error_cause,   error_string,         calling_station, target_prefix,  target_prefix_length};
constexpr std::array logged_out{
    date_and_time,      configuration_source, trigger_type,        trigger,
    router_id,          identifier,           session_identifier,  direction,
    target_address,     analyzer_address,     termination_reason,  octets_received,
    octets_transmitted, target_prefix,        target_prefix_length};
constexpr std::array activated{
    date_and_time,  configuration_source, trigger_type,       trigger,
    router_id,      identifier,           session_identifier, direction,
    target_address, nas_identifier,       calling_station,    analyzer_address,
    target_prefix,  target_prefix_length};
constexpr std::array deactivated{
    date_and_time,      configuration_source, trigger_type,        trigger,        router_id,
    identifier,         session_identifier,   direction,           target_address, analyzer_address,
    termination_reason, target_prefix,        target_prefix_length};

struct form {
    /// Below jnxJsPacketMirrorNotifications.
    std::uint8_t number;
    std::span<const object> objects;
};

form form_of(event_kind kind) {
    switch (kind) {
    case event_kind::logged_in:
        return {2, logged_in};
    case event_kind::login_failed:
        return {3, failed};
    case event_kind::logged_out:
        return {4, logged_out};
    case event_kind::activated:
        return {5, activated};
    case event_kind::activation_failed:
        return {6, failed};
    case event_kind::deactivated:
        return {7, deactivated};
    case event_kind::mirroring_failed:
        break;
    }
    return {1, mirroring_failure};
}

/// jnxJsPacketMirrorTriggerType, for each `session_trait`.
constexpr std::array<std::uint8_t, tap::session_trait_count> trigger_types{3, 5, 1, 0, 2, 8, 7, 4};

/// jnxJsPacketMirrorErrorCause
std::uint64_t cause_of(std::error_code reason) {
    constexpr std::uint64_t generic = 0, no_resources = 1, no_name = 3, no_interface = 5,
                            missing_attribute = 7;
    if (reason == subscriber::errc::too_many_sessions || reason == subscriber::errc::no_egress ||
        reason == tap::errc::too_many_subscribers || reason == tap::errc::out_of_resources)
        return no_resources;
    if (reason == subscriber::errc::no_session_number || reason == tap::errc::no_traffic)
        return missing_attribute;
    if (reason == tap::errc::interface_not_configured)
        return no_interface;
    if (reason == tap::errc::vrf_not_configured)
        return no_name;
    return generic;
}

/// DateAndTime of SNMPv2-TC, in UTC.
std::string date_octets(flowtap::wall_time when) {
    using namespace std::chrono;
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(floor<milliseconds>(when - day));
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    const std::array<unsigned, 11> octets{year >> 8U,
                                          year & 0xFFU,
                                          static_cast<unsigned>(date.month()),
                                          static_cast<unsigned>(date.day()),
                                          static_cast<unsigned>(time.hours().count()),
                                          static_cast<unsigned>(time.minutes().count()),
                                          static_cast<unsigned>(time.seconds().count()),
                                          static_cast<unsigned>(time.subseconds().count() / 100),
                                          static_cast<unsigned>('+'),
                                          0,
                                          0};
    std::string made;
    for (const unsigned octet : octets)
        made += static_cast<char>(octet);
    return made;
}

/// A DisplayString; `-` for one that may not be empty and is.
std::string display(std::string_view from, std::size_t most) {
    if (from.empty())
        return "-";
    std::string made(from.substr(0, most));
    std::ranges::replace_if(
        made, [](char octet) { return octet < ' ' || octet > '~'; }, '?');
    return made;
}

std::optional<ip_prefix> first_of(const subscriber::session_record& session,
                                  flowtap::family wanted) {
    const auto found = std::ranges::find_if(
        session.addresses, [&](const ip_prefix& one) { return one.address.ip_family() == wanted; });
    return found != session.addresses.end() ? std::optional(*found) : std::nullopt;
}

std::string octets_of(const flowtap::ip_address& address) {
    const auto octets = address.bytes();
    std::string made;
    for (const std::byte octet : std::span(octets).first(address.size()))
        made += static_cast<char>(octet);
    return made;
}

notification_object number(object which, std::uint64_t value, type as = type::integer) {
    return {which, as, value};
}

notification_object text(object which, std::string value) {
    return {which, type::octets, 0, std::move(value)};
}

/// 0.0.0.0 for an address of another family.
notification_object ipv4(object which, const flowtap::ip_address& address) {
    const bool fits = address.ip_family() == flowtap::family::inet;
    return {which, type::ipv4_address, fits ? address.bits().low : 0};
}

/// Numbers that are the same whatever happens, or follow from what kind of thing happened.
notification_object fixed(object which, event_kind kind) {
    constexpr std::uint64_t both_directions = 2, admin_reset = 6;
    switch (which) {
    case direction:
        return number(which, both_directions);
    case termination_reason:
        // Why a session ended nobody says; a mirror ends because somebody asked for it.
        return number(which, kind == event_kind::deactivated ? admin_reset : 0);
    case octets_received:
    case octets_transmitted:
        return number(which, 0, type::counter);
    default:
        return number(which, 0);
    }
}

/// What tells of the session.
std::optional<notification_object> of_session(object which, const subscriber::event& what) {
    constexpr std::size_t longest = 64;
    const subscriber::session_record& session = what.session;
    const auto ipv6 = first_of(session, flowtap::family::inet6);
    switch (which) {
    case session_identifier:
        return number(
            which,
            what.id.session_id.value_or(
                subscriber::session_number(session.identity.accounting_session).value_or(0)),
            type::unsigned_number);
    case user_name:
        return text(which, display(session.user_name, longest));
    case target_address: {
        const auto known = first_of(session, flowtap::family::inet);
        return ipv4(which, known ? known->address : flowtap::ip_address{});
    }
    case calling_station:
        return text(which, display(session.calling_station, longest));
    case nas_identifier:
        return text(which, display(session.identity.element, longest));
    case target_prefix:
        return text(which, ipv6 ? octets_of(ipv6->address) : std::string());
    case target_prefix_length:
        return number(which, ipv6 ? ipv6->length : 0, type::unsigned_number);
    default:
        return {};
    }
}

/// What tells of who asked for it, and of what came of that.
std::optional<notification_object> of_intercept(object which, const subscriber::event& what) {
    constexpr std::uint64_t radius_coa = 1, dtcp = 4;
    constexpr std::size_t longest = 255;
    const auto by = what.trait.value_or(tap::session_trait::accounting_session);
    switch (which) {
    case identifier:
        return number(which, what.id.intercept_id, type::unsigned_number);
    case trigger:
        return text(
            which,
            display(what.trait ? what.value : what.session.identity.accounting_session, longest));
    case trigger_type:
        return number(which, trigger_types[static_cast<std::size_t>(by)]);
    case configuration_source:
        return number(which, what.trait ? dtcp : radius_coa);
    case error_cause:
        return number(which, cause_of(what.reason));
    case error_string:
        return text(which, display(what.reason.message(), longest));
    case analyzer_address:
        return ipv4(which, what.destination);
    default:
        return {};
    }
}

} // namespace

notification make_notification(const subscriber::event& what, std::string_view router,
                               flowtap::wall_time when) {
    constexpr std::size_t longest_router = 257;
    const form chosen = form_of(what.kind);
    notification made{chosen.number, {}};
    for (const object which : chosen.objects) {
        if (which == date_and_time)
            made.objects.push_back(text(which, date_octets(when)));
        else if (which == router_id)
            made.objects.push_back(text(which, display(router, longest_router)));
        else if (auto session = of_session(which, what))
            made.objects.push_back(std::move(*session));
        else if (auto intercept = of_intercept(which, what))
            made.objects.push_back(std::move(*intercept));
        else
            made.objects.push_back(fixed(which, what.kind));
    }
    return made;
}

} // namespace dfcd
