// SPDX-License-Identifier: Apache-2.0
#include "privileges.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.hpp"
#include "state_files.hpp"

namespace dfcd {

namespace {

/// A set of capabilities, by number.
using capability_set = std::uint64_t;

constexpr capability_set set_of(std::initializer_list<int> members) {
    capability_set made = 0;
    for (const int each : members)
        made |= capability_set{1} << each;
    return made;
}

constexpr capability_set kept = set_of({CAP_NET_RAW});
/// What opening takes besides: low ports, files that only root may read or write, and giving the
/// mode 0600 to those that root made.
constexpr capability_set for_opening =
    kept | set_of({CAP_NET_BIND_SERVICE, CAP_DAC_OVERRIDE, CAP_FOWNER});
constexpr capability_set for_becoming = set_of({CAP_SETUID, CAP_SETGID});

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), subject));
}

constexpr unsigned word_bits = 32;
using capability_words = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

struct thread_capabilities {
    capability_set effective = 0;
    capability_set permitted = 0;
};

thread_capabilities read_capabilities() {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    capability_words words{};
    ::syscall(SYS_capget, &head, words.data());
    const auto join = [](std::uint32_t low, std::uint32_t high) {
        return capability_set{high} << word_bits | low;
    };
    return {join(words[0].effective, words[1].effective),
            join(words[0].permitted, words[1].permitted)};
}

/// Keeps those of `wanted` that there are, and none to inherit.
bool keep_capabilities(capability_set wanted) {
    const capability_set kept_now = read_capabilities().permitted & wanted;
    const auto low = static_cast<std::uint32_t>(kept_now);
    const auto high = static_cast<std::uint32_t>(kept_now >> word_bits);
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    capability_words words{};
    words[0] = {low, low, 0};
    words[1] = {high, high, 0};
    return ::syscall(SYS_capset, &head, words.data()) == 0;
}

/// No program that is executed gets any capability. A thread without CAP_SETPCAP cannot change its
/// bounding set, and need not: `no_new_privs` holds.
void close_ways_back() {
    for (unsigned long each = 0; ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each)
        ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

std::optional<unsigned> number_in(std::string_view text) {
    unsigned number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

} // namespace

flowtap::result<privileges> privileges::plan(const std::optional<std::string>& asked) {
    privileges made;
    made.is_root_ = ::geteuid() == 0;
    made.asked_ = asked.has_value();
    const std::string text = asked.value_or(default_user);
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    identity chosen;
    if (const passwd* entry = ::getpwnam(name.c_str())) {
        chosen = {entry->pw_uid, entry->pw_gid};
    } else if (const auto number = number_in(name)) {
        const passwd* known = ::getpwuid(*number);
        chosen = {*number, known != nullptr ? known->pw_gid : *number};
    } else if (asked) {
        return flowtap::fail(errc::no_such_user, name);
    } else {
        return made;
    }
    if (colon != std::string::npos) {
        const std::string group = text.substr(colon + 1);
        const struct group* entry = ::getgrnam(group.c_str());
        const auto number = number_in(group);
        if (entry == nullptr && !number)
            return flowtap::fail(errc::no_such_user, group);
        chosen.group = entry != nullptr ? entry->gr_gid : *number;
    }
    if (chosen.user == ::geteuid())
        return made;
    if (asked && !made.is_root_)
        return flowtap::fail(errc::user_without_root, name);
    // Root in a container may not be able to become anyone.
    const bool can_become = (read_capabilities().effective & for_becoming) == for_becoming;
    if (made.is_root_ && (asked || can_become))
        made.user_ = chosen;
    return made;
}

flowtap::result<void> privileges::make_directory_of(const std::string& file) const {
    const std::string directory = directory_of(file);
    std::error_code unknown;
    if (std::filesystem::exists(directory, unknown))
        return {};
    if (const auto made = dfcd::make_directory_of(file); !made)
        return flowtap::fail(made.error());
    if (user_ && ::lchown(directory.c_str(), user_->user, user_->group) != 0)
        return system_failure(directory);
    return {};
}

flowtap::result<void> privileges::become() const {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return system_failure("privileges");
    close_ways_back();
    if (!user_)
        return {};
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::setgroups(0, nullptr) != 0 ||
        ::setresgid(user_->group, user_->group, user_->group) != 0 ||
        ::setresuid(user_->user, user_->user, user_->user) != 0 || !keep_capabilities(for_opening))
        return system_failure("--user");
    // Becoming another user may have changed it.
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return system_failure("privileges");
    return {};
}

flowtap::result<void> privileges::drop() const {
    if (is_root_ && !user_)
        // Root in a user namespace may not be allowed to; it has no groups then that matter.
        static_cast<void>(::setgroups(0, nullptr) == 0);
    if (!keep_capabilities(kept))
        return system_failure("privileges");
    return {};
}

flowtap::result<void> privileges::check_directory_of(const std::string& file) {
    const std::string directory = directory_of(file);
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return flowtap::fail(errc::directory_not_writable, directory);
    return {};
}

bool has_net_raw() {
    return (read_capabilities().effective & set_of({CAP_NET_RAW})) != 0;
}

} // namespace dfcd
