// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path::detail {

/// A snapshot with the number of its generation.
struct published {
    snapshot what;
    std::uint64_t number = 0;
    /// Some criterion asks for whole frames.
    bool sees_frames = false;
};

/// One worker's place in a `publication`: which generation it uses.
class reader {
public:
    reader() = default;
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

private:
    friend class publication;

    static constexpr std::uint64_t offline = 0;
    static constexpr std::uint64_t entering = 1;
    /// `offline`, `entering`, or the generation in use plus 2. On a line of its own: it is written
    /// twice a batch.
    alignas(64) std::atomic<std::uint64_t> state_{offline};
    reader* next_ = nullptr;
};

/// Hands snapshots from the control side to workers: one store to publish, one exchange for a
/// worker to begin a batch, one to end it, no waiting on either side (epoch-based reclamation, of
/// which the epochs are the generations).
///
/// `enter` and `leave` are for the reader's thread, everything else for the control side's.
///
/// Why it holds: a reader announces itself before it loads the current snapshot, and the control
/// side stores the current snapshot before it looks at the readers, all in the one order of
/// sequentially consistent operations. So a reader seen offline can only find the new snapshot.
class publication {
public:
    publication();
    ~publication();
    publication(const publication&) = delete;
    publication& operator=(const publication&) = delete;

    /// `place` must outlive the publication's last use.
    void add(reader& place) noexcept;

    /// Begins a batch. What is returned stays valid until `leave`.
    const published& enter(reader& place) noexcept;
    /// Whether `enter` would return the same again.
    bool is_current(const published& what) const noexcept { return current_.load() == &what; }
    /// Ends a batch.
    void leave(reader& place) noexcept;

    std::uint64_t publish(snapshot what);
    /// The number the snapshot published next will have.
    std::uint64_t next() const noexcept { return last_ + 1; }
    std::uint64_t in_force() const noexcept { return in_force_->number; }
    std::uint64_t settled();
    void on_settled(std::function<void()> what) { wake_ = std::move(what); }

private:
    void put_in_force(std::unique_ptr<const published> what) noexcept;
    bool all_passed(std::uint64_t number) const noexcept;

    std::atomic<const published*> current_;
    /// The generation the control side waits for; 0 if it does not.
    std::atomic<std::uint64_t> awaited_{0};
    std::atomic<reader*> readers_{nullptr};
    std::function<void()> wake_;

    std::unique_ptr<const published> in_force_;
    /// The one before, while a worker may use it.
    std::unique_ptr<const published> before_;
    std::unique_ptr<const published> waiting_;
    std::uint64_t last_ = 0;
};

} // namespace flowtap::path::detail
