// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <flowtap/core/clock.hpp>

namespace dfcd {

/// How it is shown how far capture files are read.
enum class progress_kind : std::uint8_t {
    usual, ///< a line where standard error is a terminal, else nothing
    none,
    line, ///< one line that is kept current on a terminal, else line by line
    json, ///< lines of JSON
};

/// How far all capture files together are at one time.
struct replay_state {
    flowtap::steady_time when;
    std::uint64_t packets = 0;
    /// Octets read of the files as they are stored.
    std::uint64_t octets = 0;
    /// Those that there are; none where a pipe is among the files.
    std::optional<std::uint64_t> size;
};

/// Shows on standard error how far the replay is, without a name.
class progress {
public:
    explicit progress(progress_kind asked);

    /// Whether there is anything to show, ever.
    bool is_on() const noexcept { return kind_ != progress_kind::none; }
    void begin(const replay_state& now);
    void show(const replay_state& now);
    /// Shows the last line of JSON, or takes the line away.
    void end(const replay_state& now);

private:
    progress_kind kind_;
    bool on_terminal_;
    replay_state first_;
    replay_state before_;
};

/// `` 42 %  12345678 packets  31.2 Mpps  2490 MB/s  3 s left``, rates being those since `before`,
/// and the time left as it was since `first`. Without a size: how much was read, and no time.
std::string progress_text(const replay_state& first, const replay_state& before,
                          const replay_state& now);

/// The same as one object: `{"progress":{"seconds":1.5,"percent":42.0,"packets":...,"octets":...,
/// "size":...,"packets_per_second":...,"octets_per_second":...,"seconds_left":2.1}}`, null for what
/// is not known.
std::string progress_json(const replay_state& first, const replay_state& before,
                          const replay_state& now);

} // namespace dfcd
