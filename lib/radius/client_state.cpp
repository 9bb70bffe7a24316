// SPDX-License-Identifier: Apache-2.0
#include <flowtap/radius/client_state.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <flowtap/radius/packet.hpp>
#include <flowtap/radius/signature.hpp>

#include "access.hpp"
#include "server_record.hpp"

namespace flowtap::radius {

namespace {

constexpr std::size_t ids = 256;

/// A socket's requests: an id is free, or a login waits for the answer with it.
struct socket_record {
    std::size_t server = 0;
    std::array<std::optional<login_id>, ids> waiting{};
    std::size_t used = 0;
    /// Ids are taken in turn, so that late answers meet nobody.
    std::uint8_t next = 0;
};

struct login_record {
    login_request request;
    /// The servers to ask, and how far that has gone.
    std::vector<std::size_t> order;
    std::size_t at = 0;

    // Of the request to the present server.
    socket_id socket{};
    std::uint8_t id = 0;
    authenticator random{};
    std::vector<std::byte> packet;
    unsigned sent = 0;
    steady_time since{};
    server_status before;
    /// When something must be done for it.
    steady_time due{};

    /// What the servers before did, for the log.
    std::string seen;

    std::size_t server() const { return order[at]; }
    bool is_over(steady_time now) const { return request.give_up && *request.give_up <= now; }
};

ignored_answer kind_of(const error& reason) {
    if (reason.code == errc::missing_message_authenticator)
        return ignored_answer::no_message_authenticator;
    if (reason.code == errc::wrong_authenticator)
        return ignored_answer::wrong_authenticator;
    return ignored_answer::wrong_message_authenticator;
}

bool is_answer(packet_code code) {
    return code == packet_code::access_accept || code == packet_code::access_reject ||
           code == packet_code::access_challenge;
}

result<void> check_server(const server& one) {
    if (one.shared.empty())
        return fail(errc::invalid_secret, to_string(one.address));
    const bool has_other_family =
        one.source_address && one.source_address->ip_family() != one.address.address.ip_family();
    if (one.address.port == 0 || one.tries == 0 || one.timeout.count() <= 0 || has_other_family)
        return fail(errc::invalid_server, to_string(one.address));
    return {};
}

} // namespace

struct client_state::implementation {
    implementation(client_settings with, cryptography functions);

    std::vector<std::size_t> order(steady_time now) const;
    void ask_server(login_id login, login_record& record, steady_time now);
    void ask_next_server(login_id login, login_record& record, steady_time now);
    void take_id(login_id login, login_record& record);
    socket_id socket_with_room(std::size_t server);
    void release_id(const login_record& record);
    void send(login_id login, login_record& record, steady_time now);
    void wait_until(login_id login, login_record& record, steady_time when);
    void act(login_id login, steady_time now);
    void silent(login_record& record, steady_time now);
    void found_dead(std::size_t server, steady_time now);
    void found_alive(std::size_t server, steady_time now);
    void note(login_record& record, std::string text);
    void forget(login_id login);
    void end(login_id login, login_outcome outcome);
    void take_answer(login_id login, const packet_view& packet, steady_time now);

