// SPDX-License-Identifier: Apache-2.0
#include "subscriber_requests.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include <flowtap/packet/intercept_id.hpp>
#include <flowtap/subscriber/error.hpp>
#include <flowtap/tap/error.hpp>

namespace dfcd {

namespace packet = flowtap::packet;
namespace radius = flowtap::radius;
namespace subscriber = flowtap::subscriber;
namespace tap = flowtap::tap;

using radius::error_cause;

namespace {

/// What names the network element of a session: as it says, else where it sends from.
std::string element_of(const radius::subscriber_session& session,
                       const flowtap::ip_address& client) {
    if (session.nas_address)
        return "address " + to_string(*session.nas_address);
    if (!session.nas_identifier.empty())
        return "name " + session.nas_identifier;
    return "address " + to_string(client);
}

std::string instance_of(std::string_view name) {
    return name == "default" ? std::string() : std::string(name);
}

/// A virtual router is `logical-system:routing-instance`, or the latter alone.
void read_virtual_router(std::string_view text, subscriber::session_record& into) {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos)
        into.logical_system = instance_of(text.substr(0, colon));
    into.routing_instance =
        instance_of(colon == std::string_view::npos ? text : text.substr(colon + 1));
}

void replace(std::string& text, const std::string& news) {
    if (!news.empty())
        text = news;
}

/// What was known, with what this says of it: an Interim-Update need not say everything again.
subscriber::session_record merged(subscriber::session_record known,
                                  const radius::subscriber_session& news) {
    replace(known.user_name, news.user_name);
    replace(known.nas_port_id, news.nas_port_id);
    replace(known.circuit_id, news.circuit_id);
    replace(known.remote_id, news.remote_id);
    replace(known.calling_station, news.calling_station);
    if (!news.virtual_router.empty())
        read_virtual_router(news.virtual_router, known);
    std::vector<flowtap::ip_prefix> addresses;
    if (news.address)
        addresses.push_back({*news.address, 32});
    addresses.insert(addresses.end(), news.prefixes.begin(), news.prefixes.end());
    if (!addresses.empty())
        known.addresses = std::move(addresses);
    return known;
}

bool has_all(const subscriber::session_record& one, const radius::subscriber_session& wanted) {
    const auto fits = [](const std::string& has, const std::string& asked) {
        return asked.empty() || has == asked;
    };
    const auto has_address = [&](const flowtap::ip_prefix& asked) {
        return std::find(one.addresses.begin(), one.addresses.end(), asked) != one.addresses.end();
    };
    return fits(one.identity.accounting_session, wanted.accounting_session) &&
           fits(one.user_name, wanted.user_name) && fits(one.nas_port_id, wanted.nas_port_id) &&
           fits(one.circuit_id, wanted.circuit_id) && fits(one.remote_id, wanted.remote_id) &&
           fits(one.calling_station, wanted.calling_station) &&
           (!wanted.address || has_address({*wanted.address, 32})) &&
           std::all_of(wanted.prefixes.begin(), wanted.prefixes.end(), has_address);
}

bool is_of_element(const subscriber::session_record& one,
                   const radius::subscriber_session& wanted) {
    const std::string& element = one.identity.element;
    if (wanted.nas_address && element.starts_with("address "))
        return element == "address " + to_string(*wanted.nas_address);
    // Of a NAS that is known by its address a name says nothing.
    return wanted.nas_identifier.empty() || !element.starts_with("name ") ||
           element == "name " + wanted.nas_identifier;
}

/// Sessions with the first attribute that tells a session.
std::vector<subscriber::session_ref> candidates(const subscriber::directory& all,
                                                const radius::subscriber_session& wanted) {
    using tap::session_trait;
    if (!wanted.accounting_session.empty())
        return all.find(session_trait::accounting_session, wanted.accounting_session);
    if (wanted.address)
        return all.find(session_trait::address, to_string(*wanted.address));
    const std::pair<session_trait, const std::string*> texts[] = {
        {session_trait::user_name, &wanted.user_name},
        {session_trait::nas_port_id, &wanted.nas_port_id},
        {session_trait::calling_station, &wanted.calling_station},
        {session_trait::circuit_id, &wanted.circuit_id},
        {session_trait::remote_id, &wanted.remote_id},
    };
    for (const auto& [by, text] : texts)
        if (!text->empty())
            return all.find(by, *text);
    return {};
}

/// The one session that a request is about (RFC 5176 section 3): it has all that is said.
std::variant<subscriber::session_ref, error_cause>
find_session(const subscriber::directory& all, const radius::subscriber_session& wanted) {
    auto found = candidates(all, wanted);
    std::erase_if(found, [&](subscriber::session_ref one) {
        return !has_all(all.at(one), wanted) || !is_of_element(all.at(one), wanted);
    });
    if (found.empty())
        return error_cause::session_not_found;
    if (found.size() > 1)
        return error_cause::several_sessions;
    return found.front();
}

error_cause cause_of(std::error_code code) {
    if (code == subscriber::errc::no_session_number)
        return error_cause::invalid_attribute_value;
    return error_cause::resources_unavailable;
}

std::optional<error_cause> apply_order(subscribers& all, subscriber::session_ref session,
                                       const radius::mirror_order& order, flowtap::time_stamp now) {
    subscriber::radius_request asked;
    if (order.action != radius::mirror_action::off) {
        const auto id = packet::read_intercept_id(order.handle);
        if (!id || !order.address || !order.address->is_unicast() || order.port == 0)
            return error_cause::invalid_attribute_value;
        asked = {*id, {*order.address, order.port}};
    }
    const auto done =
        all.all().authorize(session, static_cast<subscriber::li_action>(order.action), asked, now);
    return done ? std::nullopt : std::optional(cause_of(done.error().code));
}

/// The record is the same for `on` and `no-op` but for the word.
std::string describe(const radius::authorization_request& request,
                     const subscriber::session_record& session) {
    static constexpr std::string_view actions[] = {"off", "on", "no-op"};
    const std::string_view what =
        request.order ? actions[static_cast<std::size_t>(request.order->action)] : "Disconnect";
    return fmt::format("LI-Action {}: session {} of {}{}{}",
                       request.what == radius::authorization_request::kind::disconnect
                           ? std::string_view("none (Disconnect-Request)")
                           : what,
                       session.identity.accounting_session, session.identity.element,
                       session.user_name.empty() ? "" : ", user ", session.user_name);
}

std::optional<error_cause> do_authorization(subscribers& all,
                                            const radius::authorization_request& request,
                                            flowtap::time_stamp now, std::string& told) {
    const subscriber::directory& sessions = all.all().sessions();
    const auto found = find_session(sessions, request.session);
    if (const auto* failed = std::get_if<error_cause>(&found)) {
        told = "RADIUS asked about a session that is not there, or not the only one";
        return *failed;
    }
    const subscriber::session_ref session = std::get<subscriber::session_ref>(found);
    told = describe(request, sessions.at(session));
    // Before anything is done.
    if (!all.note(to_string(request.client), told, now))
        return error_cause::resources_unavailable;
    told.clear();
    if (request.what == radius::authorization_request::kind::disconnect) {
        const subscriber::session_identity identity = sessions.at(session).identity;
        all.all().end_session(identity, now);
        return std::nullopt;
    }
    return apply_order(all, session, *request.order, now);
}

} // namespace

