// SPDX-License-Identifier: Apache-2.0
#include "printer.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <flowtap/core/error.hpp>
#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/dtcp/timestamp.hpp>
#include <flowtap/dtcp/writer.hpp>

namespace dtcp_tool {

namespace dtcp = flowtap::dtcp;

namespace {

std::string quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string made = "\"";
    for (const char letter : text) {
        const auto octet = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            made += '\\';
            made += letter;
        } else if (octet < 0x20 || octet > 0x7E) {
            // Octets of no known encoding: each as the character of that number.
            made += "\\u00";
            made += digits[octet >> 4U];
            made += digits[octet & 15U];
        } else {
            made += letter;
        }
    }
    return made + "\"";
}

/// Writes the members of one JSON object.
class json_object {
public:
    explicit json_object(std::ostream& out) : out_(&out) { *out_ << '{'; }

    json_object& text(std::string_view name, std::string_view value) {
        key(name) << quoted(value);
        return *this;
    }
    template <class Number>
    json_object& number(std::string_view name, Number value) {
        key(name) << +value;
        return *this;
    }
    template <class Number>
    json_object& number(std::string_view name, const std::optional<Number>& value) {
        return value ? number(name, *value) : *this;
    }
    json_object& flag(std::string_view name, bool value) {
        key(name) << (value ? "true" : "false");
        return *this;
    }
    std::ostream& key(std::string_view name) {
        *out_ << (empty_ ? "" : ",") << quoted(name) << ':';
        empty_ = false;
        return *out_;
    }
    void end() { *out_ << '}'; }

private:
    std::ostream* out_;
    bool empty_ = true;
};

struct named_value {
    std::string_view name;
    std::string value;
};

template <class Value>
void add(std::vector<named_value>& to, std::string_view name, const std::optional<Value>& value) {
    if (!value)
        return;
    if constexpr (std::is_convertible_v<Value, std::string>)
        to.push_back({name, *value});
    else if constexpr (requires { value->count(); })
        to.push_back({name, std::to_string(value->count())});
    else if constexpr (requires { value->value(); })
        to.push_back({name, std::to_string(value->value())});
    else
        to.push_back({name, std::to_string(*value)});
}

std::string in_words(const flowtap::range_list<std::uint64_t>& numbers) {
    std::string text;
    for (const auto& range : numbers.entries) {
        text += (text.empty() ? "" : ",") + std::to_string(range.first);
        if (range.last != range.first)
            text += "-" + std::to_string(range.last);
    }
    return text;
}

std::vector<named_value> fields_of(const dtcp::notification& told) {
    std::vector<named_value> fields;
    add(fields, "Criteria-ID", told.criterion);
    add(fields, "Cdest-ID", told.cdest_id);
    add(fields, "Timeout-Idle", told.configured.idle);
    add(fields, "Timeout-Total", told.configured.total);
    add(fields, "Timeout-Packets", told.configured.packets);
    add(fields, "Timeout-Bytes", told.configured.bytes);
    add(fields, "Remaining-Idle", told.remaining.idle);
    add(fields, "Remaining-Total", told.remaining.total);
    add(fields, "Remaining-Packets", told.remaining.packets);
    add(fields, "Remaining-Bytes", told.remaining.bytes);
    add(fields, "Average-Bandwidth", told.average_bandwidth);
    add(fields, "Alert-Bandwidth", told.alert_bandwidth);
    add(fields, "Max-Bandwidth", told.max_bandwidth);
    add(fields, "Dropped-Packets", told.dropped_packets);
    add(fields, "Dropped-Bytes", told.dropped_bytes);
    add(fields, "Alert-Info", told.alert);
    if (const std::string purged = in_words(told.purged); !purged.empty())
        fields.push_back({"Criteria-ID", purged});
    return fields;
}

unsigned code_of(dtcp::status_code status) {
    return static_cast<unsigned>(status);
}

