// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/status.hpp>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

namespace {

struct row {
    int code;
    std::string_view phrase;
    bool notification;
    bool never_sent;
};

const row rows[] = {
    {130, "Sequence Number Rollover", true, false},
    {131, "NoOp Notification", true, false},
    {200, "OK", false, false},
    {390, "Criterion Timeout Delete", true, false},
    {400, "Bad Request", false, false},
    {430, "Unknown Content Destination", false, false},
    {431, "Unknown Criteria ID", false, false},
    {432, "Improper Filter Specification", false, false},
    {433, "Improper Timeout Specification", false, false},
    {497, "Invalid Authentication", false, true},
    {498, "Invalid Sequence Number", false, true},
    {499, "Unknown Control Source Identifier", false, true},
    {500, "Server Internal Error", false, false},
    {501, "Not Implemented", false, false},
    {505, "DTCP Version not supported", false, false},
    {550, "Max Criteria Limit Exceeded", false, false},
    {551, "Max Content Destination Exceeded", false, false},
    {580, "Congestion", true, false},
    {598, "Duplicate Packets Dropped", true, false},
    {599, "Server Restart", true, false},
    {680, "Criterion Congestion Delete", true, false},
    {901, "JTap-Failure", false, false},
};

} // namespace

TEST_CASE("each status code has the draft's phrase") {
    for (const row& expected : rows) {
        CAPTURE(expected.code);
        const auto status = static_cast<status_code>(expected.code);
        CHECK(reason(status) == expected.phrase);
        CHECK(is_notification(status) == expected.notification);
        CHECK(is_never_sent(status) == expected.never_sent);
    }
    CHECK(reason(static_cast<status_code>(299)) == "Unknown");
}

TEST_CASE("under DTCP/0.5 500 stands for 550 and 551, and for nothing else") {
    for (const row& expected : rows) {
        CAPTURE(expected.code);
        const auto status = static_cast<status_code>(expected.code);
        const bool is_new = expected.code == 550 || expected.code == 551;
        CHECK(status_under({0, 5}, status) == (is_new ? status_code::internal_error : status));
        CHECK(status_under({0, 6}, status) == status);
    }
}

} // namespace flowtap::dtcp
