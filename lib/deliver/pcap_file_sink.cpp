// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <flowtap/deliver/pcap_file_sink.hpp>
#include <flowtap/path/delivery_ledger.hpp>

namespace flowtap::deliver {

namespace {

/// The formats of https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, sections 4 and 5,
/// in the byte order of this machine.
struct file_header {
    std::uint32_t magic = 0xA1B2'3C4D; ///< times in nanoseconds
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
    std::uint32_t reserved_1 = 0;
    std::uint32_t reserved_2 = 0;
    std::uint32_t snap_length = 65535;
    std::uint32_t link_type = 101; ///< raw IP
};
struct record_header {
    std::uint32_t seconds = 0;
    std::uint32_t nanoseconds = 0;
    std::uint32_t captured = 0;
    std::uint32_t length = 0;
};

constexpr std::size_t buffer_size = std::size_t{256} << 10;
constexpr std::size_t longest_record = sizeof(record_header) + 65535;
/// What a pipe takes without blocking once it can be written to.
constexpr std::size_t piece_size = 4096;
/// How long the reader of a pipe may do nothing before the last record is given up.
constexpr std::chrono::milliseconds last_wait{1000};

/// What became of a record for a pipe.
enum class outcome : std::uint8_t { taken, full, failed };

record_header record_for(wall_time time, std::size_t length) noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    record_header made;
    made.seconds = static_cast<std::uint32_t>(seconds.time_since_epoch().count());
    made.nanoseconds = static_cast<std::uint32_t>((time - seconds).count());
    made.captured = made.length = static_cast<std::uint32_t>(length);
    return made;
}

} // namespace

struct pcap_file::state {
    /// Writes whole records. False if they could not be written, all of them or some.
    bool write(byte_view records) noexcept;
    bool write_all(byte_view octets) noexcept;

    /// For a pipe, whose slow reader must not keep the worker. A record that was begun is taken;
    /// what is left of it goes before the next.
    outcome write_to_pipe(byte_view record) noexcept;
    byte_view write_what_fits(byte_view octets) noexcept;
    bool can_write(std::chrono::milliseconds limit) const noexcept;
    void finish() noexcept;

    std::string path;
    descriptor file;
    bool is_regular = false;
    bool is_pipe = false; ///< or anything else that may have a slow reader
    mutable std::mutex mutex;
    /// Where the last whole record ends.
    off_t end = 0;
    int failure = 0;
    /// The end of a record that a pipe has not taken yet.
    std::array<std::byte, longest_record> rest;
    std::size_t rest_begin = 0;
    std::size_t rest_end = 0;
};

bool pcap_file::state::write_all(byte_view octets) noexcept {
    while (!octets.empty()) {
        const ssize_t written = ::write(file.number(), octets.data(), octets.size());
        if (written > 0) {
            octets = octets.subspan(static_cast<std::size_t>(written));
            continue;
        }
        if (written < 0 && errno == EAGAIN) {
            pollfd wanted{file.number(), POLLOUT, 0};
            ::poll(&wanted, 1, -1);
            continue;
        }
        if (written < 0 && errno == EINTR)
            continue;
        failure = written < 0 ? errno : EIO;
        return false;
    }
    return true;
}

bool pcap_file::state::write(byte_view records) noexcept {
    const std::lock_guard lock(mutex);
    // A pipe that broke in the middle of a record has no place to go on from.
    if (failure != 0 && !is_regular)
        return false;
    if (write_all(records)) {
        end += static_cast<off_t>(records.size());
        return true;
    }
    if (is_regular && ::ftruncate(file.number(), end) == 0)
        ::lseek(file.number(), end, SEEK_SET);
    return false;
}

bool pcap_file::state::can_write(std::chrono::milliseconds limit) const noexcept {
    pollfd wanted{file.number(), POLLOUT, 0};
    return ::poll(&wanted, 1, static_cast<int>(limit.count())) > 0;
}

/// Returns what did not fit.
byte_view pcap_file::state::write_what_fits(byte_view octets) noexcept {
    while (!octets.empty() && can_write(std::chrono::milliseconds(0))) {
        const std::size_t size = std::min(octets.size(), piece_size);
        const ssize_t written = ::write(file.number(), octets.data(), size);
        if (written > 0) {
            octets = octets.subspan(static_cast<std::size_t>(written));
        } else if (written == 0 || (errno != EAGAIN && errno != EINTR)) {
            failure = written < 0 ? errno : EIO;
            break;
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return octets;
}

outcome pcap_file::state::write_to_pipe(byte_view record) noexcept {
    const std::lock_guard lock(mutex);
    rest_begin = rest_end - write_what_fits({&rest[rest_begin], rest_end - rest_begin}).size();
    if (failure != 0)
        return outcome::failed;
    if (rest_begin != rest_end)
        return outcome::full;
    const byte_view left = write_what_fits(record);
    if (failure != 0)
        return outcome::failed;
    if (left.size() == record.size())
        return outcome::full;
    std::memcpy(rest.data(), left.data(), left.size());
    rest_begin = 0;
    rest_end = left.size();
    return outcome::taken;
}

/// Writes what is left of the last record, as long as its reader takes something.
void pcap_file::state::finish() noexcept {
    while (rest_begin != rest_end && failure == 0 && can_write(last_wait))
        rest_begin = rest_end - write_what_fits({&rest[rest_begin], rest_end - rest_begin}).size();
}

result<std::shared_ptr<pcap_file>> pcap_file::create(const std::string& path, opener& with) {
    auto opened = with.file_to_write(path);
    if (!opened)
        return fail(opened.error());
    auto made = std::make_unique<state>();
    made->path = path;
    made->file = std::move(*opened);
    struct stat status {};
    const bool known = ::fstat(made->file.number(), &status) == 0;
    made->is_regular = known && S_ISREG(status.st_mode);
    made->is_pipe = known && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) ||
                              ::isatty(made->file.number()) != 0);
    // Standard output may be a file that has something in it already.
    made->end = made->is_regular ? ::lseek(made->file.number(), 0, SEEK_CUR) : 0;
    const file_header header;
    if (!made->write(std::as_bytes(std::span(&header, 1))))
        return fail(error(std::error_code(made->failure, std::system_category()), path));
    return std::shared_ptr<pcap_file>(new pcap_file(std::move(made)));
}

