// SPDX-License-Identifier: Apache-2.0
#include "criteria_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/framer.hpp>
#include <flowtap/dtcp/reader.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/permission/principal.hpp>

#include "error.hpp"

namespace dfcd {

namespace dtcp = flowtap::dtcp;
namespace permission = flowtap::permission;
namespace tap = flowtap::tap;

namespace {

/// The request as written, but for who sent it and when.
std::string complete(const dtcp::envelope& written, std::size_t number, dtcp::keyed_hash& hash) {
    std::string text(written.start_line);
    text += "\r\n";
    for (const dtcp::header_line& line : written.lines) {
        if (line.known == dtcp::parameter::csource_id || line.known == dtcp::parameter::seq)
            continue;
        text += line.text;
        text += "\r\n";
    }
    text += "Csource-ID: " + std::string(local_source) + "\r\n";
    text += "Seq: " + std::to_string(number) + "\r\n";
    text += "Authentication-Info: " + dtcp::sign(text, hash) + "\r\n\r\n";
    return text;
}

/// Reads answers and remembers the first one that refuses.
class answer_watcher final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry) override {}
    void on_notification(dtcp::notification, dtcp::authenticity) override {}
    void on_response(dtcp::response answer, dtcp::authenticity) override {
        ++answers;
        if (answer.status != dtcp::status_code::ok && refusal.empty()) {
            refused = answers;
            refusal = std::to_string(static_cast<unsigned>(answer.status)) + ' ' +
                      std::string(dtcp::reason(answer.status));
            if (!answer.offending_line.empty())
                refusal += ": " + answer.offending_line;
        }
    }

    std::size_t answers = 0;
    std::size_t refused = 0;
    std::string refusal;
};

/// Gives the access point its turn and reads what it answers.
flowtap::result<void> collect(tap::access_point& point, tap::session_id session,
                              dtcp::response_reader& reader, flowtap::time_stamp now) {
    point.turn(now);
    while (point.next_effect()) {
        // The only session there is at this time is ours: its output is read below.
    }
    std::array<char, 4096> room{};
    while (const std::size_t count = point.read(session, room, now)) {
        const auto read = reader.put(flowtap::as_byte_view({room.data(), count}));
        if (!read)
            return read;
    }
    return {};
}

} // namespace

flowtap::result<std::vector<file_request>> read_criteria_file(const std::string& path,
                                                              dtcp::keyed_hash& hash) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), path));
    std::string text{std::istreambuf_iterator<char>(file), {}};
    text += "\n\n"; // ends the last request

    std::vector<file_request> requests;
    dtcp::framer framer;
    std::string_view rest = text;
    std::size_t line = 1;
    while (!rest.empty()) {
        const auto used = framer.put(flowtap::as_byte_view(rest));
        if (!used)
            return flowtap::fail(flowtap::error(used.error().code, {line, 0}, path));
        const std::string_view taken = rest.substr(0, *used);
        if (framer.complete()) {
            const auto lines = static_cast<std::size_t>(
                std::count(framer.message().begin(), framer.message().end(), '\n'));
            const auto all = static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
            const auto parsed = dtcp::parse_envelope(framer.message());
            if (parsed)
                requests.push_back(
                    {complete(*parsed, requests.size() + 1, hash), line + all - lines});
        }
        line += static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
        rest.remove_prefix(*used);
    }
    return requests;
}

flowtap::result<void> load_criteria(const std::string& path, dtcp::keyed_hash& hash,
                                    tap::access_point& point, flowtap::time_stamp now) {
    const auto requests = read_criteria_file(path, hash);
    if (!requests)
        return flowtap::fail(requests.error());
    const permission::principal loader{std::string(local_source),
                                       {permission::bit::flow_tap_operation},
                                       permission::origin::internal};
    const auto session = point.open(loader, path, now);
    if (!session)
        return flowtap::fail(session.error());

    answer_watcher watcher;
    dtcp::response_reader reader(watcher);
    for (const file_request& request : *requests) {
        flowtap::byte_view octets = flowtap::as_byte_view(request.octets);
        while (!octets.empty()) {
            octets = octets.subspan(point.feed(*session, octets, now));
            if (octets.empty())
                break;
            // It takes more once its answers have been read.
            if (const auto read = collect(point, *session, reader, now); !read)
                return read;
        }
    }
    if (const auto read = collect(point, *session, reader, now); !read)
        return read;
    point.close(*session, now);
    if (watcher.refused != 0)
        return flowtap::fail(errc::criterion_refused,
                             path + ':' + std::to_string((*requests)[watcher.refused - 1].line) +
                                 ": " + watcher.refusal);
    if (watcher.answers != requests->size())
        return flowtap::fail(errc::criterion_unanswered, path);
    return {};
}

} // namespace dfcd
