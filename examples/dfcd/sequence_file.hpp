// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <sys/types.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/tap/sequence_store.hpp>

namespace dfcd {

/// The file that sequence numbers survive a restart in, mode 0600. Every change replaces the file
/// as a whole and is on the disk when the call returns. As text:
/// ```
/// flowtap-sequences 1
/// lea1 512
/// end: 1
/// ```
/// The number behind `end:` says how many lines there are before it, so that a file that was cut
/// off is no file with fewer control sources. One process at a time has it open.
class sequence_file final : public flowtap::tap::sequence_store {
public:
    /// The process that has the file open.
    struct holder {
        pid_t process = 0;
    };

    /// Opens the file, and makes it when it is missing, or says who has it open. The directory must
    /// be there. Errors: those of the operating system; `errc::damaged_sequence_file` with the line
    /// as `FILE:LINE`.
    static flowtap::result<std::variant<std::unique_ptr<sequence_file>, holder>>
    open(const std::string& path);
    ~sequence_file() override;

    /// Whether that process has the file open still.
    static bool is_held(const std::string& path, holder by);

    std::optional<flowtap::sequence_number> load(std::string_view source) override;
    flowtap::result<void> store(std::string_view source, flowtap::sequence_number bound) override;
    flowtap::result<void> forget(std::string_view source) override;

    /// No control source has a number in it.
    bool empty() const noexcept { return bounds_.empty(); }

private:
    using bounds = std::map<std::string, flowtap::sequence_number, std::less<>>;

    sequence_file(std::string path, flowtap::descriptor lock)
        : path_(std::move(path)), lock_(std::move(lock)) {}
    flowtap::result<void> read();
    flowtap::result<void> replace(bounds with);

    const std::string path_;
    /// Of a file beside it: the lock outlives the replacements.
    const flowtap::descriptor lock_;
    bounds bounds_;
};

} // namespace dfcd