bool take_accounting(subscribers& all, const radius::accounting_record& record,
                     const flowtap::ip_address& client, flowtap::time_stamp now) {
    const std::string element = element_of(record.session, client);
    if (record.event == radius::accounting_event::on ||
        record.event == radius::accounting_event::off) {
        all.all().end_sessions(element, now);
        return true;
    }
    const subscriber::session_identity identity{element, record.session.accounting_session};
    if (record.event == radius::accounting_event::stop) {
        all.all().end_session(identity, now);
        return true;
    }
    const subscriber::directory& sessions = all.all().sessions();
    subscriber::session_record known;
    if (const auto there = sessions.find(identity);
        there && record.event == radius::accounting_event::interim)
        known = sessions.at(*there);
    known.identity = identity;
    return all.all().put_session(merged(std::move(known), record.session), now).has_value();
}

std::optional<error_cause> take_authorization(subscribers& all,
                                              const radius::authorization_request& request,
                                              flowtap::time_stamp now) {
    std::string told;
    const auto refused = do_authorization(all, request, now, told);
    if (refused)
        all.note(to_string(request.client),
                 fmt::format("refused with Error-Cause {}{}{}", static_cast<unsigned>(*refused),
                             told.empty() ? "" : ": ", told),
                 now);
    return refused;
}

} // namespace dfcd
