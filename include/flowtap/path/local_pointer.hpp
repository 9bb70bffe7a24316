// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

namespace flowtap::path {

/// Shares a value with its copies, as std::shared_ptr does, for copies that are all made, changed
/// and dropped by one thread: they are counted without atomic operations. Any thread may read the
/// value while that thread keeps a copy.
template <class T>
class local_pointer {
public:
    local_pointer() noexcept = default;
    explicit local_pointer(T what) : box_(new box{std::move(what)}) {}
    local_pointer(const local_pointer& other) noexcept : box_(other.box_) {
        if (box_ != nullptr)
            ++box_->uses;
    }
    local_pointer(local_pointer&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
    local_pointer& operator=(local_pointer other) noexcept {
        std::swap(box_, other.box_);
        return *this;
    }
    ~local_pointer() {
        if (box_ != nullptr && --box_->uses == 0)
            delete box_;
    }

    /// Null if there is no value.
    const T* get() const noexcept { return box_ == nullptr ? nullptr : &box_->what; }
    const T& operator*() const noexcept { return box_->what; }
    const T* operator->() const noexcept { return &box_->what; }

    /// The value, to be changed: one of its own when it was shared, an empty one when there was
    /// none.
    T& writable() {
        if (box_ == nullptr)
            *this = local_pointer(T{});
        else if (box_->uses != 1)
            *this = local_pointer(box_->what);
        return box_->what;
    }

private:
    struct box {
        T what;
        std::size_t uses = 1;
    };

    box* box_ = nullptr;
};

} // namespace flowtap::path
