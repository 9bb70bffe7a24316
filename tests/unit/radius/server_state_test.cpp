// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/server_state.hpp>

#include <algorithm>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/radius/signature.hpp>

#include "requests.hpp"

namespace flowtap::radius {

namespace {

using std::chrono::seconds;
using type = attribute_type;

const ip_address client_address = ip_address::v4(0xC000020A);
const endpoint client_port{client_address, 40'000};
const wall_time noon{seconds(1'700'000'000)};

server_settings settings_for_tests() {
    server_settings made;
    made.clients.push_back({client_address, secret("s3cret")});
    return made;
}

/// A server, its clock, and what its handler was given and says.
struct authorization_lab {
    explicit authorization_lab(server_settings with = settings_for_tests())
        : state(std::move(with), test_cryptography(), [this](const authorization_request& request) {
              requests.push_back(request);
              return verdict;
          }) {}

    byte_view feed(const octets& datagram, const endpoint& from = client_port) {
        return state.feed(from, datagram, now);
    }
    std::uint64_t ignored(ignored_request why) const {
        return state.counters().ignored[static_cast<std::size_t>(why)];
    }
    std::uint32_t timestamp(seconds off = seconds(0)) const {
        return static_cast<std::uint32_t>(
            std::chrono::floor<seconds>(now.wall + off).time_since_epoch().count());
    }
    void pass(seconds time) {
        now.steady += time;
        now.wall += time;
    }
    /// A CoA-Request for a session, of this moment.
    octets change(const fill& with, std::uint8_t id = 7, seconds off = seconds(0)) const {
        return request(
            packet_code::coa_request,
            [&](packet_builder& to) {
                CHECK(to.add_number(type::event_timestamp, timestamp(off)));
                with(to);
            },
            id);
    }
    octets good_change(std::uint8_t id = 7, seconds off = seconds(0)) const {
        return change(
            [](packet_builder& to) {
                CHECK(to.add(type::acct_session_id, "0000002A"));
                add_order(to);
            },
            id, off);
    }

    time_stamp now{steady_time(seconds(1000)), noon + std::chrono::milliseconds(700)};
    std::vector<authorization_request> requests;
    std::optional<error_cause> verdict;
    authorization_state state;
};

struct answer {
    packet_code code{};
    std::uint32_t cause = 0;
    std::vector<std::string> proxies;
};

/// Reads an answer as the client that asked does.
answer read_answer(byte_view octets, const flowtap::octets& asked,
                   message_authenticator presence = message_authenticator::required) {
    const auto packet = packet_view::parse(octets);
    const auto request = packet_view::parse(asked);
    REQUIRE(packet);
    shared_secret key = key_of("s3cret");
    CHECK(verify(*packet, key, presence, request->authenticator()));
    CHECK(packet->id() == request->id());
    answer made;
    made.code = packet->code();
    if (const auto cause = packet->find(type::error_cause))
        made.cause = cause->number().value();
    for (const attribute_view& one : *packet)
        if (one.type == type::proxy_state)
            made.proxies.push_back(text_of(one.value));
    return made;
}

} // namespace

TEST_CASE("an order of a client is handed on, and answered as the handler says") {
    authorization_lab lab;
    const octets asked = lab.change([](packet_builder& to) {
        CHECK(to.add(type::proxy_state, "one"));
        CHECK(to.add(type::acct_session_id, "0000002A"));
        add_order(to);
        CHECK(to.add(type::proxy_state, "two"));
    });
    const answer yes = read_answer(lab.feed(asked), asked);
    CHECK(yes.code == packet_code::coa_ack);
    CHECK(yes.cause == 0);
    CHECK(yes.proxies == std::vector<std::string>{"one", "two"});
    REQUIRE(lab.requests.size() == 1);
    CHECK(lab.requests[0].what == authorization_request::kind::change);
    CHECK(lab.requests[0].client == client_address);
    CHECK(lab.requests[0].session.accounting_session == "0000002A");
    CHECK(lab.requests[0].timestamp == noon);
    REQUIRE(lab.requests[0].order);
    CHECK(lab.requests[0].order->action == mirror_action::on);
    CHECK(lab.requests[0].order->port == 6502);

    lab.verdict = error_cause::session_not_found;
    const octets again = lab.good_change(8);
    const answer no = read_answer(lab.feed(again), again);
    CHECK(no.code == packet_code::coa_nak);
    CHECK(no.cause == 503);
    CHECK(lab.state.counters().handled == 2);
    CHECK(lab.state.counters().refused == 1);
}

TEST_CASE("a Disconnect-Request is handed on without an order") {
    authorization_lab lab;
    const octets asked = request(packet_code::disconnect_request, [&](packet_builder& to) {
        CHECK(to.add_number(type::event_timestamp, lab.timestamp()));
        CHECK(to.add(type::framed_ip_address, from_hex("0a000001")));
    });
    CHECK(read_answer(lab.feed(asked), asked).code == packet_code::disconnect_ack);
    REQUIRE(lab.requests.size() == 1);
    CHECK(lab.requests[0].what == authorization_request::kind::disconnect);
    CHECK(lab.requests[0].session.address == ip_address::v4(0x0A000001));
    CHECK_FALSE(lab.requests[0].order);
}

TEST_CASE("what is verified and cannot be done is refused with its cause, unasked") {
    struct row {
        const char* what;
        std::uint32_t cause;
        fill with;
    };
    const auto session = [](packet_builder& to) { CHECK(to.add(type::acct_session_id, "1")); };
    const auto with_order = [session](const fill& more) -> fill {
        return [session, more](packet_builder& to) {
            session(to);
            add_order(to);
            more(to);
        };
    };
    const row table[] = {
        {"no session", 402, [](packet_builder& to) { add_order(to); }},
        {"a NAS alone is no session", 402,
         [](packet_builder& to) {
             CHECK(to.add(type::nas_identifier, "bng1"));
             CHECK(to.add_vendor(vendor::juniper_erx, erx_attribute::virtual_router_name,
                                 as_byte_view("vr")));
             add_order(to);
         }},
        {"no order", 402, session},
        {"half an order", 402,
         [session](packet_builder& to) {
             session(to);
             add_hidden(to, erx_attribute::li_action, number(1));
         }},
        {"a filter", 401,
         with_order([](packet_builder& to) { CHECK(to.add(attribute_type{11}, "f")); })},
        {"another vendor's", 401, with_order([](packet_builder& to) {
             CHECK(to.add_vendor(vendor::juniper, std::uint8_t{10}, as_byte_view("x")));
         })},
        {"another one of the vendor's", 401, with_order([](packet_builder& to) {
             CHECK(to.add_vendor(vendor::juniper_erx, std::uint8_t{65}, as_byte_view("x")));
         })},
        {"Authorize Only", 405,
         with_order([](packet_builder& to) { CHECK(to.add_number(type::service_type, 17)); })},
        {"action out of range", 407,
         [session](packet_builder& to) {
             session(to);
             add_order(to, 3);
         }},
        {"hidden with another secret", 407,
         [session](packet_builder& to) {
             session(to);
             add_hidden(to, erx_attribute::li_action, number(0), "another");
         }},
        {"address of a wrong size", 407, with_order([](packet_builder& to) {
             CHECK(to.add(type::framed_ip_address, from_hex("0a00")));
         })},
        {"twice", 404,
         with_order([](packet_builder& to) { CHECK(to.add(type::acct_session_id, "2")); })},
        {"vendor's attribute too short", 404, with_order([](packet_builder& to) {
             CHECK(to.add(type::vendor_specific, from_hex("000013")));
         })},
        {"vendor's attribute with a rest", 404, with_order([](packet_builder& to) {
             CHECK(to.add(type::vendor_specific, from_hex("0000130a 0103 31 01")));
         })},
    };
    for (const row& each : table) {
        CAPTURE(each.what);
        authorization_lab lab;
        const octets asked = lab.change(each.with);
        const answer no = read_answer(lab.feed(asked), asked);
        CHECK(no.code == packet_code::coa_nak);
        CHECK(no.cause == each.cause);
        CHECK(lab.requests.empty());
        CHECK(lab.state.counters().refused == 1);
    }
    // In a Disconnect-Request nothing but the session has a place.
    authorization_lab lab;
    const octets asked = request(packet_code::disconnect_request, [&](packet_builder& to) {
        CHECK(to.add_number(type::event_timestamp, lab.timestamp()));
        CHECK(to.add(type::acct_session_id, "1"));
        add_order(to);
    });
    const answer no = read_answer(lab.feed(asked), asked);
    CHECK(no.code == packet_code::disconnect_nak);
    CHECK(no.cause == 401);
}

TEST_CASE("what is not surely of a client gets no answer, and is counted by its cause") {
    authorization_lab lab;
    const octets good = lab.good_change();
    CHECK(lab.feed(good, {ip_address::v4(0xC000020B), 40'000}).empty());
    CHECK(lab.ignored(ignored_request::unknown_client) == 1);

    const fill with = [&](packet_builder& to) {
        CHECK(to.add_number(type::event_timestamp, lab.timestamp()));
        CHECK(to.add(type::acct_session_id, "1"));
    };
    CHECK(lab.feed(request(packet_code::coa_request, with, 1, message_authenticator::required,
                           "another"))
              .empty());
    CHECK(lab.ignored(ignored_request::wrong_authenticator) == 1);
    CHECK(lab.feed(request(packet_code::coa_request, with, 1, message_authenticator::optional))
              .empty());
    CHECK(lab.ignored(ignored_request::missing_message_authenticator) == 1);
    for (const packet_code code :
         {packet_code::accounting_request, packet_code::access_request, packet_code::coa_ack})
        CHECK(lab.feed(request(code, with)).empty());
    CHECK(lab.ignored(ignored_request::wrong_code) == 3);
    CHECK(lab.requests.empty());
    CHECK(lab.state.counters().handled == 0);
    CHECK_FALSE(lab.feed(good).empty());
}

TEST_CASE("a request cut or changed at any octet gets no answer") {
    authorization_lab lab;
    const octets good = lab.good_change();
    std::uint64_t count = 0;
    for (std::size_t size = 0; size < good.size(); ++size, ++count)
        CHECK(lab.feed({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}).empty());
    CHECK(lab.ignored(ignored_request::malformed) == count);
    for (std::size_t at = 0; at < good.size(); ++at, ++count) {
        octets changed = good;
        changed[at] ^= std::byte{0x01};
        CHECK(lab.feed(changed).empty());
    }
    const auto& ignored = lab.state.counters().ignored;
    CHECK(std::accumulate(ignored.begin(), ignored.end(), std::uint64_t{0}) == count);
    CHECK(lab.requests.empty());
    CHECK_FALSE(lab.feed(good).empty());
}

TEST_CASE("a Message-Authenticator that is wrong is noticed although the other digest is right") {
    authorization_lab lab;
    octets changed = lab.good_change();
    // It stands first. What is signed anew is the Request Authenticator alone.
    changed[header_size + 2] ^= std::byte{0x01};
    std::fill_n(changed.begin() + 4, 16, std::byte{0});
    const auto right = key_of("s3cret").md5({changed, as_byte_view("s3cret")});
    std::ranges::copy(right, changed.begin() + 4);
    CHECK(lab.feed(changed).empty());
    CHECK(lab.ignored(ignored_request::wrong_message_authenticator) == 1);
}

TEST_CASE("a timestamp must be there and within the window, to the second") {
    authorization_lab lab;
    const auto without = request(packet_code::coa_request, [](packet_builder& to) {
        CHECK(to.add(type::acct_session_id, "1"));
        add_order(to);
    });
    CHECK(lab.feed(without).empty());
    CHECK(lab.ignored(ignored_request::no_timestamp) == 1);
    const auto misshapen = request(packet_code::coa_request, [](packet_builder& to) {
        CHECK(to.add(type::event_timestamp, from_hex("0001")));
        CHECK(to.add(type::acct_session_id, "1"));
    });
    CHECK(lab.feed(misshapen).empty());
    CHECK(lab.ignored(ignored_request::malformed) == 1);
    for (const int off : {-301, 301, -100'000, 100'000})
        CHECK(lab.feed(lab.good_change(1, seconds(off))).empty());
    CHECK(lab.ignored(ignored_request::wrong_time) == 4);
    std::uint8_t id = 2;
    for (const int off : {-300, 300, 0})
        CHECK_FALSE(lab.feed(lab.good_change(id++, seconds(off))).empty());
    CHECK(lab.requests.size() == 3);
}

TEST_CASE("a repeated request gets its answer again and is not handled again") {
    authorization_lab lab;
    const octets asked = lab.good_change();
    const byte_view answered = lab.feed(asked);
    const octets first(answered.begin(), answered.end());
    lab.verdict = error_cause::session_not_found;
    lab.pass(seconds(299));
    const byte_view repeated = lab.feed(asked);
    CHECK(octets(repeated.begin(), repeated.end()) == first);
    CHECK(lab.requests.size() == 1);
    CHECK(lab.state.counters().repeated == 1);
    CHECK(lab.state.counters().handled == 1);
}

TEST_CASE("a request that was handled is not handled again for whoever replays it") {
    for (const int off : {-300, -1, 0, 1, 300}) {
        CAPTURE(off);
        authorization_lab lab;
        const octets asked = lab.good_change(7, seconds(off));
        CHECK_FALSE(lab.feed(asked).empty());
        const endpoint elsewhere{client_address, 40'001};
        // As long as its timestamp is good.
        for (int second = 0; second <= 300 + off; ++second) {
            CHECK(lab.feed(asked, elsewhere).empty());
            lab.pass(seconds(1));
        }
        CHECK(lab.ignored(ignored_request::replayed) == static_cast<std::uint64_t>(301 + off));
        // And then it is not.
        CHECK(lab.feed(asked, elsewhere).empty());
        lab.pass(seconds(5));
        CHECK(lab.feed(asked).empty());
        CHECK(lab.ignored(ignored_request::wrong_time) >= 1);
        CHECK(lab.requests.size() == 1);
    }
}

TEST_CASE("what had to be forgotten for want of room is a replay all the same") {
    server_settings few = settings_for_tests();
    few.most_remembered = 4;
    authorization_lab lab(std::move(few));
    std::deque<octets> sent;
    for (std::uint8_t id = 0; id < 10; ++id) {
        sent.push_back(lab.good_change(id));
        CHECK_FALSE(lab.feed(sent.back()).empty());
        lab.pass(seconds(1));
    }
    CHECK(lab.requests.size() == 10);
    for (std::size_t i = 0; i < sent.size(); ++i)
        CHECK(lab.feed(sent[i]).empty() == (i < 6));
    CHECK(lab.ignored(ignored_request::replayed) == 6);
    CHECK(lab.requests.size() == 10);
    CHECK_FALSE(lab.feed(lab.good_change(77)).empty());
}

TEST_CASE("clients that change are known from the next request on, and replays stay replays") {
    authorization_lab lab;
    const octets asked = lab.good_change();
    CHECK_FALSE(lab.feed(asked).empty());
    const ip_address other = ip_address::v4(0xC000020B);
    lab.state.set_clients(settings_for_tests().clients);
    CHECK(lab.feed(asked, {client_address, 1}).empty());
    CHECK(lab.ignored(ignored_request::replayed) == 1);
    std::vector<server_client> others;
    others.push_back({other, secret("s3cret")});
    lab.state.set_clients(std::move(others));
    CHECK(lab.feed(lab.good_change(9)).empty());
    CHECK(lab.ignored(ignored_request::unknown_client) == 1);
    CHECK_FALSE(lab.feed(lab.good_change(10), {other, 5}).empty());
}

TEST_CASE("the log is told what was ignored at a bounded rate and without names") {
    authorization_lab lab;
    CHECK_FALSE(lab.state.deadline());
    CHECK_FALSE(lab.state.log_line(lab.now.steady));
    const endpoint stranger{ip_address::v4(0xCB007107), 9};
    lab.feed(lab.good_change(), stranger);
    REQUIRE(lab.state.deadline());
    CHECK(*lab.state.deadline() <= lab.now.steady);
    CHECK(lab.state.log_line(lab.now.steady) ==
          "RADIUS dynamic authorization: ignored: 1 from unknown clients");
    CHECK_FALSE(lab.state.deadline());
    for (int i = 0; i < 1000; ++i)
        lab.feed(lab.good_change(), stranger);
    lab.verdict = error_cause::session_not_found;
    lab.feed(lab.good_change());
    lab.feed(lab.change([](packet_builder& to) { add_order(to); }, 9));
    CHECK_FALSE(lab.state.log_line(lab.now.steady + seconds(9)));
    CHECK(lab.state.deadline() == lab.now.steady + seconds(10));
    CHECK(lab.state.log_line(lab.now.steady + seconds(10)) ==
          "RADIUS dynamic authorization: refused 2 requests; ignored: 1000 from unknown clients");
    CHECK_FALSE(lab.state.log_line(lab.now.steady + seconds(100)));
}

namespace {

struct accounting_lab {
    explicit accounting_lab(server_settings with = settings_for_tests())
        : state(std::move(with), test_cryptography(),
                [this](const accounting_record& record, const ip_address& client) {
                    CHECK(client == client_address);
                    records.push_back(record);
                    return takes;
                }) {}

    octets start(std::uint8_t id = 7, std::uint32_t status = 1,
                 message_authenticator presence = message_authenticator::optional) const {
        return request(
            packet_code::accounting_request,
            [&](packet_builder& to) {
                CHECK(to.add_number(type::acct_status_type, status));
                CHECK(to.add(type::acct_session_id, "0000002A"));
                CHECK(to.add(type::proxy_state, "p"));
            },
            id, presence);
    }
    byte_view feed(const octets& datagram, const endpoint& from = client_port) {
        return state.feed(from, datagram, now);
    }
    std::uint64_t ignored(ignored_request why) const {
        return state.counters().ignored[static_cast<std::size_t>(why)];
    }

    time_stamp now{steady_time(seconds(1000)), noon};
    std::vector<accounting_record> records;
    bool takes = true;
    accounting_state state;
};

} // namespace

TEST_CASE("an accounting request is handed on and answered, with a Message-Authenticator or not") {
    accounting_lab lab;
    for (const auto presence : {message_authenticator::optional, message_authenticator::required}) {
        const octets asked =
            lab.start(presence == message_authenticator::optional ? 1 : 2, 1, presence);
        const answer given = read_answer(lab.feed(asked), asked, message_authenticator::optional);
        CHECK(given.code == packet_code::accounting_response);
        CHECK(given.proxies == std::vector<std::string>{"p"});
    }
    REQUIRE(lab.records.size() == 2);
    CHECK(lab.records[0].event == accounting_event::start);
    CHECK(lab.records[0].session.accounting_session == "0000002A");
}

TEST_CASE("a repeated accounting request is answered and not handed on, as long as remembered") {
    accounting_lab lab;
    const octets asked = lab.start();
    CHECK_FALSE(lab.feed(asked).empty());
    lab.now.steady += seconds(60);
    CHECK_FALSE(lab.feed(asked).empty());
    CHECK(lab.records.size() == 1);
    CHECK(lab.state.counters().repeated == 1);
    lab.now.steady += seconds(1);
    CHECK_FALSE(lab.feed(asked).empty());
    CHECK(lab.records.size() == 2);
}

TEST_CASE("what is not recorded, or cannot be read, gets no answer") {
    accounting_lab lab;
    lab.takes = false;
    const octets asked = lab.start();
    CHECK(lab.feed(asked).empty());
    CHECK(lab.ignored(ignored_request::not_recorded) == 1);
    lab.takes = true;
    CHECK_FALSE(lab.feed(asked).empty());
    CHECK(lab.records.size() == 2);
    const octets nameless = request(packet_code::accounting_request, [](packet_builder& to) {
        CHECK(to.add_number(type::acct_status_type, 1));
    });
    CHECK(lab.feed(nameless).empty());
    CHECK(lab.ignored(ignored_request::malformed) == 1);
    for (const packet_code code : {packet_code::coa_request, packet_code::accounting_response})
        CHECK(lab.feed(request(code, [](packet_builder&) {})).empty());
    CHECK(lab.ignored(ignored_request::wrong_code) == 2);
}

TEST_CASE(
    "accounting of a kind that tells nothing of sessions is answered, that it is not repeated") {
    accounting_lab lab;
    std::uint8_t id = 0;
    for (const std::uint32_t status : {9U, 15U}) {
        const octets asked = lab.start(id++, status);
        CHECK(read_answer(lab.feed(asked), asked, message_authenticator::optional).code ==
              packet_code::accounting_response);
    }
    CHECK(lab.records.empty());
    const octets broken = request(packet_code::accounting_request, [](packet_builder& to) {
        CHECK(to.add_number(type::acct_status_type, 1));
        CHECK(to.add(type::acct_session_id, "1"));
        CHECK(to.add(type::framed_ipv6_prefix, from_hex("0081 20")));
    });
    CHECK(lab.feed(broken).empty());
    CHECK(lab.ignored(ignored_request::malformed) == 1);
}

TEST_CASE("what accounting remembers is bounded") {
    server_settings few = settings_for_tests();
    few.most_remembered = 2;
    accounting_lab lab(std::move(few));
    const std::vector<octets> asked = {lab.start(1), lab.start(2), lab.start(3)};
    for (const octets& each : asked) {
        CHECK_FALSE(lab.feed(each).empty());
        lab.now.steady += seconds(1);
    }
    CHECK_FALSE(lab.feed(asked[2]).empty());
    CHECK_FALSE(lab.feed(asked[1]).empty());
    CHECK(lab.records.size() == 3);
    CHECK_FALSE(lab.feed(asked[0]).empty());
    CHECK(lab.records.size() == 4);
}

TEST_CASE("settings that cannot be used are refused") {
    CHECK(check(settings_for_tests()));
    const auto refused = [](auto change) {
        server_settings made = settings_for_tests();
        change(made);
        return check(made).error().code;
    };
    CHECK(refused([](server_settings& all) { all.clients.clear(); }) == errc::invalid_client);
    CHECK(refused([](server_settings& all) { all.clients.push_back(all.clients[0]); }) ==
          errc::invalid_client);
    CHECK(refused([](server_settings& all) { all.clients[0].address = {}; }) ==
          errc::invalid_client);
    CHECK(refused([](server_settings& all) { all.clients[0].shared = {}; }) ==
          errc::invalid_secret);
    CHECK(refused([](server_settings& all) { all.most_remembered = 0; }) == errc::invalid_limit);
    CHECK(refused([](server_settings& all) { all.window = seconds(0); }) == errc::invalid_limit);
    CHECK(refused([](server_settings& all) { all.remembered = seconds(-1); }) ==
          errc::invalid_limit);
}

} // namespace flowtap::radius
