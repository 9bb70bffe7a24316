// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/writer.hpp>

#include "line_writer.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

void append_status_line(std::string& out, version spoken, status_code status) {
    const status_code sent = status_under(spoken, status);
    append_version(out, spoken);
    out += ' ';
    // Three digits, whatever a client that writes what it read may have read.
    const auto code = static_cast<unsigned>(sent) % 1000;
    out += static_cast<char>('0' + code / 100);
    out += static_cast<char>('0' + code / 10 % 10);
    out += static_cast<char>('0' + code % 10);
    out += ' ';
    out += reason(sent);
    out += "\r\n";
}

/// True for a line that stands in an answer as it stood in the request. Any other line could be
/// taken for a part of the answer itself.
bool can_be_repeated(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
        return false;
    const auto known = find_parameter(trim_end(line.substr(0, colon)));
    if (!known)
        return false;
    return *known == parameter::criteria_id || *known == parameter::cdest_id ||
           (*known >= parameter::flags && *known <= parameter::x_drop_policy);
}

void append_offending_line(std::string& out, std::string_view line) {
    if (line.empty())
        return;
    const std::string escaped = escape_line(line);
    if (!can_be_repeated(line))
        return line_writer(out, upper_name_of).line(parameter::x_offending_line, escaped);
    out += escaped;
    out += "\r\n";
}

void finish(std::string& out, std::size_t start, keyed_hash& hash) {
    hash.reset();
    hash.update(as_byte_view(std::string_view(out).substr(start)));
    append_signature(out, hash, upper_name_of);
}

void write_limits_left(line_writer& lines, const timeouts& left) {
    lines.number(parameter::remaining_idle, left.idle);
    lines.number(parameter::remaining_total, left.total);
    if (left.packets)
        lines.number(parameter::remaining_packets, left.packets->value());
    if (left.bytes)
        lines.number(parameter::remaining_bytes, left.bytes->value());
}

} // namespace

void write_response(std::string& out, const response& message, keyed_hash& hash) {
    const std::size_t start = out.size();
    append_status_line(out, message.spoken, message.status);
    line_writer lines(out, upper_name_of);
    lines.number(parameter::seq, message.seq.value());
    append_offending_line(out, message.offending_line);
    lines.number(parameter::criteria_id, message.criterion);
    lines.number(parameter::criteria_count, message.criteria_count);
    lines.timestamp(parameter::timestamp, message.timestamp);
    finish(out, start, hash);
}

void write_notification(std::string& out, const notification& message, keyed_hash& hash) {
    const std::size_t start = out.size();
    append_status_line(out, message.spoken, message.status);
    line_writer lines(out, upper_name_of);
    if (message.alert)
        lines.line(parameter::alert_info, escape_line(*message.alert));
    lines.token(parameter::cdest_id, message.cdest_id);
    lines.number(parameter::criteria_id, message.criterion);
    if (!message.purged.is_wildcard())
        lines.line(parameter::criteria_id, format_ranges(message.purged));
    lines.limits(message.configured);
    write_limits_left(lines, message.remaining);
    lines.number(parameter::average_bandwidth, message.average_bandwidth);
    lines.number(parameter::alert_bandwidth, message.alert_bandwidth);
    lines.number(parameter::max_bandwidth, message.max_bandwidth);
    lines.number(parameter::dropped_packets, message.dropped_packets);
    lines.number(parameter::dropped_bytes, message.dropped_bytes);
    lines.timestamp(parameter::timestamp, message.timestamp);
    finish(out, start, hash);
}

void list_writer::begin(std::string& out, const response& head) {
    const std::size_t start = out.size();
    spoken_ = head.spoken;
    append_status_line(out, head.spoken, head.status);
    line_writer lines(out, upper_name_of);
    lines.number(parameter::seq, head.seq.value());
    lines.timestamp(parameter::timestamp, head.timestamp);
    hash_->reset();
    hash_->update(as_byte_view(std::string_view(out).substr(start)));
}

void list_writer::add(std::string& out, std::string_view entries) {
    hash_->update(as_byte_view(entries));
    out += entries;
}

void list_writer::end(std::string& out, std::uint32_t total) {
    if (spoken_ <= version_0_5) {
        std::string line;
        line_writer(line, upper_name_of).number(parameter::num_criteria, std::uint64_t{total});
        add(out, line);
    }
    end_part(out);
}

void list_writer::end_part(std::string& out) {
    append_signature(out, *hash_, upper_name_of);
}

} // namespace flowtap::dtcp
