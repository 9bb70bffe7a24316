// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/subscriber.hpp>

#include <algorithm>
#include <array>
#include <bitset>
#include <utility>

#include <flowtap/radius/hidden.hpp>

#include "place.hpp"

namespace flowtap::radius {

namespace {

unexpected<error> fail_at(errc what, const attribute_view& where) {
    return fail(what, place(where.offset));
}

std::string text_of(byte_view octets) {
    std::string text(octets.size(), '\0');
    std::ranges::transform(octets, text.begin(),
                           [](std::byte octet) { return static_cast<char>(octet); });
    return text;
}

result<ip_address> address_of(const attribute_view& one, std::size_t size) {
    if (one.value.size() != size)
        return fail_at(errc::wrong_size, one);
    return ip_address::from_bytes(one.value);
}

/// RFC 3162 section 2.3: a zero octet, the length, and as much of the prefix as there is.
result<ip_prefix> prefix_of(const attribute_view& one) {
    std::array<std::byte, 16> octets{};
    if (one.value.size() < 2 || one.value.size() > 2 + octets.size())
        return fail_at(errc::wrong_size, one);
    const auto length = std::to_integer<std::uint8_t>(one.value[1]);
    if (length > 128)
        return fail_at(errc::value_out_of_range, one);
    const byte_view given = one.value.subspan(2);
    if (given.size() * 8 < length)
        return fail_at(errc::wrong_size, one);
    std::ranges::copy(given, octets.begin());
    const ip_prefix made{ip_address::from_bytes(octets), length};
    return ip_prefix{made.first(), length};
}

/// Reads the attributes of a packet one by one.
class session_reader {
public:
    result<void> take(const attribute_view& one);
    result<void> take_vendors(const packet_view& packet);
    subscriber_session finish() && {
        if (!session_.nas_address)
            session_.nas_address = nas_inet6_;
        return std::move(session_);
    }

private:
    result<void> take_text(const attribute_view& one, std::string& to) {
        to = text_of(one.value);
        return once(one);
    }
    result<void> take_address(const attribute_view& one, std::size_t size,
                              std::optional<ip_address>& to);
    result<void> take_prefix(const attribute_view& one, const result<ip_prefix>& prefix);
    result<void> take_number(const attribute_view& one, std::optional<std::uint32_t>& to);
    result<void> take_vendor_text(const packet_view& packet, vendor of, std::uint8_t type,
                                  std::string& to);
    result<void> once(const attribute_view& one) {
        const auto number = static_cast<std::size_t>(one.type);
        if (seen_.test(number))
            return fail_at(errc::repeated_attribute, one);
        seen_.set(number);
        return {};
    }

