// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/crypto/audit_chain.hpp>
#include <flowtap/tap/audit.hpp>

namespace dfcd {

/// Where the state of the chain is that an audit log is the end of.
std::string audit_state_path(const std::string& log);

/// The audit log as a file of JSON lines, mode 0600, one line a record, written before the answer
/// it is about. Each line is authenticated under a key of its own, which is gone when the next one
/// takes its place (`flowtap::crypto::audit_chain`).
///
/// A line is written first and the state that it leads to then, in place, with one write of less
/// than a sector: no copy of the old key stays, and a full disk does not matter. Whatever stops
/// dfcd in between, the file holds at most one line more than the state knows of, whole or not. A
/// whole one is adopted at the next start; of another one nobody has been told, so it is taken
/// away.
class audit_file final : public flowtap::tap::audit_log {
public:
    /// Opens or makes the log, and goes on with its chain or begins one, whose first key goes to
    /// `key`. The operational log says what an operator has to know of that. One process at a time
    /// has it open. Errors: those of the operating system; `errc::audit_log_in_use`,
    /// `errc::damaged_audit_state`, `errc::lost_audit_state`.
    static flowtap::result<std::unique_ptr<audit_file>>
    open(const std::string& path, const std::string& key, flowtap::wall_time now);
    ~audit_file() override;

    /// A line that could not be written whole, with its state, is taken back.
    flowtap::result<void> write(const flowtap::tap::audit_record& record) override;

    /// Has what was written so far be on the disk, as it is when there is no more to write.
    void sync() noexcept;

    /// Goes on in another file if the log was moved away. When there can be no other file it goes
    /// on in this one, and says why.
    flowtap::result<void> reopen(flowtap::wall_time now);

private:
    using descriptor = flowtap::descriptor;

    /// A record of the log's own that has to come before any other.
    struct notice {
        flowtap::tap::audit_event event = flowtap::tap::audit_event::chain;
        std::uint64_t count = 0;
        std::string detail;
        std::uint64_t before = 0;
    };

    audit_file(std::string path, descriptor file, descriptor state,
               const flowtap::crypto::audit_chain& chain)
        : path_(std::move(path)), file_(std::move(file)), state_(std::move(state)), chain_(chain) {}

    flowtap::result<void> begin(const std::string& key);
    flowtap::result<void> go_on();
    flowtap::result<void> tell(flowtap::wall_time now);
    flowtap::result<void> append(const flowtap::tap::audit_record& record, std::uint64_t before);
    flowtap::result<void> take_back(std::size_t octets);
    bool store(const flowtap::crypto::audit_chain& chain) const;
    notice continuation() const;

    std::string path_;
    descriptor file_;
    descriptor state_;
    flowtap::crypto::audit_chain chain_;
    std::optional<notice> owed_;
    /// The file ends within a line that cannot be taken away.
    bool unfinished_ = false;
};

} // namespace dfcd
