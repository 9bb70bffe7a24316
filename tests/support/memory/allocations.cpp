// SPDX-License-Identifier: Apache-2.0
#include "allocations.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

namespace flowtap::testing::allocations {

namespace {

enum class failing : std::uint8_t { none, one, all };

thread_local std::size_t count_made = 0;
thread_local std::ptrdiff_t count_in_use = 0;
thread_local failing which = failing::none;
thread_local std::size_t before_failure = 0;

bool fails() noexcept {
    if (which != failing::one)
        return which == failing::all;
    if (before_failure-- != 0)
        return false;
    which = failing::none;
    return true;
}

void* allocate(std::size_t size, std::size_t alignment) noexcept {
    if (fails())
        return nullptr;
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* const got = alignment <= alignof(std::max_align_t)
                          ? std::malloc(size == 0 ? 1 : size)
                          : std::aligned_alloc(alignment, rounded);
    if (got == nullptr)
        return nullptr;
    ++count_made;
    ++count_in_use;
    return got;
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
    if (void* const got = allocate(size, alignment))
        return got;
    throw std::bad_alloc();
}

void release(void* gone) noexcept {
    count_in_use -= gone != nullptr ? 1 : 0;
    std::free(gone);
}

} // namespace

std::size_t made() noexcept {
    return count_made;
}

std::ptrdiff_t in_use() noexcept {
    return count_in_use;
}

void fail_after(std::size_t count) noexcept {
    which = failing::one;
    before_failure = count;
}

void fail_all() noexcept {
    which = failing::all;
}

void fail_none() noexcept {
    which = failing::none;
}

} // namespace flowtap::testing::allocations

using flowtap::testing::allocations::allocate;
using flowtap::testing::allocations::allocate_or_throw;
using flowtap::testing::allocations::release;

void* operator new(std::size_t size) {
    return allocate_or_throw(size, 1);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
// Said to be the default, but a sanitizer's own would not come from the one above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size, 1);
}
void operator delete(void* gone) noexcept {
    release(gone);
}
void operator delete(void* gone, std::size_t) noexcept {
    release(gone);
}
void operator delete(void* gone, std::align_val_t) noexcept {
    release(gone);
}
void operator delete(void* gone, std::size_t, std::align_val_t) noexcept {
    release(gone);
}