void print_statistics(json_object& to, const dtcp::list_statistics& shown) {
    if (shown.remaining_idle)
        to.number("remaining-idle", shown.remaining_idle->count());
    if (shown.remaining_total)
        to.number("remaining-total", shown.remaining_total->count());
    to.number("remaining-packets", shown.remaining_packets)
        .number("remaining-bytes", shown.remaining_bytes)
        .number("average-bandwidth", shown.average_bandwidth)
        .number("matching-packets", shown.matching_packets)
        .number("matching-bytes", shown.matching_bytes)
        .number("num-refresh", shown.num_refresh);
    if (shown.last_refresh)
        to.text("last-refresh", dtcp::format_timestamp(*shown.last_refresh));
}

} // namespace

void printer::on_response(dtcp::response answer, dtcp::authenticity signature) {
    if (answer.status != dtcp::status_code::ok)
        ++errors_;
    if (signature != dtcp::authenticity::verified)
        ++forgeries_;
    print(answer);
}

void printer::on_notification(dtcp::notification told, dtcp::authenticity signature) {
    if (signature != dtcp::authenticity::verified)
        ++forgeries_;
    print(told);
}

void text_printer::on_entry(dtcp::list_entry entry) {
    // What an access point sends is not to command the terminal.
    for (dtcp::given_field& field : entry.given)
        field.text = dtcp::escape_line(field.text);
    std::string lines;
    dtcp::write_entry(lines, entry, dtcp::version_0_7);
    std::erase(lines, '\r');
    out() << lines << '\n';
}

void text_printer::on_silence(flowtap::sequence_number seq) {
    out() << "no answer, Seq " << seq.value() << std::endl;
}

void text_printer::print(const dtcp::response& answer) {
    out() << code_of(answer.status) << ' ' << dtcp::reason(answer.status);
    if (answer.criterion)
        out() << ", criterion " << *answer.criterion;
    if (answer.criteria_count)
        out() << ", criteria " << *answer.criteria_count;
    if (!answer.offending_line.empty())
        out() << ": " << flowtap::escape_text(answer.offending_line);
    out() << std::endl;
}

void text_printer::print(const dtcp::notification& told) {
    out() << "notification " << code_of(told.status) << ' ' << dtcp::reason(told.status);
    for (const auto& [name, value] : fields_of(told))
        out() << ", " << name << ' ' << flowtap::escape_text(value);
    out() << std::endl;
}

void json_printer::on_entry(dtcp::list_entry entry) {
    json_object object(out());
    object.text("type", "entry")
        .number("criteria-id", entry.id.value())
        .text("csource-id", entry.csource_id);
    object.key("cdest-ids") << '[';
    for (std::size_t index = 0; index < entry.cdest_ids.size(); ++index)
        out() << (index == 0 ? "" : ",") << quoted(entry.cdest_ids[index]);
    out() << ']';
    if (entry.csource_address)
        object.text("csource-address", to_string(*entry.csource_address));
    object.text("timestamp", dtcp::format_timestamp(entry.added))
        .flag("static", entry.is_static)
        .flag("send-async", entry.send_async);
    object.key("given");
    json_object given(out());
    for (const dtcp::given_field& field : entry.given)
        given.text(dtcp::name_of(field.name), field.text);
    given.end();
    if (entry.statistics)
        print_statistics(object, *entry.statistics);
    object.number("criteria-num", entry.number).number("criteria-count", entry.count).end();
    out() << '\n';
}

void json_printer::on_silence(flowtap::sequence_number seq) {
    json_object object(out());
    object.text("type", "silence").number("seq", seq.value()).end();
    out() << std::endl;
}

void json_printer::print(const dtcp::response& answer) {
    json_object object(out());
    object.text("type", "response")
        .number("seq", answer.seq.value())
        .number("status", code_of(answer.status))
        .text("reason", dtcp::reason(answer.status))
        .text("timestamp", dtcp::format_timestamp(answer.timestamp))
        .number("criteria-id", answer.criterion)
        .number("criteria-count", answer.criteria_count);
    if (!answer.offending_line.empty())
        object.text("offending-line", answer.offending_line);
    object.end();
    out() << std::endl;
}

void json_printer::print(const dtcp::notification& told) {
    json_object object(out());
    object.text("type", "notification")
        .number("status", code_of(told.status))
        .text("reason", dtcp::reason(told.status))
        .text("timestamp", dtcp::format_timestamp(told.timestamp));
    for (const auto& [name, value] : fields_of(told))
        object.text(name, value);
    object.end();
    out() << std::endl;
}

} // namespace dtcp_tool
