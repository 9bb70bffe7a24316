// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// What the memory of a test binary does: one that has `allocations.cpp` among its sources counts
/// the allocations of each thread, and can be made to get none. Everything is about the calling
/// thread alone.
namespace flowtap::testing::allocations {

/// So many were made.
std::size_t made() noexcept;
/// So many were made and not given back.
std::ptrdiff_t in_use() noexcept;

/// The next `count` succeed, and the one after them fails, once.
void fail_after(std::size_t count) noexcept;
/// All fail.
void fail_all() noexcept;
/// None fails: so it is at first.
void fail_none() noexcept;

} // namespace flowtap::testing::allocations
