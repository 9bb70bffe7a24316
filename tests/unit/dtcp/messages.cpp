// SPDX-License-Identifier: Apache-2.0
#include "messages.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include <flowtap/dtcp/framer.hpp>

namespace flowtap::dtcp::test {

namespace {

/// What a framer makes of octets in pieces: the first message, or the error.
struct framing {
    std::string message;
    std::error_code failure;
    bool complete = false;

    friend bool operator==(const framing&, const framing&) = default;
};

framing frame(const std::vector<std::string_view>& pieces) {
    framer cutter;
    for (const std::string_view piece : pieces) {
        byte_view octets = as_byte_view(piece);
        while (!octets.empty() && !cutter.complete()) {
            const auto used = cutter.put(octets);
            if (!used)
                return {{}, used.error().code, false};
            REQUIRE(*used > 0);
            octets = octets.subspan(*used);
        }
    }
    return {std::string(cutter.message()), {}, cutter.complete()};
}

std::vector<std::string_view> octet_by_octet(std::string_view text) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < text.size(); ++at)
        pieces.push_back(text.substr(at, 1));
    return pieces;
}

const std::vector<field> usual_add = {
    {"Csource-ID", "ftap"},
    {"Cdest-ID", "cd1"},
    {"Flags", "STATIC"},
    {"X-JTap-Cdest-Dest-Address", "192.0.2.5"},
    {"X-JTap-Cdest-Dest-Port", "2300"},
    {"X-JTap-Cdest-Source-Address", "198.51.100.9"},
    {"X-JTap-Cdest-Source-Port", "65535"},
    {"Seq", "1"},
};

} // namespace

std::string on_the_wire(std::string_view lines) {
    std::string octets;
    for (const char letter : lines) {
        if (letter == '\n')
            octets += '\r';
        octets += letter;
    }
    return octets + "\r\n";
}

std::string framed(std::string_view octets) {
    const framing whole = frame({octets});
    for (std::size_t cut = 0; cut <= octets.size(); ++cut)
        REQUIRE(frame({octets.substr(0, cut), octets.substr(cut)}) == whole);
    REQUIRE(frame(octet_by_octet(octets)) == whole);
    REQUIRE(whole.complete);
    return whole.message;
}

result<request> parse(std::string_view lines, const parse_options& options) {
    const std::string message = framed(on_the_wire(lines));
    const auto parts = parse_envelope(message);
    REQUIRE(parts);
    return parse_request(*parts, options);
}

std::string add_with(const std::vector<field>& changes) {
    std::vector<field> fields = usual_add;
    std::string version = "0.7";
    for (const field& change : changes) {
        if (change.first == "version") {
            version = change.second;
            continue;
        }
        const auto same = std::find_if(fields.begin(), fields.end(), [&](const field& candidate) {
            return candidate.first == change.first;
        });
        if (same != fields.end())
            same->second = change.second;
        else
            fields.insert(fields.end() - 1, change);
    }
    std::string lines = "ADD DTCP/" + version + "\n";
    for (const auto& [name, value] : fields)
        if (!value.empty())
            lines += name + ": " + value + "\n";
    return lines;
}

add_request good_add(const std::vector<field>& changes, const parse_options& options) {
    const auto parsed = parse(add_with(changes), options);
    if (!parsed)
        FAIL_CHECK("refused: " << parsed.error().message());
    REQUIRE(parsed);
    return std::get<add_request>(*parsed);
}

error bad_add(const std::vector<field>& changes, const parse_options& options) {
    const auto parsed = parse(add_with(changes), options);
    REQUIRE_FALSE(parsed);
    return parsed.error();
}

text_position place_of(const std::vector<field>& changes, std::string_view name) {
    const std::string lines = add_with(changes);
    const std::size_t begin = lines.find("\n" + std::string(name) + ": ") + 1;
    const auto before = std::count(lines.begin(), lines.begin() + static_cast<long>(begin), '\n');
    return {static_cast<std::size_t>(before) + 1, name.size() + 3};
}

} // namespace flowtap::dtcp::test
