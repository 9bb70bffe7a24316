// SPDX-License-Identifier: Apache-2.0
// 10,000 criteria with all kinds of timeouts under simulated time, against a model of when each
// one ends.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "timed_rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr std::uint32_t many = 10'000;
constexpr int step_count = 60;
constexpr std::chrono::seconds step{5};

/// What one criterion was given, and what is left of it by the model.
struct modelled {
    int to = 0;
    bool is_told = false;
    std::optional<std::chrono::seconds> idle;
    std::optional<std::chrono::seconds> total;
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> octets;
    steady_time begin;
    steady_time last;
    /// When it ended.
    std::optional<steady_time> end;

    std::string add_request() const {
        std::string rest = is_told ? "Flags: SendAsync\n" : "";
        const auto append = [&](std::string_view name, const auto& value) {
            rest.append(name).append(": ").append(std::to_string(value)).append("\n");
        };
        if (idle)
            append("Timeout-Idle", idle->count());
        if (total)
            append("Timeout-Total", total->count());
        if (packets)
            append("Timeout-Packets", *packets);
        if (octets)
            append("Timeout-Bytes", *octets);
        return add("Dest-Address: 10.0.0." + std::to_string(to) + "\n", rest);
    }

    void pass_time(steady_time now) {
        if (end)
            return;
        if (total && begin + *total <= now)
            end = begin + *total;
        if (idle && last + *idle <= now && (!end || last + *idle < *end))
            end = last + *idle;
    }

    void pass_packet(steady_time now, std::uint64_t size) {
        if (end)
            return;
        last = now;
        if (packets && --*packets == 0)
            end = now;
        if (octets && (*octets -= size) == 0)
            end = now;
    }
};

struct many_rig : timed_rig {
    explicit many_rig(const tap::settings& with) : timed_rig(with) {}

    void stock(std::uint32_t seed) {
        std::mt19937 random(seed);
        std::vector<tap::session_id> sessions;
        for (std::uint32_t id = 1; id <= many;) {
            sessions.push_back(open("lea1"));
            std::string octets;
            for (int i = 0; i < 250; ++i, ++id) {
                modelled& one = model[id];
                one.to = static_cast<int>(random() % 200);
                one.is_told = random() % 3 != 0;
                one.begin = one.last = now.steady;
                const std::uint64_t kinds = 1 + random() % 15;
                if ((kinds & 1U) != 0)
                    one.idle = step * (1 + random() % 20);
                if ((kinds & 2U) != 0)
                    one.total = step * (1 + random() % 50);
                if ((kinds & 4U) != 0)
                    one.packets = 1 + random() % 30;
                if ((kinds & 8U) != 0)
                    one.octets = 100 * (1 + random() % 30);
                octets += request("lea1", one.add_request());
            }
            REQUIRE(feed(sessions.back(), octets) == octets.size());
        }
        turn();
        for (const tap::session_id each : sessions) {
            read(each);
            point.close(each, now);
        }
        REQUIRE(point.state().criteria == many);
    }

    void pass_packet(int to) {
        on.pass(udp_packet(static_cast<std::uint8_t>(to), 100));
        for (auto& [id, one] : model)
            if (one.to == to)
                one.pass_packet(now.steady, 100);
    }

    std::size_t alive() const {
        return static_cast<std::size_t>(std::count_if(
            model.begin(), model.end(), [](const auto& one) { return !one.second.end; }));
    }

    std::map<std::uint32_t, modelled> model;
};

} // namespace

TEST_CASE("10,000 criteria with all kinds of timeouts end each at its time, once, and in order") {
    const std::uint32_t seed = 390;
    CAPTURE(seed);
    tap::settings with = usual_settings();
    with.criteria_limit = many;
    many_rig at(with);
    at.stock(seed);
    std::mt19937 random(seed + 1);

    const wall_time wall_begin = at.now.wall;
    const steady_time begin = at.now.steady;
    for (int i = 0; i < step_count; ++i) {
        for (int k = 0; k < 60; ++k)
            at.pass_packet(static_cast<int>(random() % 100));
        at.turn();

        const std::size_t alive = at.alive();
        const tap::session_id reader = at.open("lea1");
        at.feed(reader, at.request("lea1", "LIST DTCP/0.7\nFlags: Stats\n"));
        at.turn();

        at.wait(step);
        for (auto& [id, one] : at.model)
            one.pass_time(at.now.steady);
        while (at.point.deadline() && *at.point.deadline() <= at.now.steady)
            at.turn();
        REQUIRE(at.point.state().criteria == at.alive());

        // What was asked for before is shown as it was then.
        std::string answers = at.read(reader, 65'536);
        // Notifications may follow it.
        answers.resize(answers.find("\r\n\r\n") + 4);
        const std::string listed = verified(answers);
        REQUIRE(status_of_answer(listed) == 200);
        REQUIRE(value_of(listed, "CRITERIA-COUNT") ==
                (alive == 0 ? "none" : std::to_string(alive)));
        const std::string last = "\nCRITERIA-NUM: " + std::to_string(alive) + "\n";
        REQUIRE((alive == 0) == (listed.find(last) == std::string::npos));
        at.point.close(reader, at.now);
    }
    // What is left waits for packets that do not come.
    const std::size_t ended = many - at.alive();
    CHECK(ended > 8000);
    CHECK(at.point.state().expired == ended);

    // Those who asked for it were told, once, in the same order.
    const std::vector<std::string> told = at.told();
    std::size_t next_told = 0;
    std::set<std::uint32_t> seen;
    wall_time before = wall_begin;
    for (const tap::audit_record& record : at.audit.records) {
        if (record.event != tap::audit_event::expiry)
            continue;
        CHECK(seen.insert(record.criterion).second);
        CHECK(before <= record.time);
        before = record.time;
        const modelled& one = at.model.at(record.criterion);
        CAPTURE(record.criterion);
        REQUIRE(one.end);
        CHECK(record.time - wall_begin == *one.end - begin);
        if (!one.is_told)
            continue;
        REQUIRE(next_told < told.size());
        CHECK(value_of(told[next_told++], "CRITERIA-ID") == std::to_string(record.criterion));
    }
    CHECK(next_told == told.size());
    CHECK(seen.size() == ended);
}
