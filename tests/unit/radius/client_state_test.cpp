// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/client_state.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>
#include <flowtap/radius/packet.hpp>

#include "rig.hpp"

namespace flowtap::radius {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const endpoint first_address{ip_address::v4(0xC000020A), 1812};
const endpoint second_address{ip_address::v4(0xC000020B), 1645};

server server_at(const endpoint& address, std::string_view shared = "s3cret") {
    return {address, secret(shared), seconds(3), 3, std::nullopt};
}

client_settings settings_of(std::vector<server> servers) {
    client_settings made;
    made.servers = std::move(servers);
    return made;
}

login_request bob() {
    return {"bob", secret("abc123"), "", std::nullopt};
}

packet_view parsed(const octets& packet) {
    auto view = packet_view::parse(packet);
    REQUIRE(view.has_value());
    return *view;
}

/// A client, its clock, and what it did.
class rig {
public:
    explicit rig(client_settings with) : state(std::move(with), test_cryptography()) {}

    login_id begin(login_request request) {
        const auto login = state.begin(std::move(request), now);
        REQUIRE(login.has_value());
        settle();
        return *login;
    }

    void settle() {
        while (auto next = state.next_effect()) {
            if (auto* const open = std::get_if<open_socket>(&*next))
                sockets.emplace(open->socket, *open);
            else if (auto* const send = std::get_if<send_datagram>(&*next))
                sent.push_back(std::move(*send));
            else if (auto* const close = std::get_if<close_socket>(&*next))
                CHECK(sockets.erase(close->socket) == 1);
            else if (auto* const ended = std::get_if<login_ended>(&*next))
                CHECK(outcomes.emplace(ended->login, std::move(ended->outcome)).second);
            else
                log.push_back(std::get<server_changed>(*next).message);
        }
    }

    /// Lets the time pass, and everything happen when it is due.
    void pass(std::chrono::nanoseconds time) {
        const steady_time end = now + time;
        while (state.deadline() && *state.deadline() <= end) {
            now = std::max(now, *state.deadline());
            state.turn(now);
            settle();
        }
        now = end;
    }

    void feed(const send_datagram& request, const octets& answer) {
        feed_from(sockets.at(request.socket).to, request, answer);
    }
    void feed_from(const endpoint& from, const send_datagram& request, const octets& answer) {
        state.feed(request.socket, from, answer, now);
        settle();
    }

    const endpoint& to(const send_datagram& request) const { return sockets.at(request.socket).to; }
    std::uint64_t ignored(ignored_answer why, std::size_t server = 0) const {
        return state.servers()[server].ignored[static_cast<std::size_t>(why)];
    }
    const login_accepted& accepted(login_id login) const {
        REQUIRE(outcomes.contains(login));
        REQUIRE(std::holds_alternative<login_accepted>(outcomes.at(login)));
        return std::get<login_accepted>(outcomes.at(login));
    }
    std::string rejected(login_id login) const {
        REQUIRE(outcomes.contains(login));
        REQUIRE(std::holds_alternative<login_rejected>(outcomes.at(login)));
        return std::get<login_rejected>(outcomes.at(login)).reason;
    }
    std::string unavailable(login_id login) const {
        REQUIRE(outcomes.contains(login));
        REQUIRE(std::holds_alternative<login_unavailable>(outcomes.at(login)));
        return std::get<login_unavailable>(outcomes.at(login)).reason;
    }

    client_state state;
    steady_time now{std::chrono::hours(1)};
    std::map<socket_id, open_socket> sockets;
    std::vector<send_datagram> sent;
    std::map<login_id, login_outcome> outcomes;
    std::vector<std::string> log;
};

struct answer_options {
    packet_code code = packet_code::access_accept;
    std::string shared = "s3cret";
    message_authenticator presence = message_authenticator::required;
    int id_offset = 0;
};

octets answer_to(const send_datagram& request, packet_builder builder, std::string_view shared) {
    shared_secret key = key_of(shared);
    return std::move(builder).finish(key, parsed(request.octets).authenticator());
}

octets answer_to(const send_datagram& request, const answer_options& with = {}) {
    const auto id = static_cast<std::uint8_t>(parsed(request.octets).id() + with.id_offset);
    return answer_to(request, packet_builder(with.code, id, with.presence), with.shared);
}

packet_builder accept_of(const send_datagram& request) {
    return {packet_code::access_accept, parsed(request.octets).id()};
}

} // namespace

