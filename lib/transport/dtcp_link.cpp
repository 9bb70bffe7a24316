// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/dtcp_link.hpp>

#include <algorithm>
#include <cctype>
#include <string_view>

#include <flowtap/dtcp/writer.hpp>

#include "outgoing.hpp"

namespace flowtap::transport {

namespace {

bool has_field(const outgoing_request& request, std::string_view lower_case) {
    const auto is_it = [&](std::string_view name) {
        return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(),
                          [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
    };
    return std::any_of(request.fields.begin(), request.fields.end(),
                       [&](const auto& field) { return is_it(field.first); });
}

} // namespace

message_source::~message_source() = default;

sequence_numbers count_from(sequence_number first) {
    return [next = first.value()]() mutable { return result<sequence_number>(next++); };
}

bool has_chosen_sequence(const outgoing_request& request) {
    return request.verbatim.empty() && !has_field(request, "seq");
}

result<void> write_outgoing(std::string& out, const outgoing_request& request,
                            const std::string& csource_id, const sequence_numbers& numbers,
                            dtcp::keyed_hash& hash) {
    if (!request.verbatim.empty()) {
        out += request.verbatim;
        return {};
    }
    std::vector<dtcp::text_field> fields;
    if (!has_field(request, "csource-id"))
        fields.push_back({"Csource-ID", csource_id});
    for (const auto& [name, value] : request.fields)
        fields.push_back({name, value});
    std::string number;
    if (has_chosen_sequence(request)) {
        const auto next = numbers();
        if (!next)
            return fail(next.error());
        number = std::to_string(next->value());
        fields.push_back({"Seq", number});
    }
    dtcp::write_request(out, request.method, request.spoken, fields, hash);
    return {};
}

} // namespace flowtap::transport
