// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/writer.hpp>

#include "line_writer.hpp"

namespace flowtap::dtcp {

namespace {

void write_flags(line_writer& lines, const list_entry& entry) {
    if (entry.is_static && entry.send_async)
        lines.line(parameter::flags, "STATIC,SENDASYNC");
    else if (entry.is_static)
        lines.line(parameter::flags, "STATIC");
    else if (entry.send_async)
        lines.line(parameter::flags, "SENDASYNC");
}

void write_statistics(line_writer& lines, const list_statistics& shown) {
    lines.number(parameter::remaining_idle, shown.remaining_idle);
    lines.number(parameter::remaining_total, shown.remaining_total);
    lines.number(parameter::remaining_packets, shown.remaining_packets);
    lines.number(parameter::remaining_bytes, shown.remaining_bytes);
    lines.number(parameter::average_bandwidth, shown.average_bandwidth);
    lines.number(parameter::matching_packets, shown.matching_packets);
    lines.number(parameter::matching_bytes, shown.matching_bytes);
    lines.number(parameter::num_refresh, std::uint64_t{shown.num_refresh});
    if (shown.last_refresh)
        lines.timestamp(parameter::last_refresh, *shown.last_refresh);
}

} // namespace

void write_entry(std::string& out, const list_entry& entry, version spoken) {
    line_writer lines(out, upper_name_of);
    lines.number(parameter::criteria_id, std::uint64_t{entry.id.value()});
    lines.token(parameter::csource_id, entry.csource_id);
    lines.tokens(parameter::cdest_id, entry.cdest_ids);
    if (entry.csource_address)
        lines.line(parameter::csource_address, to_string(*entry.csource_address));
    lines.timestamp(parameter::timestamp, entry.added);
    write_flags(lines, entry);
    for (const given_field& field : entry.given)
        lines.line(field.name, field.text);
    if (entry.statistics)
        write_statistics(lines, *entry.statistics);
    if (spoken > version_0_5) {
        lines.number(parameter::criteria_num, std::uint64_t{entry.number});
        lines.number(parameter::criteria_count, std::uint64_t{entry.count});
    }
}

} // namespace flowtap::dtcp
