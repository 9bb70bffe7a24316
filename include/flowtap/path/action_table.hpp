// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/api.hpp>
#include <flowtap/path/local_pointer.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::path {

/// At most this many content destinations belong to one criterion (dtcp.md: two for an ADD).
inline constexpr std::size_t max_targets = 2;

/// One content destination of a criterion.
struct copy_target {
    stream_id stream;
    egress_id egress;
    packet::header_template header;
};

class drop_policy;

/// Who asked for a criterion.
enum class origin : std::uint8_t { dtcp, radius };

/// Names a set of criteria that share a limit on the copies of one packet; zero is none.
using copy_group_id = strong_id<struct copy_group_id_tag, std::uint8_t>;

/// What is done with the packets of one criterion.
struct action {
    std::vector<copy_target> targets; ///< at most `max_targets`
    /// What of the criterion's packets is not copied for it; null: nothing.
    std::shared_ptr<const drop_policy> withholds;
    control_source_id owner;
    origin asked_by = origin::dtcp;
    /// Whose limit its copies count towards, and its turn when there are more: the lowest rank
    /// is served first.
    copy_group_id group;
    std::uint64_t rank = 0;
};

/// The actions by slot: a persistent table. A copy shares everything with its original, and
/// changing one entry copies a few nodes only: 16 entries, 32 nodes of those, and one pointer for
/// every 512 slots. So a snapshot of 100,000 actions is made without copying 100,000.
///
/// Any thread may read a table that no thread writes; the copies of one table are made, changed and
/// dropped by one thread.
class action_table {
public:
    /// The action of a slot that has one.
    const action& operator[](slot_id slot) const noexcept {
        const std::size_t number = slot.value();
        return *(
            *(*pages_[number / page_span])[number / leaf_size % page_size])[number % leaf_size];
    }
    /// The action of a slot, or null.
    const action* find(slot_id slot) const noexcept {
        const std::size_t number = slot.value();
        if (number >= slot_bound())
            return nullptr;
        const page* on = pages_[number / page_span].get();
        if (on == nullptr)
            return nullptr;
        const leaf* at = (*on)[number / leaf_size % page_size].get();
        return at == nullptr ? nullptr : (*at)[number % leaf_size].get();
    }

    FLOWTAP_PATH_API void assign(slot_id slot, action what);
    FLOWTAP_PATH_API void erase(slot_id slot);

    /// No slot that has an action is this high.
    std::size_t slot_bound() const noexcept { return pages_.size() * page_span; }
    /// Whether an action with a drop policy was ever assigned.
    bool has_drop_policies() const noexcept { return has_drop_policies_; }
    /// No stream that an action was ever assigned with is this high.
    std::size_t stream_bound() const noexcept { return stream_bound_; }

private:
    static constexpr std::size_t leaf_size = 16;
    static constexpr std::size_t page_size = 32;
    static constexpr std::size_t page_span = leaf_size * page_size;
    using leaf = std::array<local_pointer<action>, leaf_size>;
    using page = std::array<local_pointer<leaf>, page_size>;

    local_pointer<action>& writable(slot_id slot);

    std::vector<local_pointer<page>> pages_;
    std::size_t stream_bound_ = 0;
    bool has_drop_policies_ = false;
};

} // namespace flowtap::path
