// SPDX-License-Identifier: Apache-2.0
#include "access.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>

namespace flowtap::radius {

namespace {

// RFC 2865 sections 5.6 and 5.41.
constexpr std::uint32_t service_type_login = 1;
constexpr std::uint32_t port_type_virtual = 5;
/// Login, Administrative, NAS Prompt, Authenticate Only: kinds of service that a login here is.
constexpr std::array<std::uint32_t, 4> services_of_a_login = {1, 6, 7, 8};

std::string text_of(byte_view octets) {
    std::string text(octets.size(), '\0');
    std::transform(octets.begin(), octets.end(), text.begin(),
                   [](std::byte octet) { return static_cast<char>(octet); });
    return text;
}

std::string join(const std::vector<byte_view>& values) {
    std::string text;
    bool runs_on = true;
    for (const byte_view value : values) {
        if (!runs_on)
            text += ' ';
        text += text_of(value);
        runs_on = value.size() == longest_vendor_value;
    }
    return text;
}

/// An unknown kind of service is as good as a no (RFC 2865 section 5.6).
bool is_for_a_login(const packet_view& accept) {
    const auto service = accept.find(attribute_type::service_type);
    if (!service)
        return true;
    const auto number = service->number();
    return number && std::ranges::find(services_of_a_login, *number) != services_of_a_login.end();
}

login_outcome read_accept(const packet_view& accept, std::size_t server, const std::string& name) {
    const auto refuse = [&](std::string_view why) -> login_outcome {
        return login_rejected{server, name + " accepted the login, but " + std::string(why)};
    };
    if (!is_for_a_login(accept))
        return refuse("for a service that is none of a login (Service-Type)");
    const auto permissions =
        accept.vendor_values(vendor::juniper, juniper_attribute::user_permissions);
    if (!permissions)
        return refuse(permissions.error().message());
    const auto users = accept.vendor_values(vendor::juniper, juniper_attribute::local_user_name);
    if (!users)
        return refuse(users.error().message());
    if (users->size() > 1 || (users->size() == 1 && users->front().empty()))
        return refuse("Juniper-Local-User-Name does not name one user");
    login_accepted accepted{server, join(*permissions), std::nullopt};
    if (!users->empty())
        accepted.local_user = text_of(users->front());
    return accepted;
}

} // namespace

result<void> check_login(const login_request& request) {
    const std::string& login = request.login;
    if (login.empty() || login.size() > longest_value || login.find('\0') != std::string::npos)
        return fail(errc::invalid_login);
    if (request.calling_station.size() > longest_value)
        return fail(errc::value_too_long, "Calling-Station-Id");
    return check_password(request.password.view());
}

result<std::vector<std::byte>> make_access_request(const login_request& request,
                                                   const std::string& nas_identifier,
                                                   const std::optional<ip_address>& nas_address,
                                                   std::uint8_t id, const authenticator& random,
                                                   shared_secret& key) {
    const auto hidden = hide_password(request.password.view(), key, random);
    if (!hidden)
        return fail(hidden.error());
    packet_builder packet(packet_code::access_request, id);
    packet.set_authenticator(random);
    result<void> added = packet.add(attribute_type::user_name, request.login);
    const auto then = [&](auto add) {
        if (added)
            added = add();
    };
    then([&] { return packet.add(attribute_type::user_password, byte_view(*hidden)); });
    then([&] { return packet.add_number(attribute_type::service_type, service_type_login); });
    then([&] { return packet.add(attribute_type::nas_identifier, nas_identifier); });
    if (nas_address)
        then([&] {
            return packet.add_address(nas_address->ip_family() == family::inet
                                          ? attribute_type::nas_ip_address
                                          : attribute_type::nas_ipv6_address,
                                      *nas_address);
        });
    then([&] { return packet.add_number(attribute_type::nas_port_type, port_type_virtual); });
    if (!request.calling_station.empty())
        then([&] {
            return packet.add(attribute_type::calling_station_id, request.calling_station);
        });
    if (!added)
        return fail(added.error());
    return std::move(packet).finish(key);
}

login_outcome read_access_answer(const packet_view& answer, std::size_t server,
                                 const std::string& name) {
    switch (answer.code()) {
    case packet_code::access_accept:
        return read_accept(answer, server, name);
    case packet_code::access_challenge:
        // Who does not support challenges takes one for a reject (RFC 2865 section 4.4).
        return login_rejected{server, name + " wants to know more than the password "
                                             "(Access-Challenge), which is not supported"};
    default:
        return login_rejected{server, name + " rejected the login"};
    }
}

} // namespace flowtap::radius
