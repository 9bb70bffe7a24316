// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/criterion.hpp>
#include <flowtap/filter/live_classifier.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/snapshot.hpp>

#include "edition.hpp"
#include "kernel_prefilter.hpp"
#include "merger.hpp"

namespace flowtap::tap {

/// What the data path needs to know beside the criteria.
struct path_tables {
    std::shared_ptr<const path::interface_map> interfaces;
    std::shared_ptr<const path::own_traffic> own;
    std::shared_ptr<const path::input_gates> gates;
    std::vector<std::uint16_t> copy_limits;
    path::fragment_policy fragments = path::fragment_policy::first;
};

/// Brings the criteria into the data path. Changes gather until `publish` makes one snapshot of
/// them. What it costs depends on what has changed, not on how many criteria there are: merging
/// changes into the rest is handed out, see `merger`.
class publisher {
public:
    /// Null `kernel`: no programs are in front of the capture sockets.
    publisher(path::data_path& path, kernel_filters* kernel, background_executor background)
        : path_(&path), kernel_(kernel, background), merger_(std::move(background)) {}

    /// What all criteria may take; what is there already stays, even if it is more.
    void limit(std::size_t memory);

    /// Takes a criterion in, if there is room for it: the next publication has it. It does nothing
    /// until it has an action. Errors: those of `live_classifier::insert`.
    result<void> insert(filter::criterion what);
    void assign(slot_id slot, path::action then);
    void erase(slot_id slot);
    /// Puts something else in the place of a criterion that is there, in the same slot and with
    /// the next publication as a whole. It has been let in before, so it may go beyond the limit.
    /// When even that fails, the slot is empty.
    result<void> change(filter::criterion what, path::action then);
    void replace(path_tables with);

    const filter::criterion& filter_of(slot_id slot) const { return *criteria_.find(slot); }
    const path::action& action_of(slot_id slot) const noexcept { return actions_[slot]; }
    /// The most octets of memory that all criteria take, merged or not.
    std::size_t memory() const noexcept { return criteria_.cost().reserved; }

    /// The edition that holds all changes made so far.
    edition pending() const noexcept {
        return changed_ ? edition{published_.value() + 1} : published_;
    }

    /// Publishes what has changed and what was merged; nothing when nothing has changed, or while
    /// the data path still holds back the publication before.
    void publish(steady_time now);
    /// True when something was merged or made meanwhile that `publish` would take now.
    bool has_news() const noexcept {
        return kernel_.is_done() || (merger_.is_done() && in_force_ >= published_);
    }
    /// When `publish` has something to do that no change is the reason for; none if it has nothing.
    std::optional<steady_time> due() const noexcept {
        return changed_ || in_force_ < published_ ? std::nullopt : kernel_.due();
    }
    std::vector<kernel_filter_status> kernel_state() const { return kernel_.state(); }

    /// Asks the data path how far the workers are.
    void watch();

    /// Workers use this edition or a newer one from their next batch on.
    edition in_force() const noexcept { return in_force_; }
    /// No worker uses an older edition any more.
    edition settled() const noexcept { return settled_; }

private:
    /// So long after the last change all criteria are merged to one whole.
    static constexpr std::chrono::seconds quiet{10};

    path::snapshot next_snapshot();

    result<void> insert_beyond_limits(filter::criterion what);

    path::data_path* path_;
    kernel_prefilter kernel_;
    filter::live_classifier criteria_;
    filter::classifier_limits limits_;
    merger merger_;
    path::action_table actions_;
    path_tables tables_;
    bool changed_ = false;
    /// When changes were published last, and not only what was merged.
    steady_time last_change_;
    edition published_;
    edition in_force_;
    edition settled_;
    std::deque<std::pair<edition, path::generation>> watched_;
};

} // namespace flowtap::tap
