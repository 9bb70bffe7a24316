// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <utility>

#include <unistd.h>

#include <doctest/doctest.h>

#include <flowtap/core/opener.hpp>

namespace flowtap::capture::test {

/// Opens the reading end of a pipe, whatever it is asked for.
class pipe_opener final : public opener {
public:
    pipe_opener() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        reading_ = descriptor(ends[0]);
        writing = descriptor(ends[1]);
    }

    void put(const std::string& octets) const {
        REQUIRE(::write(writing.number(), octets.data(), octets.size()) ==
                static_cast<ssize_t>(octets.size()));
    }

    result<descriptor> file_to_read(const std::string&) override { return std::move(reading_); }
    result<descriptor> file_to_write(const std::string&) override { return none(); }
    result<descriptor> raw_socket(family) override { return none(); }
    result<descriptor> udp_socket(const endpoint&) override { return none(); }
    result<descriptor> packet_socket() override { return none(); }

    descriptor writing;

private:
    static result<descriptor> none() {
        return fail(std::make_error_code(std::errc::not_supported));
    }

    descriptor reading_;
};

} // namespace flowtap::capture::test
