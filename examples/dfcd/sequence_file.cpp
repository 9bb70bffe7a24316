// SPDX-License-Identifier: Apache-2.0
#include "sequence_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "error.hpp"
#include "state_files.hpp"

namespace dfcd {

using flowtap::descriptor;
using flowtap::sequence_number;

namespace {

constexpr std::string_view first_line = "flowtap-sequences 1";
/// No name of a control source has a colon in it.
constexpr std::string_view end_word = "end:";

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), subject));
}

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, number);
    if (text.empty() || problem != std::errc{} || stopped != end)
        return {};
    return number;
}

/// `WORD NUMBER`, one blank between them.
std::optional<std::pair<std::string, std::uint64_t>> pair_in(std::string_view line) {
    const std::size_t blank = line.find(' ');
    if (blank == 0 || blank == std::string_view::npos)
        return {};
    const auto number = number_in(line.substr(blank + 1));
    if (!number)
        return {};
    return std::pair(std::string(line.substr(0, blank)), *number);
}

/// Everything that stands in a file; none, and `errno`, if it cannot be read.
std::optional<std::string> read_out(const descriptor& from) {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
        const ssize_t count = ::read(from.number(), piece.data(), piece.size());
        if (count == 0)
            return text;
        if (count > 0)
            text.append(piece.data(), static_cast<std::size_t>(count));
        else if (errno != EINTR)
            return {};
    }
}

} // namespace

flowtap::result<std::variant<std::unique_ptr<sequence_file>, sequence_file::holder>>
sequence_file::open(const std::string& path) {
    using outcome = std::variant<std::unique_ptr<sequence_file>, holder>;
    const std::string lock_path = path + ".lock";
    descriptor lock = make_state_file(lock_path);
    if (!lock && errno == EEXIST)
        lock.reset(::open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!lock)
        return system_failure(lock_path);
    struct flock wanted = whole_file();
    while (::fcntl(lock.number(), F_SETLK, &wanted) != 0) {
        if (errno != EACCES && errno != EAGAIN)
            return system_failure(lock_path);
        struct flock taken = whole_file();
        if (::fcntl(lock.number(), F_GETLK, &taken) != 0)
            return system_failure(lock_path);
        // It may have been given up between the two calls.
        if (taken.l_type != F_UNLCK)
            return outcome(holder{taken.l_pid});
    }
    std::unique_ptr<sequence_file> opened(new sequence_file(path, std::move(lock)));
    if (const auto read = opened->read(); !read)
        return flowtap::fail(read.error());
    return outcome(std::move(opened));
}

sequence_file::~sequence_file() = default;

bool sequence_file::is_held(const std::string& path, holder by) {
    const descriptor lock(::open((path + ".lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct flock taken = whole_file();
    return lock && ::fcntl(lock.number(), F_GETLK, &taken) == 0 && taken.l_type != F_UNLCK &&
           taken.l_pid == by.process;
}

flowtap::result<void> sequence_file::read() {
    // A pipe would keep whoever opens it waiting.
    const descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT)
        return replace({});
    if (!file)
        return system_failure(path_);
    struct stat known {};
    if (::fstat(file.number(), &known) != 0)
        return system_failure(path_);
    if (!S_ISREG(known.st_mode))
        return flowtap::fail(errc::damaged_sequence_file, path_);
    // It may have been made readable, or writable, to others.
    if (::fchmod(file.number(), S_IRUSR | S_IWUSR) != 0)
        return system_failure(path_);
    auto contents = read_out(file);
    if (!contents)
        return system_failure(path_);
    std::istringstream text(*std::move(contents));

    std::size_t number = 0;
    const auto damaged = [&] {
        return flowtap::fail(errc::damaged_sequence_file, fmt::format("{}:{}", path_, number));
    };
    bounds found;
    std::string line;
    while (++number, std::getline(text, line)) {
        // The last line ends as all others do.
        if (text.eof() || (number == 1 && line != first_line))
            return damaged();
        if (number == 1)
            continue;
        const auto entry = pair_in(line);
        if (!entry)
            return damaged();
        if (entry->first != end_word) {
            if (!found.emplace(entry->first, sequence_number(entry->second)).second)
                return damaged();
            continue;
        }
        if (entry->second != found.size() || text.peek() != std::char_traits<char>::eof())
            return damaged();
        bounds_ = std::move(found);
        return {};
    }
    return damaged();
}

flowtap::result<void> sequence_file::replace(bounds with) {
    std::string text(first_line);
    for (const auto& [source, bound] : with)
        text += fmt::format("\n{} {}", source, bound.value());
    text += fmt::format("\n{} {}\n", end_word, with.size());

    if (const auto made = prepare_file(path_, text); !made)
        return made;
    if (const auto put = put_file(path_); !put)
        return put;
    bounds_ = std::move(with);
    return {};
}

std::optional<sequence_number> sequence_file::load(std::string_view source) {
    const auto found = bounds_.find(source);
    return found != bounds_.end() ? std::optional(found->second) : std::nullopt;
}

flowtap::result<void> sequence_file::store(std::string_view source, sequence_number bound) {
    bounds next = bounds_;
    next.insert_or_assign(std::string(source), bound);
    return replace(std::move(next));
}

flowtap::result<void> sequence_file::forget(std::string_view source) {
    bounds next = bounds_;
    if (const auto found = next.find(source); found != next.end())
        next.erase(found);
    return replace(std::move(next));
}

} // namespace dfcd