TEST_CASE("a request carries what RFC 2865 asks for, Message-Authenticator first") {
    server one = server_at(first_address);
    one.source_address = ip_address::v4(0xC0000263);
    client_settings settings = settings_of({one});
    settings.nas_identifier = "iap1";
    rig client(std::move(settings));
    login_request request = bob();
    request.calling_station = "198.51.100.7";
    client.begin(std::move(request));

    REQUIRE(client.sent.size() == 1);
    const open_socket& socket = client.sockets.begin()->second;
    CHECK(socket.to == first_address);
    CHECK(socket.source_address == one.source_address);
    const packet_view packet = parsed(client.sent[0].octets);
    CHECK(packet.code() == packet_code::access_request);
    CHECK((*packet.begin()).type == attribute_type::message_authenticator);
    shared_secret key = key_of("s3cret");
    CHECK(verify(packet, key, message_authenticator::required));
    const auto text = [&](attribute_type type) { return text_of(packet.find(type)->value); };
    CHECK(text(attribute_type::user_name) == "bob");
    CHECK(text(attribute_type::nas_identifier) == "iap1");
    CHECK(text(attribute_type::calling_station_id) == "198.51.100.7");
    CHECK(*packet.find(attribute_type::nas_ip_address)->number() == 0xC0000263);
    CHECK(*packet.find(attribute_type::service_type)->number() == 1);
    CHECK(*packet.find(attribute_type::nas_port_type)->number() == 5);
    CHECK(reveal_password(packet.find(attribute_type::user_password)->value, key,
                          packet.authenticator())
              ->view() == "abc123");
}

TEST_CASE("an accept brings permissions and the local user, and ends everything") {
    rig client(settings_of({server_at(first_address)}));
    const login_id login = client.begin(bob());
    packet_builder accept = accept_of(client.sent[0]);
    CHECK(accept.add_vendor(vendor::juniper, juniper_attribute::user_permissions,
                            as_byte_view("flow-tap-operation configure")));
    CHECK(accept.add_vendor(vendor::juniper, juniper_attribute::local_user_name,
                            as_byte_view("template")));
    client.feed(client.sent[0], answer_to(client.sent[0], std::move(accept), "s3cret"));
    CHECK(client.accepted(login).permissions == "flow-tap-operation configure");
    CHECK(client.accepted(login).local_user == "template");
    CHECK(client.sockets.empty());
    CHECK(client.state.logins() == 0);
    CHECK_FALSE(client.state.deadline());
    CHECK(client.state.servers()[0].accepted == 1);
}

TEST_CASE("an accept without permissions grants none") {
    rig client(settings_of({server_at(first_address)}));
    const login_id login = client.begin(bob());
    client.feed(client.sent[0], answer_to(client.sent[0]));
    CHECK(client.accepted(login).permissions.empty());
    CHECK_FALSE(client.accepted(login).local_user);
}

TEST_CASE("permissions that fill an attribute run on in the next one, others are words apart") {
    const std::string full = std::string(241, 'a') + " flow-";
    REQUIRE(full.size() == longest_vendor_value);
    for (const auto& [pieces, expected] :
         std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"a b", "c"}, "a b c"},
             {{full, "tap-operation"}, full + "tap-operation"},
             {{full, full, "x", "y"}, full + full + "x y"}}) {
        rig client(settings_of({server_at(first_address)}));
        const login_id login = client.begin(bob());
        packet_builder accept = accept_of(client.sent[0]);
        for (const std::string& piece : pieces)
            CHECK(accept.add_vendor(vendor::juniper, juniper_attribute::user_permissions,
                                    as_byte_view(piece)));
        client.feed(client.sent[0], answer_to(client.sent[0], std::move(accept), "s3cret"));
        CHECK(client.accepted(login).permissions == expected);
    }
}

