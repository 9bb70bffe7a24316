// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rig.hpp"
#include "traffic.hpp"

namespace flowtap::tap::test {

/// A content destination 192.0.2.<last>.
inline content_destination_settings destination(std::uint32_t last) {
    content_destination_settings made;
    made.address = ip_address::v4(0xC0000200U + last);
    made.source_address = ip_address::v4(0xC6336409);
    return made;
}

/// Where the notifications of a control source go: port `port` of 203.0.113.9.
inline endpoint target(std::uint16_t port) {
    return {ip_address::v4(0xCB007109), port};
}

inline control_source_settings capture_source(std::uint16_t port,
                                              std::vector<std::string> destinations,
                                              std::string group = "g1") {
    control_source_settings made;
    made.key = "key of " + std::to_string(port);
    made.udp.emplace();
    made.notification_targets = {target(port)};
    made.capture_group = std::move(group);
    made.content_destinations = std::move(destinations);
    return made;
}

/// Groups g1 and g2. In g1: lea1 (cd1, cd2) and lea2 (cd1, secret); in g2: lea3 (cd1, far).
inline settings capture_settings() {
    settings with;
    with.service = dtcp::service_kind::dynamic_flow_capture;
    with.interfaces = {{"ge-0/0/0.0", "", port_id{0}, std::nullopt},
                       {"ge-0/0/1.0", "", port_id{1}, std::nullopt}};
    capture_group_settings& g1 = with.capture_groups["g1"];
    g1.max_duplicates = 64;
    g1.content_destinations["cd1"] = destination(1);
    g1.content_destinations["cd2"] = destination(2);
    g1.content_destinations["secret"] = destination(3);
    capture_group_settings& g2 = with.capture_groups["g2"];
    g2.content_destinations["cd1"] = destination(11);
    g2.content_destinations["far"] = destination(12);
    with.sources["lea1"] = capture_source(1, {"cd1", "cd2"});
    with.sources["lea2"] = capture_source(2, {"cd1", "secret"});
    with.sources["lea3"] = capture_source(3, {"cd1", "far"}, "g2");
    return with;
}

/// An access point for dynamic flow capture, which is asked by datagrams.
struct capture_rig : rig {
    explicit capture_rig(settings with = capture_settings())
        : rig(with), configured(with), on(path) {}

    /// Time goes by, with a turn whenever one is due.
    void wait(std::chrono::nanoseconds time) {
        const steady_time end = now.steady + time;
        while (point.deadline() && *point.deadline() <= end) {
            pass(std::max(*point.deadline() - now.steady, std::chrono::nanoseconds(0)));
            turn();
            sort_effects();
        }
        pass(end - now.steady);
    }

    /// The verified answer to the lines.
    std::string ask(std::string_view source, std::string_view lines) {
        const std::string& key = key_of(source);
        point.feed_datagram(client, service, as_byte_view(request(source, lines, key)), now);
        turn();
        sort_effects();
        return std::exchange(answer, {});
    }

    int status(std::string_view source, std::string_view lines) {
        return status_of_answer(ask(source, lines));
    }

    /// A static ADD for packets to 10.0.0.<to>. Returns its status.
    int add_to(std::string_view source, int to, std::string_view rest = "Cdest-ID: cd1\n") {
        return status(source, "ADD DTCP/0.7\nFlags: STATIC\nDest-Address: 10.0.0." +
                                  std::to_string(to) + "\n" + std::string(rest));
    }

    /// The notifications to a control source since the last call, oldest first.
    std::vector<std::string> told(std::string_view source) {
        sort_effects();
        return std::exchange(
            notifications
                [configured.sources.find(source)->second.notification_targets.front().port],
            {});
    }

    /// Sends packets to 10.0.0.<to> past, each good for 1000 bit/s.
    void pass_packets(int to, int count) {
        for (int i = 0; i < count; ++i)
            on.pass(udp_packet(static_cast<std::uint8_t>(to), 1250));
    }

    void apply(settings with) {
        configured = with;
        point.apply(
            std::move(with), [](std::string_view) { return true; }, now);
        turn();
        sort_effects();
    }

    settings configured;
    wire on;

private:
    const std::string& key_of(std::string_view source) const {
        return configured.sources.find(source)->second.key;
    }

    void sort_effects() {
        for (const effect& one : effects) {
            const auto* datagram = std::get_if<send_datagram>(&one);
            if (datagram == nullptr)
                continue;
            for (const auto& [name, source] : configured.sources) {
                const std::string text = verified(datagram->octets, source.key);
                if (!text.starts_with("DTCP/"))
                    continue;
                if (datagram->to == client)
                    answer = text;
                else
                    notifications[datagram->to.port].push_back(text);
            }
        }
        effects.clear();
    }

    endpoint client{ip_address::v4(0xC6336407), 50000};
    endpoint service{ip_address::v4(0xC6336401), 2000};
    std::string answer;
    std::map<std::uint16_t, std::vector<std::string>> notifications;
};

} // namespace flowtap::tap::test
