// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace flowtap::path::detail {

/// An array that one thread lets grow while others use the part that was there before. Elements
/// never move and start zeroed (value-initialized).
///
/// An element may be used by a thread that learned of it from the growing thread (for workers: from
/// a snapshot published after `cover`).
template <class T, std::size_t ChunkSize = 1024>
class chunked_array {
public:
    explicit chunked_array(std::size_t capacity)
        : chunks_((capacity + ChunkSize - 1) / ChunkSize),
          directory_(std::make_unique<std::atomic<T*>[]>(chunks_.size())) {}

    std::size_t capacity() const noexcept { return chunks_.size() * ChunkSize; }

    /// Makes the elements below `count`, which is at most the capacity, usable.
    void cover(std::size_t count) {
        while (covered_ < count) {
            const std::size_t index = covered_ / ChunkSize;
            chunks_[index] = std::make_unique<T[]>(ChunkSize);
            directory_[index].store(chunks_[index].get(), std::memory_order_release);
            covered_ += ChunkSize;
        }
    }

    /// Sets every usable element, for the one thread that writes elements. The array may grow.
    void fill(const T& value) noexcept {
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            T* chunk = directory_[i].load(std::memory_order_acquire);
            if (chunk != nullptr)
                std::fill_n(chunk, ChunkSize, value);
        }
    }

    T& operator[](std::size_t index) noexcept {
        return directory_[index / ChunkSize].load(std::memory_order_acquire)[index % ChunkSize];
    }

    /// Null where nothing is yet.
    T* find(std::size_t index) noexcept {
        if (index >= capacity())
            return nullptr;
        T* chunk = directory_[index / ChunkSize].load(std::memory_order_acquire);
        return chunk == nullptr ? nullptr : chunk + index % ChunkSize;
    }
    const T* find(std::size_t index) const noexcept {
        return const_cast<chunked_array*>(this)->find(index);
    }

private:
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::unique_ptr<std::atomic<T*>[]> directory_;
    std::size_t covered_ = 0;
};

} // namespace flowtap::path::detail
