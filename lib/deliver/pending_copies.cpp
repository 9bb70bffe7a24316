// SPDX-License-Identifier: Apache-2.0
#include "pending_copies.hpp"

#include <algorithm>

namespace flowtap::deliver::detail {

pending_copies::pending_copies()
    : entries_(std::make_unique<entry[]>(blocks)),
      octets_(std::make_unique_for_overwrite<std::byte[]>(blocks * block_size)),
      whole_(std::make_unique_for_overwrite<std::byte[]>(longest_copy)) {}

/// Stores a packet in free blocks, of which there must be enough. Returns the first.
std::uint16_t pending_copies::store(byte_view packet) noexcept {
    std::uint16_t first = none;
    std::uint16_t* link = &first;
    do {
        std::uint16_t block = free_;
        if (block != none)
            free_ = entries_[block].more;
        else
            block = untouched_++;
        --free_count_;
        const std::size_t part = std::min(packet.size(), block_size);
        std::copy_n(packet.begin(), part, octets_of(block));
        packet = packet.subspan(part);
        *link = block;
        link = &entries_[block].more;
        *link = none;
    } while (!packet.empty());
    return first;
}

bool pending_copies::put(queue& to, const path::copy& what, steady_time now) noexcept {
    const std::size_t wanted = blocks_for(what.packet.size());
    if (wanted > free_count_ || what.packet.size() > longest_copy ||
        to.blocks + wanted > std::max(blocks_of_each, free_count_))
        return false;
    const std::uint16_t number = store(what.packet);
    entry& made = entries_[number];
    made.header = *what.header;
    made.origin = what.origin;
    made.stream = what.stream;
    made.egress = what.egress;
    made.identification = what.identification;
    made.time = what.time;
    made.since = now;
    made.size = static_cast<std::uint32_t>(what.packet.size());
    made.before = to.last;
    made.after = none;
    (to.empty() ? to.first : entries_[to.last].after) = number;
    to.last = number;
    to.blocks = static_cast<std::uint16_t>(to.blocks + wanted);
    ++size_;
    return true;
}

path::copy pending_copies::front(const queue& of) noexcept {
    const entry& its = entries_[of.first];
    path::copy made;
    made.header = &*its.header;
    made.packet = {octets_of(of.first), its.size};
    made.stream = its.stream;
    made.egress = its.egress;
    made.identification = its.identification;
    made.time = its.time;
    made.origin = its.origin;
    if (its.more == none)
        return made;
    std::byte* out = whole_.get();
    for (std::uint16_t block = of.first; block != none; block = entries_[block].more)
        out = std::copy_n(octets_of(block), block_size, out);
    made.packet = {whole_.get(), its.size};
    return made;
}

void pending_copies::remove(queue& from, std::uint16_t number) noexcept {
    const entry its = entries_[number];
    (its.before == none ? from.first : entries_[its.before].after) = its.after;
    (its.after == none ? from.last : entries_[its.after].before) = its.before;
    for (std::uint16_t block = number; block != none;) {
        const std::uint16_t next = entries_[block].more;
        entries_[block].more = free_;
        free_ = block;
        ++free_count_;
        --from.blocks;
        block = next;
    }
    --size_;
}

void pending_copies::pop_front(queue& from) noexcept {
    remove(from, from.first);
}

void pending_copies::pop_back(queue& from) noexcept {
    remove(from, from.last);
}

} // namespace flowtap::deliver::detail
