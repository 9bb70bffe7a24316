// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>

namespace dtcp_tool {

/// Whom sequence numbers are for.
struct sequence_owner {
    std::string host;
    std::uint16_t port = 0;
    std::string csource_id;
};

/// The sequence numbers of one control source at one access point, kept in a file from one run to
/// the next. Several programs may use the file at a time: each number is given out once.
///
/// A number is out of the file before it is used, so that a crash cannot bring it back; what was
/// taken and not used goes back with `settle`. dtcp(1) describes the file.
class sequence_file {
public:
    /// `first` replaces what the file says, if it is given; `otherwise` is for an owner that the
    /// file does not know.
    sequence_file(std::filesystem::path path, sequence_owner owner,
                  std::optional<std::uint64_t> first, std::uint64_t otherwise)
        : path_(std::move(path)), owner_(std::move(owner)), first_(first), otherwise_(otherwise) {}

    /// Says that so many numbers will be asked for, which are taken together then.
    void expect(std::size_t count) { expected_ = count; }

    /// Errors: those of the operating system on the file, and `std::errc::bad_message` when it is
    /// none of these files; the subject is its name. They stay, for `failed`.
    flowtap::result<flowtap::sequence_number> next();

    /// The access point has answered a request of this number.
    void answered(flowtap::sequence_number seq);

    /// Gives back what was not used, and stores what was answered.
    flowtap::result<void> settle();

    /// Whether so many numbers went without an answer that the access point may not take the next.
    bool is_far_ahead() const;

    /// Whether the file could not be used.
    bool failed() const noexcept { return failed_; }

private:
    flowtap::result<void> reserve();

    std::filesystem::path path_;
    sequence_owner owner_;
    std::optional<std::uint64_t> first_;
    std::uint64_t otherwise_;
    std::size_t expected_ = 0;
    /// The numbers taken and not used yet: up to, and without, the last.
    std::uint64_t next_ = 0;
    std::uint64_t last_ = 0;
    std::optional<std::uint64_t> answered_;
    bool failed_ = false;
};

} // namespace dtcp_tool
