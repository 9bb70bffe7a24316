// SPDX-License-Identifier: Apache-2.0
// Sequence numbers: dtcp.md, section 3.
#include <doctest/doctest.h>

#include <map>

#include "rig.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr std::uint64_t highest = ~std::uint64_t{0};

/// What survives a restart, and can be made to fail.
class memory_store final : public tap::sequence_store {
public:
    std::optional<sequence_number> load(std::string_view source) override {
        const auto found = bounds.find(source);
        return found == bounds.end() ? std::nullopt : std::optional(found->second);
    }
    result<void> store(std::string_view source, sequence_number bound) override {
        if (broken)
            return unexpected<error>(error(std::make_error_code(std::errc::no_space_on_device)));
        ++writes;
        bounds.insert_or_assign(std::string(source), bound);
        return {};
    }
    result<void> forget(std::string_view source) override {
        if (broken)
            return unexpected<error>(error(std::make_error_code(std::errc::no_space_on_device)));
        bounds.erase(bounds.find(source));
        return {};
    }

    std::map<std::string, sequence_number, std::less<>> bounds;
    int writes = 0;
    bool broken = false;
};

/// True if a NOOP of that number is answered.
bool takes(rig& at, std::uint64_t number, std::string_view source = "md1") {
    at.next_seq = number;
    return status_of_answer(at.ask_datagram(source, "NOOP DTCP/0.7\n")) == 200;
}

tap::settings with_target() {
    tap::settings with = udp_settings();
    with.sources["md1"].notification_targets = {{ip_address::v4(0xC6336409), 50001}};
    return with;
}

} // namespace

TEST_CASE("over UDP a number is taken once, in both windows and in any order") {
    rig at(udp_settings());
    // The first one sets it, and what is below it counts as seen.
    CHECK(takes(at, 1000));
    CHECK_FALSE(takes(at, 1000));
    CHECK_FALSE(takes(at, 999));
    CHECK_FALSE(takes(at, 745));
    CHECK_FALSE(takes(at, 1257));
    CHECK(takes(at, 1256));
    // Everything between has not been seen, 1001 at the very end of the negative window.
    CHECK(takes(at, 1001));
    CHECK(takes(at, 1100));
    CHECK(takes(at, 1050));
    for (const std::uint64_t again : {1001, 1050, 1100, 1256, 1000, 0})
        CHECK_FALSE(takes(at, again));
    CHECK(takes(at, 1257));
    CHECK(takes(at, 1002));
    CHECK_FALSE(takes(at, 1001));
    CHECK(at.point.state().bad_sequences == 11);
    CHECK(at.audit.records.back().status == 200);
    CHECK(at.audit.count(tap::audit_event::refusal) == 10); // of this second
}

TEST_CASE("a number is used up by a request that is answered with an error") {
    rig at(udp_settings());
    CHECK(takes(at, 10));
    at.next_seq = 266;
    CHECK(status_of_answer(at.ask_datagram("md1", "FETCH DTCP/0.7\n")) == 501);
    CHECK_FALSE(takes(at, 266));
    CHECK(takes(at, 522));
    at.next_seq = 778;
    CHECK(status_of_answer(at.ask_datagram("md1", "NOOP DTCP/0.1\n")) == 505);
    CHECK(takes(at, 1034));
}

TEST_CASE("a forged message never moves the window, whatever number it has") {
    rig at(udp_settings());
    CHECK(takes(at, 10));
    for (std::uint64_t number = 0; number < 600; ++number) {
        at.next_seq = number;
        CHECK(at.ask_datagram("md1", "NOOP DTCP/0.7\n", "forged").empty());
    }
    // Neither does one of another control source.
    CHECK(takes(at, 5000, "md2"));
    CHECK(takes(at, 11));
    CHECK_FALSE(takes(at, 11));
}

TEST_CASE("sequence numbers are checked over UDP and not over SSH unless it is configured") {
    tap::settings with = udp_settings();
    with.sources["md2"].sequence_check = false;
    rig at(with);
    const tap::session_id session = at.open("md1");
    CHECK(takes(at, 10));
    for (int i = 0; i < 2; ++i) {
        at.next_seq = 10;
        CHECK(status_of_answer(at.ask(session, "md1", "NOOP DTCP/0.7\n", udp_key)) == 200);
        CHECK(takes(at, 7, "md2"));
    }
    CHECK_FALSE(takes(at, 10));

    with.sources["md1"].sequence_check = true;
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    at.next_seq = 10;
    CHECK(at.ask(session, "md1", "NOOP DTCP/0.7\n", udp_key).empty());
    // One window for both.
    at.next_seq = 11;
    CHECK(status_of_answer(at.ask(session, "md1", "NOOP DTCP/0.7\n", udp_key)) == 200);
    CHECK_FALSE(takes(at, 11));
}