    client_settings settings;
    cryptography functions;
    std::vector<server_record> servers;
    std::map<socket_id, socket_record> sockets;
    std::map<login_id, login_record> logins;
    /// When each login has something to do.
    std::set<std::pair<steady_time, login_id>> due;
    std::deque<effect> effects;
    std::uint64_t last_login = 0;
    std::uint64_t last_socket = 0;
};

client_state::implementation::implementation(client_settings with, cryptography given)
    : settings(std::move(with)), functions(std::move(given)) {
    for (server& one : settings.servers)
        servers.emplace_back(std::move(one), functions);
    settings.servers.clear();
}

/// Those that are to be left out come last: they are better than nobody.
std::vector<std::size_t> client_state::implementation::order(steady_time now) const {
    std::vector<std::size_t> all(servers.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = i;
    std::stable_partition(all.begin(), all.end(),
                          [&](std::size_t i) { return !servers[i].is_left_out(now); });
    return all;
}

socket_id client_state::implementation::socket_with_room(std::size_t server) {
    server_record& to = servers[server];
    for (const socket_id one : to.sockets)
        if (sockets.at(one).used < ids)
            return one;
    const socket_id made{++last_socket};
    socket_record& record = sockets[made];
    record.server = server;
    std::byte first{};
    functions.fill_random(std::span(&first, 1));
    record.next = std::to_integer<std::uint8_t>(first);
    to.sockets.push_back(made);
    effects.emplace_back(open_socket{made, to.address, to.source_address});
    return made;
}

void client_state::implementation::take_id(login_id login, login_record& record) {
    record.socket = socket_with_room(record.server());
    socket_record& socket = sockets.at(record.socket);
    while (socket.waiting[socket.next])
        ++socket.next;
    record.id = socket.next++;
    socket.waiting[record.id] = login;
    ++socket.used;
}

void client_state::implementation::release_id(const login_record& record) {
    const auto found = sockets.find(record.socket);
    if (found == sockets.end())
        return;
    found->second.waiting[record.id].reset();
    if (--found->second.used > 0)
        return;
    // A socket for each time of need: its port is another one for whoever wants to guess it.
    std::erase(servers[found->second.server].sockets, record.socket);
    effects.emplace_back(close_socket{record.socket});
    sockets.erase(found);
}

void client_state::implementation::ask_server(login_id login, login_record& record,
                                              steady_time now) {
    server_record& server = servers[record.server()];
    // While one login tries a dead server again, the others need not wait for it, too.
    if (server.status.is_dead)
        server.dead_until = std::max(server.dead_until, now + server.patience());
    functions.fill_random(record.random);
    take_id(login, record);
    auto packet = make_access_request(record.request, settings.nas_identifier,
                                      server.source_address, record.id, record.random, server.key);
    if (!packet) {
        note(record, server.name + " cannot be asked: " + packet.error().message());
        return ask_next_server(login, record, now);
    }
    record.packet = *std::move(packet);
    record.sent = 0;
    record.since = now;
    record.before = server.status;
    send(login, record, now);
}

/// Leaves the present server. The login is gone when there is no other.
void client_state::implementation::ask_next_server(login_id login, login_record& record,
                                                   steady_time now) {
    release_id(record);
    ++record.at;
    if (record.at < record.order.size() && !record.is_over(now))
        return ask_server(login, record, now);
    if (record.at < record.order.size())
        note(record, "there was no time to ask another server");
    record.socket = {};
    end(login, login_unavailable{std::move(record.seen)});
}

void client_state::implementation::send(login_id login, login_record& record, steady_time now) {
    server_record& server = servers[record.server()];
    ++(record.sent == 0 ? server.status.requests : server.status.repeated);
    ++record.sent;
    effects.emplace_back(send_datagram{record.socket, record.packet});
    const steady_time answer_by = now + server.timeout;
    wait_until(login, record,
               record.request.give_up ? std::min(*record.request.give_up, answer_by) : answer_by);
}

void client_state::implementation::wait_until(login_id login, login_record& record,
                                              steady_time when) {
    due.erase({record.due, login});
    record.due = when;
    due.emplace(when, login);
}

void client_state::implementation::act(login_id login, steady_time now) {
    login_record& record = logins.at(login);
    const server_record& server = servers[record.server()];
    if (!record.is_over(now) && record.sent < server.tries)
        return send(login, record, now);
    silent(record, now);
    ask_next_server(login, record, now);
}

void client_state::implementation::silent(login_record& record, steady_time now) {
    server_record& server = servers[record.server()];
    ++server.status.unanswered;
    note(record, describe_silence(server, record.before, record.sent, now - record.since));
    const bool had_its_time =
        record.sent == server.tries && now >= record.since + server.patience();
    const bool answered_others = server.last_answer && *server.last_answer >= record.since;
    if (had_its_time && !answered_others)
        found_dead(record.server(), now);
}

void client_state::implementation::found_dead(std::size_t which, steady_time now) {
    server_record& server = servers[which];
    server.dead_until = now + settings.dead_time;
    if (std::exchange(server.status.is_dead, true))
        return;
    effects.emplace_back(server_changed{which, true,
                                        "RADIUS server " + server.name +
                                            " does not answer and is asked last from now on"});
}

void client_state::implementation::found_alive(std::size_t which, steady_time now) {
    server_record& server = servers[which];
    server.last_answer = now;
    if (std::exchange(server.status.is_dead, false))
        effects.emplace_back(
            server_changed{which, false, "RADIUS server " + server.name + " answers again"});
}

void client_state::implementation::note(login_record& record, std::string text) {
    if (!record.seen.empty())
        record.seen += "; ";
    record.seen += text;
}

/// Wipes the password with the record.
void client_state::implementation::forget(login_id login) {
    const auto found = logins.find(login);
    due.erase({found->second.due, login});
    release_id(found->second);
    logins.erase(found);
}

void client_state::implementation::end(login_id login, login_outcome outcome) {
    forget(login);
    effects.emplace_back(login_ended{login, std::move(outcome)});
}

void client_state::implementation::take_answer(login_id login, const packet_view& packet,
                                               steady_time now) {
    login_record& record = logins.at(login);
    server_record& server = servers[record.server()];
    if (auto verified = verify(packet, server.key, message_authenticator::required, record.random);
        !verified)
        return server.count(kind_of(verified.error()));
    found_alive(record.server(), now);
    login_outcome outcome = read_access_answer(packet, record.server(), server.name);
    ++(std::holds_alternative<login_accepted>(outcome) ? server.status.accepted
                                                       : server.status.rejected);
    end(login, std::move(outcome));
}

client_state::client_state(client_settings with, cryptography functions)
    : implementation_(std::make_unique<implementation>(std::move(with), std::move(functions))) {}

client_state::~client_state() = default;

result<void> client_state::check(const client_settings& settings) {
    if (settings.servers.empty())
        return fail(errc::no_server);
    if (settings.nas_identifier.empty())
        return fail(errc::empty_value, "NAS-Identifier");
    if (settings.nas_identifier.size() > longest_value)
        return fail(errc::value_too_long, "NAS-Identifier");
    for (const server& one : settings.servers)
        if (auto checked = check_server(one); !checked)
            return checked;
    return {};
}

result<login_id> client_state::begin(login_request request, steady_time now) {
    implementation& state = *implementation_;
    if (state.servers.empty())
        return fail(errc::no_server);
    if (auto checked = check_login(request); !checked)
        return fail(checked.error());
    if (state.logins.size() >= state.settings.most_logins)
        return fail(errc::too_many_logins);
    const login_id login{++state.last_login};
    login_record& record = state.logins[login];
    record.request = std::move(request);
    record.order = state.order(now);
    state.ask_server(login, record, now);
    return login;
}

void client_state::cancel(login_id login) {
    if (implementation_->logins.contains(login))
        implementation_->forget(login);
}

void client_state::feed(socket_id socket, const endpoint& from, byte_view datagram,
                        steady_time now) {
    implementation& state = *implementation_;
    const auto found = state.sockets.find(socket);
    if (found == state.sockets.end())
        return;
    server_record& server = state.servers[found->second.server];
    if (from != server.address)
        return server.count(ignored_answer::wrong_address);
    const auto packet = packet_view::parse(datagram);
    if (!packet)
        return server.count(ignored_answer::malformed);
    const auto waiting = found->second.waiting[packet->id()];
    if (!waiting)
        return server.count(ignored_answer::unknown_id);
    if (!is_answer(packet->code()))
        return server.count(ignored_answer::wrong_code);
    state.take_answer(*waiting, *packet, now);
}

void client_state::network_error(socket_id socket, std::error_code what) {
    const auto found = implementation_->sockets.find(socket);
    if (found == implementation_->sockets.end())
        return;
    server_record& server = implementation_->servers[found->second.server];
    ++server.status.network_errors;
    server.last_error = what;
}

void client_state::lost(socket_id socket, std::error_code why, steady_time now) {
    implementation& state = *implementation_;
    const auto found = state.sockets.find(socket);
    if (found == state.sockets.end())
        return;
    const server_record& server = state.servers[found->second.server];
    const std::string reason = server.name + " cannot be reached: " + why.message();
    network_error(socket, why);
    // Letting go of the ids changes the record, and in the end removes it.
    const auto waiting = found->second.waiting;
    for (const auto& login : waiting) {
        if (!login)
            continue;
        login_record& record = state.logins.at(*login);
        state.note(record, reason);
        state.ask_next_server(*login, record, now);
    }
}

void client_state::turn(steady_time now) {
    implementation& state = *implementation_;
    while (!state.due.empty() && state.due.begin()->first <= now)
        state.act(state.due.begin()->second, now);
}

std::optional<effect> client_state::next_effect() {
    std::deque<effect>& effects = implementation_->effects;
    if (effects.empty())
        return std::nullopt;
    effect next = std::move(effects.front());
    effects.pop_front();
    return next;
}

std::optional<steady_time> client_state::deadline() const {
    if (implementation_->due.empty())
        return std::nullopt;
    return implementation_->due.begin()->first;
}

std::size_t client_state::logins() const noexcept {
    return implementation_->logins.size();
}

std::vector<server_status> client_state::servers() const {
    std::vector<server_status> all;
    for (const server_record& one : implementation_->servers)
        all.push_back(one.status);
    return all;
}

} // namespace flowtap::radius
