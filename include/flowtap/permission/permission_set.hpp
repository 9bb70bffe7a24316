// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/permission/api.hpp>

namespace flowtap::permission {

/// The permissions of Junos, each named as Junos names it with `_` for `-`.
enum class bit : std::uint8_t {
    access,
    access_control,
    admin,
    admin_control,
    all,
    clear,
    configure,
    control,
    field,
    firewall,
    firewall_control,
    floppy,
    flow_tap,
    flow_tap_control,
    flow_tap_operation,
    idp_profiler_operation,
    interface,
    interface_control,
    maintenance,
    network,
    pgcp_session_mirroring,
    pgcp_session_mirroring_control,
    reset,
    rollback,
    routing,
    routing_control,
    secret,
    secret_control,
    security,
    security_control,
    shell,
    snmp,
    snmp_control,
    storage,
    storage_control,
    system,
    system_control,
    trace,
    trace_control,
    unified_edge,
    unified_edge_control,
    view,
    view_configuration,
};

/// How many permissions there are.
inline constexpr std::size_t bit_count = static_cast<std::size_t>(bit::view_configuration) + 1;

/// The word of Junos for a permission: `flow-tap-operation`.
FLOWTAP_PERMISSION_API std::string_view to_word(bit permission) noexcept;

/// The permission that a word stands for. Words are matched as written, in lower case.
FLOWTAP_PERMISSION_API std::optional<bit> find_bit(std::string_view word) noexcept;

/// Permissions as a set, one bit each.
class bit_mask {
public:
    constexpr bit_mask() = default;
    constexpr bit_mask(std::initializer_list<bit> members) noexcept {
        for (const bit member : members)
            insert(member);
    }

    constexpr void insert(bit member) noexcept { bits_ |= 1ULL << static_cast<unsigned>(member); }
    constexpr void erase(bit member) noexcept { bits_ &= ~(1ULL << static_cast<unsigned>(member)); }
    constexpr bool contains(bit member) const noexcept {
        return ((bits_ >> static_cast<unsigned>(member)) & 1U) != 0;
    }
    constexpr bool intersects(bit_mask other) const noexcept { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }

    friend constexpr bit_mask operator|(bit_mask a, bit_mask b) noexcept {
        a.bits_ |= b.bits_;
        return a;
    }
    friend constexpr bool operator==(bit_mask, bit_mask) = default;

private:
    std::uint64_t bits_ = 0;
};

/// What a class or a user may do: permission words in the order in which they were given, each
/// once. Words that this version does not know are kept and shown, and grant nothing.
///
/// Thread-safety: as for a standard container; concurrent reads are safe.
class permission_set {
public:
    permission_set() = default;
    FLOWTAP_PERMISSION_API permission_set(std::initializer_list<bit> members);

    /// Reads words separated by blanks, as `Juniper-User-Permissions` carries them. Never fails.
    FLOWTAP_PERMISSION_API static permission_set parse(std::string_view words);

    /// Appends a word unless it is there.
    FLOWTAP_PERMISSION_API void insert(std::string_view word);
    FLOWTAP_PERMISSION_API void insert(bit member);
    /// Takes a word away; nothing happens when it is not there.
    FLOWTAP_PERMISSION_API void erase(std::string_view word);

    /// Whether the word itself stands in the set; `all` is not expanded.
    FLOWTAP_PERMISSION_API bool names(std::string_view word) const noexcept;

    /// Whether the set gives this permission, by its own word or through a wider one: `all` gives
    /// everything but `flow-tap-operation`; `control` gives every `-control` permission but
    /// `flow-tap-control` and `pgcp-session-mirroring-control`.
    bool grants(bit member) const noexcept { return granted_.contains(member); }

    /// All the permissions that the set gives.
    bit_mask granted() const noexcept { return granted_; }

    bool empty() const noexcept { return words_.empty(); }
    std::span<const std::string> words() const noexcept { return words_; }

    friend bool operator==(const permission_set& a, const permission_set& b) {
        return a.words_ == b.words_;
    }

private:
    std::vector<std::string> words_;
    bit_mask granted_;
};

/// `[flow-tap-operation configure admin system]`
FLOWTAP_PERMISSION_API std::string to_string(const permission_set& permissions);

/// The permissions of a user whom RADIUS authenticated: RADIUS' words first, then those of the
/// login class that are not among them, each in its own order. A pure function.
///
/// Example: the class `[admin system]` and RADIUS' `flow-tap-operation configure` give
/// `[flow-tap-operation configure admin system]` (Junos documentation of flow-tap).
FLOWTAP_PERMISSION_API permission_set merge(const permission_set& of_class,
                                            std::string_view radius_words);

} // namespace flowtap::permission
