// SPDX-License-Identifier: Apache-2.0
#include "listing.hpp"

#include <utility>

namespace flowtap::tap {

listing::listing(control_source& of, dtcp::response head, dtcp::list_detail detail,
                 std::vector<listed_criterion> snapshot, std::unique_ptr<dtcp::keyed_hash> hash,
                 steady_time taken)
    : of_(&of), head_(std::move(head)), detail_(detail), snapshot_(std::move(snapshot)),
      hash_(std::move(hash)), writer_(*hash_), taken_(taken) {
    of_->entries_listed += snapshot_.size();
}

listing::~listing() {
    of_->entries_listed -= snapshot_.size();
}

bool listing::produce(std::string& out) {
    if (!std::exchange(begun_, true))
        writer_.begin(out, head_);
    const std::size_t enough = out.size() + piece;
    while (next_ < snapshot_.size() && out.size() < enough)
        add_next(out);
    if (next_ < snapshot_.size())
        return true;
    writer_.end(out, static_cast<std::uint32_t>(snapshot_.size()));
    return false;
}

void listing::add_next(std::string& out) {
    listed_criterion& from = snapshot_[next_++];
    dtcp::list_entry entry = from.terms->entry;
    if (detail_ == dtcp::list_detail::stats)
        entry.given.clear();
    if (detail_ != dtcp::list_detail::criteria)
        entry.statistics = make_statistics(from.reading, *from.timers, taken_);
    if (head_.spoken != dtcp::version_0_5)
        entry.number = static_cast<std::uint32_t>(next_);
    entry.count = static_cast<std::uint32_t>(snapshot_.size());
    std::string text;
    dtcp::write_entry(text, entry, head_.spoken);
    writer_.add(out, text);
    from = {};
}

} // namespace flowtap::tap
