// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/response.hpp>

#include <doctest/doctest.h>

#include <flowtap/dtcp/timestamp.hpp>
#include <flowtap/dtcp/writer.hpp>

#include "client.hpp"
#include "hmac_sha1.hpp"

namespace flowtap::dtcp {

namespace {

const wall_time now = *parse_timestamp("2024-05-01 12:00:00.250");
const std::string stamp = "TIMESTAMP: 2024-05-01 12:00:00.250\r\n";

void ok(notification told, const std::string& lines) {
    told.timestamp = now;
    test::hmac_sha1 hash("Juniper");
    std::string octets;
    write_notification(octets, told, hash);
    CHECK(octets.substr(0, octets.find("AUTHENTICATION-INFO: ")) == lines + stamp);
    const test::reading seen = test::read(octets);
    CHECK(seen.notifications == std::vector{told});
    CHECK(seen.signatures == std::vector{authenticity::verified});
    CHECK(seen.responses.empty());
}

} // namespace

TEST_CASE("each notification is written and read with its fields") {
    ok({.status = status_code::sequence_rollover}, "DTCP/0.7 130 Sequence Number Rollover\r\n");
    ok({.spoken = version_0_5, .status = status_code::noop_notification},
       "DTCP/0.5 131 NoOp Notification\r\n");
    ok({.status = status_code::criterion_timeout,
        .criterion = 38224,
        .configured = {.idle = std::chrono::seconds(600), .packets = packet_count(5)},
        .remaining = {.idle = std::chrono::seconds(0), .packets = packet_count(3)}},
       "DTCP/0.7 390 Criterion Timeout Delete\r\nCRITERIA-ID: 38224\r\nTIMEOUT-IDLE: 600\r\n"
       "TIMEOUT-PACKETS: 5\r\nREMAINING-IDLE: 0\r\nREMAINING-PACKETS: 3\r\n");
    ok({.status = status_code::criterion_timeout,
        .criterion = 1,
        .configured = {.total = std::chrono::seconds(1), .bytes = octet_count(~0ULL)},
        .remaining = {.total = std::chrono::seconds(1), .bytes = octet_count(0)}},
       "DTCP/0.7 390 Criterion Timeout Delete\r\nCRITERIA-ID: 1\r\nTIMEOUT-TOTAL: 1\r\n"
       "TIMEOUT-BYTES: 18446744073709551615\r\nREMAINING-TOTAL: 1\r\nREMAINING-BYTES: 0\r\n");
    ok({.status = status_code::congestion,
        .cdest_id = "cd 1",
        .average_bandwidth = 1000,
        .alert_bandwidth = 900,
        .max_bandwidth = 2000},
       "DTCP/0.7 580 Congestion\r\nCDEST-ID: cd\\0321\r\nAVERAGE-BANDWIDTH: 1000\r\n"
       "ALERT-BANDWIDTH: 900\r\nMAX-BANDWIDTH: 2000\r\n");
    ok({.status = status_code::duplicates_dropped,
        .criterion = 4,
        .cdest_id = "cd1",
        .dropped_packets = 10,
        .dropped_bytes = 640},
       "DTCP/0.7 598 Duplicate Packets Dropped\r\nCDEST-ID: cd1\r\nCRITERIA-ID: 4\r\n"
       "DROPPED-PACKETS: 10\r\nDROPPED-BYTES: 640\r\n");
    ok({.status = status_code::restart, .alert = "the service was restarted, by hand"},
       "DTCP/0.7 599 Server Restart\r\nALERT-INFO: the service was restarted, by hand\r\n");

    notification purge{.status = status_code::congestion_delete, .cdest_id = "cd1"};
    range_entry<std::uint64_t> one;
    one.first = one.last = 3;
    range_entry<std::uint64_t> some;
    some.first = 5;
    some.last = 9;
    purge.purged.entries = {one, some};
    ok(purge,
       "DTCP/0.7 680 Criterion Congestion Delete\r\nCDEST-ID: cd1\r\nCRITERIA-ID: 3,5-9\r\n");
}

} // namespace flowtap::dtcp