TEST_CASE("after a clean end the next number is taken, and no other than before") {
    memory_store store;
    {
        rig at(udp_settings(), &store);
        CHECK(takes(at, 100));
        CHECK(takes(at, 110));
        CHECK(at.point.save_sequences());
    }
    CHECK(store.bounds.at("md1") == sequence_number{110});
    CHECK(store.bounds.size() == 1);
    rig at(udp_settings(), &store);
    // The whole negative window counts as seen, also what was not.
    for (std::uint64_t number = 0; number <= 110; ++number)
        CHECK_FALSE(takes(at, number));
    CHECK_FALSE(takes(at, 367));
    CHECK(takes(at, 111));
    CHECK(takes(at, 366));
}

TEST_CASE("after a crash nothing is taken twice, and less than a block of numbers is lost") {
    memory_store store;
    for (std::uint64_t last = 1000; last < 1200; ++last) {
        store.bounds.clear();
        {
            rig at(udp_settings(), &store);
            CHECK(takes(at, 1000));
            for (std::uint64_t number = 1001; number <= last; ++number)
                REQUIRE(takes(at, number));
        }
        rig at(udp_settings(), &store);
        CHECK_FALSE(takes(at, last));
        CHECK_FALSE(takes(at, 1000));
        std::uint64_t next = last + 1;
        while (!takes(at, next) && next < last + 300)
            ++next;
        CHECK(next <= last + 64);
    }
}

TEST_CASE("one write is good for 64 requests in a row") {
    memory_store store;
    rig at(udp_settings(), &store);
    for (std::uint64_t number = 1; number <= 640; ++number)
        REQUIRE(takes(at, number));
    CHECK(store.writes == 10);
    CHECK(at.point.save_sequences());
    CHECK(store.writes == 10); // it was exact
    CHECK(takes(at, 700));
    CHECK(at.point.save_sequences());
    CHECK(at.point.save_sequences());
    CHECK(store.writes == 12);
    CHECK(takes(at, 650));
    CHECK(store.writes == 12);
    CHECK(takes(at, 701));
    CHECK(store.writes == 13);
}

TEST_CASE("a source that has a number stored with each request does so once in a turn") {
    memory_store store;
    rig at(udp_settings(), &store);
    CHECK(takes(at, 1));
    CHECK(takes(at, 1, "md2"));
    const auto answered = [&] {
        at.turn();
        return at.take_datagrams().size();
    };
    for (std::uint64_t number = 256; number <= 1024; number += 256) {
        at.next_seq = number;
        at.feed_datagram(at.request("md1", "NOOP DTCP/0.7\n", udp_key));
    }
    at.next_seq = 2;
    at.feed_datagram(at.request("md2", "NOOP DTCP/0.7\n", udp_key));
    CHECK(store.writes == 3);
    CHECK(answered() == 3);
    CHECK(store.writes == 4);
    CHECK(answered() == 1);
    CHECK(answered() == 1);
    CHECK(store.writes == 6);
    CHECK(answered() == 0);
    // Also when it fails: that takes as long.
    store.broken = true;
    for (const std::uint64_t number : {1280, 1281}) {
        at.next_seq = number;
        at.feed_datagram(at.request("md1", "NOOP DTCP/0.7\n", udp_key));
    }
    CHECK(at.point.state().sequences_not_stored == 1);
    CHECK(answered() == 2);
    CHECK(at.point.state().sequences_not_stored == 2);
}

TEST_CASE("when the number cannot be stored the answer is 500, and nothing is done") {
    memory_store store;
    rig at(udp_settings(), &store);
    CHECK(takes(at, 1));
    store.broken = true;
    // Up to 64 are stored.
    CHECK(takes(at, 64));
    at.next_seq = 65;
    const std::string request = at.request("md1", add(""), udp_key);
    CHECK(status_of_answer(at.exchange_datagram(request)) == 500);
    CHECK(at.point.state().criteria == 0);
    CHECK(at.point.state().sequences_not_stored == 1);
    CHECK(at.audit.records.back().event == tap::audit_event::add);
    CHECK(at.audit.records.back().status == 500);
    CHECK_FALSE(at.point.save_sequences());
    // Another control source has a block of its own.
    CHECK_FALSE(takes(at, 1, "md2"));
    CHECK(at.point.state().sequences_not_stored == 2);

    // What was told to have failed is not done by a replay.
    store.broken = false;
    CHECK(at.exchange_datagram(request).empty());
    CHECK(takes(at, 66));
    CHECK(store.bounds.at("md1") == sequence_number{129});
    CHECK(takes(at, 2, "md2"));
}

