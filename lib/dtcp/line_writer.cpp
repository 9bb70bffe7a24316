// SPDX-License-Identifier: Apache-2.0
#include "line_writer.hpp"

#include <array>
#include <charconv>

#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/timestamp.hpp>

namespace flowtap::dtcp {

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    out.append(digits.data(), end);
}

void append_version(std::string& out, version spoken) {
    out += "DTCP/";
    append_number(out, spoken.major);
    out += '.';
    append_number(out, spoken.minor);
}

void line_writer::line(parameter name, std::string_view value) {
    *out_ += names_(name);
    *out_ += ": ";
    *out_ += value;
    *out_ += "\r\n";
}

void line_writer::number(parameter name, std::uint64_t value) {
    *out_ += names_(name);
    *out_ += ": ";
    append_number(*out_, value);
    *out_ += "\r\n";
}

void line_writer::number(parameter name, const std::optional<std::chrono::seconds>& value) {
    if (value)
        number(name, static_cast<std::uint64_t>(value->count()));
}

void line_writer::token(parameter name, const std::optional<std::string>& value) {
    if (value)
        line(name, escape_value(*value));
}

void line_writer::tokens(parameter name, const std::vector<std::string>& values) {
    if (values.empty())
        return;
    std::string list;
    for (const std::string& value : values) {
        if (!list.empty())
            list += ',';
        list += escape_value(value);
    }
    line(name, list);
}

void line_writer::timestamp(parameter name, wall_time moment) {
    line(name, format_timestamp(moment));
}

void line_writer::limits(const timeouts& values) {
    number(parameter::timeout_idle, values.idle);
    number(parameter::timeout_total, values.total);
    if (values.packets)
        number(parameter::timeout_packets, values.packets->value());
    if (values.bytes)
        number(parameter::timeout_bytes, values.bytes->value());
}

void append_signature(std::string& out, keyed_hash& hash, spelling names) {
    line_writer(out, names).line(parameter::authentication_info, to_hex(hash.finish()));
    out += "\r\n";
}

} // namespace flowtap::dtcp
