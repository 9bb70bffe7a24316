// SPDX-License-Identifier: Apache-2.0
// Requests over UDP: what is taken, what is dropped, and where answers go.
#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

using namespace flowtap;
using namespace flowtap::tap::test;

namespace {

constexpr const char* noop = "NOOP DTCP/0.7\n";

/// What became of datagrams without an answer.
struct unanswered {
    std::uint64_t dropped = 0;
    std::uint64_t malformed = 0;
    std::uint64_t authentications = 0;
    std::uint64_t sequences = 0;
    std::uint64_t sources = 0;

    friend bool operator==(const unanswered&, const unanswered&) = default;
};

unanswered counts(const rig& at) {
    const tap::status now = at.point.state();
    return {now.datagrams_dropped, now.malformed, now.bad_authentications, now.bad_sequences,
            now.unknown_sources};
}

/// A request that gets past every check but that of its length.
std::string request_of_length(std::size_t wanted) {
    const std::string_view begin = "NOOP DTCP/0.7\n";
    const std::string_view end = "Csource-ID: md1\nSeq: 1\n";
    const std::size_t fixed = signed_message(std::string(begin) + std::string(end)).size();
    std::string filler;
    for (std::size_t left = wanted - fixed; left != 0;) {
        const std::size_t line = left < 1100 ? left : std::size_t{1000};
        filler += "X-Filler: " + std::string(line - 12, 'x') + "\n";
        left -= line;
    }
    return signed_message(std::string(begin) + filler + std::string(end), udp_key);
}

/// Counts the octets that were hashed.
class counting_hash final : public dtcp::keyed_hash {
public:
    counting_hash(std::string_view key, std::size_t& octets) : hash_(key), octets_(&octets) {}

    void reset() override { hash_.reset(); }
    void update(byte_view octets) override {
        *octets_ += octets.size();
        hash_.update(octets);
    }
    dtcp::digest finish() override { return hash_.finish(); }

private:
    test_hash hash_;
    std::size_t* octets_;
};

} // namespace

TEST_CASE("a request in a datagram is answered with the addresses exchanged") {
    rig at(udp_settings());
    at.feed_datagram(at.request("md1", noop, udp_key));
    const auto answers = at.take_datagrams();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].from == at.service);
    CHECK(answers[0].to == at.device);
    CHECK(verified(answers[0].octets, udp_key) == "DTCP/0.7 200 OK\n"
                                                  "SEQ: 1\n"
                                                  "TIMESTAMP: 2011-02-13 15:56:49.609\n");
    CHECK(at.audit.records.back().principal == "md1");
    CHECK(at.audit.records.back().peer == "198.51.100.8:40000");
    CHECK(at.point.state().datagrams == 1);
    CHECK(counts(at) == unanswered{});
}

TEST_CASE("a datagram that is cut off at any octet is dropped, and uses up no sequence number") {
    rig at(udp_settings());
    const std::string whole = at.request("md1", noop, udp_key);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        at.pass(1s);
        CHECK(at.exchange_datagram(whole.substr(0, length)).empty());
        CHECK(at.audit.records.back().event == tap::audit_event::refusal);
    }
    // Without its last line end but one the signature is whole, and the message is not.
    CHECK(counts(at) == unanswered{.dropped = whole.size()});
    CHECK(at.point.state().datagrams == whole.size());
    CHECK_FALSE(at.exchange_datagram(whole).empty());
}

TEST_CASE("octets after the message of a datagram make it be dropped as a whole") {
    rig at(udp_settings());
    const std::string whole = at.request("md1", noop, udp_key);
    const std::vector<std::string> table = {
        whole + "\n", whole + "\r\n", whole + std::string(1, '\0'), whole + whole, whole + "x"};
    for (const std::string& octets : table) {
        CAPTURE(octets);
        CHECK(at.exchange_datagram(octets).empty());
    }
    CHECK(counts(at) == unanswered{.dropped = table.size()});
    // Empty lines before a message are no octets after it.
    CHECK_FALSE(at.exchange_datagram("\r\n \n" + whole).empty());
}

TEST_CASE("a datagram within the limits of a message is taken, and above them dropped") {
    rig at(udp_settings());
    CHECK(at.exchange_datagram(request_of_length(64UL * 1024 + 1)).empty());
    CHECK(counts(at) == unanswered{.dropped = 1});
    const std::string longest = request_of_length(64UL * 1024);
    REQUIRE(longest.size() == 64UL * 1024);
    CHECK_FALSE(at.exchange_datagram(longest).empty());

    std::string lines = noop;
    for (int i = 0; i < 257; ++i)
        lines += "X-A: 1\n";
    CHECK(at.ask_datagram("md1", lines).empty());
    CHECK(at.ask_datagram("md1", std::string(noop) + "X-A: " + std::string(8192, 'x') + "\n")
              .empty());
    CHECK(counts(at) == unanswered{.dropped = 3});
}

