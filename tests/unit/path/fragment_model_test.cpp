// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/fragments.hpp>

#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include <doctest/doctest.h>

#include "fragment_fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t own_port = 55;

/// A criterion as the reference sees it.
struct tapped_port {
    std::uint16_t port; ///< 0 for all
    std::uint32_t stream;
    std::uint64_t matched = 0;
};

/// Remembers everything for ever, and looks everything up in maps.
class reference {
public:
    using number = std::size_t;

    std::map<number, tapped_port> criteria;
    deliveries sent;
    std::uint64_t own = 0;

    void take(const datagram& of, std::size_t which, const octets& packet, steady_time now) {
        const auto key = std::tuple(of.of_family, of.from, of.identification);
        record& known = records_[key];
        if (known.since && now - *known.since >= 30s)
            known = {};
        if (which == 0)
            return take_first(known, of, packet, now);
        if (!known.since)
            known.since = now;
        if (!known.is_decided)
            known.early.push_back(packet);
        else
            send(known, packet);
    }

private:
    struct record {
        std::optional<steady_time> since;
        bool is_decided = false;
        bool is_own = false;
        std::set<number> matched;
        std::vector<octets> early;
    };

    void take_first(record& known, const datagram& of, const octets& packet, steady_time now) {
        record next{now, true, of.port == own_port, {}, {}};
        for (const auto& [name, each] : criteria)
            if (each.port == 0 || each.port == of.port)
                next.matched.insert(name);
        send(next, packet);
        for (const octets& each : known.early)
            send(next, each);
        known = next;
    }

    void send(const record& by, const octets& packet) {
        own += by.is_own ? 1 : 0;
        if (by.is_own)
            return;
        std::set<std::uint32_t> streams;
        for (const number name : by.matched) {
            const auto still = criteria.find(name);
            if (still == criteria.end())
                continue;
            ++still->second.matched;
            streams.insert(still->second.stream);
        }
        for (const std::uint32_t stream : streams)
            sent[stream].push_back(packet);
    }

    std::map<std::tuple<family, std::uint8_t, std::uint32_t>, record> records_;
};

/// Criteria that come and go, in the laboratory and in the reference.
class changing_taps {
public:
    changing_taps(fragment_lab& lab, reference& model) : lab_(lab), model_(model) {}

    void change(std::mt19937& random) {
        if (random() % 2 == 0 && slots_.size() < 6)
            add(random);
        else if (!slots_.empty())
            remove(
                std::next(slots_.begin(), static_cast<std::ptrdiff_t>(random() % slots_.size())));
        lab_.taps.publish();
        lab_.path.settled();
    }

    void check() const {
        for (const auto& [name, slot] : slots_)
            CHECK(lab_.path.counters(slot).packets == model_.criteria.at(name).matched);
    }

private:
    void add(std::mt19937& random) {
        const auto port = static_cast<std::uint16_t>(random() % 4 == 0 ? 0 : 53 + random() % 3);
        const auto stream = static_cast<std::uint32_t>(random() % 3);
        slots_[++last_] = lab_.taps.add(port == 0 ? anything() : to_port(port), {stream});
        model_.criteria[last_] = {port, stream};
    }
    void remove(std::map<std::size_t, slot_id>::iterator which) {
        lab_.taps.remove(which->second);
        model_.criteria.erase(which->first);
        slots_.erase(which);
    }

    fragment_lab& lab_;
    reference& model_;
    std::map<std::size_t, slot_id> slots_;
    std::size_t last_ = 0;
};

} // namespace

TEST_CASE("random fragments go where a reference that remembers everything sends them") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        fragment_lab lab({.hash = {seed, 7}});
        reference model;
        changing_taps taps(lab, model);
        auto own = std::make_shared<own_traffic>();
        own->add(17, {ip_address(family::inet, {}), own_port});
        own->add(17, {ip_address(family::inet6, {}), own_port});
        lab.taps.own = own;
        for (int i = 0; i < 4; ++i)
            taps.change(random);
        for (int step = 0; step < 400; ++step) {
            std::vector<octets> batch;
            for (std::size_t left = 1 + random() % 6; left > 0; --left) {
                datagram of{.of_family = random() % 2 == 0 ? family::inet : family::inet6,
                            .identification = static_cast<std::uint32_t>(random() % 5),
                            .from = static_cast<std::uint8_t>(1 + random() % 2),
                            .port = static_cast<std::uint16_t>(53 + random() % 3)};
                const std::size_t which = random() % 4;
                batch.push_back(train(of, 4)[which]);
                model.take(of, which, batch.back(), lab.now);
            }
            lab.run(batch);
            if (random() % 8 == 0)
                taps.change(random);
            lab.now += std::chrono::seconds(random() % 12 == 0 ? random() % 40 : random() % 2);
        }
        CHECK(lab.got == model.sent);
        CHECK(lab.work->counters().own == model.own);
        CHECK(lab.adds_up());
        taps.check();
    }
}
