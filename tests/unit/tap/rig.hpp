// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/permission/principal.hpp>
#include <flowtap/tap/access_point.hpp>

#include "test_hash.hpp"

namespace flowtap::tap::test {

using namespace std::chrono_literals;

/// An audit log in memory, which can be made to fail.
class memory_audit final : public audit_log {
public:
    result<void> write(const audit_record& record) override {
        if (broken)
            return unexpected<error>(error(std::make_error_code(std::errc::no_space_on_device)));
        records.push_back(record);
        return {};
    }

    /// How many records are about `event`.
    std::size_t count(audit_event event) const {
        return static_cast<std::size_t>(
            std::count_if(records.begin(), records.end(),
                          [&](const audit_record& one) { return one.event == event; }));
    }

    /// How many of them have this status.
    std::size_t count(audit_event event, dtcp::status_code status) const {
        return static_cast<std::size_t>(
            std::count_if(records.begin(), records.end(), [&](const audit_record& one) {
                return one.event == event && one.status == static_cast<std::uint16_t>(status);
            }));
    }

    std::vector<audit_record> records;
    bool broken = false;
};

/// Interfaces ge-0/0/0.0 (port 0), ge-0/0/0.100 (port 0, VLAN 100, in cust-a) and ge-0/0/1.0 (port
/// 1); both families; control sources lea1, lea2 and lea3, of which lea2 has a key of its own.
inline settings usual_settings() {
    settings with;
    with.families.insert(family::inet6);
    with.interfaces = {{"ge-0/0/0.0", "", port_id{0}, std::nullopt},
                       {"ge-0/0/0.100", "cust-a", port_id{0}, std::uint16_t{100}},
                       {"ge-0/0/1.0", "", port_id{1}, std::nullopt}};
    with.routing_instances = {"cust-a"};
    with.default_source.port_lists = port_list_mode::pairs;
    with.sources["lea2"] = with.default_source;
    with.sources["lea2"].key = "another key";
    return with;
}

/// The key of `udp_settings`.
inline constexpr std::string_view udp_key = "a key for datagrams";

/// As above, with md1 and md2, who use UDP.
inline settings udp_settings() {
    settings with = usual_settings();
    for (const char* name : {"md1", "md2"}) {
        control_source_settings& source = with.sources[name];
        source.key = udp_key;
        source.udp.emplace();
    }
    return with;
}

/// `text` with CRLF for each LF.
inline std::string crlf(std::string_view text) {
    std::string made;
    for (const char letter : text) {
        if (letter == '\n')
            made += '\r';
        made += letter;
    }
    return made;
}

/// Lines without their end, signed and ended.
inline std::string signed_message(std::string_view lines, std::string_view key = "Juniper") {
    std::string made = crlf(lines);
    test_hash hash(key);
    made += "Authentication-Info: " + dtcp::sign(made, hash) + "\r\n\r\n";
    return made;
}

/// The answer's text if its signature holds, with LF line ends and without the signature.
inline std::string verified(std::string_view answer, std::string_view key = "Juniper") {
    const std::size_t end = answer.find("AUTHENTICATION-INFO: ");
    if (end == std::string_view::npos)
        return "unsigned: " + std::string(answer);
    test_hash hash(key);
    const std::string wanted = dtcp::sign(answer.substr(0, end), hash) + "\r\n\r\n";
    if (answer.substr(end + 21) != wanted)
        return "badly signed: " + std::string(answer);
    std::string text(answer.substr(0, end));
    std::erase(text, '\r');
    return text;
}

/// An access point with a data path, a clock that stands still, and control sources' channels.
struct rig {
    explicit rig(settings with = usual_settings(), sequence_store* sequences = nullptr,
                 std::function<void(std::function<void()>)> background = nullptr,
                 kernel_filters* kernel = nullptr, subscriber_service* subscribers = nullptr)
        : path(make_path_options()),
          point(std::move(with), {path, audit, make_test_hash, sequences, std::move(background),
                                  kernel, subscribers}) {}

    /// The workers' clock is the same as everybody's.
    path::data_path_options make_path_options() {
        path::data_path_options options;
        options.clock = [this] { return now.steady; };
        return options;
    }

    path::data_path path;
    memory_audit audit;
    access_point point;
    time_stamp now{steady_time(1000s),
                   wall_time(std::chrono::sys_days{std::chrono::year{2011} / 2 / 13} + 15h + 56min +
                             49s + 609ms)};
    std::vector<effect> effects;
    std::uint64_t next_seq = 1;

    void pass(std::chrono::nanoseconds time) {
        now.steady += time;
        now.wall += time;
    }

    static permission::principal principal(std::string login) {
        permission::principal who;
        who.name = std::move(login);
        who.permissions = {permission::bit::flow_tap_operation};
        who.peer = endpoint{ip_address::v4(0xC6336407), 50000};
        return who;
    }

