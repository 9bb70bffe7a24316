// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/subscriber.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/radius/signature.hpp>

#include "requests.hpp"

namespace flowtap::radius {

namespace {

using type = attribute_type;

octets accounting(const fill& with) {
    return request(packet_code::accounting_request, with, 7, message_authenticator::optional);
}

result<accounting_record> read(const octets& datagram) {
    return read_accounting(packet_view::parse(datagram).value());
}

result<accounting_record> read(const fill& with) {
    return read(accounting(with));
}

void begin(packet_builder& to, std::uint32_t status = 1) {
    CHECK(to.add_number(type::acct_status_type, status));
    CHECK(to.add(type::acct_session_id, "0000002A"));
}

ip_prefix prefix(const char* text) {
    return parse_ip_prefix(text).value();
}

} // namespace

TEST_CASE("an accounting request tells all that names a session") {
    const auto record = read([](packet_builder& to) {
        begin(to, 3);
        CHECK(to.add(type::user_name, "bob@example.net"));
        CHECK(to.add(type::calling_station_id, "02-00-00-00-00-01"));
        CHECK(to.add(type::nas_identifier, "bng1"));
        CHECK(to.add(type::nas_ip_address, from_hex("c6336401")));
        CHECK(to.add(type::nas_ipv6_address, from_hex("20010db8000000000000000000000001")));
        CHECK(to.add_number(type::nas_port, 77));
        CHECK(to.add(type::nas_port_id, "ge-1/0/0.100"));
        CHECK(to.add(type::framed_ip_address, from_hex("0a000001")));
        // Host bits are set in the prefix, and one comes twice.
        CHECK(to.add(type::framed_ipv6_prefix, from_hex("0040 20010db8000000010000000000000001")));
        CHECK(to.add(type::framed_ipv6_prefix, from_hex("0040 20010db800000001")));
        CHECK(to.add(type::delegated_ipv6_prefix, from_hex("0038 20010db8ff0012")));
        CHECK(to.add(type::framed_ipv6_address, from_hex("20010db8000000000000000000000009")));
        CHECK(to.add_vendor(vendor::dsl_forum, dsl_attribute::agent_circuit_id,
                            as_byte_view("atm 1/1:3.3")));
        CHECK(to.add_vendor(vendor::dsl_forum, dsl_attribute::agent_remote_id,
                            as_byte_view("line7")));
        CHECK(to.add_vendor(vendor::juniper_erx, erx_attribute::virtual_router_name,
                            as_byte_view("default:vr1")));
        CHECK(to.add_number(type::acct_delay_time, 5));
        CHECK(to.add_number(type::event_timestamp, 1'700'000'000));
        CHECK(to.add_number(type::nas_port_type, 15));
    });
    REQUIRE(record);
    accounting_record expected;
    expected.event = accounting_event::interim;
    expected.delay = std::chrono::seconds(5);
    expected.timestamp = wall_time(std::chrono::seconds(1'700'000'000));
    subscriber_session& session = expected.session;
    session.accounting_session = "0000002A";
    session.user_name = "bob@example.net";
    session.calling_station = "02-00-00-00-00-01";
    session.nas_identifier = "bng1";
    session.nas_address = parse_ip_address("198.51.100.1").value();
    session.nas_port = 77;
    session.nas_port_id = "ge-1/0/0.100";
    session.circuit_id = "atm 1/1:3.3";
    session.remote_id = "line7";
    session.virtual_router = "default:vr1";
    session.address = parse_ip_address("10.0.0.1").value();
    session.prefixes = {prefix("2001:db8:0:1::/64"), prefix("2001:db8:ff00:1200::/56"),
                        prefix("2001:db8::9/128")};
    CHECK(*record == expected);
}

TEST_CASE("each kind of accounting request is told, and needs a session unless it is of the NAS") {
    for (const std::uint32_t status : {1U, 2U, 3U, 7U, 8U}) {
        CAPTURE(status);
        const auto record = read([&](packet_builder& to) { begin(to, status); });
        REQUIRE(record);
        CHECK(static_cast<std::uint32_t>(record->event) == status);
        const auto nameless =
            read([&](packet_builder& to) { CHECK(to.add_number(type::acct_status_type, status)); });
        CHECK(nameless.has_value() == (status >= 7));
        if (!nameless)
            CHECK(nameless.error().code == errc::missing_attribute);
    }
    for (const std::uint32_t status : {0U, 4U, 5U, 6U, 9U, 15U, 255U, 256U, 257U, UINT32_MAX}) {
        CAPTURE(status);
        CHECK(read([&](packet_builder& to) { begin(to, status); }).error().code ==
              errc::value_out_of_range);
    }
    CHECK(
        read([](packet_builder& to) { CHECK(to.add(type::acct_session_id, "1")); }).error().code ==
        errc::missing_attribute);
}

TEST_CASE("addresses that wish for an address are none") {
    for (const char* const wish : {"ffffffff", "fffffffe", "00000000", "e0000001"}) {
        const auto record = read([&](packet_builder& to) {
            begin(to);
            CHECK(to.add(type::framed_ip_address, from_hex(wish)));
        });
        REQUIRE(record);
        CHECK_FALSE(record->session.address);
    }
}

TEST_CASE("attributes of a wrong size, out of range or twice are told with their place") {
    struct bad {
        const char* what;
        fill with;
        errc code;
    };
    const auto value = [](type of, const char* hex) {
        return [=](packet_builder& to) { CHECK(to.add(of, byte_view(from_hex(hex)))); };
    };
    const auto twice = [](type of, const char* hex) {
        return [=](packet_builder& to) {
            CHECK(to.add(of, byte_view(from_hex(hex))));
            CHECK(to.add(of, byte_view(from_hex(hex))));
        };
    };
    const bad table[] = {
        {"short address", value(type::framed_ip_address, "0a0000"), errc::wrong_size},
        {"long address", value(type::framed_ip_address, "0a00000001"), errc::wrong_size},
        {"NAS address", value(type::nas_ip_address, "0a"), errc::wrong_size},
        {"NAS address of IPv6", value(type::nas_ipv6_address, "0a000001"), errc::wrong_size},
        {"address of IPv6", value(type::framed_ipv6_address, "0a000001"), errc::wrong_size},
        {"port", value(type::nas_port, "0001"), errc::wrong_size},
        {"delay", value(type::acct_delay_time, "01"), errc::wrong_size},
        {"timestamp", value(type::event_timestamp, "010203"), errc::wrong_size},
        {"prefix without length", value(type::framed_ipv6_prefix, "00"), errc::wrong_size},
        {"prefix too long",
         value(type::framed_ipv6_prefix, "0080 0000000000000000000000000000000000"),
         errc::wrong_size},
        {"prefix length", value(type::delegated_ipv6_prefix, "0081 20010db8"),
         errc::value_out_of_range},
        {"prefix cut", value(type::delegated_ipv6_prefix, "0021 20010db8"), errc::wrong_size},
        {"name twice", twice(type::user_name, "626f62"), errc::repeated_attribute},
        {"address twice", twice(type::framed_ip_address, "0a000001"), errc::repeated_attribute},
        {"NAS port twice", twice(type::nas_port, "00000001"), errc::repeated_attribute},
        {"circuit twice", twice(type::vendor_specific, "00000de9 0103 31"),
         errc::repeated_attribute},
        {"vendor's attribute cut", value(type::vendor_specific, "00000de9 0105 31"),
         errc::malformed_vendor_attribute},
    };
    for (const bad& each : table) {
        CAPTURE(each.what);
        const auto record = read([&](packet_builder& to) {
            begin(to);
            each.with(to);
        });
        REQUIRE_FALSE(record);
        CHECK(record.error().code == each.code);
        CHECK(record.error().subject.starts_with("octet "));
    }
    const auto many = [](std::size_t count) {
        return read([&](packet_builder& to) {
            begin(to);
            for (std::size_t i = 0; i < count; ++i)
                CHECK(to.add(
                    type::delegated_ipv6_prefix,
                    byte_view(octets{std::byte{0}, std::byte{8}, static_cast<std::byte>(i + 1)})));
        });
    };
    CHECK(many(most_prefixes).value().session.prefixes.size() == most_prefixes);
    CHECK(many(most_prefixes + 1).error().code == errc::too_many_values);
}

TEST_CASE("an accounting request cut at any octet is an error or a shorter request") {
    const octets whole = accounting([](packet_builder& to) {
        begin(to);
        CHECK(to.add(type::framed_ipv6_prefix, from_hex("0040 20010db800000001")));
        CHECK(to.add_vendor(vendor::dsl_forum, dsl_attribute::agent_circuit_id,
                            as_byte_view("atm 1/1:3.3")));
    });
    REQUIRE(read(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_FALSE(packet_view::parse(cut));
        if (size < header_size)
            continue;
        // The same with a length that says so.
        store_big_endian(std::span(cut).subspan(2), static_cast<std::uint16_t>(size));
        if (const auto packet = packet_view::parse(cut))
            static_cast<void>(read_accounting(*packet));
    }
}

namespace {

octets change(const fill& with) {
    return request(packet_code::coa_request, with);
}

result<std::optional<mirror_order>> order_in(const octets& datagram,
                                             std::string_view key = "s3cret") {
    return read_mirror_order(packet_view::parse(datagram).value(), key_of(key));
}

} // namespace

TEST_CASE("an order about mirroring is revealed and read") {
    for (const std::uint32_t action : {0U, 1U, 2U}) {
        const auto order = order_in(change([&](packet_builder& to) { add_order(to, action); }));
        REQUIRE(order);
        REQUIRE(*order);
        CHECK(static_cast<std::uint32_t>((*order)->action) == action);
        CHECK((*order)->handle == handle_of_four);
        CHECK((*order)->address == parse_ip_address("192.0.2.5").value());
        CHECK((*order)->port == 6502);
    }
    const octets long_handle = from_hex("3fffffff00000001");
    const auto order = order_in(change([&](packet_builder& to) {
        add_hidden(to, erx_attribute::li_action, number(0));
        add_hidden(to, erx_attribute::med_dev_handle, long_handle);
    }));
    REQUIRE(order);
    CHECK((*order)->handle == long_handle);
    CHECK_FALSE((*order)->address);
    CHECK((*order)->port == 0);
    const auto none = order_in(change([](packet_builder& to) {
        CHECK(to.add_vendor(vendor::juniper_erx, std::uint8_t{1}, as_byte_view("default")));
    }));
    REQUIRE(none);
    CHECK_FALSE(*none);
}

TEST_CASE("an order that lacks something, or has it out of range, is an error") {
    using erx = erx_attribute;
    struct row {
        erx changed;
        octets value; ///< empty: not there
        errc code;
    };
    const row table[] = {
        {erx::li_action, {}, errc::missing_attribute},
        {erx::med_dev_handle, {}, errc::missing_attribute},
        {erx::med_ip_address, {}, errc::missing_attribute},
        {erx::med_port_number, {}, errc::missing_attribute},
        {erx::li_action, number(3), errc::value_out_of_range},
        {erx::li_action, number(0x01000000), errc::value_out_of_range},
        {erx::li_action, from_hex("01"), errc::wrong_size},
        {erx::li_action, from_hex("0000000001"), errc::wrong_size},
        {erx::med_dev_handle, from_hex("0000002a"), errc::value_out_of_range},
        {erx::med_dev_handle, from_hex("8000002a"), errc::value_out_of_range},
        {erx::med_dev_handle, from_hex("4000002a00000001"), errc::value_out_of_range},
        {erx::med_dev_handle, from_hex("4000002a00"), errc::wrong_size},
        {erx::med_ip_address, from_hex("00000000"), errc::value_out_of_range},
        {erx::med_ip_address, from_hex("e0000001"), errc::value_out_of_range},
        {erx::med_ip_address, from_hex("c00002"), errc::wrong_size},
        {erx::med_port_number, number(0), errc::value_out_of_range},
        {erx::med_port_number, number(65536), errc::value_out_of_range},
        {erx::med_port_number, from_hex("1966"), errc::wrong_size},
    };
    for (const row& each : table) {
        CAPTURE(static_cast<int>(each.changed));
        CAPTURE(each.value.size());
        const auto order = order_in(change([&](packet_builder& to) {
            const auto put = [&](erx type, const octets& value) {
                const octets& chosen = type == each.changed ? each.value : value;
                if (!chosen.empty())
                    add_hidden(to, type, chosen);
            };
            put(erx::li_action, number(1));
            put(erx::med_dev_handle, handle_of_four);
            put(erx::med_ip_address, destination);
            put(erx::med_port_number, number(6502));
        }));
        REQUIRE_FALSE(order);
        CHECK(order.error().code == each.code);
        CHECK(order.error().message().find("192.0.2") == std::string::npos);
    }
    CHECK(order_in(change([](packet_builder& to) {
              add_order(to);
              add_hidden(to, erx::med_port_number, number(6502));
          }))
              .error()
              .code == errc::repeated_attribute);
}

TEST_CASE("an order hidden otherwise, or cut, reveals nothing that is taken for one") {
    const octets whole = change([](packet_builder& to) { add_order(to); });
    const auto wrong = order_in(whole, "another");
    CHECK_FALSE(wrong);
    const octets clear = change([](packet_builder& to) {
        CHECK(to.add_vendor(vendor::juniper_erx, erx_attribute::li_action, byte_view(number(1))));
    });
    CHECK(order_in(clear).error().code == errc::malformed_hidden_value);
    // Each hidden value cut at every octet.
    const octets hidden = *hide_with_salt(number(6502), 0x8001, key_of("s3cret"), {});
    for (std::size_t size = 1; size < hidden.size(); ++size) {
        const auto cut = order_in(change([&](packet_builder& to) {
            add_hidden(to, erx_attribute::li_action, number(0));
            CHECK(to.add_vendor(vendor::juniper_erx, erx_attribute::med_port_number,
                                byte_view(hidden).first(size)));
        }));
        REQUIRE_FALSE(cut);
        CHECK(cut.error().code == errc::malformed_hidden_value);
    }
}

TEST_CASE("a product that sees the login reads the order in the Access-Accept") {
    authenticator asked;
    asked.fill(std::byte{0x5A});
    packet_builder made(packet_code::access_accept, 9);
    const auto put = [&](erx_attribute type, const octets& value) {
        add_hidden(made, type, value, "s3cret", asked);
    };
    put(erx_attribute::li_action, number(1));
    put(erx_attribute::med_dev_handle, handle_of_four);
    put(erx_attribute::med_ip_address, destination);
    put(erx_attribute::med_port_number, number(6502));
    shared_secret key = key_of("s3cret");
    const octets datagram = std::move(made).finish(key, asked);
    const auto accept = packet_view::parse(datagram);
    REQUIRE(accept);
    REQUIRE(verify(*accept, key, message_authenticator::required, asked));
    const auto order = read_mirror_order(*accept, key, asked);
    REQUIRE(order);
    REQUIRE(*order);
    CHECK((*order)->action == mirror_action::on);
    CHECK((*order)->handle == handle_of_four);
    // With the authenticator of another request it is nothing.
    CHECK_FALSE(read_mirror_order(*accept, key));
}

} // namespace flowtap::radius
