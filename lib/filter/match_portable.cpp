// SPDX-License-Identifier: Apache-2.0
#define FLOWTAP_TARGET

#include <bit>
#include <cstring>

#include "match_kernel.hpp"

namespace flowtap::filter {

namespace {

/// Plain C++ with vectors of four, which every processor has something for.
struct portable_simd {
    static constexpr std::size_t width = 4;
    using words = std::uint32_t __attribute__((vector_size(16)));
    using lanes = lane_values;

    FLOWTAP_KERNEL static void load_inet(const packet_key* keys, words* fields) noexcept {
        for (std::size_t i = 0; i < width; ++i) {
            fields[field_source_words][i] = narrow<std::uint32_t>(keys[i].source);
            fields[field_destination_words][i] = narrow<std::uint32_t>(keys[i].destination);
        }
    }
    FLOWTAP_KERNEL static void load_inet6(const packet_key* keys, words* fields) noexcept {
        for (std::size_t i = 0; i < width; ++i) {
            load_address(keys[i].source, fields + field_source_words, i);
            load_address(keys[i].destination, fields + field_destination_words, i);
        }
    }
    FLOWTAP_KERNEL static void load_others(const packet_key* keys, words* fields) noexcept {
        for (std::size_t i = 0; i < width; ++i) {
            fields[field_source_port][i] = keys[i].source_port;
            fields[field_destination_port][i] = keys[i].destination_port;
            fields[field_protocol][i] = keys[i].protocol;
            fields[field_interface][i] = keys[i].interface.value();
            fields[field_vrf][i] = keys[i].vrf.value();
        }
    }

    /// The four numbers of 32 bits of what is kept of each packet, as they are in memory.
    FLOWTAP_KERNEL static void load_columns(const std::byte* headers, words* columns) noexcept {
        std::array<std::array<std::uint32_t, 4>, width> rows;
        static_assert(sizeof rows == width * plain_headers::size);
        std::memcpy(rows.data(), headers, sizeof rows);
        for (std::size_t i = 0; i < 4; ++i)
            columns[i] = words{rows[0][i], rows[1][i], rows[2][i], rows[3][i]};
    }
    /// From the order of the network.
    FLOWTAP_KERNEL static words swapped(const words& value) noexcept {
        if constexpr (std::endian::native == std::endian::big)
            return value;
        return value >> 24 | (value >> 8 & 0xFF00) | (value << 8 & 0xFF'0000) | value << 24;
    }

    FLOWTAP_KERNEL static void store(std::uint32_t* to, const words& value) noexcept {
        for (std::size_t i = 0; i < width; ++i)
            to[i] = value[i];
    }
    /// The words of a probe that these handles have.
    FLOWTAP_KERNEL static words words_of(const probe& one, const words& handle) noexcept {
        const words at = handle >> std::uint32_t{one.shift};
        const std::uint32_t* const from = one.words;
        return words{from[at[0]], from[at[1]], from[at[2]], from[at[3]]};
    }
    /// `filter::word_bits` of each handle.
    FLOWTAP_KERNEL static words word_bits(const words& handle) noexcept {
        const words mixed = handle * word_factor;
        const words one = words{} + 1;
        return (one << (mixed & 7)) | (one << ((mixed >> 8 & 7) | 8)) |
               (one << ((mixed >> 16 & 7) | 16)) | (one << ((mixed >> 24 & 7) | 24));
    }
    /// `passed`, with `flag` where all of `bits` are in the word.
    FLOWTAP_KERNEL static words note(const words& passed, const words& word, const words& bits,
                                     std::uint32_t flag) noexcept {
        return passed | (words((word & bits) == bits) & flag);
    }
    /// A bit for each that is not zero.
    FLOWTAP_KERNEL static std::uint32_t flags(const words& value) noexcept {
        return (value[0] != 0 ? 1U : 0U) | (value[1] != 0 ? 2U : 0U) | (value[2] != 0 ? 4U : 0U) |
               (value[3] != 0 ? 8U : 0U);
    }

    FLOWTAP_KERNEL static lanes lanes_of(const packet_key& key) noexcept {
        return filter::lanes_of(key);
    }
    FLOWTAP_KERNEL static bool within(const lane_box& box, const lanes& values) noexcept {
        return filter::within(box, values);
    }
    template <class Address>
    FLOWTAP_KERNEL static bool addresses_hold(const rule<Address>& of,
                                              const packet_key& key) noexcept {
        return of.addresses_hold(key);
    }

private:
    FLOWTAP_KERNEL static void load_address(const address_bits& address, words* to,
                                            std::size_t i) noexcept {
        to[0][i] = static_cast<std::uint32_t>(address.high >> 32);
        to[1][i] = static_cast<std::uint32_t>(address.high);
        to[2][i] = static_cast<std::uint32_t>(address.low >> 32);
        to[3][i] = static_cast<std::uint32_t>(address.low);
    }
};

void match(const compiled_set& set, std::span<const packet_key> keys, hit_list& found) noexcept {
    match_chunk<portable_simd>(set, keys, found);
}

std::uint64_t sift(const compiled_set& set, const sifted_packets& packets) noexcept {
    return sift_headers<portable_simd>(set.inet.table, packets);
}

} // namespace

const match_code portable_code = {match, sift};

} // namespace flowtap::filter
