// SPDX-License-Identifier: Apache-2.0
// What is merged when, and how its outcome takes the place of what it was made of.
#include <algorithm>
#include <utility>

#include "live_state.hpp"

namespace flowtap::filter {

/// Whether there is something to merge.
bool live_classifier::state::is_worthwhile(merge_aim aim) const noexcept {
    if (aim == merge_aim::whole)
        return levels.size() > 1 || !overlays.empty() ||
               (!levels.empty() && levels.front().dead != 0);
    if (std::any_of(levels.begin(), levels.end(), [](const auto& one) { return one.is_decayed(); }))
        return true;
    std::size_t added = 0;
    std::size_t dead_memory = 0;
    for (const held_overlay& one : overlays) {
        added += one.what->size();
        dead_memory += one.dead_memory;
    }
    const std::size_t living = living_in_overlays();
    return added >= overlay::capacity || dead_memory > much_memory ||
           (living != 0 && living * fan_out >= size);
}

/// Marks all overlays that nobody merges, which have `newer` criteria to be compiled (with others,
/// perhaps), and the levels that are worth being merged with them.
void live_classifier::state::choose_levels(std::size_t newer, use by) {
    std::vector<held_level*> by_size;
    for (held_level& one : levels) {
        if (one.by == use::nobody)
            by_size.push_back(&one);
    }
    std::sort(by_size.begin(), by_size.end(),
              [](const auto* a, const auto* b) { return a->living() < b->living(); });
    for (held_overlay& one : overlays) {
        if (one.by == use::nobody)
            one.by = by;
    }
    for (held_level* const one : by_size) {
        if (one->living() > newer * fan_out && !one->is_decayed())
            continue;
        one->by = by;
        newer += one->living();
    }
}

/// Marks what a job is to merge, when there is none under way.
void live_classifier::state::choose(merge_aim aim) {
    if (!is_worthwhile(aim))
        return;
    if (aim == merge_aim::steady) {
        choose_levels(living_in_overlays(), use::job);
        return;
    }
    for (held_overlay& one : overlays)
        one.by = use::job;
    for (held_level& one : levels)
        one.by = use::job;
}

/// Those of the retired levels that no version holds.
std::vector<std::shared_ptr<const level>> live_classifier::state::take_retired() {
    std::vector<std::shared_ptr<const level>> taken;
    taken.reserve(retired.size());
    for (auto& one : retired) {
        if (one.use_count() == 1)
            taken.push_back(std::move(one));
    }
    std::erase(retired, nullptr);
    return taken;
}

std::vector<merge_part> live_classifier::state::parts(use by) const {
    std::vector<merge_part> chosen;
    for (const held_level& one : levels) {
        if (one.by == by)
            chosen.push_back({one.what, one.what->entries().data(), one.what->kept().data(),
                              one.what->entries().size()});
    }
    for (const held_overlay& one : overlays) {
        if (one.by == by)
            chosen.push_back({one.what, one.what->entries(), one.what->kept(), one.what->size()});
    }
    return chosen;
}

/// Puts `merged`, which may be null, in the place of what was marked with `by`.
void live_classifier::state::replace(use by, std::shared_ptr<level> merged) {
    levels.reserve(levels.size() + 1);
    std::erase_if(levels, [&](const auto& one) { return one.by == by; });
    std::erase_if(overlays, [&](const auto& one) { return one.by == by; });
    if (merged) {
        compiled += merged->entries().size();
        levels.push_back({std::move(merged)});
    }
    restructured = true;
    changed = true;
}

void live_classifier::state::give_back(use by) noexcept {
    for (held_level& one : levels)
        one.by = one.by == by ? use::nobody : one.by;
    for (held_overlay& one : overlays)
        one.by = one.by == by ? use::nobody : one.by;
}

/// Finds out whether the job under way was dropped.
void live_classifier::state::notice_drop() noexcept {
    if (some_taken && under_way.expired())
        end_job();
}

void live_classifier::state::end_job() noexcept {
    give_back(use::job);
    deaths.clear();
    under_way.reset();
    some_taken = false;
    some_empty = true;
}

std::unique_ptr<merge_job::work> live_classifier::state::begin(merge_aim aim) {
    notice_drop();
    if (some_taken || (!is_worthwhile(aim) && retired.empty()))
        return nullptr;

    auto made = std::make_unique<merge_job::work>();
    auto ticket = std::make_shared<const merge_ticket>();
    try {
        choose(aim);
        made->parts = parts(use::job);
        made->retired = take_retired();
    } catch (...) {
        give_back(use::job);
        throw;
    }
    if (made->parts.empty() && made->retired.empty())
        return nullptr;
    for (const held_level& one : levels)
        made->size += one.by == use::job ? one.living() : 0;
    for (const held_overlay& one : overlays)
        made->size += one.by == use::job ? one.living() : 0;
    made->path = path;
    under_way = ticket;
    some_taken = true;
    made->ticket = std::move(ticket);
    return made;
}

bool live_classifier::state::finish(merge_job::work& done) {
    if (!some_taken || done.ticket != under_way.lock())
        return false;
    const bool is_new = done.has_run && !done.parts.empty();
    if (is_new) {
        // From here on nothing throws.
        retired.reserve(retired.size() + levels.size());
        levels.reserve(levels.size() + 1);
        for (const held_level& one : levels) {
            if (one.by == use::job)
                retired.push_back(one.what);
        }
        level* const outcome = done.outcome.get();
        replace(use::job, std::move(done.outcome));
        for (const death& one : deaths) {
            entry* const found = outcome != nullptr ? outcome->find(one.slot) : nullptr;
            if (found == nullptr || !found->is_alive())
                continue;
            found->died.store(one.died, std::memory_order_relaxed);
            ++levels.back().dead;
            levels.back().dead_memory += one.memory;
        }
    }
    end_job();
    return is_new;
}

} // namespace flowtap::filter
