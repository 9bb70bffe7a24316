// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <ostream>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/live_classifier.hpp>

#include "compare.hpp"
#include "random_filters.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// What a live classifier has to do, done plainly beside it. Versions from the past are kept and
/// looked at again.
class model_run {
public:
    struct shape {
        std::uint64_t seed;
        std::uint32_t slots;        ///< from which the slots are drawn
        std::size_t most_per_turn;  ///< changes before the next version
        unsigned insert_percent;    ///< of the changes; the others erase
        unsigned merge_percent;     ///< of the turns, that begin a merge
        std::size_t turns_in_a_job; ///< at most
    };

    explicit model_run(const shape& of, code_path path = code_path::fastest)
        : shape_(of), random_(of.seed), live_({}, path) {
        for (int i = 0; i < 40; ++i)
            keys_.push_back(random_.packet(random_.any_family()));
    }

    void run(std::size_t turns) {
        for (std::size_t turn = 0; turn < turns; ++turn) {
            INFO("seed " << shape_.seed << ", turn " << turn);
            for (std::uint64_t left = random_.below(shape_.most_per_turn + 1); left != 0; --left)
                change();
            work_on_merge();
            past_.push_back({live_.version(), criteria_});
            check(past_.back());
            if (past_.size() > 6)
                past_.erase(past_.begin() + static_cast<std::ptrdiff_t>(random_.below(6)));
            if (random_.chance(20))
                check(past_[random_.below(past_.size())]);
        }
        for (const moment& one : past_)
            check(one);
    }

private:
    struct moment {
        classifier version;
        std::map<slot_id, criterion> criteria;
    };

    void change() {
        const slot_id slot(static_cast<std::uint32_t>(random_.below(shape_.slots) * 977));
        if (random_.chance(shape_.insert_percent)) {
            const family of = random_.chance(40) ? family::inet6 : family::inet;
            const auto what = criterion::make(slot, random_.filter(of)).value();
            const bool is_new = criteria_.emplace(slot, what).second;
            REQUIRE(live_.insert(what).has_value() == is_new);
        } else {
            REQUIRE(live_.erase(slot) == (criteria_.erase(slot) != 0));
        }
        REQUIRE(live_.size() == criteria_.size());
        const criterion* const found = live_.find(slot);
        REQUIRE((found != nullptr) == criteria_.contains(slot));
        if (found != nullptr)
            REQUIRE(found->spec() == criteria_.at(slot).spec());
    }

    void work_on_merge() {
        if (!job_ && random_.chance(shape_.merge_percent)) {
            job_ = live_.begin_merge(random_.chance(30) ? merge_aim::whole : merge_aim::steady);
            turns_left_ = random_.below(shape_.turns_in_a_job + 1);
            // Its outcome may be older than what is erased while it is under way, or not.
            runs_late_ = random_.chance(50);
            if (job_ && !runs_late_)
                job_->run();
        }
        if (!job_ || turns_left_-- != 0)
            return;
        CHECK_FALSE(live_.begin_merge(merge_aim::whole).has_value());
        const auto dice = random_.below(10);
        if (runs_late_ && dice != 0)
            job_->run();
        if (dice == 1)
            job_.reset();
        else
            live_.finish(*std::exchange(job_, std::nullopt));
    }

    void check(const moment& of) {
        CHECK(of.version.cost().criteria == of.criteria.size());
        match_buffer found(keys_.size(), keys_.size() * (of.criteria.size() + 1));
        REQUIRE(of.version.match(keys_, found) == keys_.size());
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            std::vector<slot_id> expected;
            for (const auto& [slot, one] : of.criteria) {
                if (matches(one.spec(), keys_[i]))
                    expected.push_back(slot);
            }
            const auto slots = found.matches(i);
            REQUIRE(std::equal(slots.begin(), slots.end(), expected.begin(), expected.end()));
        }
    }

    shape shape_;
    random_filters random_;
    live_classifier live_;
    std::vector<packet_key> keys_;
    std::map<slot_id, criterion> criteria_;
    std::vector<moment> past_;
    std::optional<merge_job> job_;
    std::size_t turns_left_ = 0;
    bool runs_late_ = false;
};

} // namespace

TEST_CASE("a live classifier is what its criteria say, and its versions stay what they were") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        model_run({seed, 30, 4, 50, 20, 5}).run(150);     // slots are used again and again
        model_run({seed, 400, 8, 65, 15, 8}).run(120);    // overlays come and go
        model_run({seed, 2000, 30, 70, 5, 20}).run(60);   // versions merge by themselves
        model_run({seed, 600, 200, 55, 40, 2}).run(25);   // much in one turn
        model_run({seed, 200, 40, 40, 30, 3}).run(60);    // mostly erased
        model_run({seed, 500, 6, 60, 0, 0}).run(100);     // nobody merges
        model_run({seed, 1500, 25, 90, 100, 60}).run(60); // one job takes very long
    }
}

TEST_CASE("a live classifier does the same on every code path") {
    for (const code_path path : {code_path::portable, code_path::avx2, code_path::avx512}) {
        model_run({91, 400, 8, 65, 15, 8}, path).run(60);
        model_run({92, 600, 200, 55, 40, 2}, path).run(15);
    }
}
