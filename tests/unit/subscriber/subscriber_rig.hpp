// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <flowtap/subscriber/mirroring.hpp>
#include <flowtap/tap/error.hpp>

namespace flowtap::subscriber::test {

/// Mirrors in memory, which can be refused.
class memory_port final : public tap::mirror_port {
public:
    result<tap::mirror_number> add_mirror(const tap::mirror& what) override {
        if (const auto failure = failure_of(what))
            return fail(error(failure));
        const tap::mirror_number number{++last};
        mirrors.emplace(number, what);
        return number;
    }
    result<void> change_mirror(tap::mirror_number which, const tap::mirror& what) override {
        if (const auto failure = failure_of(what)) {
            mirrors.erase(which);
            return fail(error(failure));
        }
        mirrors.at(which) = what;
        ++changes;
        return {};
    }
    void remove_mirror(tap::mirror_number which) override { mirrors.erase(which); }

    /// The number in the mirror header of each mirror: which sessions they are of.
    std::vector<std::uint32_t> session_numbers() const {
        std::vector<std::uint32_t> numbers;
        for (const auto& [number, one] : mirrors)
            numbers.push_back(one.copies.front().mirror.session_id);
        std::sort(numbers.begin(), numbers.end());
        return numbers;
    }
    const tap::mirror& only() const { return mirrors.begin()->second; }

    std::map<tap::mirror_number, tap::mirror> mirrors;
    std::uint64_t last = 0;
    int changes = 0;
    std::error_code broken;

private:
    std::error_code failure_of(const tap::mirror& what) const {
        if (what.addresses.empty() && what.interface.empty())
            return tap::errc::no_traffic;
        return broken;
    }
};

/// Events as lines: "activated s1 lea1", "mirroring_failed s1 radius: the reason".
class event_lines final : public event_listener {
public:
    void on_event(const event& what, time_stamp) override {
        static constexpr const char* names[] = {"logged in", "login failed",  "logged out",
                                                "activated", "not activated", "deactivated",
                                                "failed"};
        std::string line = names[static_cast<std::size_t>(what.kind)];
        line += ' ' + what.session.identity.accounting_session + ' ';
        line += what.control_source.empty() ? "radius" : what.control_source;
        if (what.reason)
            line += ": " + what.reason.message();
        lines.push_back(std::move(line));
    }
    std::vector<std::string> take() { return std::exchange(lines, {}); }

    std::vector<std::string> lines;
};

inline session_record session(std::string accounting_session, std::string user = "",
                              std::string address = "") {
    session_record made;
    made.identity = {"192.0.2.1", std::move(accounting_session)};
    made.user_name = std::move(user);
    if (!address.empty())
        made.addresses.push_back(parse_ip_prefix(address).value());
    return made;
}

inline tap::subscriber_request add_of(std::uint64_t number, tap::session_trait by,
                                      std::string value) {
    tap::subscriber_request made;
    made.number = tap::trigger_number{number};
    made.control_source = "lea" + std::to_string(number);
    made.id = {static_cast<std::uint32_t>(number), std::nullopt};
    made.subscribers.by = by;
    made.subscribers.value = std::move(value);
    made.copies.emplace_back();
    made.copies.back().destination = {ip_address::v4(0xC0000205), 6502};
    return made;
}

inline mirroring_settings usual_settings() {
    mirroring_settings with;
    with.source_address = ip_address::v4(0xC6336409);
    return with;
}

inline radius_request by_radius(std::uint32_t id = 99) {
    return {{id, std::nullopt}, {ip_address::v4(0xC0000206), 7000}};
}

struct rig {
    explicit rig(mirroring_settings with = usual_settings()) : all(std::move(with), events) {
        all.attach(port);
    }

    void pass(std::chrono::nanoseconds time) {
        now.steady += time;
        now.wall += time;
    }
    bool put(session_record what) { return all.put_session(std::move(what), now).has_value(); }
    void end(std::string accounting_session) {
        all.end_session({"192.0.2.1", std::move(accounting_session)}, now);
    }
    /// What `authorize` answers; no error for an ACK.
    std::error_code authorize(std::string accounting_session, li_action action = li_action::on,
                              radius_request asked = by_radius()) {
        const auto known = all.sessions().find({"192.0.2.1", std::move(accounting_session)});
        if (!known)
            return errc::unknown_session;
        const auto done = all.authorize(*known, action, asked, now);
        return done ? std::error_code() : done.error().code;
    }
    /// As an access point does it.
    std::error_code add(const tap::subscriber_request& asked) {
        if (const auto checked = all.check(asked); !checked)
            return checked.error().code;
        all.add(asked, now);
        return {};
    }
    void remove(std::uint64_t number) { all.remove(tap::trigger_number{number}, now); }

    event_lines events;
    memory_port port;
    mirroring all;
    time_stamp now{steady_time(std::chrono::seconds(1000)), wall_time(std::chrono::hours(1))};
};

} // namespace flowtap::subscriber::test