    subscriber_session session_;
    std::optional<ip_address> nas_inet6_;
    std::bitset<256> seen_;
};

result<void> session_reader::take(const attribute_view& one) {
    switch (one.type) {
    case attribute_type::user_name:
        return take_text(one, session_.user_name);
    case attribute_type::acct_session_id:
        return take_text(one, session_.accounting_session);
    case attribute_type::calling_station_id:
        return take_text(one, session_.calling_station);
    case attribute_type::nas_identifier:
        return take_text(one, session_.nas_identifier);
    case attribute_type::nas_port_id:
        return take_text(one, session_.nas_port_id);
    case attribute_type::nas_port:
        return take_number(one, session_.nas_port);
    case attribute_type::nas_ip_address:
        return take_address(one, 4, session_.nas_address);
    case attribute_type::nas_ipv6_address:
        return take_address(one, 16, nas_inet6_);
    case attribute_type::framed_ip_address: {
        auto taken = take_address(one, 4, session_.address);
        // RFC 2865 section 5.8: some values are no address but a wish for one.
        if (session_.address && !session_.address->is_unicast())
            session_.address.reset();
        return taken;
    }
    case attribute_type::framed_ipv6_prefix:
    case attribute_type::delegated_ipv6_prefix:
        return take_prefix(one, prefix_of(one));
    case attribute_type::framed_ipv6_address: {
        const auto address = address_of(one, 16);
        if (!address)
            return fail(address.error());
        return take_prefix(one, ip_prefix{*address, 128});
    }
    default:
        return {};
    }
}

result<void> session_reader::take_address(const attribute_view& one, std::size_t size,
                                          std::optional<ip_address>& to) {
    const auto address = address_of(one, size);
    if (!address)
        return fail(address.error());
    to = *address;
    return once(one);
}

result<void> session_reader::take_prefix(const attribute_view& one,
                                         const result<ip_prefix>& prefix) {
    if (!prefix)
        return fail(prefix.error());
    auto& known = session_.prefixes;
    if (std::ranges::find(known, *prefix) != known.end())
        return {};
    if (known.size() == most_prefixes)
        return fail_at(errc::too_many_values, one);
    known.push_back(*prefix);
    return {};
}

result<void> session_reader::take_number(const attribute_view& one,
                                         std::optional<std::uint32_t>& to) {
    const auto number = one.number();
    if (!number)
        return fail(number.error());
    to = *number;
    return once(one);
}

result<void> session_reader::take_vendor_text(const packet_view& packet, vendor of,
                                              std::uint8_t type, std::string& to) {
    const auto values = packet.vendor_values(of, type);
    if (!values)
        return fail(values.error());
    if (values->size() > 1)
        return fail(errc::repeated_attribute, place(static_cast<std::size_t>(
                                                  values->back().data() - packet.octets().data())));
    if (!values->empty())
        to = text_of(values->front());
    return {};
}

result<void> session_reader::take_vendors(const packet_view& packet) {
    const auto number = [](auto type) { return static_cast<std::uint8_t>(type); };
    auto taken = take_vendor_text(packet, vendor::dsl_forum,
                                  number(dsl_attribute::agent_circuit_id), session_.circuit_id);
    if (taken)
        taken = take_vendor_text(packet, vendor::dsl_forum, number(dsl_attribute::agent_remote_id),
                                 session_.remote_id);
    if (taken)
        taken =
            take_vendor_text(packet, vendor::juniper_erx,
                             number(erx_attribute::virtual_router_name), session_.virtual_router);
    return taken;
}

result<std::optional<std::uint32_t>> number_of(const packet_view& packet, attribute_type type) {
    const auto found = packet.find(type);
    if (!found)
        return std::optional<std::uint32_t>();
    const auto number = found->number();
    if (!number)
        return fail(number.error());
    return std::optional(*number);
}

/// The revealed value of one of vendor 4874's attributes, which must not stand there twice.
result<std::optional<std::vector<std::byte>>> revealed(const packet_view& packet,
                                                       erx_attribute type, const shared_secret& key,
                                                       const authenticator& request) {
    using outcome = std::optional<std::vector<std::byte>>;
    const auto values = packet.vendor_values(vendor::juniper_erx, type);
    if (!values)
        return fail(values.error());
    if (values->empty())
        return outcome();
    const auto where = [&packet](byte_view value) {
        return place(static_cast<std::size_t>(value.data() - packet.octets().data()));
    };
    if (values->size() > 1)
        return fail(errc::repeated_attribute, where(values->back()));
    auto value = reveal_with_salt(values->front(), key, request);
    if (!value)
        return fail(errc::malformed_hidden_value, where(values->front()));
    return outcome(std::move(*value));
}

/// A number of four octets, from `least` to `most`.
result<std::uint32_t> number_within(byte_view value, std::uint32_t least, std::uint32_t most) {
    if (value.size() != sizeof(std::uint32_t))
        return fail(errc::wrong_size);
    const auto number = load_big_endian<std::uint32_t>(value);
    if (number < least || number > most)
        return fail(errc::value_out_of_range);
    return number;
}

/// Two bits on top tell the form, and so the size.
result<void> check_handle(byte_view handle) {
    if (handle.size() != 4 && handle.size() != 8)
        return fail(errc::wrong_size);
    const unsigned form = std::to_integer<unsigned>(handle[0]) >> 6;
    if (form != (handle.size() == 4 ? 1U : 0U))
        return fail(errc::value_out_of_range);
    return {};
}

result<ip_address> read_destination(byte_view value) {
    if (value.size() != 4)
        return fail(errc::wrong_size);
    const ip_address address = ip_address::from_bytes(value);
    if (!address.is_unicast())
        return fail(errc::value_out_of_range);
    return address;
}

} // namespace

result<subscriber_session> read_session(const packet_view& packet) {
    session_reader reader;
    for (const attribute_view& one : packet)
        if (auto taken = reader.take(one); !taken)
            return fail(taken.error());
    if (auto taken = reader.take_vendors(packet); !taken)
        return fail(taken.error());
    return std::move(reader).finish();
}

result<accounting_record> read_accounting(const packet_view& packet) {
    const auto status = number_of(packet, attribute_type::acct_status_type);
    const auto delay = number_of(packet, attribute_type::acct_delay_time);
    const auto timestamp = number_of(packet, attribute_type::event_timestamp);
    for (const auto* const each : {&status, &delay, &timestamp})
        if (!*each)
            return fail(each->error());
    if (!*status)
        return fail(errc::missing_attribute);
    accounting_record made;
    made.event = static_cast<accounting_event>(std::min(**status, 255U));
    if (made.event == accounting_event{} || **status > 8 || (**status > 3 && **status < 7))
        return fail(errc::value_out_of_range,
                    place(packet.find(attribute_type::acct_status_type)->offset));
    auto session = read_session(packet);
    if (!session)
        return fail(session.error());
    const bool is_of_nas =
        made.event == accounting_event::on || made.event == accounting_event::off;
    if (!is_of_nas && session->accounting_session.empty())
        return fail(errc::missing_attribute);
    made.session = std::move(*session);
    made.delay = std::chrono::seconds(delay->value_or(0));
    if (*timestamp)
        made.timestamp = wall_time(std::chrono::seconds(**timestamp));
    return made;
}

result<std::optional<mirror_order>> read_mirror_order(const packet_view& packet,
                                                      const shared_secret& key,
                                                      const authenticator& request) {
    const auto action = revealed(packet, erx_attribute::li_action, key, request);
    const auto handle = revealed(packet, erx_attribute::med_dev_handle, key, request);
    const auto address = revealed(packet, erx_attribute::med_ip_address, key, request);
    const auto port = revealed(packet, erx_attribute::med_port_number, key, request);
    for (const auto* const each : {&action, &handle, &address, &port})
        if (!*each)
            return fail(each->error());
    if (!*action && !*handle && !*address && !*port)
        return std::optional<mirror_order>();
    if (!*action)
        return fail(errc::missing_attribute);
    mirror_order made;
    const auto number = number_within(**action, 0, 2);
    if (!number)
        return fail(number.error());
    made.action = static_cast<mirror_action>(*number);
    if (*handle) {
        if (auto checked = check_handle(**handle); !checked)
            return fail(checked.error());
        made.handle = **handle;
    }
    if (*address) {
        const auto read = read_destination(**address);
        if (!read)
            return fail(read.error());
        made.address = *read;
    }
    if (*port) {
        const auto read = number_within(**port, 1, 65535);
        if (!read)
            return fail(read.error());
        made.port = static_cast<std::uint16_t>(*read);
    }
    if (made.action != mirror_action::off && (!*handle || !*address || !*port))
        return fail(errc::missing_attribute);
    return std::optional(std::move(made));
}

} // namespace flowtap::radius
