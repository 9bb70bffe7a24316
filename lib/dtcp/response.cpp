// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/response.hpp>

#include "start_line_grammar.hpp"

namespace flowtap::dtcp {

response make_response(const envelope& message, status_code status, wall_time now) {
    const auto start = parse_request_line(message.start_line);
    response answer;
    answer.spoken = start ? answer_version(start->asked) : highest_version;
    answer.status = status;
    answer.seq = message.sequence.value_or(sequence_number());
    answer.timestamp = now;
    return answer;
}

response make_error_response(const envelope& message, const error& reason, wall_time now) {
    response answer = make_response(message, status_of(reason.code), now);
    if (reason.where.line != 0)
        answer.offending_line = reason.subject;
    return answer;
}

error error_at(const envelope& message, parameter about, std::error_code code) {
    const header_line* const line = message.find(about);
    if (line == nullptr)
        return error(code, std::string(name_of(about)));
    return error(code, {line->number, line->column}, std::string(line->text));
}

} // namespace flowtap::dtcp
