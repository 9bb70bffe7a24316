// SPDX-License-Identifier: Apache-2.0
#include "sequence_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <flowtap/core/descriptor.hpp>

namespace dtcp_tool {

using flowtap::descriptor;
using flowtap::error;
using flowtap::fail;
using flowtap::result;

namespace {

/// Numbers that are taken at a time. A crash loses them, and an access point takes a request that
/// is up to 256 above the last it has seen.
constexpr std::uint64_t most_at_once = 64;
constexpr std::uint64_t positive_window = 256;

constexpr std::string_view heading =
    "# Sequence numbers of dtcp(1): next number, last answered, host, port, Csource-ID\n";

auto failure(int number, const std::filesystem::path& path) {
    return fail(error(std::error_code(number, std::generic_category()), path.string()));
}

/// The file, and the right to change it while this lives. Whoever changes it puts a new file in its
/// place, so that who waited for the old one has to look again.
result<descriptor> open_locked(const std::filesystem::path& path) {
    for (;;) {
        descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!file)
            return failure(errno, path);
        while (::flock(file.number(), LOCK_EX) != 0)
            if (errno != EINTR)
                return failure(errno, path);
        struct stat held {};
        struct stat named {};
        if (::fstat(file.number(), &held) != 0)
            return failure(errno, path);
        if (!S_ISREG(held.st_mode))
            return failure(EINVAL, path);
        if (::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return file;
    }
}

result<std::string> read_all(int file, const std::filesystem::path& path) {
    std::string text;
    char piece[4096];
    for (;;) {
        const ssize_t count = ::read(file, piece, sizeof piece);
        if (count == 0)
            return text;
        if (count > 0)
            text.append(piece, static_cast<std::size_t>(count));
        else if (errno != EINTR)
            return failure(errno, path);
    }
}

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(file, text.data(), text.size());
        if (count < 0 && errno != EINTR)
            return false;
        text.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return ::fsync(file) == 0;
}

/// Puts a file with `text` in the place of the file `path`, now and for good.
result<void> replace(const std::filesystem::path& path, std::string_view text) {
    std::string fresh = path.string() + ".XXXXXX";
    descriptor file(::mkostemp(fresh.data(), O_CLOEXEC)); // with mode 0600
    if (!file)
        return failure(errno, path);
    if (!write_all(file.number(), text) || ::rename(fresh.c_str(), path.c_str()) != 0) {
        const int number = errno;
        ::unlink(fresh.c_str());
        return failure(number, path);
    }
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    const descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.number()) != 0)
        return failure(errno, path);
    return {};
}

/// One line of the file.
struct entry {
    std::uint64_t next = 0;
    std::optional<std::uint64_t> answered;
    /// Host, port and Csource-ID, as they stand in the line.
    std::string owner;
};

std::string in_file(const sequence_owner& owner) {
    return owner.host + " " + std::to_string(owner.port) + " " + owner.csource_id;
}

bool read_number(std::string_view text, std::uint64_t& to) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), to);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty();
}

std::optional<entry> parse_entry(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t second = line.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
        return std::nullopt;
    entry made;
    std::uint64_t answered = 0;
    const std::string_view last = line.substr(first + 1, second - first - 1);
    if (!read_number(line.substr(0, first), made.next))
        return std::nullopt;
    if (last != "-") {
        if (!read_number(last, answered))
            return std::nullopt;
        made.answered = answered;
    }
    made.owner = line.substr(second + 1);
    return made;
}

std::optional<std::vector<entry>> parse(std::string_view text) {
    std::vector<entry> all;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos)
            return std::nullopt;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (line.empty() || line.front() == '#')
            continue;
        auto one = parse_entry(line);
        if (!one)
            return std::nullopt;
        all.push_back(std::move(*one));
    }
    return all;
}

std::string format(const std::vector<entry>& all) {
    std::string text(heading);
    for (const entry& one : all)
        text += std::to_string(one.next) + " " +
                (one.answered ? std::to_string(*one.answered) : std::string("-")) + " " +
                one.owner + "\n";
    return text;
}

/// Lets `change` have the entry of `owner`, made if there is none, while nobody else has the file.
template <class Change>
result<void> update(const std::filesystem::path& path, const sequence_owner& owner, Change change) {
    const auto locked = open_locked(path);
    if (!locked)
        return fail(locked.error());
    const auto text = read_all(locked->number(), path);
    if (!text)
        return fail(text.error());
    auto all = parse(*text);
    if (!all)
        return failure(EBADMSG, path);
    const std::string name = in_file(owner);
    auto found =
        std::find_if(all->begin(), all->end(), [&](const entry& one) { return one.owner == name; });
    const bool is_new = found == all->end();
    if (is_new)
        found = all->insert(all->end(), entry{0, std::nullopt, name});
    change(*found, is_new);
    return replace(path, format(*all));
}

/// The later of two numbers, in the protocol's arithmetic.
std::optional<std::uint64_t> later(std::optional<std::uint64_t> a, std::optional<std::uint64_t> b) {
    if (!a || !b)
        return a ? a : b;
    return static_cast<std::int64_t>(*a - *b) > 0 ? a : b;
}

} // namespace

result<void> sequence_file::reserve() {
    const std::uint64_t count = std::clamp<std::uint64_t>(expected_, 1, most_at_once);
    auto done = update(path_, owner_, [&](entry& one, bool is_new) {
        if (is_new)
            one.next = otherwise_;
        if (first_) {
            one.next = *first_;
            one.answered.reset();
        }
        next_ = one.next;
        last_ = one.next += count; // modulo 2^64, as the protocol counts
        answered_ = one.answered;
    });
    first_.reset();
    return done;
}

result<flowtap::sequence_number> sequence_file::next() {
    if (next_ == last_)
        if (const auto reserved = reserve(); !reserved) {
            failed_ = true;
            return fail(reserved.error());
        }
    if (expected_ > 0)
        --expected_;
    return flowtap::sequence_number(next_++);
}

void sequence_file::answered(flowtap::sequence_number seq) {
    answered_ = later(answered_, seq.value());
}

result<void> sequence_file::settle() {
    if (last_ == 0 && next_ == 0)
        return {}; // nothing was taken
    auto done = update(path_, owner_, [&](entry& one, bool is_new) {
        // Others may have taken numbers since: then the gap stays.
        if (!is_new && one.next == last_)
            one.next = next_;
        if (is_new)
            one.next = next_;
        one.answered = later(one.answered, answered_);
    });
    next_ = last_ = 0;
    expected_ = 0;
    failed_ = failed_ || !done;
    return done;
}

bool sequence_file::is_far_ahead() const {
    return answered_ && next_ - 1 - *answered_ > positive_window;
}

} // namespace dtcp_tool
