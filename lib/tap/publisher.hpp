// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/criterion.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/snapshot.hpp>

#include "edition.hpp"

namespace flowtap::tap {

/// What the data path needs to know beside the criteria.
struct path_tables {
    std::shared_ptr<const path::interface_map> interfaces;
    std::shared_ptr<const path::own_traffic> own;
    std::shared_ptr<const path::input_gates> gates;
    std::vector<std::uint16_t> copy_limits;
};

/// Brings the criteria into the data path. Changes gather until `publish` makes one snapshot of
/// them. Each publication compiles all criteria anew; a classifier that takes changes one by one
/// would be used here and nowhere else.
class publisher {
public:
    explicit publisher(path::data_path& path) : path_(&path) {}

    void insert(filter::criterion what, path::action then);
    void erase(slot_id slot);
    /// Puts something else in the place of a criterion that is there, in the same slot.
    void change(filter::criterion what, path::action then);
    void replace(path_tables with);

    const filter::criterion& filter_of(slot_id slot) const {
        return criteria_[places_[slot.value()]];
    }
    const path::action& action_of(slot_id slot) const noexcept { return actions_[slot]; }
    /// Octets of memory that the criteria published last take.
    std::size_t memory() const noexcept { return memory_; }

    /// The edition that holds all changes made so far.
    edition pending() const noexcept {
        return changed_ ? edition{published_.value() + 1} : published_;
    }

    /// Publishes what has changed, if the compiled criteria take at most `memory` octets; nothing
    /// when nothing has changed, or while the data path still holds back the publication before.
    /// An error leaves the changes waiting.
    result<void> publish(std::size_t memory);

    /// The newcomers that must go so that the compiled criteria take at most `memory` octets: of
    /// those that do not fit beside the ones before them, each. It compiles again and again to find
    /// them, a bounded number of times; what it has not come to by then goes, too.
    std::vector<slot_id> find_overflow(std::size_t memory) const;

    /// Asks the data path how far the workers are.
    void watch();

    /// Workers use this edition or a newer one from their next batch on.
    edition in_force() const noexcept { return in_force_; }
    /// No worker uses an older edition any more.
    edition settled() const noexcept { return settled_; }

    /// The criteria that came since the last publication.
    std::span<const slot_id> newcomers() const noexcept { return newcomers_; }

private:
    static constexpr std::size_t nowhere = ~std::size_t{0};

    /// Whether all criteria fit but for `rejected` and for the newcomers from `count` on.
    bool fits(std::size_t count, std::span<const slot_id> rejected, std::size_t memory) const;

    path::data_path* path_;
    std::vector<filter::criterion> criteria_;
    std::vector<std::size_t> places_; ///< in `criteria_`, by slot
    path::action_table actions_;
    path_tables tables_;
    std::size_t memory_ = 0;
    std::vector<slot_id> newcomers_;
    bool changed_ = false;
    edition published_;
    edition in_force_;
    edition settled_;
    std::deque<std::pair<edition, path::generation>> watched_;
};

} // namespace flowtap::tap
