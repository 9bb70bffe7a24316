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
    for (; next_ < snapshot_.size() && out.size() < enough; drop_next())
        writer_.add(out, next_text());
    if (next_ < snapshot_.size())
        return true;
    writer_.end(out, static_cast<std::uint32_t>(snapshot_.size()));
    return false;
}

bool listing::produce_datagram(std::string& out) {
    out.clear();
    writer_.begin(out, head_);
    for (bool is_first = true; next_ < snapshot_.size(); is_first = false, drop_next()) {
        const bool with_total = next_ + 1 == snapshot_.size() && head_.spoken == dtcp::version_0_5;
        const std::size_t tail =
            with_total ? dtcp::list_writer::tail_size_0_5 : dtcp::list_writer::tail_size;
        if (!is_first && out.size() + next_text().size() + tail > longest_datagram) {
            writer_.end_part(out);
            return true;
        }
        writer_.add(out, next_text());
    }
    writer_.end(out, static_cast<std::uint32_t>(snapshot_.size()));
    return false;
}

const std::string& listing::next_text() {
    if (!text_.empty())
        return text_;
    const listed_criterion& from = snapshot_[next_];
    dtcp::list_entry entry = from.terms->entry;
    if (detail_ == dtcp::list_detail::stats)
        entry.given.clear();
    if (detail_ != dtcp::list_detail::criteria)
        entry.statistics = make_statistics(from.reading, *from.timers, taken_);
    if (head_.spoken != dtcp::version_0_5)
        entry.number = static_cast<std::uint32_t>(next_ + 1);
    entry.count = static_cast<std::uint32_t>(snapshot_.size());
    dtcp::write_entry(text_, entry, head_.spoken);
    return text_;
}

void listing::drop_next() {
    text_.clear();
    snapshot_[next_++] = {};
}

} // namespace flowtap::tap
