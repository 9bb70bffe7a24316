// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include <flowtap/filter/classifier.hpp>

#include "assembly.hpp"
#include "version.hpp"

namespace flowtap::filter {

namespace {

std::vector<const criterion*> sorted_by_slot(std::span<const criterion> criteria) {
    std::vector<const criterion*> sorted;
    sorted.reserve(criteria.size());
    for (const criterion& one : criteria)
        sorted.push_back(&one);
    std::sort(sorted.begin(), sorted.end(),
              [](const criterion* a, const criterion* b) { return a->slot() < b->slot(); });
    return sorted;
}

bool has_duplicate_slot(std::span<const criterion* const> sorted) noexcept {
    return std::adjacent_find(sorted.begin(), sorted.end(),
                              [](const criterion* a, const criterion* b) {
                                  return a->slot() == b->slot();
                              }) != sorted.end();
}

} // namespace

match_buffer::match_buffer(std::size_t max_packets, std::size_t max_matches)
    : slots_(max_matches), ends_(max_packets + 2), matched_(max_packets),
      hits_(std::make_unique_for_overwrite<detail::hit[]>(max_matches)) {}

classifier::classifier() noexcept = default;
classifier::~classifier() = default;
classifier::classifier(classifier&&) noexcept = default;
classifier& classifier::operator=(classifier&&) noexcept = default;
classifier::classifier(const classifier&) noexcept = default;
classifier& classifier::operator=(const classifier&) noexcept = default;
classifier::classifier(std::shared_ptr<const detail::version> from) noexcept
    : version_(std::move(from)) {}

result<classifier> classifier::build(std::span<const criterion> criteria,
                                     const classifier_limits& limits, code_path path) {
    if (criteria.size() > limits.criteria)
        return fail(errc::too_many_criteria);
    const std::size_t entries = std::accumulate(
        criteria.begin(), criteria.end(), std::size_t{0},
        [](std::size_t sum, const criterion& one) { return sum + count_entries(one.spec()); });
    if (entries > limits.entries)
        return fail(errc::too_many_entries);
    const std::vector<const criterion*> sorted = sorted_by_slot(criteria);
    if (has_duplicate_slot(sorted))
        return fail(errc::duplicate_slot);
    if (criteria.empty())
        return classifier();

    auto compiled = level::build(sorted, limits.memory, path);
    if (!compiled)
        return fail(std::move(compiled).error());
    auto levels = std::make_shared<level_list>();
    auto built = std::make_shared<detail::version>();
    built->cost.criteria = criteria.size();
    built->cost.frames = static_cast<std::size_t>(std::ranges::count_if(
        criteria, [](const criterion& one) { return one.spec().families.contains(family::ccc); }));
    built->cost.entries = entries;
    (*compiled)->add_to(built->cost);
    built->cost.reserved = built->cost.memory;
    levels->levels.push_back(std::move(*compiled));
    built->levels = std::move(levels);
    return classifier(std::move(built));
}

std::size_t classifier::match(std::span<const packet_key> keys,
                              match_buffer& found) const noexcept {
    const auto batch = keys.first(std::min(keys.size(), found.ends_.size() - 2));
    found.ends_[0] = 0;
    found.packets_ = batch.size();
    found.matched_count_ = 0;
    if (!version_) {
        std::fill_n(found.ends_.begin(), batch.size() + 1, 0U);
        return batch.size();
    }
    std::size_t size = chunk_packets;
    for (std::size_t done = 0; done < batch.size();) {
        const auto chunk = batch.subspan(done, std::min(size, batch.size() - done));
        std::uint32_t* const ends = found.ends_.data() + done;
        hit_list hits(found.hits_.get(), found.slots_.size() - *ends, version_->number);
        version_->find(chunk, hits);
        if (!hits.full()) {
            const auto first = static_cast<std::uint32_t>(done);
            std::uint32_t* const matched = found.matched_.data() + found.matched_count_;
            found.matched_count_ +=
                assemble(hits, chunk.size(), found.slots_.data(), ends, first, matched);
            done += chunk.size();
            size = std::min(size * 2, chunk_packets);
        } else if (chunk.size() > 1) {
            size = chunk.size() / 2;
        } else {
            found.packets_ = done;
            break;
        }
    }
    return found.packets_;
}

std::uint64_t classifier::sift(const plain_headers& packets, std::size_t count,
                               interface_id interface, vrf_id vrf) const noexcept {
    return version_ && count != 0 ? version_->sift({packets, count, interface, vrf}) : 0;
}

classifier_cost classifier::cost() const noexcept {
    return version_ ? version_->cost : classifier_cost{};
}

} // namespace flowtap::filter
