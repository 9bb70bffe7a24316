// SPDX-License-Identifier: Apache-2.0
#include "reset_requests.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>

#include "audit_file.hpp"
#include "log.hpp"
#include "sequence_file.hpp"
#include "state_files.hpp"

namespace dfcd {

namespace config = flowtap::config;
namespace fs = std::filesystem;

namespace {

constexpr int failure = 1;
constexpr std::chrono::milliseconds between_looks{20};
/// How long a running dfcd may take.
constexpr std::chrono::seconds patience{10};

/// Whether the configuration knows somebody of this name who may have a sequence number.
bool is_control_source(const config::configuration& with, const std::string& name) {
    const auto has_name = [&](const auto& source) { return source.name == name; };
    if (with.flow_tap)
        return with.logins.find_user(name) != nullptr ||
               std::ranges::any_of(with.flow_tap->control_sources, has_name);
    return with.dynamic_flow_capture &&
           std::ranges::any_of(with.dynamic_flow_capture->groups, [&](const auto& group) {
               return std::ranges::any_of(group.control_sources, has_name);
           });
}

int done(const std::string& what) {
    fmt::print("{}: its next authentic request sets it\n", what);
    return 0;
}

int failed(const flowtap::error& why) {
    log("{}", why.message());
    return failure;
}

/// Nobody else has the file open.
int reset_in_file(const options& chosen, const std::string& source, sequence_file& numbers) {
    if (!numbers.load(source))
        return done(fmt::format("no sequence number of \"{}\" is stored", source));
    if (const auto made = make_directory_of(chosen.audit_log); !made)
        return failed(made.error());
    const flowtap::wall_time now = std::chrono::system_clock::now();
    const auto audit = audit_file::open(chosen.audit_log, chosen.audit_key, now);
    if (!audit)
        return failed(audit.error());
    flowtap::tap::audit_record record;
    record.time = now;
    record.event = flowtap::tap::audit_event::sequence;
    record.principal = source;
    record.detail = "the sequence number was reset";
    if (const auto written = (*audit)->write(record); !written)
        return failed(written.error());
    if (const auto forgotten = numbers.forget(source); !forgotten)
        return failed(forgotten.error());
    return done(fmt::format("the sequence number of \"{}\" is forgotten", source));
}

/// How a process has dealt with a request.
enum class reply : std::uint8_t { done, refused, none, gone };

reply wait_for_reply(const options& chosen, const std::string& source, pid_t process) {
    const reset_requests requests(chosen.sequence_file);
    const auto end = std::chrono::steady_clock::now() + patience;
    while (requests.is_there(source)) {
        if (requests.is_refused(source))
            return reply::refused;
        if (!sequence_file::is_held(chosen.sequence_file, {process}))
            return reply::gone;
        if (std::chrono::steady_clock::now() > end)
            return reply::none;
        std::this_thread::sleep_for(between_looks);
    }
    return reply::done;
}

/// Asks the dfcd that has the file open, and waits until it has done so. Nothing when it has ended
/// before it did.
std::optional<int> ask_process(const options& chosen, const std::string& source, pid_t process) {
    const reset_requests requests(chosen.sequence_file);
    if (const auto left = requests.leave(source); !left)
        return failed(left.error());
    // A process of another namespace has no number here.
    if (process <= 0 || (::kill(process, SIGHUP) != 0 && errno != ESRCH)) {
        const std::error_code why(process <= 0 ? ESRCH : errno, std::generic_category());
        requests.withdraw(source);
        log("the dfcd that has {} open cannot be told: {}", chosen.sequence_file, why.message());
        return failure;
    }
    const reply answer = wait_for_reply(chosen, source, process);
    requests.withdraw(source);
    switch (answer) {
    case reply::done:
        return done(fmt::format("the running dfcd (process {}) has forgotten the sequence number "
                                "of \"{}\"",
                                process, source));
    case reply::refused:
        log("the running dfcd (process {}) refuses; its log says why", process);
        return failure;
    case reply::none:
        log("the running dfcd (process {}) does not answer", process);
        return failure;
    case reply::gone:
        return {};
    }
    return {};
}

/// False, and `errno`, if that fails or the file has another name, too.
bool make_empty(const flowtap::descriptor& file) {
    struct stat known {};
    if (::fstat(file.number(), &known) != 0)
        return false;
    if (known.st_nlink != 1) {
        errno = EMLINK;
        return false;
    }
    return ::ftruncate(file.number(), 0) == 0;
}

} // namespace

std::string reset_requests::path_of(std::string_view source) const {
    return prefix_ + std::string(source);
}

flowtap::result<void> reset_requests::leave(std::string_view source) const {
    const std::string path = path_of(source);
    flowtap::descriptor made = make_state_file(path);
    // Somebody else may be asking for the same.
    if (!made && errno == EEXIST)
        made.reset(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!made || !make_empty(made))
        return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), path));
    return {};
}

bool reset_requests::is_there(std::string_view source) const {
    std::error_code unknown;
    return fs::exists(path_of(source), unknown);
}

bool reset_requests::is_refused(std::string_view source) const {
    std::error_code unknown;
    const auto size = fs::file_size(path_of(source), unknown);
    return !unknown && size != 0;
}

void reset_requests::withdraw(std::string_view source) const {
    std::error_code unknown;
    fs::remove(path_of(source), unknown);
}

void reset_requests::refuse(std::string_view source) const {
    std::ofstream(path_of(source)) << "refused\n";
}

std::vector<std::string> reset_requests::waiting() const {
    const fs::path prefix(prefix_);
    const std::string beginning = prefix.filename().string();
    const fs::path directory = prefix.parent_path().empty() ? "." : prefix.parent_path();
    std::vector<std::string> sources;
    std::error_code unknown;
    for (fs::directory_iterator each(directory, unknown), end; !unknown && each != end;
         each.increment(unknown)) {
        const std::string name = each->path().filename().string();
        if (name.starts_with(beginning) && !is_refused(name.substr(beginning.size())))
            sources.push_back(name.substr(beginning.size()));
    }
    std::ranges::sort(sources);
    return sources;
}

int reset_sequence(const options& chosen, const std::string& source,
                   const config::configuration& with) {
    if (!is_control_source(with, source)) {
        log("{}: there is no control source \"{}\"", chosen.config, flowtap::escape_text(source));
        return failure;
    }
    // Another process that does the same has the file open, too, and is no dfcd to be told.
    std::signal(SIGHUP, SIG_IGN);
    for (;;) {
        const auto opened = sequence_file::open(chosen.sequence_file);
        if (!opened)
            return failed(opened.error());
        const auto* other = std::get_if<sequence_file::holder>(&*opened);
        if (other == nullptr)
            return reset_in_file(chosen, source,
                                 *std::get<std::unique_ptr<sequence_file>>(*opened));
        if (const auto status = ask_process(chosen, source, other->process))
            return *status;
    }
}

} // namespace dfcd
