// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/error.hpp>

#include <set>
#include <string>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

TEST_CASE("every error has one sentence of its own and a status code that reports an error") {
    std::set<std::string> sentences;
    const auto last = static_cast<int>(errc::malformed_status_line);
    for (int value = 1; value <= last; ++value) {
        const std::error_code code = static_cast<errc>(value);
        CAPTURE(value);
        CHECK(code.message() != "unknown error");
        sentences.insert(code.message());
        CHECK(static_cast<int>(status_of(code)) >= 400);
        CHECK_FALSE(is_notification(status_of(code)));
    }
    CHECK(sentences.size() == static_cast<std::size_t>(last));
    CHECK(std::error_code(static_cast<errc>(last + 1)).message() == "unknown error");
    CHECK(std::string(dtcp_category().name()) == "flowtap.dtcp");
}

TEST_CASE("errors map to the status codes that the protocol gives them") {
    CHECK(status_of(errc::unknown_control_source) == status_code::unknown_control_source);
    CHECK(status_of(errc::authentication_failed) == status_code::invalid_authentication);
    CHECK(status_of(errc::repeated_sequence) == status_code::invalid_sequence);
    CHECK(status_of(errc::version_not_supported) == status_code::version_not_supported);
    CHECK(status_of(errc::unknown_method) == status_code::not_implemented);
    CHECK(status_of(errc::not_implemented) == status_code::not_implemented);
    CHECK(status_of(errc::unknown_parameter) == status_code::bad_request);
    CHECK(status_of(errc::too_many_destinations) == status_code::bad_request);
    CHECK(status_of(errc::mixed_families) == status_code::improper_filter);
    CHECK(status_of(errc::counts_differ) == status_code::improper_filter);
    CHECK(status_of(errc::invalid_timeout) == status_code::improper_timeout);
    CHECK(status_of(errc::missing_jtap_parameter) == status_code::jtap_failure);
}

TEST_CASE("an error of another module is an internal one") {
    CHECK(status_of(flowtap::errc::truncated) == status_code::internal_error);
    CHECK(status_of(std::make_error_code(std::errc::io_error)) == status_code::internal_error);
    CHECK(status_of(std::error_code(999, dtcp_category())) == status_code::internal_error);
}

} // namespace flowtap::dtcp
