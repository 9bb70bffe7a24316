// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/ring_source.hpp>

#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/live.hpp>

// What needs a device is tested in network namespaces: tests/e2e/live_capture_test.py.

using namespace flowtap;

namespace {

/// An opener without the privileges.
class no_sockets final : public opener {
public:
    result<descriptor> file_to_read(const std::string&) override { return refused(); }
    result<descriptor> file_to_write(const std::string&) override { return refused(); }
    result<descriptor> raw_socket(family) override { return refused(); }
    result<descriptor> udp_socket(const endpoint&) override { return refused(); }
    result<descriptor> packet_socket() override { return refused(); }

private:
    static unexpected<error> refused() {
        return fail(error(std::make_error_code(std::errc::operation_not_permitted), "socket"));
    }
};

} // namespace

TEST_CASE("a ring on a device that is not there names it in the error") {
    const auto refused = capture::ring_source::open("flowtap-none");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::cannot_open_device);
    CHECK(refused.error().subject.find("flowtap-none: ") == 0);
}

TEST_CASE("the sockets of a ring come from the opener") {
    no_sockets nothing;
    const auto refused = capture::ring_source::open("lo", {}, nothing);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::cannot_open_device);
    CHECK(refused.error().subject.find("lo: ") == 0);
}

TEST_CASE("a filter as text is for libpcap") {
    capture::live_options options;
    options.filter = "udp";
    const auto refused = capture::ring_source::open("lo", options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::invalid_filter);
}

TEST_CASE("a device that is not there is no reason to try libpcap") {
    const auto refused = capture::open_live("flowtap-none");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::cannot_open_device);
}