TEST_CASE("a rollover past zero is told, and recorded") {
    memory_store store;
    rig at(with_target(), &store);
    CHECK(takes(at, highest - 10));
    CHECK(store.bounds.at("md1") == sequence_number{highest});
    CHECK(takes(at, highest));
    CHECK(at.audit.count(tap::audit_event::sequence) == 0);

    at.next_seq = 5;
    at.feed_datagram(at.request("md1", "NOOP DTCP/0.7\n", udp_key));
    at.turn();
    const auto sent = at.take_datagrams();
    REQUIRE(sent.size() == 2);
    CHECK(verified(sent[0].octets, udp_key).starts_with("DTCP/0.7 200 OK\nSEQ: 5\n"));
    CHECK(verified(sent[1].octets, udp_key).starts_with("DTCP/0.7 130 "));
    CHECK(sent[1].to == endpoint{ip_address::v4(0xC6336409), 50001});
    CHECK(at.audit.count(tap::audit_event::sequence) == 1);
    CHECK(store.bounds.at("md1") == sequence_number{5 + 63});

    // The windows reach over zero.
    CHECK(takes(at, highest - 5));
    CHECK(takes(at, 0));
    for (const std::uint64_t again : {highest - 10, highest, highest - 5, std::uint64_t{0}})
        CHECK_FALSE(takes(at, again));
    CHECK(at.audit.count(tap::audit_event::sequence) == 1);
    CHECK(at.point.save_sequences());
    CHECK(store.bounds.at("md1") == sequence_number{5});
}

TEST_CASE("a rollover just after a crash is told, too, and nothing is taken twice") {
    for (std::uint64_t before : {highest - 70, highest - 20, highest}) {
        CAPTURE(before);
        memory_store store;
        {
            rig at(udp_settings(), &store);
            CHECK(takes(at, before));
        }
        rig at(udp_settings(), &store);
        CHECK_FALSE(takes(at, before));
        CHECK(takes(at, 3));
        CHECK(at.audit.count(tap::audit_event::sequence) == 1);
        CHECK_FALSE(takes(at, before));
        CHECK_FALSE(takes(at, 3));
    }
}

TEST_CASE("a number far below zero is outside when the count is not close to its end") {
    rig at(udp_settings());
    CHECK(takes(at, 5));
    CHECK_FALSE(takes(at, highest));
    CHECK_FALSE(takes(at, highest - 200));
    CHECK_FALSE(takes(at, highest - 300));
    CHECK(takes(at, 6));
}

TEST_CASE("a reset lets any number be the next one, and is recorded") {
    memory_store store;
    rig at(udp_settings(), &store);
    CHECK(takes(at, 1000));
    CHECK_FALSE(at.point.reset_sequence("md3", at.now));
    CHECK(at.point.reset_sequence("md1", at.now));
    CHECK(at.audit.records.back().event == tap::audit_event::sequence);
    CHECK(at.audit.records.back().principal == "md1");
    CHECK(store.bounds.empty());
    CHECK(takes(at, 7));
    CHECK_FALSE(takes(at, 6));
    CHECK(store.bounds.at("md1") == sequence_number{70});

    store.broken = true;
    CHECK_FALSE(at.point.reset_sequence("md1", at.now));
    CHECK_FALSE(takes(at, 7));
    CHECK(takes(at, 8));
}

TEST_CASE("a reset before the first request forgets what is stored") {
    memory_store store;
    store.bounds["md1"] = sequence_number{5000};
    rig at(udp_settings(), &store);
    CHECK(at.point.reset_sequence("md1", at.now));
    CHECK(takes(at, 1));
}

TEST_CASE("a reset forgets requests that wait, so that none of them sets the number again") {
    memory_store store;
    rig at(udp_settings(), &store);
    CHECK(takes(at, 1000));
    for (const std::uint64_t number : {1256, 1512, 1513}) {
        at.next_seq = number;
        at.feed_datagram(at.request("md1", "NOOP DTCP/0.7\n", udp_key));
    }
    CHECK(at.point.reset_sequence("md1", at.now));
    at.turn();
    CHECK(at.take_datagrams().size() == 1);
    CHECK(at.point.state().datagrams_dropped == 2);
    CHECK(takes(at, 1));
}