pcap_file::pcap_file(std::unique_ptr<state> with) noexcept : state_(std::move(with)) {}

pcap_file::~pcap_file() {
    state_->finish();
}

error pcap_file::failure() const {
    const std::lock_guard lock(state_->mutex);
    if (state_->failure == 0)
        return {};
    return error(std::error_code(state_->failure, std::system_category()), state_->path);
}

namespace {

/// Copies to one stream that stand in the buffer one behind the other.
struct run {
    stream_id stream;
    std::uint64_t copies = 0;
    std::uint64_t octets = 0;
};

constexpr std::size_t most_runs = 4096;

} // namespace

struct pcap_file_sink::state {
    explicit state(std::shared_ptr<pcap_file> to) : file(std::move(to)) { runs.reserve(most_runs); }

    bool put(const path::copy& what) noexcept;
    void count(const path::copy& what) noexcept;
    void flush(path::delivery_ledger& ledger) noexcept;
    std::size_t consume_for_pipe(std::span<const path::copy> copies,
                                 path::delivery_ledger& ledger) noexcept;

    std::shared_ptr<pcap_file> file;
    std::unique_ptr<std::byte[]> buffer = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
    std::size_t used = 0;
    /// What stands in the buffer for a file.
    std::vector<run> runs;
};

/// The buffer must have room for the longest record. False if there is no such copy.
bool pcap_file_sink::state::put(const path::copy& what) noexcept {
    const std::size_t length = what.header->size() + what.packet.size();
    if (sizeof(record_header) + length > longest_record)
        return false;
    std::byte* place = buffer.get() + used;
    std::byte* header = place + sizeof(record_header);
    if (!what.header->write(what.packet, what.identification, {header, what.header->size()}))
        return false;
    const record_header record = record_for(what.time, length);
    std::memcpy(place, &record, sizeof record);
    // Not std::ranges::copy, of which this compiler makes a loop.
    std::copy(what.packet.begin(), what.packet.end(), header + what.header->size());
    used += sizeof record + length;
    return true;
}

void pcap_file_sink::state::count(const path::copy& what) noexcept {
    if (runs.empty() || runs.back().stream != what.stream)
        runs.push_back({what.stream});
    ++runs.back().copies;
    runs.back().octets += what.packet.size();
}

void pcap_file_sink::state::flush(path::delivery_ledger& ledger) noexcept {
    if (runs.empty())
        return;
    const bool written = file->state_->write({buffer.get(), used});
    for (const run& each : runs) {
        if (written)
            ledger.delivered(each.stream, each.copies, each.octets);
        else
            ledger.dropped(path::drop_cause::send_error, each.stream, each.copies, each.octets);
    }
    used = 0;
    runs.clear();
}

std::size_t pcap_file_sink::state::consume_for_pipe(std::span<const path::copy> waiting,
                                                    path::delivery_ledger& ledger) noexcept {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        if (!put(waiting[i])) {
            ledger.dropped(path::drop_cause::too_long, {&waiting[i], 1});
            continue;
        }
        const outcome became = file->state_->write_to_pipe({buffer.get(), used});
        used = 0;
        if (became == outcome::full)
            return i;
        if (became == outcome::taken)
            ledger.delivered({&waiting[i], 1});
        else
            ledger.dropped(path::drop_cause::send_error, {&waiting[i], 1});
    }
    return waiting.size();
}

pcap_file_sink::pcap_file_sink(std::shared_ptr<pcap_file> file)
    : state_(std::make_unique<state>(std::move(file))) {}
pcap_file_sink::~pcap_file_sink() {
    flush();
}

std::size_t pcap_file_sink::consume(std::span<const path::copy> copies) noexcept {
    state& its = *state_;
    if (its.file->state_->is_pipe)
        return its.consume_for_pipe(copies, ledger());
    for (const path::copy& each : copies) {
        if (buffer_size - its.used < longest_record || its.runs.size() == most_runs)
            its.flush(ledger());
        if (its.put(each))
            its.count(each);
        else
            ledger().dropped(path::drop_cause::too_long, {&each, 1});
    }
    return copies.size();
}

bool pcap_file_sink::has_collected() const noexcept {
    return !state_->runs.empty();
}

void pcap_file_sink::flush() noexcept {
    state_->flush(ledger());
}

void pcap_file_sink::wait(std::chrono::milliseconds limit) noexcept {
    if (state_->file->state_->is_pipe)
        static_cast<void>(state_->file->state_->can_write(limit));
}

} // namespace flowtap::deliver
