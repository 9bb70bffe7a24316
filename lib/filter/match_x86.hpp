// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the kernels for AVX2 and AVX-512 share: reading keys, and holding one
/// packet against one rule. Included after match_kernel.hpp, for the same
/// FLOWTAP_TARGET.

#include <cstddef>

#include <immintrin.h>

#include "match_kernel.hpp"

namespace flowtap::filter {

namespace {

FLOWTAP_KERNEL const char* x86_octets(const packet_key* key) noexcept {
    const void* const first = key;
    return static_cast<const char*>(first);
}
FLOWTAP_KERNEL __m256i x86_load(const void* from) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
FLOWTAP_KERNEL __m128i x86_load_half(const void* from) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

static_assert(offsetof(address_bits, low) == 8 && offsetof(packet_key, source) == 0 &&
              offsetof(packet_key, destination) == 16 && offsetof(packet_key, interface) == 32 &&
              offsetof(packet_key, vrf) == 36 && offsetof(packet_key, source_port) == 40 &&
              offsetof(packet_key, destination_port) == 42 &&
              offsetof(packet_key, protocol) == 44 && offsetof(packet_key, way) == 48 &&
              offsetof(packet_key, has_ports) == 49);

/// The IPv4 addresses of four packets: their sources, then their destinations.
/// Each packet's are read from where they land in their places; what is read
/// beside them is dropped.
FLOWTAP_KERNEL __m256i x86_four_pairs(const packet_key* keys) noexcept {
    const __m256i first = x86_load(x86_octets(keys) + 8);
    const __m256i second = x86_load(x86_octets(keys + 1) + 4);
    const __m256i third = x86_load(x86_octets(keys + 2));
    const __m256i fourth = x86_load(x86_octets(keys + 3) - 4);
    const __m256i even = _mm256_blend_epi32(first, third, 0b0100'0100);
    const __m256i odd = _mm256_blend_epi32(second, fourth, 0b1000'1000);
    return _mm256_blend_epi32(even, odd, 0b1010'1010);
}

/// The four numbers of 32 bits at `first`, and at seven places more, each `stride` octets behind
/// the other, each as a vector.
FLOWTAP_KERNEL void x86_load_columns(const void* first, std::size_t stride,
                                     __m256i* columns) noexcept {
    const char* const octets = static_cast<const char*>(first);
    __m256i row[4];
    for (std::size_t i = 0; i < 4; ++i)
        row[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(x86_load_half(octets + i * stride)),
                                         x86_load_half(octets + (i + 4) * stride), 1);
    const __m256i low_even = _mm256_unpacklo_epi32(row[0], row[1]);
    const __m256i low_odd = _mm256_unpacklo_epi32(row[2], row[3]);
    const __m256i high_even = _mm256_unpackhi_epi32(row[0], row[1]);
    const __m256i high_odd = _mm256_unpackhi_epi32(row[2], row[3]);
    columns[0] = _mm256_unpacklo_epi64(low_even, low_odd);
    columns[1] = _mm256_unpackhi_epi64(low_even, low_odd);
    columns[2] = _mm256_unpacklo_epi64(high_even, high_odd);
    columns[3] = _mm256_unpackhi_epi64(high_even, high_odd);
}

/// In each number of 32 bits, the octets in the other order.
FLOWTAP_KERNEL __m128i x86_swap() noexcept {
    return _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/// `filter::lanes_of`: the order of lanes and keys allows it without a store.
FLOWTAP_KERNEL __m256i x86_lanes(const packet_key& key) noexcept {
    const char* const octets = x86_octets(&key);
    // Ports with whether there are any above, the protocol with the direction
    // above.
    const __m128i pick = _mm_setr_epi8(0, 1, 9, -1, 2, 3, 9, -1, 4, 8, -1, -1, -1, -1, -1, -1);
    const __m128i others = _mm_shuffle_epi8(x86_load_half(octets + 40), pick);
    const __m128i source = x86_load_half(octets + 8);
    const __m128i destination_and_scope = x86_load_half(octets + 24);
    const __m128i addresses = _mm_unpacklo_epi32(source, destination_and_scope);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi64(addresses, others)),
                                   _mm_unpackhi_epi64(others, destination_and_scope), 1);
}

FLOWTAP_KERNEL bool x86_within(const lane_box& box, const __m256i& values) noexcept {
    constexpr int all = 0xFF ^ (1 << lane_unused);
    const __m256i low = x86_load(box.low.data());
    const __m256i high = x86_load(box.high.data());
    const __m256i clamped = _mm256_min_epu32(_mm256_max_epu32(values, low), high);
    const __m256i same = _mm256_cmpeq_epi32(clamped, values);
    return (_mm256_movemask_ps(_mm256_castsi256_ps(same)) & all) == all;
}

FLOWTAP_KERNEL bool x86_addresses_hold(const rule<std::uint32_t>&, const packet_key&) noexcept {
    return true;
}
FLOWTAP_KERNEL bool x86_addresses_hold(const rule<address_bits>& of,
                                       const packet_key& key) noexcept {
    const __m256i differing = _mm256_xor_si256(x86_load(&key), x86_load(&of.source_value));
    return _mm256_testz_si256(differing, x86_load(&of.source_mask)) != 0;
}

} // namespace

} // namespace flowtap::filter
