// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <flowtap/core/result.hpp>
#include <flowtap/tap/audit.hpp>

namespace dfcd {

/// The audit log as a file of JSON lines, mode 0600, one line a record, written before the answer
/// it is about. A line that could not be written whole is taken back.
class audit_file final : public flowtap::tap::audit_log {
public:
    /// Opens or makes the file and appends to it. Errors: those of the operating system.
    static flowtap::result<std::unique_ptr<audit_file>> open(const std::string& path);
    ~audit_file() override;

    flowtap::result<void> write(const flowtap::tap::audit_record& record) override;

private:
    explicit audit_file(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

} // namespace dfcd
