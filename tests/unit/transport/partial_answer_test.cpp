// SPDX-License-Identifier: Apache-2.0
#include "partial_answer.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/crypto/hmac.hpp>
#include <flowtap/dtcp/writer.hpp>

using namespace flowtap;
using namespace flowtap::transport;

namespace {

using hash = crypto::keyed_hash_as<dtcp::keyed_hash>;

datagram_message part(const std::vector<std::uint32_t>& numbers, std::uint32_t count) {
    datagram_message made;
    made.answer.emplace();
    for (const std::uint32_t number : numbers) {
        made.entries.emplace_back();
        made.entries.back().id = criteria_id(100 + number);
        made.entries.back().number = number;
        made.entries.back().count = count;
    }
    return made;
}

/// What was handed over, in short.
struct summary final : dtcp::response_handler {
    void on_entry(dtcp::list_entry entry) override {
        text += std::to_string(entry.id.value()) + " ";
    }
    void on_response(dtcp::response answer, dtcp::authenticity) override {
        text += std::to_string(static_cast<int>(answer.status));
    }
    void on_notification(dtcp::notification, dtcp::authenticity) override { text += "told"; }
    std::string text;
};

std::string handed_over(partial_answer& answer) {
    summary to;
    answer.hand_over(to);
    return to.text;
}

} // namespace

TEST_CASE("a list is complete when every number of it has come, in whatever order") {
    partial_answer answer(answer_form::list);
    CHECK_FALSE(answer.is_complete());
    CHECK(answer.add(part({3, 4}, 5)));
    CHECK_FALSE(answer.is_complete());
    CHECK(answer.add(part({5}, 5)));
    CHECK_FALSE(answer.add(part({5}, 5)));
    CHECK_FALSE(answer.is_complete());
    CHECK(answer.add(part({1, 2}, 5)));
    CHECK(answer.is_complete());
    CHECK(handed_over(answer) == "101 102 103 104 105 200");
}

TEST_CASE("what does not fit the other parts of a list is not taken") {
    partial_answer answer(answer_form::list);
    CHECK(answer.add(part({1}, 2)));
    CHECK_FALSE(answer.add(part({2}, 3)));
    CHECK_FALSE(answer.add(part({3}, 2)));
    auto refusal = part({}, 0);
    refusal.answer->status = dtcp::status_code::bad_request;
    CHECK_FALSE(answer.add(refusal));
    datagram_message told;
    told.told.emplace();
    CHECK_FALSE(answer.add(told));
    CHECK_FALSE(answer.is_complete());
    CHECK(answer.add(part({2}, 2)));
    CHECK(answer.is_complete());
}

TEST_CASE("answers without entries are complete at once") {
    for (const auto form : {answer_form::single, answer_form::list}) {
        partial_answer answer(form);
        CHECK(answer.add(part({}, 0)));
        CHECK(answer.is_complete());
        CHECK(handed_over(answer) == "200");
    }
    partial_answer deleted(answer_form::single);
    auto counted = part({}, 0);
    counted.answer->criteria_count = 7;
    CHECK(deleted.add(counted));
    CHECK(deleted.is_complete());
}

TEST_CASE("under DTCP/0.5 the number of criteria says when a list is complete") {
    const auto unnumbered = [](const std::vector<std::uint32_t>& ids) {
        auto made = part(ids, 0);
        for (auto& entry : made.entries)
            entry.number = 0;
        return made;
    };
    auto last = unnumbered({3});
    last.answer->criteria_count = 3;
    SUBCASE("that comes last") {
        partial_answer answer(answer_form::list);
        CHECK(answer.add(unnumbered({1})));
        CHECK_FALSE(answer.is_complete());
        CHECK(answer.add(unnumbered({2})));
        CHECK(answer.add(last));
        CHECK(answer.is_complete());
        CHECK(handed_over(answer) == "101 102 103 200");
    }
    SUBCASE("that overtakes the others") {
        last.entries.clear();
        partial_answer answer(answer_form::list);
        CHECK(answer.add(last));
        CHECK_FALSE(answer.is_complete());
        CHECK(answer.add(unnumbered({2, 3})));
        CHECK_FALSE(answer.add(unnumbered({2})));
        CHECK_FALSE(answer.is_complete());
        CHECK(answer.add(unnumbered({1})));
        CHECK(answer.is_complete());
    }
}

TEST_CASE("a datagram is one message that verifies, or nothing") {
    hash key("secret");
    std::string good;
    dtcp::write_response(good, dtcp::response{.seq = sequence_number(7)}, key);
    REQUIRE(read_datagram(as_byte_view(good), key));
    CHECK(read_datagram(as_byte_view(good), key)->answer->seq == sequence_number(7));
    std::string told;
    dtcp::write_notification(told, {}, key);
    CHECK(read_datagram(as_byte_view(told), key)->told);

    hash other("other");
    CHECK_FALSE(read_datagram(as_byte_view(good), other));
    CHECK_FALSE(read_datagram(as_byte_view(good + good), key));
    CHECK_FALSE(read_datagram(as_byte_view(good + "DTCP/0.7 200"), key));
    for (std::size_t length = 0; length + 4 < good.size(); ++length)
        CHECK_FALSE(read_datagram(as_byte_view(std::string_view(good).substr(0, length)), key));
    std::string changed = good;
    changed[changed.find("200")] = '4';
    CHECK_FALSE(read_datagram(as_byte_view(changed), key));
    CHECK_FALSE(read_datagram(as_byte_view("\x01\x02\xff"), key));
}