TEST_CASE("whatever an authentic answer says that is not clearly yes is no") {
    using prepare = void (*)(packet_builder&);
    const auto with = [](packet_code code, prepare add) {
        rig client(settings_of({server_at(first_address)}));
        const login_id login = client.begin(bob());
        packet_builder answer(code, parsed(client.sent[0].octets).id());
        add(answer);
        client.feed(client.sent[0], answer_to(client.sent[0], std::move(answer), "s3cret"));
        CHECK(client.state.servers()[0].rejected == 1);
        return client.rejected(login);
    };
    const prepare nothing = [](packet_builder&) {};
    CHECK(with(packet_code::access_reject, nothing) == "192.0.2.10:1812 rejected the login");
    CHECK(with(packet_code::access_challenge, nothing).find("Access-Challenge") !=
          std::string::npos);
    CHECK(with(packet_code::access_accept, [](packet_builder& one) {
              CHECK(one.add_number(attribute_type::service_type, 2));
          }).find("Service-Type") != std::string::npos);
    CHECK(with(packet_code::access_accept, [](packet_builder& one) {
              CHECK(one.add(attribute_type::vendor_specific, byte_view(from_hex("00000a4c0a09"))));
          }).find("the vendor's attribute does not fit") != std::string::npos);
    CHECK(with(packet_code::access_accept, [](packet_builder& one) {
              for (int i = 0; i < 2; ++i)
                  CHECK(one.add_vendor(vendor::juniper, juniper_attribute::local_user_name,
                                       as_byte_view("x")));
          }).find("Juniper-Local-User-Name") != std::string::npos);
    CHECK(with(packet_code::access_accept, [](packet_builder& one) {
              CHECK(one.add(attribute_type::vendor_specific, byte_view(from_hex("00000a4c0102"))));
          }).find("Juniper-Local-User-Name") != std::string::npos);
}

