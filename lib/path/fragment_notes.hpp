// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/packet/view.hpp>

#include "fragment_table.hpp"

namespace flowtap::path::detail {

/// The fragments of the batch at hand, and what is remembered of those before. For one worker.
///
/// A first fragment is matched like any packet, and what is remembered is its key and the
/// generation it was matched with. A later fragment is matched with that key, and counts for the
/// criteria that were there in that generation and are still the same: those that matched the
/// first. So what is remembered has one size, however many criteria there are.
class fragment_notes {
public:
    fragment_notes(const fragment_options& with, std::size_t batch)
        : table_(with), notes_(batch + 1) {}

    void begin(steady_time now) noexcept {
        table_.begin(now);
        used_ = undecided_ = 1;
    }

    /// Early fragments that share the fate of their first one.
    struct early_sum {
        std::uint64_t packets = 0;
        std::uint64_t octets = 0;
    };
    /// Notes a first fragment that is going to be matched as number `packet` of the batch; returns
    /// the number of the note. `view.key` is complete.
    std::uint32_t note_first(const packet::packet_view& view, std::uint32_t packet,
                             early_sum& early) noexcept;
    /// Remembers a first fragment that is not matched.
    early_sum set_aside_first(const packet::packet_view& view, fragment_state state) noexcept;

    /// What is to be done with a later fragment.
    enum class outcome : std::uint8_t {
        match,   ///< match it, with the key and the note it was given
        own,     ///< it belongs to the access point's own services
        nothing, ///< nothing matched its packet
        none,    ///< it waits, or was left out
    };
    /// `view.key` becomes that of the first fragment where the fragment is to be matched.
    outcome note_later(packet::packet_view& view, packet_body& body, std::uint32_t packet) noexcept;
    void leave_out(fragment_loss why) noexcept {
        ++table_.counts.left_out[static_cast<std::size_t>(why)];
    }

    bool any() const noexcept { return used_ != 1; }
    /// Packets `first` to `first + count` of the batch were matched with `generation`.
    void decide(std::uint32_t first, std::uint32_t count, const filter::match_buffer& found,
                std::uint64_t generation) noexcept;
    /// Packets from `first` on are not going to be matched.
    early_sum abandon(std::uint32_t first) noexcept;

    /// The generation whose criteria may have the packet.
    std::uint64_t generation(std::uint32_t note) const noexcept { return notes_[note].generation; }
    /// Calls `use` with each early fragment that a first one was waited for by, in order.
    template <class Use>
    void for_each_early(std::uint32_t note, Use use) const noexcept {
        std::uint32_t place = notes_[note].early.first;
        for (std::uint32_t i = 0; i < notes_[note].early.count; ++i) {
            packet_body body = table_.early(place);
            body.note = note;
            use(body);
            place = table_.next_early(place);
        }
    }

    void clear() noexcept { table_.clear(); }
    const fragment_counters& counters() const noexcept { return table_.counts; }

private:
    struct remark {
        std::uint32_t packet = 0;
        /// Of a first fragment: what is remembered of its packet; else `nowhere`.
        std::uint32_t entry = nowhere;
        /// Of a later one: the note on its first, if that came in the same batch; else 0.
        std::uint32_t first = 0;
        fragment_chain early;
        std::uint64_t early_octets = 0;
        std::uint64_t generation = 0;
    };

    fragment_table table_;
    /// From 1 on.
    std::vector<remark> notes_;
    std::uint32_t used_ = 1;
    std::uint32_t undecided_ = 1; ///< the notes before were decided
};

} // namespace flowtap::path::detail