TEST_CASE("over UDP only a configured control source with `udp` exists") {
    rig at(udp_settings());
    // Known as a login, configured without UDP, and known to nobody.
    for (const char* name : {"lea1", "lea2", "md3", ""}) {
        CAPTURE(name);
        CHECK(at.ask_datagram(name, noop).empty());
        CHECK(at.audit.records.back().status == 499);
        CHECK(at.audit.records.back().principal.empty());
    }
    CHECK(counts(at) == unanswered{.sources = 4});
    CHECK(at.exchange_datagram(signed_message("NOOP DTCP/0.7\nSeq: 1\n", udp_key)).empty());
    CHECK(counts(at) == unanswered{.sources = 5});
}

TEST_CASE("as much is hashed for a control source that does not exist as for one that does") {
    std::size_t octets = 0;
    path::data_path path{{}};
    memory_audit audit;
    tap::settings with = udp_settings();
    with.sources["md2"].udp->ports = {9999};
    tap::access_point point(with, {path, audit, [&](std::string_view key) {
                                       return std::make_unique<counting_hash>(key, octets);
                                   }});
    rig at;
    for (const char* source : {"md1", "md2", "md3", "lea2"}) {
        CAPTURE(std::string(source));
        at.next_seq = 1;
        const std::string forged =
            at.request("md1", noop + std::string("X-Filler: ") + source + "\n", "forged");
        std::string named = forged;
        named.replace(named.find("Csource-ID: md1"), 15, "Csource-ID: " + std::string(source));
        octets = 0;
        point.feed_datagram(at.device, at.service, as_byte_view(named), at.now);
        CHECK(octets == named.find("Authentication-Info"));
    }
    CHECK(point.state().bad_authentications == 1);
    CHECK(point.state().unknown_sources == 3);
}

TEST_CASE("local ports and the sender's address can be restricted") {
    tap::settings with = udp_settings();
    with.sources["md1"].udp->ports = {8888, 8889};
    with.sources["md2"].udp->source_addresses = {parse_ip_prefix("198.51.100.0/29").value(),
                                                 parse_ip_prefix("2001:db8::/32").value()};
    rig at(with);
    CHECK_FALSE(at.ask_datagram("md1", noop).empty());
    CHECK_FALSE(at.ask_datagram("md1", noop).empty());
    at.next_seq = 1;
    CHECK(at.ask_datagram("md2", noop).empty());
    CHECK(counts(at) == unanswered{.sources = 1});
    at.next_seq = 1;
    at.device.address = ip_address::v4(0xC6336407);
    CHECK_FALSE(at.ask_datagram("md2", noop).empty());
    at.device.address = parse_ip_address("2001:db8::7").value();
    CHECK_FALSE(at.ask_datagram("md2", noop).empty());

    at.service.port = 8890;
    at.next_seq = 3;
    CHECK_FALSE(at.ask_datagram("md2", noop).empty());
    CHECK(at.ask_datagram("md1", noop).empty());
    CHECK(counts(at) == unanswered{.sources = 2});
}

TEST_CASE("what fails before the version is never answered over UDP either") {
    rig at(udp_settings());
    CHECK(at.ask_datagram("md1", noop, "forged").empty());
    CHECK(counts(at) == unanswered{.authentications = 1});
    CHECK(at.audit.records.back().principal == "md1");
    CHECK(at.audit.records.back().status == 497);
    CHECK(
        at.exchange_datagram(signed_message("NOOP DTCP/0.7\nCsource-ID: md1\n", udp_key)).empty());
    CHECK(at.exchange_datagram(signed_message("NOOP DTCP/0.7\nCsource-ID: md1\nSeq: x\n", udp_key))
              .empty());
    CHECK(counts(at) == unanswered{.authentications = 1, .sequences = 2});
    CHECK(at.exchange_datagram("\r\n\r\n").empty());
    CHECK(counts(at) == unanswered{.dropped = 1, .authentications = 1, .sequences = 2});
    CHECK(at.point.state().errors_answered == 0);
    CHECK(at.ask_datagram("md1", "NOOP DTCP/0.9\n").starts_with("DTCP/0.8 505 "));
    CHECK(at.ask_datagram("md1", "FETCH DTCP/0.7\n").starts_with("DTCP/0.7 501 "));
    CHECK(at.point.state().errors_answered == 2);
}

