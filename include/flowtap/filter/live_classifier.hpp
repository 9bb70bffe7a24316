// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/api.hpp>
#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/criterion.hpp>

namespace flowtap::filter {

/// Long work on the classifier, made by `live_classifier::begin_merge`: `run` it once on any
/// thread, then hand it to `live_classifier::finish`. It may be dropped at any moment, run or not.
class FLOWTAP_FILTER_API merge_job {
public:
    merge_job(merge_job&&) noexcept;
    merge_job& operator=(merge_job&&) noexcept;
    ~merge_job();

    /// Compiles. Takes time and memory in proportion to what is merged. If memory runs out the job
    /// counts as not run.
    void run() noexcept;
    /// How many criteria it compiles, at most: none if it only takes apart what is no longer
    /// needed.
    std::size_t size() const noexcept;

private:
    friend class live_classifier;
    struct work;
    explicit merge_job(std::unique_ptr<work> what) noexcept;
    std::unique_ptr<work> work_;
};

/// What a merge is for.
enum class merge_aim {
    /// As much work as the changes since the last merge have earned: some 33 criteria compiled for
    /// each of them. Up to a 32nd of the criteria then stay apart from the others.
    steady,
    /// Everything in one level: the best form to match with. Takes as long as compiling everything
    /// anew, after however few changes: for when there have been none for a while.
    whole,
};

/// A set of criteria that changes while workers match with it. One thread changes it and makes
/// versions of it; a version is a `classifier` like any other: immutable, and for any thread.
///
/// What is inserted is at first held in small overlays that a version looks through beside the
/// compiled rest; what is erased is marked. Merging them is long work: `begin_merge` hands it out,
/// so that it can be done in the background. When nobody does that, `version` merges by itself
/// when there are too many overlays: then it is slow once in a while.
///
/// Example: see examples/update-criteria.
class FLOWTAP_FILTER_API live_classifier {
public:
    explicit live_classifier(const classifier_limits& limits = {},
                             code_path path = code_path::fastest);
    ~live_classifier();
    live_classifier(const live_classifier&) = delete;
    live_classifier& operator=(const live_classifier&) = delete;

    /// Adds `what`: the next version has it. Errors, after which nothing has changed:
    /// `errc::too_many_criteria`, `errc::too_many_entries`, `errc::too_much_memory`,
    /// `errc::duplicate_slot`. Constant time on average, but for the lists of `what`.
    result<void> insert(criterion what);
    /// Takes the criterion of `slot` out: the next version is without it. False if there is none.
    bool erase(slot_id slot);

    /// The criterion of a slot, or null. Valid until the next change.
    const criterion* find(slot_id slot) const noexcept;
    /// How many criteria there are.
    std::size_t size() const noexcept;

    /// All criteria as they are now. Versions made earlier stay as they were, and keep what they
    /// need alive.
    classifier version();

    /// Work that makes versions faster or smaller; none if there is nothing worth doing, or while a
    /// job is under way, that is neither finished nor dropped.
    std::optional<merge_job> begin_merge(merge_aim aim = merge_aim::steady);
    /// Takes the outcome of a job that has run: the next version has it. A job that was not run, or
    /// that is of another classifier, changes nothing. True if the next version is made of other
    /// parts than the last one, and so is worth being published: a job that only took apart what is
    /// no longer needed gives no reason to.
    bool finish(merge_job done);

    /// Other limits from now on; what is there stays, even if it is more.
    void limit(const classifier_limits& limits) noexcept;
    /// Of the newest version, and of what was inserted since.
    classifier_cost cost() const noexcept;
    /// How many criteria `version` and finished jobs have compiled since the beginning, each as
    /// often as it was.
    std::uint64_t compiled() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::filter
