// SPDX-License-Identifier: Apache-2.0
#include "reset_requests.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>

#include "audit_file.hpp"
#include "log.hpp"
#include "sequence_file.hpp"

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

/// Nobody else has the file open.
int reset_in_file(const options& chosen, sequence_file& numbers) {
    const std::string& name = chosen.reset_sequence;
    if (!numbers.load(name))
        return done(fmt::format("no sequence number of \"{}\" is stored", name));
    const auto audit = audit_file::open(chosen.audit_log);
    flowtap::tap::audit_record record;
    record.time = std::chrono::system_clock::now();
    record.event = flowtap::tap::audit_event::sequence;
    record.principal = name;
    record.detail = "the sequence number was reset";
    const auto written = audit ? (*audit)->write(record) : flowtap::fail(audit.error());
    const auto forgotten = written ? numbers.forget(name) : written;
    if (!forgotten) {
        log("{}", forgotten.error().message());
        return failure;
    }
    return done(fmt::format("the sequence number of \"{}\" is forgotten", name));
}

/// Asks the dfcd that has the file open, and waits until it has done so.
int ask_process(const options& chosen, pid_t process) {
    const std::string& name = chosen.reset_sequence;
    const reset_requests requests(chosen.sequence_file);
    if (const auto left = requests.leave(name); !left) {
        log("{}", left.error().message());
        return failure;
    }
    // A process of another namespace has no number here.
    if (process <= 0 || ::kill(process, SIGHUP) != 0) {
        const std::error_code why(process <= 0 ? ESRCH : errno, std::generic_category());
        requests.withdraw(name);
        log("the dfcd that has {} open cannot be told: {}", chosen.sequence_file, why.message());
        return failure;
    }
    const auto end = std::chrono::steady_clock::now() + patience;
    while (requests.is_there(name)) {
        if (requests.is_refused(name)) {
            requests.withdraw(name);
            log("the running dfcd (process {}) refuses; its log says why", process);
            return failure;
        }
        if (std::chrono::steady_clock::now() > end) {
            requests.withdraw(name);
            log("the running dfcd (process {}) does not answer", process);
            return failure;
        }
        std::this_thread::sleep_for(between_looks);
    }
    return done(fmt::format("the running dfcd (process {}) has forgotten the sequence number of "
                            "\"{}\"",
                            process, name));
}

} // namespace

std::string reset_requests::path_of(std::string_view source) const {
    return prefix_ + std::string(source);
}

flowtap::result<void> reset_requests::leave(std::string_view source) const {
    const std::string path = path_of(source);
    const flowtap::descriptor made(::open(
        path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!made)
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

int reset_sequence(const options& chosen, const config::configuration& with) {
    if (!is_control_source(with, chosen.reset_sequence)) {
        log("{}: there is no control source \"{}\"", chosen.config,
            flowtap::escape_text(chosen.reset_sequence));
        return failure;
    }
    const auto opened = sequence_file::open(chosen.sequence_file);
    if (!opened) {
        log("{}", opened.error().message());
        return failure;
    }
    if (const auto* other = std::get_if<sequence_file::holder>(&*opened))
        return ask_process(chosen, other->process);
    return reset_in_file(chosen, *std::get<std::unique_ptr<sequence_file>>(*opened));
}

} // namespace dfcd
