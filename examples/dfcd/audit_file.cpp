// SPDX-License-Identifier: Apache-2.0
#include "audit_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/error.hpp>
#include <flowtap/crypto/digest.hpp>
#include <flowtap/dtcp/timestamp.hpp>

#include "error.hpp"
#include "log.hpp"
#include "state_files.hpp"

namespace dfcd {

using flowtap::descriptor;
using flowtap::crypto::audit_chain;
using flowtap::crypto::audit_key;
using flowtap::tap::audit_event;
using flowtap::tap::audit_record;

namespace {

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), subject));
}

/// The members of the line's JSON object.
std::string members_of(const audit_record& record) {
    nlohmann::ordered_json line;
    line["time"] = flowtap::dtcp::format_timestamp(record.time);
    line["event"] = to_string(record.event);
    line["principal"] = flowtap::escape_text(record.principal);
    line["peer"] = record.peer;
    line["criterion"] = record.criterion;
    line["count"] = record.count;
    line["status"] = record.status;
    line["detail"] = flowtap::escape_text(record.detail);
    const std::string object = line.dump();
    return object.substr(1, object.size() - 2);
}

descriptor open_log(const std::string& path) {
    descriptor opened(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    // A file that was there before may be open to others.
    if (opened && ::fchmod(opened.number(), 0600) != 0)
        opened.reset();
    return opened;
}

/// How a log ends.
struct log_end {
    std::uint64_t size = 0;
    /// The last line that has an end, without it.
    std::string line;
    /// Octets of a line without one.
    std::uint64_t unfinished = 0;
};

std::optional<log_end> read_end(const descriptor& log) {
    struct stat known {};
    if (::fstat(log.number(), &known) != 0)
        return {};
    log_end end;
    if (!S_ISREG(known.st_mode) || known.st_size == 0)
        return end;
    end.size = static_cast<std::uint64_t>(known.st_size);
    std::string text(std::min<std::uint64_t>(end.size, 2 * flowtap::crypto::longest_audit_line),
                     '\0');
    const auto from = static_cast<off_t>(end.size - text.size());
    if (::pread(log.number(), text.data(), text.size(), from) != static_cast<ssize_t>(text.size()))
        return {};
    const std::size_t last = text.rfind('\n');
    end.unfinished = text.size() - (last == std::string::npos ? 0 : last + 1);
    if (last == std::string::npos)
        return end;
    const std::size_t before = last == 0 ? std::string::npos : text.rfind('\n', last - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    end.line = text.substr(begin, last - begin);
    return end;
}

/// Keeps other processes away for as long as the file is open.
bool lock(const descriptor& state) {
    struct flock wanted {};
    wanted.l_type = F_WRLCK;
    wanted.l_whence = SEEK_SET;
    return ::fcntl(state.number(), F_OFD_SETLK, &wanted) == 0;
}

/// Writes the first key, once: what stands there already is not touched.
flowtap::result<void> write_key(const std::string& path, const audit_key& key) {
    const descriptor made = make_state_file(path);
    // It was written when a chain began, and nothing knows any more where that stands.
    if (!made && errno == EEXIST)
        return flowtap::fail(errc::lost_audit_state, path);
    if (!made)
        return system_failure(path);
    std::string text = key.to_text() + '\n';
    const ssize_t written = ::write(made.number(), text.data(), text.size());
    const bool good = written == static_cast<ssize_t>(text.size()) && ::fsync(made.number()) == 0;
    flowtap::crypto::wipe(std::as_writable_bytes(std::span(text)));
    if (good)
        return {};
    const int why = written < 0 ? errno : ENOSPC;
    ::unlink(path.c_str());
    errno = why;
    return system_failure(path);
}

/// The stored chain; none when there is none yet.
flowtap::result<std::optional<audit_chain>> read_state(const descriptor& state,
                                                       const std::string& path) {
    std::string text(audit_chain::text_size + 1, '\0');
    const ssize_t count = ::pread(state.number(), text.data(), text.size(), 0);
    if (count < 0)
        return system_failure(path);
    if (count == 0)
        return std::optional<audit_chain>();
    const auto octets = static_cast<std::size_t>(count);
    auto chain = audit_chain::from_text(std::string_view(text).substr(0, octets));
    flowtap::crypto::wipe(std::as_writable_bytes(std::span(text)));
    if (!chain)
        return flowtap::fail(errc::damaged_audit_state, path);
    return chain;
}

/// The state's file, locked; made when it is missing.
flowtap::result<descriptor> open_state(const std::string& path) {
    descriptor state(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!state && errno == ENOENT)
        state = make_state_file(path);
    if (!state)
        return system_failure(path);
    if (!lock(state)) {
        if (errno == EAGAIN || errno == EACCES)
            return flowtap::fail(errc::audit_log_in_use, path);
        return system_failure(path);
    }
    // It may have been made readable to others.
    if (::fchmod(state.number(), S_IRUSR | S_IWUSR) != 0)
        return system_failure(path);
    return state;
}

} // namespace

std::string audit_state_path(const std::string& log) {
    return log + ".state";
}

flowtap::result<std::unique_ptr<audit_file>>
audit_file::open(const std::string& path, const std::string& key, flowtap::wall_time now) {
    // First, so that nothing else is made where there can be no log.
    descriptor file = open_log(path);
    if (!file)
        return system_failure(path);
    const std::string state_path = audit_state_path(path);
    auto state = open_state(state_path);
    if (!state)
        return flowtap::fail(state.error());
    auto stored = read_state(*state, state_path);
    if (!stored)
        return flowtap::fail(stored.error());
    const bool begins = !*stored;
    if (begins) {
        const auto end = read_end(file);
        if (!end)
            return system_failure(path);
        // Whoever can take the state away must not get a new chain by it unseen.
        if (flowtap::crypto::read_audit_line(end->line))
            return flowtap::fail(errc::lost_audit_state, state_path);
        stored->emplace(audit_key::random());
    }
    std::unique_ptr<audit_file> opened(
        new audit_file(path, std::move(file), std::move(*state), **stored));
    if (const auto ready = begins ? opened->begin(key) : opened->go_on(); !ready)
        return flowtap::fail(ready.error());
    if (const auto told = opened->tell(now); !told)
        return flowtap::fail(told.error());
    return opened;
}

audit_file::~audit_file() {
    sync();
}

void audit_file::sync() noexcept {
    // Where that fails the lines are in the file, and nobody is kept from reading them.
    static_cast<void>(::fdatasync(file_.number()) == 0 && ::fdatasync(state_.number()) == 0);
}

/// Begins a chain, perhaps in a file that has lines already.
flowtap::result<void> audit_file::begin(const std::string& key) {
    if (const auto written = write_key(key, chain_.key()); !written)
        return written;
    if (!store(chain_) || ::fsync(state_.number()) != 0) {
        const auto failed = system_failure(audit_state_path(path_));
        // It is the key of nothing.
        ::unlink(key.c_str());
        return failed;
    }
    log("the audit log begins a chain; --verify-audit needs the key of its first line, which is in "
        "{}: move it away from here",
        key);
    const auto end = read_end(file_);
    if (!end)
        return system_failure(path_);
    unfinished_ = end->unfinished != 0;
    owed_ = notice{audit_event::chain, 0, "the chain begins", end->size + (unfinished_ ? 1 : 0)};
    return {};
}

/// Goes on behind the line that the state knows, or the one after it.
flowtap::result<void> audit_file::go_on() {
    const auto end = read_end(file_);
    if (!end)
        return system_failure(path_);
    const auto last = flowtap::crypto::read_audit_line(end->line);
    const bool adopted = chain_.adopt(end->line);
    if (adopted && !store(chain_))
        return system_failure(audit_state_path(path_));
    if (end->size == 0) {
        if (chain_.next() == 1)
            owed_ = notice{audit_event::chain, 0, "the chain begins", 0};
        else
            owed_ = continuation();
        return {};
    }
    const bool in_order =
        adopted || (last && last->number + 1 == chain_.next() && last->tag == chain_.last_tag());
    unfinished_ = end->unfinished != 0;
    if (chain_.next() == 1) {
        owed_ =
            notice{audit_event::chain, 0, "the chain begins", end->size + (unfinished_ ? 1 : 0)};
    } else if (!in_order) {
        log("warning: the audit log does not end as it was left: verify it");
        owed_ = continuation();
        owed_->detail += "; that is not how this file ended";
    } else if (unfinished_) {
        if (const auto taken = take_back(end->unfinished); taken)
            owed_ = notice{audit_event::chain, end->unfinished,
                           "the octets of a line that was never finished, nor answered for, were "
                           "taken away",
                           0};
    }
    return {};
}

audit_file::notice audit_file::continuation() const {
    const auto& tag = chain_.last_tag();
    std::string digits;
    for (const std::byte octet : tag)
        digits += fmt::format("{:02x}", std::to_integer<unsigned>(octet));
    return {audit_event::rotation, 0,
            fmt::format("goes on after line {} of the chain, with the tag {}", chain_.next() - 1,
                        digits),
            0};
}

/// Writes what the log has to say itself.
flowtap::result<void> audit_file::tell(flowtap::wall_time now) {
    if (!owed_)
        return {};
    audit_record record;
    record.time = now;
    record.event = owed_->event;
    record.count = owed_->count;
    record.detail = owed_->detail;
    if (const auto written = append(record, owed_->before); !written)
        return written;
    owed_.reset();
    return {};
}

flowtap::result<void> audit_file::write(const audit_record& record) {
    if (const auto told = tell(record.time); !told)
        return told;
    return append(record, 0);
}

flowtap::result<void> audit_file::append(const audit_record& record, std::uint64_t before) {
    const std::string line = chain_.line(members_of(record), before);
    if (line.size() > flowtap::crypto::longest_audit_line) {
        errno = EMSGSIZE;
        return system_failure("audit log");
    }
    const std::string text = unfinished_ ? '\n' + line : line;
    const ssize_t written = ::write(file_.number(), text.data(), text.size());
    if (written < 0)
        return system_failure("audit log");
    if (static_cast<std::size_t>(written) != text.size()) {
        // The disk is full: half a line would make the next one unreadable.
        unfinished_ = true;
        const auto taken = take_back(static_cast<std::size_t>(written));
        errno = ENOSPC;
        return system_failure("audit log");
    }
    const bool had_begun_within_line = std::exchange(unfinished_, false);
    audit_chain next = chain_;
    next.step(line);
    if (store(next)) {
        chain_ = next;
        return {};
    }
    const auto failed = system_failure("state of the audit log");
    if (take_back(text.size()))
        unfinished_ = had_begun_within_line;
    else
        // The line stands there, and the next start will adopt it.
        chain_ = next;
    return failed;
}

/// Takes away so many octets at the end.
flowtap::result<void> audit_file::take_back(std::size_t octets) {
    const off_t end = ::lseek(file_.number(), 0, SEEK_END);
    const auto size = static_cast<off_t>(octets);
    if (end < size || ::ftruncate(file_.number(), end - size) != 0)
        return system_failure("audit log");
    unfinished_ = false;
    return {};
}

bool audit_file::store(const audit_chain& chain) const {
    const std::string name = std::filesystem::path(path_).filename().string();
    std::string text = chain.to_text(flowtap::escape_text(name));
    const ssize_t written = ::pwrite(state_.number(), text.data(), text.size(), 0);
    if (written >= 0 && written != static_cast<ssize_t>(text.size()))
        errno = ENOSPC;
    flowtap::crypto::wipe(std::as_writable_bytes(std::span(text)));
    return written == static_cast<ssize_t>(audit_chain::text_size);
}

flowtap::result<void> audit_file::reopen(flowtap::wall_time now) {
    struct stat here {};
    struct stat there {};
    if (::fstat(file_.number(), &here) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return {};
    descriptor other = open_log(path_);
    if (!other)
        return system_failure(path_);
    const auto end = read_end(other);
    if (!end)
        return system_failure(path_);
    audit_record last;
    last.time = now;
    last.event = audit_event::rotation;
    last.detail = "goes on in another file";
    // Where this cannot be written the other file says it alone.
    static_cast<void>(write(last));
    static_cast<void>(::fdatasync(file_.number()));
    file_ = std::move(other);
    unfinished_ = end->unfinished != 0;
    owed_ = continuation();
    return tell(now);
}

} // namespace dfcd
