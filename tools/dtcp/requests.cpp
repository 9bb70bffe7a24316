// SPDX-License-Identifier: Apache-2.0
#include "requests.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/framer.hpp>

namespace dtcp_tool {

using flowtap::error;
using flowtap::fail;
using flowtap::result;
using flowtap::transport::outgoing_request;
namespace dtcp = flowtap::dtcp;

namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string upper_case(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    return made;
}

result<std::pair<std::string, std::string>> split_parameter(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = trimmed(line.substr(0, colon));
    if (colon == std::string_view::npos || name.empty() ||
        name.find_first_of(blanks) != std::string_view::npos ||
        line.find_first_of("\r\n") != std::string_view::npos)
        return fail(dtcp::errc::malformed_line, std::string(line));
    return std::pair(std::string(name), std::string(trimmed(line.substr(colon + 1))));
}

result<std::string> read_text(const std::string& file) {
    if (file == "-")
        return std::string(std::istreambuf_iterator<char>(std::cin), {});
    std::ifstream from(file, std::ios::binary);
    // A directory opens, and throws when it is read.
    std::error_code ignored;
    if (from && std::filesystem::is_directory(file, ignored))
        return fail(error(make_error_code(std::errc::is_a_directory), file));
    if (!from)
        return fail(error(std::error_code(errno, std::generic_category()), file));
    return std::string(std::istreambuf_iterator<char>(from), {});
}

result<void> add_parameters_of_input(outgoing_request& to) {
    std::string line;
    while (std::getline(std::cin, line)) {
        if (line.ends_with('\r'))
            line.pop_back();
        if (trimmed(line).empty())
            continue;
        auto parameter = split_parameter(line);
        if (!parameter)
            return fail(parameter.error());
        to.fields.push_back(std::move(*parameter));
    }
    return {};
}

/// 0.8 is asked for only by what the older versions do not have.
dtcp::version needed_version(const outgoing_request& request) {
    const bool newest =
        std::any_of(request.fields.begin(), request.fields.end(), [](const auto& field) {
            return upper_case(field.first) == "X-JTAP-FILTER-FAMILY";
        });
    return newest ? dtcp::version_0_8 : dtcp::version_0_7;
}

result<outgoing_request> request_of_arguments(const options& asked) {
    outgoing_request made;
    for (const std::string& argument : asked.rest) {
        if (argument == "-") {
            if (const auto read = add_parameters_of_input(made); !read)
                return fail(read.error());
            continue;
        }
        auto parameter = split_parameter(argument);
        if (!parameter)
            return fail(parameter.error());
        made.fields.push_back(std::move(*parameter));
    }
    return make_request(asked.command, std::move(made.fields), asked);
}

/// `ADD DTCP/0.7`. The access point judges what is wrong with a version; here it needs a form.
result<void> read_start_line(std::string_view line, outgoing_request& to) {
    const std::size_t end = line.find_first_of(blanks);
    const std::string_view version = end == std::string_view::npos ? "" : trimmed(line.substr(end));
    const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
    if (version.size() != 8 || upper_case(version.substr(0, 5)) != "DTCP/" ||
        !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7]))
        return fail(dtcp::errc::malformed_line, std::string(line));
    to.method = line.substr(0, end);
    to.spoken = {static_cast<std::uint8_t>(version[5] - '0'),
                 static_cast<std::uint8_t>(version[7] - '0')};
    return {};
}

result<outgoing_request> read_request(std::string_view message) {
    const auto parts = dtcp::parse_envelope(message);
    if (!parts)
        return fail(parts.error());
    outgoing_request made;
    if (parts->authentication_info) {
        made.verbatim = message;
        return made;
    }
    if (const auto start = read_start_line(parts->start_line, made); !start)
        return fail(start.error());
    for (const dtcp::header_line& line : parts->lines) {
        auto parameter = split_parameter(line.text);
        if (!parameter)
            return fail(parameter.error());
        made.fields.push_back(std::move(*parameter));
    }
    return made;
}

} // namespace

result<std::vector<outgoing_request>> split_requests(std::string_view text) {
    // The file is its owner's: what is too long is for the access point to refuse.
    constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    dtcp::framer framer({unlimited, unlimited, unlimited});
    const std::string whole = std::string(text) + "\r\n\r\n";
    flowtap::byte_view rest = flowtap::as_byte_view(whole);
    std::vector<outgoing_request> requests;
    while (!rest.empty()) {
        const auto used = framer.put(rest);
        if (!used)
            return fail(used.error());
        rest = rest.subspan(*used);
        if (!framer.complete())
            continue;
        auto request = read_request(framer.message());
        if (!request)
            return fail(request.error());
        requests.push_back(std::move(*request));
    }
    return requests;
}

result<std::vector<outgoing_request>> read_requests(const std::string& file) {
    const auto text = read_text(file);
    if (!text)
        return fail(text.error());
    return split_requests(*text);
}

outgoing_request make_request(std::string_view method,
                              std::vector<std::pair<std::string, std::string>> fields,
                              const options& asked) {
    outgoing_request made;
    made.method = upper_case(method);
    made.fields = std::move(fields);
    made.spoken = asked.spoken.value_or(needed_version(made));
    return made;
}

result<std::vector<outgoing_request>> make_requests(const options& asked) {
    if (asked.command == "send")
        return read_requests(asked.rest.front());
    auto request = request_of_arguments(asked);
    if (!request)
        return fail(request.error());
    return std::vector<outgoing_request>{std::move(*request)};
}

} // namespace dtcp_tool
