// SPDX-License-Identifier: Apache-2.0
#include "criteria_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <flowtap/core/opener.hpp>
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

flowtap::result<std::string> read_all(const std::string& path) {
    const auto file = flowtap::direct_opener().file_to_read(path);
    if (!file)
        return flowtap::fail(file.error());
    std::string text;
    std::array<char, 16384> piece{};
    for (;;) {
        const ssize_t count = ::read(file->number(), piece.data(), piece.size());
        if (count < 0 && errno != EINTR)
            return flowtap::fail(
                flowtap::error(std::error_code(errno, std::generic_category()), path));
        if (count == 0)
            return text;
        text.append(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
}

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
            offending_line = answer.offending_line;
        }
    }

    std::size_t answers = 0;
    std::size_t refused = 0;
    std::string refusal;
    std::string offending_line;
};

/// Where in the file `offending` stands, else where its request begins. The message of a refusal
/// names the place and not what stands there: a target is nothing for the operational log.
std::size_t line_of(const file_request& request, std::string_view offending) {
    constexpr std::string_view blanks = " \t\r";
    std::size_t number = request.line;
    std::string_view rest = request.written;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        line = line.substr(0, line.find_last_not_of(blanks) + 1);
        if (line == offending)
            return number;
        rest.remove_prefix(std::min(end + 1, rest.size()));
        ++number;
    }
    return request.line;
}

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
    auto contents = read_all(path);
    if (!contents)
        return flowtap::fail(contents.error());
    const std::string text = std::move(*contents) + "\n\n"; // ends the last request

    std::vector<file_request> requests;
    dtcp::framer framer;
    std::string_view rest = text;
    std::size_t line = 1;
    while (!rest.empty()) {
        const auto used = framer.put(flowtap::as_byte_view(rest));
        if (!used)
            return flowtap::fail(
                flowtap::error(used.error().code, path + ':' + std::to_string(line)));
        const std::string_view taken = rest.substr(0, *used);
        if (framer.complete()) {
            const auto lines = static_cast<std::size_t>(
                std::count(framer.message().begin(), framer.message().end(), '\n'));
            const auto all = static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
            const auto parsed = dtcp::parse_envelope(framer.message());
            if (parsed)
                requests.push_back({complete(*parsed, requests.size() + 1, hash),
                                    std::string(framer.message()), line + all - lines});
        }
        line += static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
        rest.remove_prefix(*used);
    }
    return requests;
}

flowtap::result<void> load_criteria(const std::string& path,
                                    const std::vector<file_request>& requests,
                                    tap::access_point& point, flowtap::time_stamp now) {
    const permission::principal loader{std::string(local_source),
                                       {permission::bit::flow_tap_operation},
                                       permission::origin::internal};
    const auto session = point.open(loader, path, now);
    if (!session)
        return flowtap::fail(session.error());

    answer_watcher watcher;
    dtcp::response_reader reader(watcher);
    for (const file_request& request : requests) {
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
    if (watcher.refused != 0) {
        const std::size_t line = line_of(requests[watcher.refused - 1], watcher.offending_line);
        return flowtap::fail(errc::criterion_refused,
                             path + ':' + std::to_string(line) + ": " + watcher.refusal);
    }
    if (watcher.answers != requests.size())
        return flowtap::fail(errc::criterion_unanswered, path);
    return {};
}

} // namespace dfcd
