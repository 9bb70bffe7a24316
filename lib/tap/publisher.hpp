// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
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

/// Brings the criteria into the data path. Changes gather until `publish` makes one snapshot of
/// them. Each publication compiles all criteria anew; a classifier that takes changes one by one
/// would be used here and nowhere else.
class publisher {
public:
    explicit publisher(path::data_path& path) : path_(&path) {}

    void insert(filter::criterion what, path::action then);
    void erase(slot_id slot);
    void replace(std::shared_ptr<const path::interface_map> interfaces,
                 std::shared_ptr<const path::own_traffic> own);

    /// The edition that holds all changes made so far.
    edition pending() const noexcept {
        return changed_ ? edition{published_.value() + 1} : published_;
    }

    /// Publishes what has changed, if the compiled criteria take at most `memory` octets; nothing
    /// when nothing has changed, or while the data path still holds back the publication before.
    /// An error leaves the changes waiting.
    result<void> publish(std::size_t memory);

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

    path::data_path* path_;
    std::vector<filter::criterion> criteria_;
    std::vector<std::size_t> places_; ///< in `criteria_`, by slot
    path::action_table actions_;
    std::shared_ptr<const path::interface_map> interfaces_;
    std::shared_ptr<const path::own_traffic> own_;
    std::vector<slot_id> newcomers_;
    bool changed_ = false;
    edition published_;
    edition in_force_;
    edition settled_;
    std::deque<std::pair<edition, path::generation>> watched_;
};

} // namespace flowtap::tap
