// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <flowtap/deliver/egress_bindings.hpp>
#include <flowtap/path/sink.hpp>

#include "pending_copies.hpp"

namespace flowtap::deliver::detail {

/// What became of the copies of one binding at one worker, shown to the control side as a whole: a
/// sequence lock, all of atomic words.
class binding_board {
public:
    using words = std::array<std::uint64_t, sizeof(path::delivery_counters) / 8>;

    /// For the worker.
    void show(const words& counters) noexcept {
        const std::uint64_t version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        for (std::size_t i = 0; i < counters.size(); ++i)
            words_[i].store(counters[i], std::memory_order_release);
        version_.store(version + 2, std::memory_order_release);
    }
    /// Any thread.
    path::delivery_counters read() const noexcept {
        words made{};
        for (;;) {
            const std::uint64_t before = version_.load(std::memory_order_acquire);
            for (std::size_t i = 0; i < made.size(); ++i)
                made[i] = words_[i].load(std::memory_order_acquire);
            if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before)
                return std::bit_cast<path::delivery_counters>(made);
        }
    }

private:
    std::atomic<std::uint64_t> version_{0};
    std::array<std::atomic<std::uint64_t>, words{}.size()> words_{};
};

/// What the copies of one binding leave through at one worker. The control side makes and destroys
/// it; in between the worker uses it.
struct egress_member {
    egress_member(path::egress_id number, std::unique_ptr<path::sink> through)
        : binding(number), sink(std::move(through)), board(std::make_shared<binding_board>()) {}

    const path::egress_id binding;
    const std::unique_ptr<path::sink> sink;
    const std::shared_ptr<binding_board> board;
    binding_board::words counted{};
    /// What the sink had no room for.
    pending_copies::queue waiting;
};

/// The members of one worker at one moment, by their numbers. Immutable once offered.
struct egress_table {
    /// By the number of the binding; null where there is none.
    std::array<std::shared_ptr<egress_member>, egress_bindings::most + 1> members;
    /// Links those that the worker has done with.
    egress_table* next = nullptr;
};

/// Where the control side puts the newest table of a worker, and the worker those that it has done
/// with. Neither waits for the other.
struct egress_mailbox {
    std::atomic<egress_table*> offered{nullptr};
    std::atomic<egress_table*> done_with{nullptr};

    // For the control side alone.
    /// A copy of what was offered last.
    egress_table newest;
    bool is_closed = false; ///< the sink is gone

    egress_mailbox() = default;
    egress_mailbox(const egress_mailbox&) = delete;
    egress_mailbox& operator=(const egress_mailbox&) = delete;
    ~egress_mailbox() { close(); }

    /// Replaces what was offered and not taken.
    void offer() { delete offered.exchange(new egress_table(newest), std::memory_order_acq_rel); }
    void free_tables() noexcept {
        egress_table* each = done_with.exchange(nullptr, std::memory_order_acquire);
        while (each != nullptr)
            delete std::exchange(each, each->next);
    }
    void close() noexcept {
        is_closed = true;
        newest = {};
        free_tables();
        delete offered.exchange(nullptr, std::memory_order_acquire);
    }
};

/// The sink of a worker whose copies are bound. `newest` of the mailbox holds at least the member
/// with the number 0.
std::unique_ptr<path::sink> make_egress_sink(std::shared_ptr<egress_mailbox> from);

} // namespace flowtap::deliver::detail