TEST_CASE("lists of ports are a product over UDP unless the control source says otherwise") {
    const std::string lines = add("Source-Port: 1,2\nDest-Port: 1,2,3\nProtocol: 6\n");
    rig product(udp_settings());
    CHECK(status_of_answer(product.ask_datagram("md1", lines)) == 200);
    tap::settings with = udp_settings();
    with.sources["md1"].port_lists = port_list_mode::pairs;
    rig pairs(with);
    CHECK(status_of_answer(pairs.ask_datagram("md1", lines)) == 432);
    // The default over SSH stays.
    with.default_source.port_lists.reset();
    rig both(with);
    CHECK(status_of_answer(both.ask(both.open("lea1"), "lea1", lines)) == 432);
}

TEST_CASE("a flood of bad datagrams leaves valid ones answered, and little in the audit log") {
    rig at(udp_settings());
    CHECK_FALSE(at.ask_datagram("md1", noop).empty());
    const std::string replayed =
        signed_message("NOOP DTCP/0.7\nCsource-ID: md1\nSeq: 1\n", udp_key);
    const std::vector<std::string> bad = {
        signed_message("NOOP DTCP/0.7\nCsource-ID: md1\nSeq: 2\n", "forged"),
        signed_message("NOOP DTCP/0.7\nCsource-ID: nobody\nSeq: 2\n", udp_key),
        replayed,
        replayed + "x",
        replayed.substr(0, 60),
    };
    const std::size_t before = at.audit.records.size();
    for (std::size_t i = 0; i < 100'000; ++i) {
        if (i % 64 == 0)
            at.pass(1ms);
        at.feed_datagram(bad[i % bad.size()]);
        if (i % 64 == 63)
            at.turn();
    }
    CHECK(at.take_datagrams().empty());
    at.next_seq = 2;
    CHECK(status_of_answer(at.ask_datagram("md1", noop)) == 200);

    CHECK(counts(at) == unanswered{.dropped = 40'000,
                                   .authentications = 20'000,
                                   .sequences = 20'000,
                                   .sources = 20'000});
    CHECK(at.point.state().datagrams == 100'002);
    CHECK(at.audit.records.size() - before < 30);

    // What was left out is recorded when the second is over, with nothing else to do.
    REQUIRE(at.point.deadline());
    at.now.steady = *at.point.deadline();
    at.turn();
    CHECK_FALSE(at.point.deadline());
    CHECK(at.audit.records.back().event == tap::audit_event::refusal);
    std::uint64_t told = 0;
    for (std::size_t i = before; i < at.audit.records.size(); ++i) {
        const tap::audit_record& one = at.audit.records[i];
        if (one.event == tap::audit_event::refusal)
            told += one.count == 0 ? 1 : one.count;
    }
    CHECK(told == 100'000);
    CHECK(at.audit.records.back().detail.find(" of 497") != std::string::npos);
    CHECK(at.audit.records.back().detail.find(" dropped") != std::string::npos);
}

TEST_CASE("dynamic flow capture takes requests over UDP only") {
    tap::settings with = udp_settings();
    rig at(with);
    const tap::session_id session = at.open("lea1");
    with.service = dtcp::service_kind::dynamic_flow_capture;
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    at.turn();
    CHECK(at.taken<tap::close_session>().size() == 1);
    at.point.close(session, at.now);
    CHECK_FALSE(at.point.open(rig::principal("lea1"), "198.51.100.7:50000", at.now));
    CHECK(at.audit.records.back().event == tap::audit_event::refusal);
    CHECK(status_of_answer(at.ask_datagram("md1", noop)) == 200);
}

TEST_CASE("a source that loses UDP is as if it did not exist, also for answers that wait") {
    tap::settings with = udp_settings();
    rig at(with);
    at.feed_datagram(at.request("md1", add(""), udp_key));
    with.sources["md1"].udp.reset();
    at.point.apply(
        with, [](std::string_view) { return true; }, at.now);
    at.turn();
    CHECK(at.take_datagrams().empty());
    CHECK(at.ask_datagram("md1", noop).empty());
    CHECK(counts(at) == unanswered{.sources = 1});
    CHECK(at.point.state().criteria == 1);
}

TEST_CASE("when the audit log cannot be written, a datagram is answered with 500") {
    rig at(udp_settings());
    at.audit.broken = true;
    CHECK(status_of_answer(at.ask_datagram("md1", add(""))) == 500);
    CHECK(at.point.state().criteria == 0);
    at.audit.broken = false;
    CHECK(status_of_answer(at.ask_datagram("md1", add(""))) == 200);
}
