// SPDX-License-Identifier: Apache-2.0
#include "partial_answer.hpp"

#include <utility>

namespace flowtap::transport {

namespace {

/// Keeps what one datagram has, and knows whether that is one message that verifies.
class keeper final : public dtcp::response_handler {
public:
    void on_entry(dtcp::list_entry entry) override { kept.entries.push_back(std::move(entry)); }
    void on_response(dtcp::response answer, dtcp::authenticity signature) override {
        kept.answer = std::move(answer);
        count(signature);
    }
    void on_notification(dtcp::notification told, dtcp::authenticity signature) override {
        kept.told = std::move(told);
        count(signature);
    }
    bool good() const noexcept { return messages_ == 1 && verified_; }

    datagram_message kept;

private:
    void count(dtcp::authenticity signature) {
        ++messages_;
        verified_ = signature == dtcp::authenticity::verified;
    }

    int messages_ = 0;
    bool verified_ = false;
};

} // namespace

std::optional<datagram_message> read_datagram(byte_view octets, dtcp::keyed_hash& hash) {
    keeper to;
    dtcp::response_reader reader(to, &hash);
    if (!reader.put(octets) || reader.in_message() || !to.good())
        return std::nullopt;
    return std::move(to.kept);
}

bool partial_answer::add_entry(dtcp::list_entry entry) {
    const std::uint32_t key = entry.number != 0 ? entry.number : entry.id.value();
    if (entry.number != 0) {
        if (entry.number > entry.count || count_.value_or(entry.count) != entry.count)
            return false;
        count_ = entry.count;
    }
    return entries_.try_emplace(key, std::move(entry)).second;
}

bool partial_answer::add(datagram_message part) {
    if (!part.answer || (answer_ && answer_->status != part.answer->status))
        return false;
    bool is_new = !answer_;
    for (dtcp::list_entry& entry : part.entries)
        is_new = add_entry(std::move(entry)) || is_new;
    // Num-Criteria comes with the last part of a list under DTCP/0.5.
    if (form_ == answer_form::list && part.answer->criteria_count && !count_) {
        count_ = part.answer->criteria_count;
        is_new = true;
    }
    if (!answer_ || part.answer->criteria_count)
        answer_ = std::move(part.answer);
    return is_new;
}

bool partial_answer::is_complete() const noexcept {
    if (!answer_)
        return false;
    return count_ ? entries_.size() >= *count_ : entries_.empty();
}

void partial_answer::hand_over(dtcp::response_handler& to) {
    for (auto& [key, entry] : entries_)
        to.on_entry(std::move(entry));
    to.on_response(*std::move(answer_), dtcp::authenticity::verified);
}

} // namespace flowtap::transport
