// SPDX-License-Identifier: Apache-2.0
#include "level.hpp"

#include <algorithm>
#include <ctime>
#include <variant>

namespace flowtap::filter {

namespace {

std::vector<member> members_of(family wanted, std::span<const criterion* const> criteria) {
    std::vector<member> members;
    for (std::size_t i = 0; i < criteria.size(); ++i) {
        const filter_spec& spec = criteria[i]->spec();
        // A frame has no values; ports and ICMP are looked up as absent, but a protocol never is.
        const bool never = wanted == family::ccc && !spec.protocols.is_wildcard();
        if (spec.families.contains(wanted) && !never)
            members.push_back(make_member(spec, static_cast<std::uint32_t>(i)));
    }
    return members;
}

std::chrono::nanoseconds processor_time() noexcept {
    std::timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::size_t count_interfaces(const filter_scope& scope) noexcept {
    if (const auto* input = std::get_if<input_scope>(&scope))
        return input->interfaces.size();
    if (const auto* output = std::get_if<output_scope>(&scope))
        return output->interfaces.size();
    return 0;
}

template <class T>
std::size_t octets(const range_list<T>& list) noexcept {
    return list.entries.capacity() * sizeof(list.entries[0]);
}

} // namespace

std::size_t count_entries(const filter_spec& spec) noexcept {
    return spec.source_addresses.entries.size() + spec.destination_addresses.entries.size() +
           spec.protocols.entries.size() + spec.source_ports.entries.size() +
           spec.destination_ports.entries.size() + spec.icmp_types.entries.size() +
           spec.icmp_codes.entries.size() + count_interfaces(spec.scope);
}

std::size_t kept_memory(const criterion& what) noexcept {
    constexpr std::size_t shared = 2 * sizeof(void*); // counts of a shared pointer
    const filter_spec& spec = what.spec();
    return shared + sizeof(criterion) + octets(spec.source_addresses) +
           octets(spec.destination_addresses) + octets(spec.protocols) + octets(spec.source_ports) +
           octets(spec.destination_ports) + octets(spec.icmp_types) + octets(spec.icmp_codes) +
           count_interfaces(spec.scope) * sizeof(interface_id);
}

std::size_t compiled_memory(const filter_spec& spec) noexcept {
    std::size_t sum = sizeof(entry) + sizeof(criterion_pointer);
    for (const family one : {family::inet, family::inet6, family::ccc}) {
        if (spec.families.contains(one))
            sum += one == family::inet6 ? memory_allowed<address_bits>(spec)
                                        : memory_allowed<std::uint32_t>(spec);
    }
    return sum;
}

result<std::unique_ptr<level>> level::build(std::span<const criterion* const> criteria,
                                            std::size_t memory, code_path path) {
    const auto begin = processor_time();
    std::unique_ptr<level> built(new level);
    memory_budget budget(memory);
    built->set_.inet.build(members_of(family::inet, criteria), budget);
    built->set_.inet6.build(members_of(family::inet6, criteria), budget);
    built->set_.ccc.build(members_of(family::ccc, criteria), budget);
    if (budget.exceeded())
        return fail(errc::too_much_memory);

    built->code_ = choose_match(path);
    built->count_ = criteria.size();
    built->entries_ = std::make_unique<entry[]>(criteria.size());
    for (std::size_t i = 0; i < criteria.size(); ++i)
        built->entries_[i].slot = criteria[i]->slot();
    classifier_cost cost;
    built->add_to(cost);
    if (cost.memory > memory)
        return fail(errc::too_much_memory);
    built->build_time_ = processor_time() - begin;
    return built;
}

entry* level::find(slot_id slot) noexcept {
    entry* const end = entries_.get() + count_;
    entry* const found =
        std::lower_bound(entries_.get(), end, slot,
                         [](const entry& one, slot_id wanted) { return one.slot < wanted; });
    return found != end && found->slot == slot ? found : nullptr;
}

void level::keep(std::vector<criterion_pointer> criteria) noexcept {
    kept_ = std::move(criteria);
    kept_memory_ = kept_.capacity() * sizeof(kept_[0]);
    for (const criterion_pointer& one : kept_)
        kept_memory_ += filter::kept_memory(*one);
}

void level::add_to(classifier_cost& cost) const noexcept {
    cost.memory += sizeof(level) + kept_memory_ + count_ * sizeof(entry) + set_.inet.memory() +
                   set_.inet6.memory() + set_.ccc.memory();
    cost.build_time += build_time_;
    cost.probes_inet += set_.inet.table.probes.size();
    cost.probes_inet6 += set_.inet6.table.probes.size();
    cost.groups_inet += set_.inet.groups.size();
    cost.groups_inet6 += set_.inet6.groups.size();
}

} // namespace flowtap::filter
