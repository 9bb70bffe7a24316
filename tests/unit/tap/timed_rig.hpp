// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rig.hpp"
#include "traffic.hpp"

namespace flowtap::tap::test {

/// `with`, and a place for the notifications of lea1.
inline settings with_target(settings with) {
    with.sources["lea1"] = with.default_source;
    with.sources["lea1"].notification_targets = {{ip_address::v4(0xCB007109), 2100}};
    return with;
}

/// A rig whose time goes by, with one worker and one channel of lea1.
struct timed_rig : rig {
    explicit timed_rig(settings with = usual_settings())
        : rig(with_target(std::move(with))), on(path), session(open("lea1")) {}

    /// Time goes by, with a turn whenever one is due, and no turn that is not.
    void wait(std::chrono::nanoseconds time) {
        const steady_time end = now.steady + time;
        while (point.deadline() && *point.deadline() <= end) {
            pass(std::max(*point.deadline() - now.steady, std::chrono::nanoseconds(0)));
            turn();
        }
        pass(end - now.steady);
    }

    /// Asks as lea1.
    std::string ask_lea1(std::string_view lines) { return ask(session, "lea1", lines); }

    /// An ADD of lea1 for packets to 10.0.0.<to>. Returns its status.
    int add_to(int to, std::string_view rest) {
        return status_of_answer(
            ask_lea1(add("Dest-Address: 10.0.0." + std::to_string(to) + "\n", rest)));
    }

    /// The criteria that a timeout ended, in order, by the audit log.
    std::vector<std::uint32_t> expired() const {
        std::vector<std::uint32_t> ids;
        for (const audit_record& one : audit.records)
            if (one.event == audit_event::expiry)
                ids.push_back(one.criterion);
        return ids;
    }

    /// The notifications to lea1 since the last call, oldest first.
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        for (const send_datagram& one : taken<send_datagram>())
            texts.push_back(verified(one.octets));
        effects.clear();
        return texts;
    }

    wire on;
    session_id session;
};

} // namespace flowtap::tap::test
