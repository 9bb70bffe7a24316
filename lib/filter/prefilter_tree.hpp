// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "bpf_assembler.hpp"
#include "prefilter_need.hpp"

namespace flowtap::filter {

/// A search for the accumulator's value among ranges: a balanced tree of comparisons, in which the
/// ranges follow each other, up to four, at the leaves. N ranges take some 1.3 to 1.6 N
/// instructions if they are single values and 2.4 N at most, of which a packet runs the logarithm.
class search_tree {
public:
    using label = bpf_assembler::label;

    /// Values of the accumulator and where to go on with them.
    struct branch {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        label found;
    };

    explicit search_tree(bpf_assembler& into) : into_(&into) {}

    /// `branches` are disjoint and ascending; other values go on at `missed`.
    label write(std::span<const branch> branches, label missed);

    /// Loads addresses at `offset` behind the index register and searches for them among `ranges`,
    /// which are disjoint and ascending: word by word, `words` of them, 1 or 4.
    label write_addresses(const address_ranges& ranges, unsigned words, std::uint32_t offset,
                          label found, label missed);

private:
    using address_words = std::array<std::uint32_t, 4>;
    struct word_range {
        address_words first;
        address_words last;
    };
    /// Values of one word of an address, and what the words behind it must be then; nothing for
    /// any.
    struct piece {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::vector<word_range> below;
    };
    /// Where an address is searched for, and from which of its words on.
    struct search {
        unsigned word = 0;
        unsigned words = 0;
        std::uint32_t offset = 0;
        label found;
        label missed;
    };

    static std::vector<piece> pieces_of(std::span<const word_range> ranges, unsigned word,
                                        unsigned words);

    label write_word(std::span<const word_range> ranges, search where);
    label found_in(const piece& one, search where);

    /// The values that the accumulator can still have.
    struct bounds {
        std::uint32_t low = 0;
        std::uint32_t high = 0xFFFF'FFFF;
    };

    /// `Found` makes the label of a branch when it comes to be written.
    template <class Branch, class Found>
    label write_between(std::span<const Branch> branches, bounds can_be, label missed,
                        const Found& found);
    template <class Branch, class Found>
    label write_leaf(std::span<const Branch> branches, bounds can_be, label missed,
                     const Found& found);
    label write_test(std::uint32_t first, std::uint32_t last, bounds can_be, label found,
                     label next, label missed);

    bpf_assembler* into_;
};

} // namespace flowtap::filter
