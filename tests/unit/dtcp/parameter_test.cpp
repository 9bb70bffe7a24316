// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/parameter.hpp>

#include <cctype>
#include <set>
#include <string>

#include <doctest/doctest.h>

namespace flowtap::dtcp {

TEST_CASE("every parameter is found by its name in any case") {
    std::set<std::string_view> names;
    for (int index = 0; index <= static_cast<int>(parameter::authentication_info); ++index) {
        const auto known = static_cast<parameter>(index);
        std::string upper;
        std::string lower;
        for (const char letter : name_of(known)) {
            upper += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
            lower += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        }
        CAPTURE(upper);
        CHECK(upper_name_of(known) == upper);
        CHECK(find_parameter(name_of(known)) == known);
        CHECK(find_parameter(upper) == known);
        CHECK(find_parameter(lower) == known);
        CHECK_FALSE(find_parameter(upper + "X"));
        CHECK_FALSE(find_parameter(upper.substr(0, upper.size() - 1)));
        names.insert(name_of(known));
    }
    CHECK(names.size() == static_cast<std::size_t>(parameter::authentication_info) + 1);
}

TEST_CASE("other names are not found") {
    for (const char* name : {"", "X-", "X-JTap", "Sequence", "Source_Address", "Source-Address "})
        CHECK_FALSE(find_parameter(name));
}

} // namespace flowtap::dtcp
