// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <flowtap/filter/live_classifier.hpp>

#include "merge.hpp"
#include "overlay.hpp"
#include "slot_table.hpp"
#include "version.hpp"

namespace flowtap::filter {

/// What a job and the classifier that made it have in common while the job is under way.
struct merge_ticket {};

struct merge_job::work {
    std::shared_ptr<const merge_ticket> ticket;
    std::vector<merge_part> parts;
    std::size_t size = 0;
    code_path path = code_path::fastest;
    /// Levels that nobody needs any more: to take 100,000 criteria apart takes milliseconds.
    std::vector<std::shared_ptr<const level>> retired;
    bool has_run = false;
    /// Null if nothing was left to compile.
    std::shared_ptr<level> outcome;
};

/// A live classifier's parts. Everything a version sees is either immutable or said to be safe to
/// change where it is declared; what is in here belongs to the thread that changes the set.
///
/// A slot lives in one place at most: among the fresh criteria, in one overlay or in one level.
struct live_classifier::state {
    /// More overlays than this are merged when a version is made, whatever it takes. Those that a
    /// job is merging do not count, so that there are at most twice as many.
    static constexpr std::size_t most_overlays = 8;
    /// A level is merged with what is newer when that is a part of this size of it. So no criterion
    /// is compiled more than about this often in each level, and each level holds this many times
    /// what all smaller ones do.
    static constexpr std::size_t fan_out = 32;
    /// What is erased keeps its memory until it is merged away: so many octets of it are a reason.
    static constexpr std::size_t much_memory = std::size_t{1} << 20;

    /// Who is merging a level or overlay.
    enum class use { nobody, job, version };

    struct held_level {
        std::shared_ptr<level> what;
        std::size_t dead = 0;
        /// Octets of the criteria that have died.
        std::size_t dead_memory = 0;
        use by = use::nobody;

        std::size_t size() const noexcept { return what->entries().size(); }
        std::size_t living() const noexcept { return size() - dead; }
        /// A quarter has died, or of much memory a quarter belongs to what has.
        bool is_decayed() const noexcept {
            return dead * 4 >= size() ||
                   (dead_memory > much_memory && dead_memory * 4 >= what->kept_memory());
        }
    };
    struct held_overlay {
        std::shared_ptr<overlay> what;
        std::size_t dead = 0;
        std::size_t dead_memory = 0;
        use by = use::nobody;

        std::size_t living() const noexcept { return what->size() - dead; }
        bool is_worn_out() const noexcept { return living() == 0 && what->size() >= 16; }
        bool can_grow() const noexcept {
            return by == use::nobody && what->size() < overlay::capacity;
        }
    };
    /// What is known of a slot. Its criterion is kept by the place it lives in.
    struct slot_record {
        const criterion* what = nullptr;
        /// Its place among the fresh ones, or `not_fresh`.
        std::uint32_t fresh = 0;
    };
    static constexpr std::uint32_t not_fresh = static_cast<std::uint32_t>(-1);

    /// A criterion that died while a job was under way that may have taken it.
    struct death {
        slot_id slot;
        version_number died;
        std::size_t memory;
    };

    state(const classifier_limits& limits_, code_path path_) : limits(limits_), path(path_) {}

    // Changes.
    static std::size_t reserved_memory(const filter_spec& spec) noexcept;
    result<void> insert(criterion&& what);
    bool erase(slot_id slot);
    void kill(slot_id slot, std::size_t kept);
    classifier_cost cost() const noexcept;

    // Versions.
    void renew();
    void drop_empty();
    bool fresh_are_many() const noexcept;
    bool dead_are_large() const noexcept;
    void append_fresh();
    void merge_now();
    void restructure();

    // Merging.
    std::size_t living_in_overlays() const noexcept;
    bool is_worthwhile(merge_aim aim) const noexcept;
    std::vector<std::shared_ptr<const level>> take_retired();
    void choose_levels(std::size_t newer, use by);
    void choose(merge_aim aim);
    std::vector<merge_part> parts(use by) const;
    void replace(use by, std::shared_ptr<level> merged);
    void give_back(use by) noexcept;
    void notice_drop() noexcept;
    void end_job() noexcept;
    std::unique_ptr<merge_job::work> begin(merge_aim aim);
    bool finish(merge_job::work& done);

    classifier_limits limits;
    code_path path;
    slot_table<slot_record> slots;
    std::size_t size = 0;
    std::size_t frames = 0; ///< of these, how many are of family ccc
    std::size_t list_entries = 0;
    /// The most octets that all criteria take, in whatever form.
    std::size_t reserved = 0;
    std::uint64_t compiled = 0;

    /// Inserted since the last version was made.
    std::vector<criterion_pointer> fresh;
    std::size_t fresh_memory = 0;
    std::vector<held_level> levels;
    /// Only the last one grows.
    std::vector<held_overlay> overlays;

    /// The number of the next version.
    version_number next = 1;
    bool changed = false;
    /// Whether `newest_levels` is not what `levels` and `overlays` say.
    bool restructured = false;
    std::shared_ptr<const level_list> newest_levels;
    /// Of the levels.
    classifier_cost levels_cost;
    std::shared_ptr<const detail::version> newest;

    /// Whether a level or overlay may have come to hold nothing that lives.
    bool some_empty = false;

    /// Whether anything is marked as being in a job.
    bool some_taken = false;
    /// Expires with the job.
    std::weak_ptr<const merge_ticket> under_way;
    std::vector<death> deaths;
    /// Levels that a job has replaced: once versions have let go of them, the next job does.
    std::vector<std::shared_ptr<const level>> retired;
};

} // namespace flowtap::filter
