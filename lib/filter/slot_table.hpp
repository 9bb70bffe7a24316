// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <flowtap/core/ids.hpp>

namespace flowtap::filter {

/// A value for each slot that has one, in a hash table: memory grows with how many there are,
/// whatever their numbers. Constant time, but for growing and shrinking.
template <class Value>
class slot_table {
    struct place {
        slot_id slot;
        bool used = false;
        Value value{};
    };
    static constexpr std::size_t fewest_places = 16;

public:
    /// The most octets for each value, beside those of a table that is empty: at least a quarter of
    /// the places is used.
    static constexpr std::size_t most_for_each = 4 * sizeof(place);

    /// The value of `slot`, or null.
    Value* find(slot_id slot) const noexcept {
        if (size_ == 0)
            return nullptr;
        place& at = places_[seek(slot)];
        return at.used ? &at.value : nullptr;
    }

    /// Gives `slot`, which has none, a value.
    void insert(slot_id slot, Value value) {
        if ((size_ + 1) * 4 > count_ * 3)
            resize(std::max(fewest_places, count_ * 2));
        places_[seek(slot)] = {slot, true, std::move(value)};
        ++size_;
    }

    /// Takes the value of `slot`, which has one, away.
    void erase(slot_id slot) noexcept {
        std::size_t hole = seek(slot);
        // Those behind the hole that would not be found across it move up.
        for (std::size_t next = after(hole); places_[next].used; next = after(next)) {
            const std::size_t home = home_of(places_[next].slot);
            if (((next - home) & (count_ - 1)) >= ((next - hole) & (count_ - 1))) {
                places_[hole] = std::move(places_[next]);
                hole = next;
            }
        }
        places_[hole] = {};
        --size_;
        if (count_ > fewest_places && size_ * 4 < count_)
            shrink();
    }

    std::size_t memory() const noexcept { return count_ * sizeof(place); }

private:
    std::size_t home_of(slot_id slot) const noexcept {
        return static_cast<std::size_t>((slot.value() * 0x9E37'79B9'7F4A'7C15ULL) >> 32) &
               (count_ - 1);
    }
    std::size_t after(std::size_t at) const noexcept { return (at + 1) & (count_ - 1); }

    /// Where `slot` is, or would be put.
    std::size_t seek(slot_id slot) const noexcept {
        std::size_t at = home_of(slot);
        while (places_[at].used && places_[at].slot != slot)
            at = after(at);
        return at;
    }

    void resize(std::size_t count) {
        auto old = std::exchange(places_, std::make_unique<place[]>(count));
        const std::size_t old_count = std::exchange(count_, count);
        for (std::size_t i = 0; i < old_count; ++i) {
            if (old[i].used)
                places_[seek(old[i].slot)] = std::move(old[i]);
        }
    }
    void shrink() noexcept {
        try {
            resize(count_ / 2);
        } catch (const std::bad_alloc&) {
            // Larger than it should be, it is as good.
        }
    }

    /// A power of two of them, or none.
    std::unique_ptr<place[]> places_;
    std::size_t count_ = 0;
    std::size_t size_ = 0;
};

} // namespace flowtap::filter
