// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include <flowtap/core/error.hpp>

namespace flowtap {

namespace {

class core_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::truncated:
            return "the input ends too early";
        case errc::invalid_address:
            return "the address is not a valid IPv4 or IPv6 address";
        case errc::invalid_prefix:
            return "the prefix length is not valid for the address";
        case errc::invalid_number:
            return "the number is not valid";
        case errc::out_of_range:
            return "the number is out of range";
        case errc::mixed_families:
            return "IPv4 and IPv6 stand side by side where one family is required";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& core_category() noexcept {
    static const core_error_category category;
    return category;
}

std::string escape_text(std::string_view text) {
    std::string escaped;
    escaped.reserve(text.size());
    for (const char letter : text) {
        const auto octet = static_cast<unsigned char>(letter);
        if (octet < 0x20 || octet > 0x7E || letter == '\\' || letter == '"') {
            std::array<char, 5> code{};
            std::snprintf(code.data(), code.size(), "\\%03u", static_cast<unsigned>(octet));
            escaped += code.data();
        } else {
            escaped += letter;
        }
    }
    return escaped;
}

std::string error::message() const {
    std::string line;
    if (where.line != 0) {
        line += std::to_string(where.line);
        line += ':';
        if (where.column != 0) {
            line += std::to_string(where.column);
            line += ':';
        }
        line += ' ';
    }
    line += code.message();
    if (!subject.empty()) {
        line += ": \"";
        line += escape_text(subject);
        line += '"';
    }
    return line;
}

} // namespace flowtap
