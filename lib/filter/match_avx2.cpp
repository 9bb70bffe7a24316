// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)

#define FLOWTAP_TARGET [[gnu::target("avx2,bmi,bmi2,popcnt")]]

#include "match_kernel.hpp"
#include "match_x86.hpp"

namespace flowtap::filter {

namespace {

/// Eight packets side by side.
struct avx2_simd {
    static constexpr std::size_t width = 8;
    using words = std::uint32_t __attribute__((vector_size(32)));
    using lanes = __m256i;

    FLOWTAP_KERNEL static void load_inet(const packet_key* keys, words* fields) noexcept {
        const __m256i low = x86_four_pairs(keys);
        const __m256i high = x86_four_pairs(keys + 4);
        fields[field_source_words] = words(_mm256_permute2x128_si256(low, high, 0x20));
        fields[field_destination_words] = words(_mm256_permute2x128_si256(low, high, 0x31));
    }
    FLOWTAP_KERNEL static void load_inet6(const packet_key* keys, words* fields) noexcept {
        load_address(keys, offsetof(packet_key, source), fields + field_source_words);
        load_address(keys, offsetof(packet_key, destination), fields + field_destination_words);
    }
    FLOWTAP_KERNEL static void load_others(const packet_key* keys, words* fields) noexcept {
        __m256i column[4];
        x86_load_columns(x86_octets(keys) + offsetof(packet_key, interface), sizeof *keys, column);
        fields[field_interface] = words(column[0]);
        fields[field_vrf] = words(column[1]);
        fields[field_source_port] = words(column[2]) & 0xFFFF;
        fields[field_destination_port] = words(column[2]) >> 16;
        fields[field_protocol] = words(column[3]) & 0xFF;
    }

    FLOWTAP_KERNEL static void load_columns(const std::byte* headers, words* columns) noexcept {
        __m256i column[4];
        x86_load_columns(headers, plain_headers::size, column);
        for (std::size_t i = 0; i < 4; ++i)
            columns[i] = words(column[i]);
    }
    FLOWTAP_KERNEL static words swapped(const words& value) noexcept {
        return words(_mm256_shuffle_epi8(__m256i(value), _mm256_broadcastsi128_si256(x86_swap())));
    }

    FLOWTAP_KERNEL static void store(std::uint32_t* to, const words& value) noexcept {
        _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(to)), __m256i(value));
    }
    FLOWTAP_KERNEL static words words_of(const probe& one, const words& handle) noexcept {
        const __m256i at = __m256i(handle >> std::uint32_t{one.shift});
        const void* const from = one.words;
        return words(_mm256_i32gather_epi32(static_cast<const int*>(from), at, 4));
    }
    FLOWTAP_KERNEL static words word_bits(const words& handle) noexcept {
        const words mixed = (handle * word_factor) & 0x0707'0707;
        const __m256i powers = _mm256_set1_epi64x(static_cast<long long>(0x8040'2010'0804'0201));
        return words(_mm256_shuffle_epi8(powers, __m256i(mixed)));
    }
    FLOWTAP_KERNEL static words note(const words& passed, const words& word, const words& bits,
                                     std::uint32_t flag) noexcept {
        return passed | (words((word & bits) == bits) & flag);
    }
    FLOWTAP_KERNEL static std::uint32_t flags(const words& value) noexcept {
        const __m256i zero = _mm256_cmpeq_epi32(__m256i(value), _mm256_setzero_si256());
        return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(zero))) ^ 0xFF;
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
    FLOWTAP_KERNEL static void load_address(const packet_key* keys, std::size_t offset,
                                            words* fields) noexcept {
        // In memory the lower half of each 64 bits comes first.
        __m256i column[4];
        x86_load_columns(x86_octets(keys) + offset, sizeof *keys, column);
        fields[0] = words(column[1]);
        fields[1] = words(column[0]);
        fields[2] = words(column[3]);
        fields[3] = words(column[2]);
    }
};

FLOWTAP_TARGET void match(const compiled_set& set, std::span<const packet_key> keys,
                          hit_list& found) noexcept {
    match_chunk<avx2_simd>(set, keys, found);
}

FLOWTAP_TARGET std::uint64_t sift(const compiled_set& set, const sifted_packets& packets) noexcept {
    return sift_headers<avx2_simd>(set.inet.table, packets);
}

} // namespace

const match_code avx2_code = {match, sift};

} // namespace flowtap::filter

#endif
