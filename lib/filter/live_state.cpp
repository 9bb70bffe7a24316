// SPDX-License-Identifier: Apache-2.0
#include "live_state.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::filter {

/// The most octets that a criterion takes beside itself.
std::size_t live_classifier::state::reserved_memory(const filter_spec& spec) noexcept {
    return compiled_memory(spec) + decltype(slots)::most_for_each;
}

result<void> live_classifier::state::insert(criterion&& what) {
    const std::size_t entries = count_entries(what.spec());
    const std::size_t kept = kept_memory(what);
    const std::size_t memory = kept + reserved_memory(what.spec());
    if (size >= limits.criteria)
        return fail(errc::too_many_criteria);
    if (entries > limits.entries || list_entries > limits.entries - entries)
        return fail(errc::too_many_entries);
    if (memory > limits.memory || reserved > limits.memory - memory)
        return fail(errc::too_much_memory);
    if (slots.find(what.slot()) != nullptr)
        return fail(errc::duplicate_slot);

    fresh.push_back(std::make_shared<const criterion>(std::move(what)));
    try {
        const criterion_pointer& made = fresh.back();
        slots.insert(made->slot(), {made.get(), static_cast<std::uint32_t>(fresh.size() - 1)});
    } catch (...) {
        fresh.pop_back();
        throw;
    }
    fresh_memory += kept;
    list_entries += entries;
    reserved += memory;
    ++size;
    frames += fresh.back()->spec().families.contains(family::ccc) ? 1 : 0;
    changed = true;
    return {};
}

bool live_classifier::state::erase(slot_id slot) {
    const slot_record* const record = slots.find(slot);
    if (record == nullptr)
        return false;
    const std::size_t kept = kept_memory(*record->what);
    const std::size_t entries = count_entries(record->what->spec());
    const std::size_t memory = kept + reserved_memory(record->what->spec());
    frames -= record->what->spec().families.contains(family::ccc) ? 1 : 0;
    if (const std::uint32_t at = record->fresh; at != not_fresh) {
        fresh_memory -= kept;
        if (at + 1 != fresh.size()) {
            std::swap(fresh[at], fresh.back());
            slots.find(fresh[at]->slot())->fresh = at;
        }
        fresh.pop_back();
    } else {
        kill(slot, kept);
    }
    slots.erase(slot);
    list_entries -= entries;
    reserved -= memory;
    --size;
    changed = true;
    return true;
}

/// Marks what is in an overlay or a level.
void live_classifier::state::kill(slot_id slot, std::size_t kept) {
    const auto mark = [&](auto& holder, entry& of) {
        if (holder.by == use::job)
            deaths.push_back({slot, next, kept});
        of.died.store(next, std::memory_order_relaxed);
        ++holder.dead;
        holder.dead_memory += kept;
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
    sum.frames = frames;
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
    if (fresh_are_many() || dead_are_large())
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

/// Whether what is erased keeps so much memory that it must not wait for a job. A merge then gets
/// rid of more than half of it: what has died in overlays, and in levels that have decayed.
bool live_classifier::state::dead_are_large() const noexcept {
    std::size_t sum = 0;
    for (const held_level& one : levels)
        sum += one.by == use::nobody ? one.dead_memory : 0;
    for (const held_overlay& one : overlays)
        sum += one.by == use::nobody ? one.dead_memory : 0;
    return sum > 4 * much_memory + reserved / 2;
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
        replace(use::version, std::move(merged));
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
        else if (one.what->size() != 0)
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