    session_id open(std::string login) {
        return point.open(principal(std::move(login)), "198.51.100.7:50000", now).value();
    }

    /// One turn: publishes and gathers the effects.
    void turn() {
        point.turn(now);
        while (auto next = point.next_effect())
            effects.push_back(std::move(*next));
    }

    std::size_t feed(session_id to, std::string_view octets) {
        return point.feed(to, as_byte_view(octets), now);
    }

    /// Everything that can be read now, in pieces of `piece` octets.
    std::string read(session_id from, std::size_t piece = 4096) {
        std::string all;
        std::vector<char> room(piece);
        while (const std::size_t count = point.read(from, room, now))
            all.append(room.data(), count);
        while (auto next = point.next_effect())
            effects.push_back(std::move(*next));
        return all;
    }

    /// Feeds `octets`, takes a turn, and reads.
    std::string exchange(session_id with, std::string_view octets) {
        feed(with, octets);
        turn();
        return read(with);
    }

    /// Sends the lines with Csource-ID, Seq and signature, and returns the verified answer.
    std::string ask(session_id with, std::string_view login, std::string_view lines,
                    std::string_view key = "Juniper") {
        const std::string answer = exchange(with, request(login, lines, key));
        return answer.empty() ? answer : verified(answer, key);
    }

    std::string request(std::string_view login, std::string_view lines,
                        std::string_view key = "Juniper") {
        std::string text(lines);
        text += "Csource-ID: " + std::string(login) + "\n";
        text += "Seq: " + std::to_string(next_seq++) + "\n";
        return signed_message(text, key);
    }

    /// A datagram from the usual mediation device to the usual address, without a turn.
    void feed_datagram(std::string_view octets) {
        point.feed_datagram(device, service, as_byte_view(octets), now);
    }

    /// The datagrams that are to be sent and were not taken yet.
    std::vector<send_datagram> take_datagrams() {
        while (auto next = point.next_effect())
            effects.push_back(std::move(*next));
        std::vector<send_datagram> all = taken<send_datagram>();
        std::erase_if(effects,
                      [](const effect& one) { return std::holds_alternative<send_datagram>(one); });
        return all;
    }

    /// Feeds a datagram, takes a turn, and returns the octets of the one answer; none without one.
    std::string exchange_datagram(std::string_view octets) {
        feed_datagram(octets);
        turn();
        const std::vector<send_datagram> answers = take_datagrams();
        return answers.size() == 1 ? answers.front().octets : std::string();
    }

    /// Sends the lines with Csource-ID, Seq and signature in a datagram, and returns the verified
    /// answer; nothing if there is not exactly one.
    std::string ask_datagram(std::string_view source, std::string_view lines,
                             std::string_view key = udp_key) {
        const std::string answer = exchange_datagram(request(source, lines, key));
        return answer.empty() ? answer : verified(answer, key);
    }

    /// Where datagrams come from, and where they go.
    endpoint device{ip_address::v4(0xC6336408), 40000};
    endpoint service{ip_address::v4(0xC6336401), 8888};

    template <class Effect>
    std::vector<Effect> taken() const {
        std::vector<Effect> found;
        for (const effect& one : effects)
            if (const auto* wanted = std::get_if<Effect>(&one))
                found.push_back(*wanted);
        return found;
    }
};

/// The three digits of an answer's status line.
inline int status_of_answer(std::string_view answer) {
    if (answer.size() < 12 || answer.substr(0, 5) != "DTCP/")
        return 0;
    return std::stoi(std::string(answer.substr(9, 3)));
}

/// The value of the first line of that name; "none" without one.
inline std::string value_of(std::string_view answer, std::string_view name) {
    const std::string begin = "\n" + std::string(name) + ": ";
    const std::size_t at = answer.find(begin);
    if (at == std::string_view::npos)
        return "none";
    const std::size_t from = at + begin.size();
    return std::string(answer.substr(from, answer.find('\n', from) - from));
}

/// What an ADD needs besides a filter.
inline constexpr std::string_view copies_to_lab = "Cdest-ID: cd1\n"
                                                  "X-JTap-Cdest-Dest-Address: 192.0.2.5\n"
                                                  "X-JTap-Cdest-Dest-Port: 2300\n"
                                                  "X-JTap-Cdest-Source-Address: 198.51.100.9\n"
                                                  "X-JTap-Cdest-Source-Port: 65535\n";

/// An ADD of these filter lines, static, to the usual content destination.
inline std::string add(std::string_view filter, std::string_view rest = "Flags: STATIC\n") {
    std::string text = "ADD DTCP/0.7\n";
    text.append(filter).append(copies_to_lab).append(rest);
    return text;
}

} // namespace flowtap::tap::test
