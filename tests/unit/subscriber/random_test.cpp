// SPDX-License-Identifier: Apache-2.0
// Random histories of sessions and intercepts against a model that looks at everything each time.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "subscriber_rig.hpp"

using namespace flowtap;
using namespace flowtap::subscriber;
using namespace flowtap::subscriber::test;
using tap::session_trait;

namespace {

constexpr std::size_t most_mirrored = 6;
constexpr std::uint64_t nobody = UINT64_MAX;

/// Who has which session, found out by looking through all.
class naive_mirroring {
public:
    void put(const session_record& what) {
        const std::string& id = what.identity.accounting_session;
        sessions_[id] = what;
        const std::uint64_t has = owner_of(id);
        if (has != nobody && has != 0 && !means(has, what))
            owners_.erase(id);
        else if (has != nobody)
            return;
        settle(id);
    }
    void end(const std::string& id) {
        sessions_.erase(id);
        owners_.erase(id);
        by_radius_.erase(id);
    }
    void authorize(const std::string& id, bool on) {
        if (on) {
            by_radius_.insert(id);
            settle(id);
            return;
        }
        by_radius_.erase(id);
        if (owner_of(id) == 0) {
            owners_.erase(id);
            settle(id);
        }
    }
    bool admits(const tap::subscriber_request& asked) const {
        std::size_t added = 0;
        for (const auto& [id, what] : sessions_)
            added += owner_of(id) == nobody && is_of(asked, what);
        return added == 0 || owners_.size() + added <= most_mirrored;
    }
    void add(const tap::subscriber_request& asked) {
        triggers_[asked.number.value()] = asked;
        for (const auto& [id, what] : sessions_)
            settle(id);
    }
    void remove(std::uint64_t number) {
        triggers_.erase(number);
        std::vector<std::string> freed;
        for (const auto& [id, owner] : owners_)
            if (owner == number)
                freed.push_back(id);
        for (const std::string& id : freed) {
            owners_.erase(id);
            settle(id);
        }
    }
    const std::map<std::string, std::uint64_t>& owners() const { return owners_; }
    bool has_room() const { return owners_.size() < most_mirrored; }

    static bool is_of(const tap::subscriber_request& asked, const session_record& what) {
        return has_trait(what, asked.subscribers.by, asked.subscribers.value);
    }

private:
    std::uint64_t owner_of(const std::string& id) const {
        const auto found = owners_.find(id);
        return found == owners_.end() ? nobody : found->second;
    }
    bool means(std::uint64_t number, const session_record& what) const {
        return is_of(triggers_.at(number), what);
    }
    void settle(const std::string& id) {
        if (owner_of(id) != nobody)
            return;
        std::uint64_t next = by_radius_.contains(id) ? 0 : nobody;
        for (const auto& [number, asked] : triggers_)
            if (next == nobody && is_of(asked, sessions_.at(id)))
                next = number;
        if (next != nobody)
            owners_[id] = next;
    }

    std::map<std::string, session_record> sessions_;
    std::map<std::string, std::uint64_t> owners_;
    std::set<std::string> by_radius_;
    std::map<std::uint64_t, tap::subscriber_request> triggers_;
};

session_record random_session(std::mt19937& random, const std::string& id) {
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    session_record made = session(id, "user" + std::to_string(below(4)));
    made.addresses.push_back({ip_address::v4(0x0A000000 + below(8)), 32});
    if (below(2) == 0)
        made.addresses.push_back(
            {ip_address::v4(0x0A000000 + below(8)), static_cast<std::uint8_t>(28 + below(5))});
    if (below(2) == 0)
        made.circuit_id = "circuit" + std::to_string(below(3));
    return made;
}

tap::subscriber_request random_add(std::mt19937& random, std::uint64_t number) {
    const auto kind = random() % 3;
    if (kind == 0)
        return add_of(number, session_trait::user_name, "user" + std::to_string(random() % 4));
    if (kind == 1)
        return add_of(number, session_trait::circuit_id, "circuit" + std::to_string(random() % 3));
    return add_of(number, session_trait::address,
                  to_string(ip_address::v4(0x0A000000 + static_cast<std::uint32_t>(random() % 8))));
}

/// Who asked for the mirror of each session.
std::map<std::string, std::uint64_t> owners_of(const memory_port& port) {
    std::map<std::string, std::uint64_t> owners;
    for (const auto& [number, one] : port.mirrors)
        owners[std::to_string(one.copies[0].mirror.session_id)] = one.asked_for.value();
    return owners;
}

void run(std::uint32_t seed) {
    std::mt19937 random(seed);
    mirroring_settings with = usual_settings();
    with.mirrored = most_mirrored;
    rig at(with);
    naive_mirroring naive;
    std::uint64_t last = 0;
    for (int step = 0; step < 300; ++step) {
        const std::string id = std::to_string(random() % 10);
        switch (random() % 6) {
        case 0:
        case 1: {
            // Whom the model would have wait is a matter of the tables of tests.
            const session_record what = random_session(random, id);
            if (!naive.has_room())
                break;
            REQUIRE(at.put(what));
            naive.put(what);
            break;
        }
        case 2:
            at.end(id);
            naive.end(id);
            break;
        case 3: {
            const bool on = random() % 2 == 0;
            const auto failed = at.authorize(id, on ? li_action::on : li_action::off);
            if (!failed)
                naive.authorize(id, on);
            break;
        }
        case 4: {
            const tap::subscriber_request asked = random_add(random, ++last);
            const bool admitted = !at.add(asked);
            CHECK(admitted == naive.admits(asked));
            if (admitted)
                naive.add(asked);
            break;
        }
        default:
            if (last != 0) {
                const std::uint64_t number = 1 + random() % last;
                at.remove(number);
                naive.remove(number);
            }
        }
        REQUIRE(owners_of(at.port) == naive.owners());
        REQUIRE(at.all.state().mirrored == naive.owners().size());
    }
}

} // namespace

TEST_CASE("random histories end as a model that looks at everything says") {
    const std::uint32_t first = std::random_device()();
    for (std::uint32_t seed = first; seed < first + 200; ++seed) {
        CAPTURE(seed);
        run(seed);
    }
}
