// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/api.hpp>
#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter {

namespace detail {

/// A match before it is put in its place: the packet of a chunk, and the criterion's slot.
struct hit {
    std::uint32_t packet;
    std::uint32_t slot;
};

struct version;

} // namespace detail

/// The matches of the packets of one batch, in a buffer that is made once and used again.
/// Not thread-safe: each worker has its own.
class match_buffer {
public:
    /// Room for `max_packets` packets and `max_matches` matches in one call of `classifier::match`.
    FLOWTAP_FILTER_API match_buffer(std::size_t max_packets, std::size_t max_matches);

    /// Packets that the last call of `match` finished.
    std::size_t packets() const noexcept { return packets_; }
    /// The slots of the criteria that packet `index` of the last call matches, in ascending order.
    /// Valid until the next call.
    std::span<const slot_id> matches(std::size_t index) const noexcept {
        return {slots_.data() + ends_[index], slots_.data() + ends_[index + 1]};
    }
    /// The packets of the last call that match anything, in ascending order. Valid until the next
    /// call.
    std::span<const std::uint32_t> matched() const noexcept {
        return {matched_.data(), matched_count_};
    }

private:
    friend class classifier;

    std::vector<slot_id> slots_;
    /// Where the matches of packet i begin; those of the last packet end at the entry after it. One
    /// more is for the work of putting them there.
    std::vector<std::uint32_t> ends_;
    std::size_t packets_ = 0;
    std::vector<std::uint32_t> matched_;
    std::size_t matched_count_ = 0;
    /// Room for as many as there are slots. Memory that no match was written to is not touched.
    std::unique_ptr<detail::hit[]> hits_;
};

/// What `classifier::sift` looks at: of each packet octets 8 to 23 as they are on the wire, from
/// the time to live to the ports, one packet behind the other.
struct plain_headers {
    static constexpr std::size_t most = 64; ///< packets
    static constexpr std::size_t first = 8; ///< of a packet's octets
    static constexpr std::size_t size = 16; ///< of what is kept of each

    alignas(64) std::array<std::byte, most * size> octets{};
};

/// What a classifier may grow to.
struct classifier_limits {
    /// The most criteria it accepts.
    std::size_t criteria = 100'000;
    /// The most octets of memory it may take.
    std::size_t memory = std::size_t{1} << 30;
    /// The most entries of lists in all criteria together: what the time to build grows with.
    std::size_t entries = 4'000'000;
};

/// What a classifier costs, for an operator to watch and limit.
struct classifier_cost {
    std::size_t criteria = 0;
    /// Those of family ccc among them: without any, nobody needs to show whole frames.
    std::size_t frames = 0;
    /// Entries of lists in all criteria.
    std::size_t entries = 0;
    /// Octets of memory in use.
    std::size_t memory = 0;
    /// Of a set that changes: the most octets that its criteria take in whatever form, which is
    /// what `classifier_limits::memory` is held against, as what is in use depends on what is
    /// merged. Of other sets the same as `memory`.
    std::size_t reserved = 0;
    /// Processor time that compiling took.
    std::chrono::nanoseconds build_time{0};
    /// Tests that every IPv4 packet, and every IPv6 packet, is put to before it is known whether
    /// anything can match: the time per packet that matches nothing grows with them.
    std::size_t probes_inet = 0;
    std::size_t probes_inet6 = 0;
    /// Bit-vector groups that hold the criteria without a telling address: the time per packet that
    /// passes their probes grows with them.
    std::size_t groups_inet = 0;
    std::size_t groups_inet6 = 0;
    /// Criteria that are not merged yet: packets that pass their probes are held against each.
    std::size_t unmerged = 0;
};

/// Which instructions `classifier::match` is to use.
enum class code_path {
    fastest,  ///< the best that this processor has
    portable, ///< those that every processor has; for tests and comparisons
    avx2,     ///< AVX2, BMI2; `portable` where the processor lacks them
    avx512,   ///< AVX-512 (F, BW, DQ, VL); `avx2` where the processor lacks them
};

/// A compiled set of criteria that finds *all* criteria that match a packet. Immutable; any number
/// of threads may match at the same time, each with a buffer of its own. Copies share what was
/// compiled. A set that changes is a `live_classifier`.
///
/// Memory and build time grow with the number of criteria and of distinct range ends in them;
/// lib/filter/complexity.md has the figures.
///
/// Example: see examples/match-packets.
class FLOWTAP_FILTER_API classifier {
public:
    /// A classifier without criteria, which matches nothing.
    classifier() noexcept;
    ~classifier();
    /// What was moved from matches nothing.
    classifier(classifier&&) noexcept;
    classifier& operator=(classifier&&) noexcept;
    classifier(const classifier&) noexcept;
    classifier& operator=(const classifier&) noexcept;

    /// Compiles `criteria`, which may be forgotten afterwards. Their slots must differ.
    /// Errors: `errc::too_many_criteria`, `errc::too_many_entries`, `errc::too_much_memory`,
    /// `errc::duplicate_slot`.
    static result<classifier> build(std::span<const criterion> criteria,
                                    const classifier_limits& limits = {},
                                    code_path path = code_path::fastest);

    /// Matches the packets of a batch, in order, until all are done or the buffer has no room for
    /// one more packet or for all matches of the next one. Returns how many were done; to go on,
    /// call again with the rest. At least one is done if there are any and the buffer has room for
    /// a packet and for `cost().criteria` matches. Allocates nothing and never throws.
    std::size_t match(std::span<const packet_key> keys, match_buffer& found) const noexcept;

    /// Tells packets that match nothing, as most do, for a fraction of what `match` takes, and
    /// before there are keys of them. They are TCP or UDP in IPv4 without options, whole, and came
    /// in through one interface. Bit i is set if packet i of the first `count`, at most
    /// `plain_headers::most`, may match something, and is to be matched. Where there are criteria
    /// that nothing tells of, or that are not merged yet, all bits are. Allocates nothing and never
    /// throws.
    std::uint64_t sift(const plain_headers& packets, std::size_t count, interface_id interface,
                       vrf_id vrf) const noexcept;

    classifier_cost cost() const noexcept;

private:
    friend class live_classifier;
    explicit classifier(std::shared_ptr<const detail::version> from) noexcept;

    std::shared_ptr<const detail::version> version_;
};

} // namespace flowtap::filter
