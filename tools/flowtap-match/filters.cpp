// SPDX-License-Identifier: Apache-2.0
#include "filters.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <variant>

#include <unistd.h>

#include <flowtap/core/opener.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/parser.hpp>

namespace flowtap::tools {

namespace {

/// Whether `name` is a field of a filter, which is all that stands in -f.
bool is_filter_field(std::optional<dtcp::parameter> name) {
    using dtcp::parameter;
    if (!name)
        return false;
    switch (*name) {
    case parameter::source_address:
    case parameter::dest_address:
    case parameter::protocol:
    case parameter::source_port:
    case parameter::dest_port:
    case parameter::icmp_type:
    case parameter::icmp_code:
    case parameter::x_jtap_ip_version:
        return true;
    default:
        return false;
    }
}

filter_spec with_families(const dtcp::filter_fields& fields) {
    filter_spec made = dtcp::make_filter_spec(fields);
    if (made.families.empty())
        made.families = family_set(family::inet) | family_set(family::inet6);
    return made;
}

dtcp::parse_options parse_options_for(const match_options& options) {
    dtcp::parse_options made;
    made.port_lists = options.port_lists;
    made.identity = dtcp::identity_rule::optional;
    return made;
}

/// An error in a line of -f: its place in our own message tells nobody anything.
unexpected<error> field_failure(error reason) {
    reason.where = {};
    return fail(std::move(reason));
}

result<filter_spec> filter_of_fields(const match_options& options) {
    std::string message = "ADD DTCP/0.8\r\n";
    for (const std::string& line : options.fields) {
        if (line.find_first_of("\r\n") != std::string::npos)
            return fail(dtcp::errc::control_octet, line);
        message += line + "\r\n";
    }
    message += "\r\n";
    auto envelope = dtcp::parse_envelope(message);
    if (!envelope)
        return field_failure(envelope.error());
    if (envelope->lines.size() != options.fields.size())
        return fail(dtcp::errc::malformed_line, "-f");
    for (const dtcp::header_line& line : envelope->lines) {
        if (line.name.empty())
            return fail(dtcp::errc::malformed_line, std::string(line.text));
        if (!is_filter_field(line.known))
            return fail(dtcp::errc::unknown_parameter, std::string(line.text));
    }
    auto fields = dtcp::parse_filter(*envelope, parse_options_for(options));
    if (!fields)
        return field_failure(fields.error());
    return with_families(*fields);
}

result<std::string> contents_of(const std::string& path) {
    auto file = direct_opener().file_to_read(path);
    if (!file)
        return fail(file.error());
    std::string text;
    std::array<char, 16'384> piece{};
    for (;;) {
        const ssize_t got = ::read(file->number(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(error(std::error_code(errno, std::system_category()), path));
        if (got == 0)
            return text;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
}

result<filter_spec> filter_of_request(std::string_view message, const match_options& options) {
    const auto envelope = dtcp::parse_envelope(message);
    if (!envelope)
        return fail(envelope.error());
    const auto request = dtcp::parse_request(*envelope, parse_options_for(options));
    if (!request)
        return fail(request.error());
    const auto* add = std::get_if<dtcp::add_request>(&*request);
    if (add == nullptr)
        return fail(dtcp::errc::unknown_method, text_position{1, 1},
                    std::string(envelope->start_line));
    return with_families(add->filter);
}

unexpected<error> file_failure(const std::string& path, error reason, std::size_t lines_before) {
    if (reason.where.line != 0)
        reason.where.line += lines_before;
    reason.subject = path + ": " + reason.subject;
    return fail(std::move(reason));
}

/// Adds the filters of all ADD requests in `path`.
result<void> add_requests(const std::string& path, const match_options& options,
                          std::vector<filter_spec>& to) {
    auto text = contents_of(path);
    if (!text)
        return fail(text.error());
    // A file may end without the empty line that ends a message.
    *text += "\r\n\r\n";
    dtcp::framer framer;
    std::size_t lines = 0;
    byte_view rest = as_byte_view(*text);
    const std::size_t before = to.size();
    while (!rest.empty()) {
        const auto used = framer.put(rest);
        if (!used)
            return file_failure(path, used.error(), lines);
        if (framer.complete()) {
            auto spec = filter_of_request(framer.message(), options);
            if (!spec)
                return file_failure(path, spec.error(), lines);
            to.push_back(std::move(*spec));
        }
        for (const std::byte octet : rest.first(*used))
            lines += octet == std::byte{'\n'} ? 1 : 0;
        rest = rest.subspan(*used);
    }
    if (to.size() == before)
        return fail(dtcp::errc::incomplete_message, path);
    return {};
}

} // namespace

result<std::vector<filter_spec>> make_filters(const match_options& options) {
    std::vector<filter_spec> made;
    if (!options.fields.empty() || options.requests.empty()) {
        auto spec = filter_of_fields(options);
        if (!spec)
            return fail(spec.error());
        made.push_back(std::move(*spec));
    }
    for (const std::string& path : options.requests)
        if (auto added = add_requests(path, options, made); !added)
            return fail(added.error());
    return made;
}

} // namespace flowtap::tools
