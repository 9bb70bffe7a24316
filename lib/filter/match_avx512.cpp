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
        join_columns(x86_octets(keys) + offsetof(packet_key, interface), sizeof *keys, column);
        fields[field_interface] = words(column[0]);
        fields[field_vrf] = words(column[1]);
        fields[field_source_port] = words(column[2]) & 0xFFFF;
        fields[field_destination_port] = words(column[2]) >> 16;
        fields[field_protocol] = words(column[3]) & 0xFF;
    }

    FLOWTAP_KERNEL static void load_columns(const std::byte* headers, words* columns) noexcept {
        const std::byte* const half = headers + 8 * plain_headers::size;
        const __m512i first =
            _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        const __m512i last = _mm512_add_epi32(first, _mm512_set1_epi32(2));
        load_two_columns(headers, half, first, columns);
        load_two_columns(headers, half, last, columns + 2);
    }
    FLOWTAP_KERNEL static words swapped(const words& value) noexcept {
        return words(_mm512_shuffle_epi8(__m512i(value), _mm512_broadcast_i32x4(x86_swap())));
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
    /// Two columns of sixteen packets: `which` picks those of eight.
    FLOWTAP_KERNEL static void load_two_columns(const std::byte* low, const std::byte* high,
                                                const __m512i& which, words* columns) noexcept {
        constexpr std::size_t four = 4 * plain_headers::size;
        const __m512i below = _mm512_permutex2var_epi32(_mm512_loadu_si512(low), which,
                                                        _mm512_loadu_si512(low + four));
        const __m512i above = _mm512_permutex2var_epi32(_mm512_loadu_si512(high), which,
                                                        _mm512_loadu_si512(high + four));
        columns[0] = words(join(_mm512_castsi512_si256(below), _mm512_castsi512_si256(above)));
        columns[1] = words(_mm512_shuffle_i64x2(below, above, 0b1110'1110));
    }
    FLOWTAP_KERNEL static void join_columns(const void* first, std::size_t stride,
                                            __m512i* columns) noexcept {
        const char* const octets = static_cast<const char*>(first);
        __m256i low[4];
        __m256i high[4];
        x86_load_columns(octets, stride, low);
        x86_load_columns(octets + 8 * stride, stride, high);
        for (std::size_t i = 0; i < 4; ++i)
            columns[i] = join(low[i], high[i]);
    }
    FLOWTAP_KERNEL static void load_address(const packet_key* keys, std::size_t offset,
                                            words* fields) noexcept {
        // In memory the lower half of each 64 bits comes first.
        __m512i column[4];
        join_columns(x86_octets(keys) + offset, sizeof *keys, column);
        fields[0] = words(column[1]);
        fields[1] = words(column[0]);
        fields[2] = words(column[3]);
        fields[3] = words(column[2]);
    }
};

FLOWTAP_TARGET void match(const compiled_set& set, std::span<const packet_key> keys,
                          hit_list& found) noexcept {
    match_chunk<avx512_simd>(set, keys, found);
}

FLOWTAP_TARGET std::uint64_t sift(const compiled_set& set, const sifted_packets& packets) noexcept {
    return sift_headers<avx512_simd>(set.inet.table, packets);
}

} // namespace

const match_code avx512_code = {match, sift};

} // namespace flowtap::filter

#endif
