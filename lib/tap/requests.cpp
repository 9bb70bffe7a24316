// SPDX-License-Identifier: Apache-2.0
#include "requests.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <flowtap/tap/error.hpp>

namespace flowtap::tap {

namespace {

answer failed_audit(const request_context& context) {
    answer given;
    given.head =
        dtcp::make_response(context.message, dtcp::status_code::internal_error, context.now.wall);
    return given;
}

bool begins_with_word(std::string_view line, std::string_view word) {
    if (line.size() <= word.size() || (line[word.size()] != ' ' && line[word.size()] != '\t'))
        return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if ((static_cast<unsigned char>(line[i]) & 0xDFU) != static_cast<unsigned char>(word[i]))
            return false;
    return true;
}

} // namespace

answer accept(const request_context& context) {
    answer given;
    given.head = dtcp::make_response(context.message, dtcp::status_code::ok, context.now.wall);
    return given;
}

answer refuse(request_context& context, audit_event event, const error& reason) {
    answer given;
    given.head = dtcp::make_error_response(context.message, reason, context.now.wall);
    given.head.status = status_of(reason.code);
    audit_note note{event, given.head.status};
    note.detail = reason.message();
    if (auto instead = record(context, std::move(note)))
        return std::move(*instead);
    return given;
}

std::optional<answer> record(request_context& context, audit_note note) {
    if (write_audit(context.state.audit, context.from.source.name(), context.from.peer,
                    std::move(note), context.now.wall))
        return std::nullopt;
    return failed_audit(context);
}

audit_event event_of(const dtcp::envelope& message) {
    static constexpr std::array<std::pair<std::string_view, audit_event>, 7> methods{{
        {"ADD", audit_event::add},
        {"DELETE", audit_event::remove},
        {"REFRESH", audit_event::refresh},
        {"LIST", audit_event::list},
        {"NOOP", audit_event::noop},
        {"ENABLE", audit_event::enable},
        {"DISABLE", audit_event::disable},
    }};
    for (const auto& [word, event] : methods)
        if (begins_with_word(message.start_line, word))
            return event;
    return audit_event::refusal;
}

answer handle(request_context& context, const dtcp::noop_request& asked) {
    if (auto instead = record(context, {audit_event::noop, dtcp::status_code::ok}))
        return std::move(*instead);
    if (asked.send_async)
        context.state.notifications.tell(context.from.source.id(), {});
    return accept(context);
}

} // namespace flowtap::tap
