// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/writer.hpp>

#include <doctest/doctest.h>

#include <flowtap/dtcp/timestamp.hpp>

#include "client.hpp"
#include "hmac_sha1.hpp"
#include "messages.hpp"

namespace flowtap::dtcp {

namespace {

using test::hmac_sha1;
using test::reading;

const wall_time added = *parse_timestamp("2024-05-01 12:00:00.250");
const wall_time now = *parse_timestamp("2024-05-01 13:00:00.000");

list_entry full_entry() {
    list_entry entry;
    entry.id = criteria_id(7);
    entry.csource_id = "ft-user1";
    entry.cdest_ids = {"cd1", "cd,2"};
    entry.csource_address = ip_address::v4(0xC0000207);
    entry.added = added;
    entry.is_static = true;
    entry.send_async = true;
    entry.given = {{parameter::source_address, "10.1.2.3/8"},
                   {parameter::timeout_idle, "0600"},
                   {parameter::x_jtap_cdest_dest_port, "2300"}};
    list_statistics shown;
    shown.remaining_idle = std::chrono::seconds(0);
    shown.remaining_bytes = 99;
    shown.average_bandwidth = 1;
    shown.matching_packets = 2;
    shown.matching_bytes = 3;
    shown.num_refresh = 4;
    shown.last_refresh = now;
    entry.statistics = shown;
    entry.number = 1;
    entry.count = 2;
    return entry;
}

list_entry small_entry() {
    list_entry entry;
    entry.id = criteria_id(8);
    entry.csource_id = "ft-user1";
    entry.csource_address = parse_ip_address("2001:db8::7").value();
    entry.added = now;
    entry.number = 2;
    entry.count = 2;
    return entry;
}

std::string write_list(const response& head, const std::vector<list_entry>& entries) {
    hmac_sha1 hash("Juniper");
    list_writer writer(hash);
    std::string octets;
    writer.begin(octets, head);
    for (const list_entry& entry : entries) {
        std::string text;
        write_entry(text, entry, head.spoken);
        writer.add(octets, text);
    }
    writer.end(octets, static_cast<std::uint32_t>(entries.size()));
    return octets;
}

} // namespace

TEST_CASE("a LIST answer has the entries in their order and is read back") {
    const response head{.seq = sequence_number(9), .timestamp = now};
    const std::string octets = write_list(head, {full_entry(), small_entry()});
    CHECK(octets.substr(0, octets.find("AUTHENTICATION-INFO: ")) ==
          "DTCP/0.7 200 OK\r\nSEQ: 9\r\nTIMESTAMP: 2024-05-01 13:00:00.000\r\n"
          "CRITERIA-ID: 7\r\nCSOURCE-ID: ft-user1\r\nCDEST-ID: cd1,cd\\0442\r\n"
          "CSOURCE-ADDRESS: 192.0.2.7\r\nTIMESTAMP: 2024-05-01 12:00:00.250\r\n"
          "FLAGS: STATIC,SENDASYNC\r\nSOURCE-ADDRESS: 10.1.2.3/8\r\nTIMEOUT-IDLE: 0600\r\n"
          "X-JTAP-CDEST-DEST-PORT: 2300\r\nREMAINING-IDLE: 0\r\nREMAINING-BYTES: 99\r\n"
          "AVERAGE-BANDWIDTH: 1\r\nMATCHING-PACKETS: 2\r\nMATCHING-BYTES: 3\r\nNUM-REFRESH: 4\r\n"
          "LAST-REFRESH: 2024-05-01 13:00:00.000\r\nCRITERIA-NUM: 1\r\nCRITERIA-COUNT: 2\r\n"
          "CRITERIA-ID: 8\r\nCSOURCE-ID: ft-user1\r\nCSOURCE-ADDRESS: 2001:db8::7\r\n"
          "TIMESTAMP: 2024-05-01 13:00:00.000\r\nCRITERIA-NUM: 2\r\nCRITERIA-COUNT: 2\r\n");
    CHECK(octets.size() - octets.find("AUTHENTICATION-INFO: ") == list_writer::tail_size);
    CHECK(test::framed(octets) == octets);

    const reading seen = test::read(octets);
    CHECK(seen.entries == std::vector{full_entry(), small_entry()});
    CHECK(seen.responses == std::vector{head});
    CHECK(seen.signatures == std::vector{authenticity::verified});
}

TEST_CASE("a LIST that selects nothing is an answer without entries") {
    const response head{.seq = sequence_number(9), .timestamp = now};
    const reading seen = test::read(write_list(head, {}));
    CHECK(seen.entries.empty());
    CHECK(seen.responses == std::vector{head});
}

TEST_CASE("one entry is an entry, and an ADD's answer is none") {
    const response head{.seq = sequence_number(9), .timestamp = now};
    const reading listed = test::read(write_list(head, {small_entry()}));
    CHECK(listed.entries == std::vector{small_entry()});
    CHECK_FALSE(listed.responses.at(0).criterion);
    const reading added_one = test::read("DTCP/0.7 200 OK\r\nSEQ: 7\r\nCRITERIA-ID: 2\r\n\r\n");
    CHECK(added_one.entries.empty());
    CHECK(added_one.responses.at(0).criterion == 2);
}

TEST_CASE("DTCP/0.5 has no Criteria-Num and the number of entries once, at the end") {
    const response head{.spoken = version_0_5, .seq = sequence_number(9), .timestamp = now};
    const std::string octets = write_list(head, {full_entry(), small_entry()});
    CHECK(octets.find("CRITERIA-NUM") == std::string::npos);
    CHECK(octets.find("CRITERIA-COUNT") == std::string::npos);
    const std::size_t total = octets.find("NUM-CRITERIA: 2\r\n");
    REQUIRE(total != std::string::npos);
    CHECK(octets.size() - total <= list_writer::tail_size_0_5);

    const reading seen = test::read(octets);
    REQUIRE(seen.entries.size() == 2);
    CHECK(seen.entries[1].id == criteria_id(8));
    CHECK(seen.entries[1].number == 0);
    CHECK(seen.responses.at(0).criteria_count == 2);
    CHECK(seen.signatures == std::vector{authenticity::verified});
}

TEST_CASE("each datagram of a LIST answer is a whole response") {
    const response head{.seq = sequence_number(9), .timestamp = now};
    hmac_sha1 hash("Juniper");
    list_writer writer(hash);
    std::string octets;
    for (const list_entry& entry : {full_entry(), small_entry()}) {
        std::string text;
        write_entry(text, entry, head.spoken);
        writer.begin(octets, head);
        writer.add(octets, text);
        if (entry.number == entry.count)
            writer.end(octets, entry.count);
        else
            writer.end_part(octets);
    }
    const reading seen = test::read(octets);
    CHECK(seen.entries == std::vector{full_entry(), small_entry()});
    CHECK(seen.responses == std::vector{head, head});
    CHECK(seen.signatures == std::vector{authenticity::verified, authenticity::verified});
}

TEST_CASE("a long LIST answer is read in the memory of one entry") {
    hmac_sha1 hash("Juniper");
    list_writer writer(hash);
    std::string octets;
    writer.begin(octets, {});
    struct counter final : response_handler {
        void on_entry(list_entry entry) override { CHECK(entry.id == criteria_id(++entries)); }
        void on_response(response, authenticity signature) override {
            CHECK(signature == authenticity::verified);
            ++responses;
        }
        void on_notification(notification, authenticity) override {}
        std::uint32_t entries = 0;
        int responses = 0;
    } client;
    hmac_sha1 client_hash("Juniper");
    response_reader reader(client, &client_hash);
    for (std::uint32_t number = 1; number <= 5000; ++number) {
        list_entry entry = small_entry();
        entry.id = criteria_id(number);
        std::string text;
        write_entry(text, entry, version_0_7);
        writer.add(octets, text);
        REQUIRE(reader.put(as_byte_view(octets)));
        octets.clear();
        // The entry at hand is not known to be whole until the next one begins.
        CHECK(client.entries == number - 1);
    }
    writer.end(octets, 5000);
    REQUIRE(reader.put(as_byte_view(octets)));
    CHECK(client.entries == 5000);
    CHECK(client.responses == 1);
}

} // namespace flowtap::dtcp
