// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/criterion.hpp>

#include "hits.hpp"
#include "level.hpp"
#include "residual.hpp"
#include "rule.hpp"

namespace flowtap::filter {

/// The addresses of a packet in the pieces that overlays look at: four an address, an octet each.
/// Those of IPv4 are its octets; those of IPv6 are hashes of bits 0 to 31, 32 to 47, 48 to 63 and
/// of the rest.
using address_digest = std::uint64_t;

/// The digests of the packets of one chunk, made once for all overlays.
struct chunk_digest {
    explicit chunk_digest(std::span<const packet_key> keys) noexcept;

    std::array<address_digest, chunk_packets> addresses;
};

/// Up to 64 criteria that are not compiled. One thread adds criteria while others match with the
/// first so and so many of them: nothing that those look at is changed by it.
///
/// A criterion is a bit. Every piece of a packet (octets or hashes of the addresses, protocol,
/// octets of the ports) has a table of 256 words: which criteria admit a packet with such a piece.
/// The words of a packet's pieces combined are the criteria that may match it; these are held
/// against it exactly. A criterion that does not restrict a piece, or admits too many values of it,
/// stands in no table but in a word beside it.
class overlay {
public:
    static constexpr std::size_t capacity = 64;

    overlay() = default;
    overlay(const overlay&) = delete;
    overlay& operator=(const overlay&) = delete;

    /// Adds a criterion; there is room for one. A thread that is handed a count that includes it
    /// afterwards sees it.
    void append(criterion_pointer what);
    /// How many were added, for the thread that adds.
    std::size_t size() const noexcept { return size_; }

    /// Adds the matches of the packets of a chunk among the first `count` criteria to `found`.
    void find(std::span<const packet_key> keys, const chunk_digest& digest, std::size_t count,
              hit_list& found) const noexcept;

    const entry* entries() const noexcept { return entries_.data(); }
    const criterion_pointer* kept() const noexcept { return kept_.data(); }
    /// The entry of the criterion of `slot` that has not died, or null.
    entry* find_living(slot_id slot) noexcept;
    /// Octets in use, criteria and all.
    std::size_t memory() const noexcept { return sizeof(overlay) + kept_memory_; }

private:
    using word = std::atomic<std::uint64_t>;

    static constexpr std::size_t address_pieces = 8;
    /// Protocol, high and low octet of the source port, the same of the destination port, ICMP type
    /// and code.
    static constexpr std::size_t header_pieces = 7;
    static constexpr std::size_t pieces = address_pieces + header_pieces;

    struct piece_adder;
    void add_rule(const filter_spec& spec, family of);
    std::uint64_t admitted(std::size_t piece, std::size_t value) const noexcept;
    std::uint64_t narrow_down(std::uint64_t some, const packet_key& key) const noexcept;
    std::size_t telling_piece(std::size_t first, std::uint64_t seen) const noexcept;
    void find_among(std::uint64_t some, const packet_key& key, std::uint32_t packet,
                    hit_list& found) const noexcept;
    bool holds(std::size_t which, const packet_key& key, const lane_values& values) const noexcept;

    std::size_t size_ = 0;
    std::size_t kept_memory_ = 0;
    /// By family and direction: who looks there at all.
    std::array<word, 6> looks_{};
    std::array<word, pieces> open_{};
    std::array<std::array<word, 256>, pieces> admits_{};
    /// Who is said exactly by its rule and residual, if it has one; the others are held against the
    /// packet by the definitions.
    word exact_{0};
    std::array<rule<address_bits>, capacity> rules_;
    std::array<std::unique_ptr<const residual_store>, capacity> residuals_;
    std::array<entry, capacity> entries_;
    std::array<criterion_pointer, capacity> kept_;
};

} // namespace flowtap::filter
