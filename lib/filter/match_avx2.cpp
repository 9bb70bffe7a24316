// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)

#include <immintrin.h>

#define FLOWTAP_TARGET [[gnu::target("avx2,bmi,bmi2,popcnt")]]

#include "match_kernel.hpp"

namespace flowtap::filter {

namespace {

/// Eight packets side by side.
struct avx2_simd {
    static constexpr std::size_t width = 8;
    using words = std::uint32_t __attribute__((vector_size(32)));
    using lanes = __m256i;

    FLOWTAP_KERNEL static void load_inet(const packet_key* keys, words* fields) noexcept {
        const __m256i low = four_pairs(keys);
        const __m256i high = four_pairs(keys + 4);
        fields[field_source_words] = words(_mm256_permute2x128_si256(low, high, 0x20));
        fields[field_destination_words] = words(_mm256_permute2x128_si256(low, high, 0x31));
    }
    FLOWTAP_KERNEL static void load_inet6(const packet_key* keys, words* fields) noexcept {
        load_address(keys, offsetof(packet_key, source), fields + field_source_words);
        load_address(keys, offsetof(packet_key, destination), fields + field_destination_words);
    }
    FLOWTAP_KERNEL static void load_others(const packet_key* keys, words* fields) noexcept {
        std::array<words, 4> column;
        load_columns(keys, offsetof(packet_key, interface), column.data());
        fields[field_interface] = column[0];
        fields[field_vrf] = column[1];
        fields[field_source_port] = column[2] & 0xFFFF;
        fields[field_destination_port] = column[2] >> 16;
        fields[field_protocol] = column[3] & 0xFF;
    }

    FLOWTAP_KERNEL static void store(std::uint32_t* to, const words& value) noexcept {
        _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(to)), __m256i(value));
    }
    FLOWTAP_KERNEL static words gather(const std::uint32_t* from, const words& at) noexcept {
        const void* const base = from;
        return words(_mm256_i32gather_epi32(static_cast<const int*>(base), __m256i(at), 4));
    }
    FLOWTAP_KERNEL static words word_bits(const words& handle) noexcept {
        const words mixed = (handle * word_factor) & 0x0707'0707;
        const __m256i powers = _mm256_set1_epi64x(static_cast<long long>(0x8040'2010'0804'0201));
        return words(_mm256_shuffle_epi8(powers, __m256i(mixed)));
    }
    FLOWTAP_KERNEL static words where_equal(const words& a, const words& b) noexcept {
        return words(_mm256_cmpeq_epi32(__m256i(a), __m256i(b)));
    }
    FLOWTAP_KERNEL static std::uint32_t flags(const words& value) noexcept {
        const __m256i zero = _mm256_cmpeq_epi32(__m256i(value), _mm256_setzero_si256());
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(zero))) ^ 0xFF;
    }

    FLOWTAP_KERNEL static lanes lanes_of(const packet_key& key) noexcept {
        const lane_values values = filter::lanes_of(key);
        const void* const from = values.data();
        return _mm256_loadu_si256(static_cast<const __m256i*>(from));
    }
    FLOWTAP_KERNEL static bool within(const lane_box& box, const lanes& values) noexcept {
        const void* const low_at = box.low.data();
        const void* const high_at = box.high.data();
        const __m256i low = _mm256_load_si256(static_cast<const __m256i*>(low_at));
        const __m256i high = _mm256_load_si256(static_cast<const __m256i*>(high_at));
        const __m256i clamped = _mm256_min_epu32(_mm256_max_epu32(values, low), high);
        const __m256i same = _mm256_cmpeq_epi32(clamped, values);
        return (_mm256_movemask_ps(_mm256_castsi256_ps(same)) & 0x7F) == 0x7F;
    }

private:
    FLOWTAP_KERNEL static const char* octets(const packet_key* key) noexcept {
        const void* const first = key;
        return static_cast<const char*>(first);
    }
    FLOWTAP_KERNEL static __m256i load(const char* at) noexcept {
        const void* const from = at;
        return _mm256_loadu_si256(static_cast<const __m256i*>(from));
    }
    FLOWTAP_KERNEL static __m128i load_half(const char* at) noexcept {
        const void* const from = at;
        return _mm_load_si128(static_cast<const __m128i*>(from));
    }

    /// The IPv4 addresses of four packets: their sources, then their destinations. Each packet's
    /// are read from where they land in their places; what is read beside them is dropped.
    FLOWTAP_KERNEL static __m256i four_pairs(const packet_key* keys) noexcept {
        constexpr std::size_t at = offsetof(packet_key, source) + offsetof(address_bits, low);
        static_assert(offsetof(packet_key, destination) - offsetof(packet_key, source) == 16);
        const __m256i first = load(octets(keys) + at);
        const __m256i second = load(octets(keys + 1) + at - 4);
        const __m256i third = load(octets(keys + 2) + at - 8);
        const __m256i fourth = load(octets(keys + 3) + at - 12);
        const __m256i even = _mm256_blend_epi32(first, third, 0b0100'0100);
        const __m256i odd = _mm256_blend_epi32(second, fourth, 0b1000'1000);
        return _mm256_blend_epi32(even, odd, 0b1010'1010);
    }

    /// The four numbers of 32 bits at `offset` of eight packets, each as a vector.
    FLOWTAP_KERNEL static void load_columns(const packet_key* keys, std::size_t offset,
                                            words* columns) noexcept {
        __m256i row[4];
        for (std::size_t i = 0; i < 4; ++i)
            row[i] = _mm256_inserti128_si256(
                _mm256_castsi128_si256(load_half(octets(keys + i) + offset)),
                load_half(octets(keys + i + 4) + offset), 1);
        const __m256i low_even = _mm256_unpacklo_epi32(row[0], row[1]);
        const __m256i low_odd = _mm256_unpacklo_epi32(row[2], row[3]);
        const __m256i high_even = _mm256_unpackhi_epi32(row[0], row[1]);
        const __m256i high_odd = _mm256_unpackhi_epi32(row[2], row[3]);
        columns[0] = words(_mm256_unpacklo_epi64(low_even, low_odd));
        columns[1] = words(_mm256_unpackhi_epi64(low_even, low_odd));
        columns[2] = words(_mm256_unpacklo_epi64(high_even, high_odd));
        columns[3] = words(_mm256_unpackhi_epi64(high_even, high_odd));
    }
    FLOWTAP_KERNEL static void load_address(const packet_key* keys, std::size_t offset,
                                            words* fields) noexcept {
        // In memory the lower half of each 64 bits comes first.
        std::array<words, 4> column;
        load_columns(keys, offset, column.data());
        fields[0] = column[1];
        fields[1] = column[0];
        fields[2] = column[3];
        fields[3] = column[2];
    }
};

} // namespace

FLOWTAP_TARGET void match_avx2(const compiled_set& set, std::span<const packet_key> keys,
                               hit_list& found) noexcept {
    match_chunk<avx2_simd>(set, keys, found);
}

} // namespace flowtap::filter

#endif
