// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)

// gcc 12 warns of the values that its own intrinsics leave open on purpose (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

#define FLOWTAP_TARGET [[gnu::target("avx2,avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,popcnt")]]

#include "match_kernel.hpp"
#include "match_x86.hpp"

namespace flowtap::filter {

namespace {

/// Sixteen packets side by side, read as two times eight.
struct avx512_simd {
    static constexpr std::size_t width = 16;
    using words = std::uint32_t __attribute__((vector_size(64)));
    using lanes = __m256i;

    FLOWTAP_KERNEL static void load_inet(const packet_key* keys, words* fields) noexcept {
        const __m512i low = join(x86_four_pairs(keys), x86_four_pairs(keys + 8));
        const __m512i high = join(x86_four_pairs(keys + 4), x86_four_pairs(keys + 12));
        const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
        const __m512i second = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        fields[field_source_words] = words(_mm512_permutex2var_epi64(low, first, high));
        fields[field_destination_words] = words(_mm512_permutex2var_epi64(low, second, high));
    }
    FLOWTAP_KERNEL static void load_inet6(const packet_key* keys, words* fields) noexcept {
        load_address(keys, offsetof(packet_key, source), fields + field_source_words);
        load_address(keys, offsetof(packet_key, destination), fields + field_destination_words);
    }
    FLOWTAP_KERNEL static void load_others(const packet_key* keys, words* fields) noexcept {
        __m512i column[4];
        load_columns(keys, offsetof(packet_key, interface), column);
        fields[field_interface] = words(column[0]);
        fields[field_vrf] = words(column[1]);
        fields[field_source_port] = words(column[2]) & 0xFFFF;
        fields[field_destination_port] = words(column[2]) >> 16;
        fields[field_protocol] = words(column[3]) & 0xFF;
    }

    FLOWTAP_KERNEL static void store(std::uint32_t* to, const words& value) noexcept {
        _mm512_storeu_si512(to, __m512i(value));
    }
    FLOWTAP_KERNEL static words words_of(const probe& one, const words& handle) noexcept {
        const __m512i at = __m512i(handle >> std::uint32_t{one.shift});
        // Two registers hold all words of the smallest: that takes a tenth of the time.
        if (one.shift == probe::smallest_shift)
            return words(_mm512_permutex2var_epi32(_mm512_loadu_si512(one.words), at,
                                                   _mm512_loadu_si512(one.words + width)));
        return words(_mm512_i32gather_epi32(at, one.words, 4));
    }
    FLOWTAP_KERNEL static words word_bits(const words& handle) noexcept {
        const words mixed = (handle * word_factor) & 0x0707'0707;
        const __m512i powers = _mm512_set1_epi64(static_cast<long long>(0x8040'2010'0804'0201));
        return words(_mm512_shuffle_epi8(powers, __m512i(mixed)));
    }
    FLOWTAP_KERNEL static words note(const words& passed, const words& word, const words& bits,
                                     std::uint32_t flag) noexcept {
        const __mmask16 same = _mm512_cmpeq_epi32_mask(__m512i(word & bits), __m512i(bits));
        const __m512i flagged = _mm512_set1_epi32(static_cast<int>(flag));
        return words(_mm512_mask_or_epi32(__m512i(passed), same, __m512i(passed), flagged));
    }
    FLOWTAP_KERNEL static std::uint32_t flags(const words& value) noexcept {
        return _mm512_test_epi32_mask(__m512i(value), __m512i(value));
    }

    FLOWTAP_KERNEL static lanes lanes_of(const packet_key& key) noexcept { return x86_lanes(key); }
    FLOWTAP_KERNEL static bool within(const lane_box& box, const lanes& values) noexcept {
        return x86_within(box, values);
    }
    template <class Address>
    FLOWTAP_KERNEL static bool addresses_hold(const rule<Address>& of,
                                              const packet_key& key) noexcept {
        return x86_addresses_hold(of, key);
    }

private:
    FLOWTAP_KERNEL static __m512i join(const __m256i& low, const __m256i& high) noexcept {
        return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
    }
    FLOWTAP_KERNEL static void load_columns(const packet_key* keys, std::size_t offset,
                                            __m512i* columns) noexcept {
        __m256i low[4];
        __m256i high[4];
        x86_load_columns(keys, offset, low);
        x86_load_columns(keys + 8, offset, high);
        for (std::size_t i = 0; i < 4; ++i)
            columns[i] = join(low[i], high[i]);
    }
    FLOWTAP_KERNEL static void load_address(const packet_key* keys, std::size_t offset,
                                            words* fields) noexcept {
        // In memory the lower half of each 64 bits comes first.
        __m512i column[4];
        load_columns(keys, offset, column);
        fields[0] = words(column[1]);
        fields[1] = words(column[0]);
        fields[2] = words(column[3]);
        fields[3] = words(column[2]);
    }
};

} // namespace

FLOWTAP_TARGET void match_avx512(const compiled_set& set, std::span<const packet_key> keys,
                                 hit_list& found) noexcept {
    match_chunk<avx512_simd>(set, keys, found);
}

} // namespace flowtap::filter

#endif
