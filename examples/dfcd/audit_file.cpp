// SPDX-License-Identifier: Apache-2.0
#include "audit_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <flowtap/core/error.hpp>
#include <flowtap/dtcp/timestamp.hpp>

namespace dfcd {

namespace {

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), subject));
}

std::string to_line(const flowtap::tap::audit_record& record) {
    nlohmann::ordered_json line;
    line["time"] = flowtap::dtcp::format_timestamp(record.time);
    line["event"] = to_string(record.event);
    line["principal"] = flowtap::escape_text(record.principal);
    line["peer"] = record.peer;
    line["criterion"] = record.criterion;
    line["count"] = record.count;
    line["status"] = record.status;
    line["detail"] = flowtap::escape_text(record.detail);
    return line.dump() + '\n';
}

} // namespace

flowtap::result<std::unique_ptr<audit_file>> audit_file::open(const std::string& path) {
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return system_failure(path);
    std::unique_ptr<audit_file> opened(new audit_file(descriptor));
    // A file that was there before may be open to others.
    if (::fchmod(descriptor, 0600) != 0)
        return system_failure(path);
    return opened;
}

audit_file::~audit_file() {
    ::close(descriptor_);
}

flowtap::result<void> audit_file::write(const flowtap::tap::audit_record& record) {
    const std::string line = to_line(record);
    const ssize_t written = ::write(descriptor_, line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size()))
        return {};
    if (written < 0)
        return system_failure("audit log");
    // The disk is full: half a line would make the next one unreadable.
    const off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (end >= written && ::ftruncate(descriptor_, end - written) == 0)
        errno = ENOSPC;
    return system_failure("audit log");
}

} // namespace dfcd
