// SPDX-License-Identifier: Apache-2.0
#include "collector.hpp"

#include <algorithm>
#include <numeric>

namespace flowtap::tools {

namespace {

constexpr std::size_t recent_size = 4096;

/// Collisions cost a search in the ordered table, no more.
std::size_t recent_place(const intercept_key& key) noexcept {
    std::uint64_t mixed = key.destination.address.bits().low ^ key.source.address.bits().low << 7U;
    mixed ^= std::uint64_t{key.destination.port} << 32U ^ std::uint64_t{key.source.port} << 45U;
    mixed ^= std::uint64_t{key.intercept_id} << 13U ^ std::uint64_t{key.session_id} << 23U;
    return static_cast<std::size_t>(mixed * 0x9E37'79B9'7F4A'7C15U >> 52U) % recent_size;
}

} // namespace

std::uint64_t collected::refused_in_all() const noexcept {
    return std::accumulate(refused.begin(), refused.end(), std::uint64_t{0});
}

collector::collector(const collector_settings& settings)
    : settings_(settings), recent_(recent_size, nullptr) {}

/// The packet exactly; nothing, and the reason counted, if there is none.
std::optional<byte_view> collector::packet_in(const received_copy& copy) noexcept {
    if (copy.inner.empty()) {
        refuse(refusal::empty);
        return std::nullopt;
    }
    if (settings_.inner != packet::link_type::raw)
        return copy.inner;
    packet::packet_view view;
    packet::decode(packet::link_type::raw, copy.inner, copy.inner.size() + 65535, view);
    switch (view.what) {
    case packet::verdict::ip:
    case packet::verdict::later_fragment:
        if (view.total_length <= view.ip.size()) {
            counted_.padded += view.ip.size() < copy.inner.size() ? 1 : 0;
            return view.ip;
        }
        [[fallthrough]];
    case packet::verdict::cut_short:
        refuse(refusal::inner_cut_short);
        return std::nullopt;
    default:
        refuse(refusal::no_ip_inside);
        return std::nullopt;
    }
}

intercept* collector::find(const received_copy& copy) {
    const intercept_key key = key_of(copy);
    intercept*& recent = recent_[recent_place(key)];
    if (recent != nullptr && recent->key == key)
        return recent;
    auto found = intercepts_.find(key);
    if (found == intercepts_.end()) {
        if (intercepts_.size() >= settings_.intercepts)
            return nullptr;
        found = intercepts_.try_emplace(key).first;
        intercept& made = found->second;
        made.key = key;
        made.number = intercepts_.size();
        made.first = copy.time;
        if (directory_)
            made.file.name = file_name(key);
    }
    recent = &found->second;
    return recent;
}

void collector::count(const received_copy& copy, byte_view inner) noexcept {
    ++counted_.copies;
    counted_.octets += inner.size();
    using packet::checksum_state;
    counted_.wrong_ip_checksums += copy.ip_checksum == checksum_state::bad ? 1 : 0;
    counted_.wrong_udp_checksums += copy.udp_checksum == checksum_state::bad ? 1 : 0;
    copies_.store(counted_.copies, std::memory_order_relaxed);
}

void collector::take(const received_copy& copy) {
    if (is_full())
        return;
    const std::optional<byte_view> inner = packet_in(copy);
    if (!inner)
        return;
    count(copy, *inner);
    if (all_)
        all_->write(*inner, static_cast<std::uint32_t>(inner->size()), copy.time);
    intercept* const to = find(copy);
    if (to == nullptr) {
        ++counted_.other_copies;
        counted_.other_octets += inner->size();
        return;
    }
    ++to->copies;
    to->octets += inner->size();
    to->last = copy.time;
    if (directory_)
        directory_->write(to->file, *inner, copy.time);
}

void collector::flush() {
    if (directory_)
        directory_->flush();
    if (all_)
        all_->flush();
}

result<void> collector::close() {
    if (directory_)
        directory_->close();
    if (all_)
        static_cast<void>(all_->close());
    if (error reason = failure(); reason.code)
        return fail(std::move(reason));
    return {};
}

std::uint64_t collector::unwritten() const noexcept {
    std::uint64_t sum = all_ ? all_->unwritten() : 0;
    for (const auto& [key, each] : intercepts_)
        sum += each.file.unwritten;
    return sum;
}

error collector::failure() const {
    if (all_)
        if (error reason = all_->failure(); reason.code)
            return reason;
    return directory_ ? directory_->failure() : error();
}

std::vector<const intercept*> collector::intercepts() const {
    std::vector<const intercept*> all;
    all.reserve(intercepts_.size());
    for (const auto& [key, each] : intercepts_)
        all.push_back(&each);
    std::sort(all.begin(), all.end(),
              [](const intercept* a, const intercept* b) { return a->number < b->number; });
    return all;
}

} // namespace flowtap::tools
