// SPDX-License-Identifier: Apache-2.0
#include "live_state.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::filter {

result<void> live_classifier::state::insert(criterion&& what) {
    const std::size_t entries = count_entries(what.spec());
    const std::size_t kept = kept_memory(what);
    const std::size_t memory = kept + compiled_memory(what.spec());
    if (size >= limits.criteria)
        return fail(errc::too_many_criteria);
    if (entries > limits.entries || list_entries > limits.entries - entries)
        return fail(errc::too_many_entries);
    if (memory > limits.memory || reserved > limits.memory - memory)
        return fail(errc::too_much_memory);
    slot_record& record = slots.make(what.slot());
    if (record.what != nullptr)
        return fail(errc::duplicate_slot);

    fresh.push_back(std::make_shared<const criterion>(std::move(what)));
    record = {fresh.back().get(), fresh.size() - 1};
    fresh_memory += kept;
    list_entries += entries;
    reserved += memory;
    ++size;
    changed = true;
    return {};
}

void live_classifier::state::erase(slot_record& record) {
    const criterion& what = *record.what;
    const std::size_t kept = kept_memory(what);
    const std::size_t entries = count_entries(what.spec());
    const std::size_t memory = kept + compiled_memory(what.spec());
    if (record.fresh != not_fresh) {
        fresh_memory -= kept;
        if (record.fresh + 1 != fresh.size()) {
            std::swap(fresh[record.fresh], fresh.back());
            slots.find(fresh[record.fresh]->slot())->fresh = record.fresh;
        }
        fresh.pop_back();
    } else {
        kill(what.slot());
    }
    record = {};
    list_entries -= entries;
    reserved -= memory;
    --size;
    changed = true;
}

/// Marks what is in an overlay or a level.
void live_classifier::state::kill(slot_id slot) {
    const auto mark = [&](auto& holder, entry& of) {
        if (holder.by == use::job)
            deaths.push_back({slot, next});
        of.died.store(next, std::memory_order_relaxed);
        ++holder.dead;
        some_empty |= holder.living() == 0;
    };
    for (auto at = overlays.rbegin(); at != overlays.rend(); ++at) {
        if (entry* const found = at->what->find_living(slot)) {
            mark(*at, *found);
            return;
        }
    }
    for (held_level& one : levels) {
        entry* const found = one.what->find(slot);
        if (found != nullptr && found->is_alive()) {
            mark(one, *found);
            return;
        }
    }
}

classifier_cost live_classifier::state::cost() const noexcept {
    classifier_cost sum = levels_cost;
    sum.criteria = size;
    sum.entries = list_entries;
    sum.reserved = reserved;
    sum.unmerged = living_in_overlays() + fresh.size();
    sum.memory += slots.memory() + fresh_memory;
    for (const held_overlay& one : overlays)
        sum.memory += one.what->memory();
    return sum;
}

/// Makes the next version.
void live_classifier::state::renew() {
    notice_drop();
    if (some_empty)
        drop_empty();
    if (fresh_are_many())
        merge_now();
    else
        append_fresh();
    if (restructured)
        restructure();
    if (levels.empty() && overlays.empty()) {
        newest.reset();
    } else {
        auto made = std::make_shared<detail::version>();
        made->levels = newest_levels;
        made->number = next;
        made->open_count = overlays.empty() ? 0 : overlays.back().what->size();
        made->cost = cost();
        newest = std::move(made);
    }
    ++next;
    changed = false;
}

/// Does without what has nothing living any more. An overlay that was just begun is kept, to be
/// gone on with, unless there is nothing else.
void live_classifier::state::drop_empty() {
    const std::size_t before = levels.size() + overlays.size();
    std::erase_if(levels,
                  [](const auto& one) { return one.by == use::nobody && one.living() == 0; });
    std::erase_if(overlays, [&](const auto& one) {
        return one.by == use::nobody && (one.is_worn_out() || (size == 0 && one.living() == 0));
    });
    restructured |= levels.size() + overlays.size() != before;
    some_empty = false;
}

/// Whether the fresh criteria are better compiled at once: they would need too many overlays, or
/// there are so many of them that it takes little time for each.
bool live_classifier::state::fresh_are_many() const noexcept {
    std::size_t room = most_overlays * overlay::capacity;
    for (const held_overlay& one : overlays) {
        if (one.by != use::nobody)
            continue;
        const bool grows = one.can_grow() && &one == &overlays.back();
        // A job that was dropped gives its overlays back: there may be more than most_overlays.
        room -= std::min(room, grows ? one.what->size() : overlay::capacity);
    }
    return fresh.size() > room || (fresh.size() > overlay::capacity && fresh.size() * 4 >= size);
}

void live_classifier::state::append_fresh() {
    while (!fresh.empty()) {
        if (overlays.empty() || !overlays.back().can_grow()) {
            overlays.push_back({std::make_shared<overlay>()});
            restructured = true;
        }
        const criterion_pointer& one = fresh.back();
        overlays.back().what->append(one);
        slots.find(one->slot())->fresh = not_fresh;
        fresh_memory -= kept_memory(*one);
        fresh.pop_back();
    }
}

/// Merges the fresh criteria with what no job has.
void live_classifier::state::merge_now() {
    choose_levels(living_in_overlays() + fresh.size(), use::version);
    std::shared_ptr<level> merged;
    try {
        merged = merge(parts(use::version), fresh, path);
        replace(use::version, std::move(merged), 0);
    } catch (...) {
        give_back(use::version);
        throw;
    }
    for (const criterion_pointer& one : fresh)
        slots.find(one->slot())->fresh = not_fresh;
    fresh.clear();
    fresh_memory = 0;
}

void live_classifier::state::restructure() {
    auto made = std::make_shared<level_list>();
    classifier_cost sum;
    for (const held_level& one : levels) {
        made->levels.push_back(one.what);
        one.what->add_to(sum);
    }
    for (const held_overlay& one : overlays) {
        if (&one == &overlays.back())
            made->open = one.what;
        else
            made->overlays.push_back({one.what, one.what->size()});
    }
    newest_levels = std::move(made);
    levels_cost = sum;
    restructured = false;
}

std::size_t live_classifier::state::living_in_overlays() const noexcept {
    std::size_t sum = 0;
    for (const held_overlay& one : overlays)
        sum += one.living();
    return sum;
}

} // namespace flowtap::filter