TEST_CASE("forged answers are counted and do not end the wait, and the failure names them") {
    rig client(settings_of({server_at(first_address)}));
    const login_id login = client.begin(bob());
    const send_datagram request = client.sent[0];
    const octets good = answer_to(request);

    client.feed_from(second_address, request, good);
    for (std::size_t size = 0; size < good.size(); ++size)
        client.feed(request, {good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    client.feed(request, octets(longest_packet + 1));
    client.feed(request, answer_to(request, {.id_offset = 1}));
    client.feed(request, answer_to(request, {.code = packet_code::accounting_response}));
    client.feed(request, answer_to(request, {.shared = "other"}));
    client.feed(request, answer_to(request, {.presence = message_authenticator::optional}));
    packet_builder false_signature = accept_of(request);
    CHECK(false_signature.add(attribute_type::message_authenticator, octets(16)));
    client.feed(request, answer_to(request, std::move(false_signature), "s3cret"));
    for (std::size_t at = 0; at < good.size(); ++at) {
        octets bad = good;
        bad[at] ^= std::byte{0x20};
        client.feed(request, bad);
    }
    CHECK(client.outcomes.empty());
    CHECK(client.ignored(ignored_answer::wrong_address) == 1);
    CHECK(client.ignored(ignored_answer::malformed) >= good.size() + 1);
    CHECK(client.ignored(ignored_answer::unknown_id) == 2);
    CHECK(client.ignored(ignored_answer::wrong_code) == 2);
    CHECK(client.ignored(ignored_answer::no_message_authenticator) == 1);
    CHECK(client.ignored(ignored_answer::wrong_message_authenticator) == 1);

    SUBCASE("the true answer still counts") {
        client.feed(request, good);
        CHECK(client.accepted(login).permissions.empty());
    }
    SUBCASE("without one the failure says what came") {
        client.pass(seconds(9));
        const std::string reason = client.unavailable(login);
        CHECK(reason.starts_with("192.0.2.10:1812 gave no answer to 3 requests in 9 s (ignored: 1 "
                                 "from another address, "));
        CHECK(reason.find("1 without Message-Authenticator") != std::string::npos);
        CHECK(reason.find("with a wrong authenticator (not the same shared secret?)") !=
              std::string::npos);
        for (const char* hidden : {"bob", "abc123", "s3cret"})
            CHECK(reason.find(hidden) == std::string::npos);
    }
}

TEST_CASE("a request is repeated unchanged, then the next server is asked anew") {
    rig client(settings_of({server_at(first_address), server_at(second_address, "other")}));
    const login_id login = client.begin(bob());
    client.pass(milliseconds(2999));
    CHECK(client.sent.size() == 1);
    client.pass(milliseconds(1));
    CHECK(client.sent.size() == 2);
    client.pass(seconds(3));
    REQUIRE(client.sent.size() == 3);
    CHECK(client.sent[1].octets == client.sent[0].octets);
    CHECK(client.sent[2].octets == client.sent[0].octets);
    client.pass(seconds(3));
    REQUIRE(client.sent.size() == 4);
    CHECK(client.to(client.sent[3]) == second_address);
    CHECK(parsed(client.sent[3].octets).authenticator() !=
          parsed(client.sent[0].octets).authenticator());
    CHECK(client.log ==
          std::vector<std::string>{
              "RADIUS server 192.0.2.10:1812 does not answer and is asked last from now on"});
    client.feed(client.sent[3], answer_to(client.sent[3], {.shared = "other"}));
    CHECK(client.accepted(login).server == 1);
}

TEST_CASE("when nobody answers, the reason tells of each server") {
    rig client(settings_of({server_at(first_address), server_at(second_address)}));
    const login_id login = client.begin(bob());
    client.state.network_error(client.sent[0].socket,
                               std::make_error_code(std::errc::connection_refused));
    client.pass(seconds(18));
    CHECK(client.unavailable(login) ==
          "192.0.2.10:1812 gave no answer to 3 requests in 9 s (the network says: Connection "
          "refused); 192.0.2.11:1645 gave no answer to 3 requests in 9 s");
    CHECK(client.sockets.empty());
}

TEST_CASE("a dead server is left out for its time, tried again by one login, and revived") {
    rig client(settings_of({server_at(first_address), server_at(second_address)}));
    client.begin(bob());
    client.pass(seconds(9));
    CHECK(client.state.servers()[0].is_dead);
    client.feed(client.sent.back(), answer_to(client.sent.back()));

    client.pass(seconds(50));
    client.begin(bob());
    CHECK(client.to(client.sent.back()) == second_address);
    client.feed(client.sent.back(), answer_to(client.sent.back()));

    client.pass(seconds(10));
    client.begin(bob());
    const send_datagram probe = client.sent.back();
    CHECK(client.to(probe) == first_address);
    client.begin(bob());
    CHECK(client.to(client.sent.back()) == second_address);

    client.feed(probe, answer_to(probe, {.code = packet_code::access_reject}));
    CHECK_FALSE(client.state.servers()[0].is_dead);
    CHECK(client.log.back() == "RADIUS server 192.0.2.10:1812 answers again");
    client.begin(bob());
    CHECK(client.to(client.sent.back()) == first_address);
}

TEST_CASE("dead servers are asked when there are no others") {
    rig client(settings_of({server_at(first_address)}));
    client.begin(bob());
    client.pass(seconds(9));
    const login_id login = client.begin(bob());
    client.feed(client.sent.back(), answer_to(client.sent.back()));
    CHECK(client.accepted(login).server == 0);
    CHECK(client.log.size() == 2);
}

TEST_CASE("a server that answers others is not dead") {
    rig client(settings_of({server_at(first_address), server_at(second_address)}));
    client.begin(bob());
    client.pass(seconds(5));
    client.begin(bob());
    client.feed(client.sent.back(), answer_to(client.sent.back()));
    client.pass(seconds(4));
    CHECK(client.to(client.sent.back()) == second_address);
    CHECK_FALSE(client.state.servers()[0].is_dead);
    CHECK(client.log.empty());
}

TEST_CASE("a login ends at its own time, without its server being dead") {
    rig client(settings_of({server_at(first_address), server_at(second_address)}));
    login_request request = bob();
    request.give_up = client.now + milliseconds(4500);
    const login_id login = client.begin(std::move(request));
    client.pass(seconds(5));
    CHECK(client.unavailable(login) == "192.0.2.10:1812 gave no answer to 2 requests in 4.5 s; "
                                       "there was no time to ask another server");
    CHECK_FALSE(client.state.servers()[0].is_dead);
}

TEST_CASE("no two logins under way share an id on a socket, and each gets its own answer") {
    client_settings settings = settings_of({server_at(first_address)});
    settings.most_logins = 600;
    rig client(std::move(settings));
    std::vector<login_id> logins;
    for (int i = 0; i < 600; ++i)
        logins.push_back(client.begin(bob()));
    CHECK(client.state.begin(bob(), client.now).error().code == errc::too_many_logins);
    CHECK(client.sockets.size() == 3);
    std::set<std::pair<socket_id, int>> used;
    for (const send_datagram& one : client.sent)
        CHECK(used.emplace(one.socket, parsed(one.octets).id()).second);
    for (std::size_t i = 0; i < logins.size(); ++i) {
        const auto code = i % 2 == 0 ? packet_code::access_accept : packet_code::access_reject;
        client.feed(client.sent[i], answer_to(client.sent[i], {.code = code}));
    }
    for (std::size_t i = 0; i < logins.size(); ++i)
        CHECK(std::holds_alternative<login_accepted>(client.outcomes.at(logins[i])) ==
              (i % 2 == 0));
    CHECK(client.sockets.empty());
    CHECK(client.state.logins() == 0);
}

TEST_CASE("an id is used again last of all, and an old answer does not fit a new request") {
    rig client(settings_of({server_at(first_address)}));
    const login_id stays = client.begin(bob());
    std::set<int> used{parsed(client.sent[0].octets).id()};
    for (int i = 0; i < 255; ++i) {
        const login_id login = client.begin(bob());
        CHECK(used.insert(parsed(client.sent.back().octets).id()).second);
        client.state.cancel(login);
        client.settle();
    }
    const octets old = answer_to(client.sent[1]);
    const login_id login = client.begin(bob());
    CHECK(parsed(client.sent.back().octets).id() == parsed(client.sent[1].octets).id());
    client.feed(client.sent.back(), old);
    CHECK(client.outcomes.empty());
    CHECK(client.ignored(ignored_answer::wrong_authenticator) == 1);
    client.state.cancel(stays);
    client.state.cancel(login);
    client.state.cancel(login);
    client.settle();
    CHECK(client.sockets.empty());
    CHECK_FALSE(client.state.deadline());
}

TEST_CASE("a socket that cannot be opened sends its logins to the next server at once") {
    rig client(settings_of({server_at(first_address), server_at(second_address)}));
    const login_id a = client.begin(bob());
    const login_id b = client.begin(bob());
    const auto why = std::make_error_code(std::errc::address_not_available);
    client.state.lost(client.sent[0].socket, why, client.now);
    client.settle();
    REQUIRE(client.sent.size() == 4);
    CHECK(client.to(client.sent[2]) == second_address);
    client.feed(client.sent[2], answer_to(client.sent[2]));
    client.state.lost(client.sent[3].socket, why, client.now);
    client.settle();
    CHECK(client.outcomes.size() == 2);
    CHECK(client.accepted(a).server == 1);
    CHECK(client.unavailable(b) ==
          "192.0.2.10:1812 cannot be reached: Cannot assign requested address; 192.0.2.11:1645 "
          "cannot be reached: Cannot assign requested address");
}

TEST_CASE("logins and settings that fit into no packet are refused") {
    rig client(settings_of({server_at(first_address)}));
    const auto code = [&](login_request request) {
        return client.state.begin(std::move(request), client.now).error().code;
    };
    for (const std::string& login : {std::string(), std::string(254, 'x'), std::string("b\0b", 3)})
        CHECK(code({login, secret("p"), "", std::nullopt}) == errc::invalid_login);
    for (const std::string& password : {std::string(), std::string(129, 'x'), std::string(1, '\0')})
        CHECK(code({"bob", secret(password), "", std::nullopt}) == errc::invalid_password);
    CHECK(code({"bob", secret("p"), std::string(254, '1'), std::nullopt}) == errc::value_too_long);
    CHECK_FALSE(client.state.next_effect());

    const auto check = [](const client_settings& settings) {
        const auto outcome = client_state::check(settings);
        return outcome ? std::string("good") : outcome.error().message();
    };
    CHECK(check(settings_of({server_at(first_address)})) == "good");
    CHECK(check(settings_of({})) == "there is no RADIUS server to ask");
    CHECK(check(settings_of({server_at(first_address, "")})) ==
          "the shared secret is empty: \"192.0.2.10:1812\"");
    const auto check_server = [&](auto change) {
        server one = server_at(first_address);
        change(one);
        return client_state::check(settings_of({one})).error().code;
    };
    CHECK(check_server([](server& one) { one.address.port = 0; }) == errc::invalid_server);
    CHECK(check_server([](server& one) { one.tries = 0; }) == errc::invalid_server);
    CHECK(check_server([](server& one) { one.timeout = {}; }) == errc::invalid_server);
    CHECK(check_server([](server& one) { one.source_address = *parse_ip_address("::1"); }) ==
          errc::invalid_server);
    client_settings long_name = settings_of({server_at(first_address)});
    long_name.nas_identifier.assign(254, 'x');
    CHECK(client_state::check(long_name).error().code == errc::value_too_long);
}

} // namespace flowtap::radius
