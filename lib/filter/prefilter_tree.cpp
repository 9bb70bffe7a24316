// SPDX-License-Identifier: Apache-2.0
#include "prefilter_tree.hpp"

#include <algorithm>

namespace flowtap::filter {

namespace {

/// Ranges that are tested one after the other: more of them save instructions and cost time.
constexpr std::size_t leaf_size = 4;

std::array<std::uint32_t, 4> words_of(const address_bits& address, unsigned words) {
    if (words == 1)
        return {static_cast<std::uint32_t>(address.low), 0, 0, 0};
    return {static_cast<std::uint32_t>(address.high >> 32),
            static_cast<std::uint32_t>(address.high), static_cast<std::uint32_t>(address.low >> 32),
            static_cast<std::uint32_t>(address.low)};
}

/// Whether all words behind `word` have this value.
bool are_all(const std::array<std::uint32_t, 4>& address, unsigned word, unsigned words,
             std::uint32_t value) {
    return std::all_of(address.begin() + word + 1, address.begin() + words,
                       [value](std::uint32_t each) { return each == value; });
}

} // namespace

search_tree::label search_tree::write_test(std::uint32_t first, std::uint32_t last, bounds can_be,
                                           label found, label next, label missed) {
    const bool reaches_low = first <= can_be.low;
    const bool reaches_high = last >= can_be.high;
    if (reaches_low && reaches_high)
        return found;
    if (first == last)
        return into_->branch(bpf::jeq, first, found, next);
    if (reaches_high)
        return into_->branch(bpf::jge, first, found, next);
    const label below_last = into_->branch(bpf::jgt, last, next, found);
    // Branches ascend, so what is below this one is in none of them.
    return reaches_low ? below_last : into_->branch(bpf::jge, first, below_last, missed);
}

template <class Branch, class Found>
search_tree::label search_tree::write_leaf(std::span<const Branch> branches, bounds can_be,
                                           label missed, const Found& found) {
    // The least value that can come to each test: one that looks for a single value lets pass what
    // is below it.
    std::array<std::uint32_t, leaf_size> low{can_be.low};
    for (std::size_t i = 1; i < branches.size(); ++i) {
        const Branch& before = branches[i - 1];
        const bool passes_lower = before.first == before.last && before.first > low[i - 1];
        low[i] = passes_lower ? low[i - 1] : before.last + 1;
    }
    label next = missed;
    for (std::size_t i = branches.size(); i-- > 0;) {
        const Branch& each = branches[i];
        next = write_test(each.first, each.last, {low[i], can_be.high}, found(each), next, missed);
    }
    return next;
}

template <class Branch, class Found>
search_tree::label search_tree::write_between(std::span<const Branch> branches, bounds can_be,
                                              label missed, const Found& found) {
    if (branches.size() <= leaf_size)
        return write_leaf(branches, can_be, missed, found);
    const std::size_t middle = branches.size() / 2;
    const std::uint32_t pivot = branches[middle].first;
    const label above =
        write_between(branches.subspan(middle), {pivot, can_be.high}, missed, found);
    const label below =
        write_between(branches.first(middle), {can_be.low, pivot - 1}, missed, found);
    return into_->branch(bpf::jge, pivot, above, below);
}

search_tree::label search_tree::write(std::span<const branch> branches, label missed) {
    return write_between(branches, {}, missed, [](const branch& each) { return each.found; });
}

/// What `ranges` say about one word: a range that begins or ends within a value of it says more
/// about the words behind.
std::vector<search_tree::piece> search_tree::pieces_of(std::span<const word_range> ranges,
                                                       unsigned word, unsigned words) {
    std::vector<piece> made;
    const auto add = [&](std::uint32_t value, const word_range& below) {
        if (made.empty() || made.back().last != value)
            made.push_back({value, value, {}});
        made.back().below.push_back(below);
    };
    for (const word_range& range : ranges) {
        std::uint64_t first = range.first[word];
        std::uint64_t last = std::uint64_t{range.last[word]} + 1;
        const bool cuts_first = !are_all(range.first, word, words, 0);
        const bool cuts_last = !are_all(range.last, word, words, 0xFFFF'FFFF);
        if (first + 1 == last && (cuts_first || cuts_last)) {
            add(range.first[word], range);
            continue;
        }
        word_range below;
        if (cuts_first) {
            below.first = range.first;
            below.last.fill(0xFFFF'FFFF);
            add(range.first[word], below);
            ++first;
        }
        if (cuts_last)
            --last;
        if (first < last)
            made.push_back(
                {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last - 1), {}});
        if (cuts_last) {
            below.first.fill(0);
            below.last = range.last;
            add(range.last[word], below);
        }
    }
    return made;
}

search_tree::label search_tree::found_in(const piece& one, search where) {
    if (one.below.empty())
        return where.found;
    ++where.word;
    return write_word(one.below, where);
}

search_tree::label search_tree::write_word(std::span<const word_range> ranges, search where) {
    const std::vector<piece> pieces = pieces_of(ranges, where.word, where.words);
    const label tree = write_between(std::span<const piece>(pieces), {}, where.missed,
                                     [&](const piece& one) { return found_in(one, where); });
    return into_->step(bpf::ld | bpf::word | bpf::indirect, where.offset + 4 * where.word, tree);
}

search_tree::label search_tree::write_addresses(const address_ranges& ranges, unsigned words,
                                                std::uint32_t offset, label found, label missed) {
    if (ranges.empty())
        return missed;
    std::vector<word_range> split;
    split.reserve(ranges.size());
    for (const auto& range : ranges)
        split.push_back({words_of(range.first, words), words_of(range.last, words)});
    return write_word(split, {0, words, offset, found, missed});
}

} // namespace flowtap::filter
