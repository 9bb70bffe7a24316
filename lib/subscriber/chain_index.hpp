// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flowtap::subscriber {

/// Hashes texts, and finds one by a view of it.
struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

/// Small numbers by a key that many of them may share. Finding a key, and adding and taking out a
/// number, take the same time however many share its key.
template <class Key, class Hash, class Equal = std::equal_to<>>
class chain_index {
public:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    /// `number` is not in the index, whatever the key.
    void insert(std::uint32_t number, const Key& key) {
        if (links_.size() <= number)
            links_.resize(number + std::size_t{1});
        const auto [head, is_new] = heads_.try_emplace(key, number);
        links_[number] = {none, none};
        if (is_new)
            return;
        links_[number].next = head->second;
        links_[head->second].previous = number;
        head->second = number;
    }

    /// `number` is in the index with this key.
    void erase(std::uint32_t number, const Key& key) {
        const link at = links_[number];
        if (at.next != none)
            links_[at.next].previous = at.previous;
        if (at.previous != none) {
            links_[at.previous].next = at.next;
            return;
        }
        const auto head = heads_.find(key);
        if (at.next == none)
            heads_.erase(head);
        else
            head->second = at.next;
    }

    /// The first number with this key; `none` if there is none.
    template <class Like>
    std::uint32_t first(const Like& key) const {
        const auto head = heads_.find(key);
        return head == heads_.end() ? none : head->second;
    }
    /// The one behind it.
    std::uint32_t next(std::uint32_t number) const noexcept { return links_[number].next; }

private:
    struct link {
        std::uint32_t previous = none;
        std::uint32_t next = none;
    };

    std::unordered_map<Key, std::uint32_t, Hash, Equal> heads_;
    std::vector<link> links_; ///< by number
};

} // namespace flowtap::subscriber
