// SPDX-License-Identifier: Apache-2.0
// Whole sets of filters against libpcap: what each filter's text selects, packet by packet, is what
// one classifier with all of them has to find. The definitions are not asked.
#include <filter_sets.hpp>

#include <algorithm>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/filter/live_classifier.hpp>
#include <flowtap/filter/pcap_text.hpp>

#include "border_packets.hpp"
#include "compare.hpp"
#include "pcap_program.hpp"
#include "random_filters.hpp"
#include "raw_packets.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::sets;
using namespace flowtap::filter::testing;

namespace {

/// Criteria, and for each packet the slots of those whose texts libpcap selects it by.
class pcap_verdicts {
public:
    /// False if the filter has no text.
    bool add(const filter_spec& spec) {
        const auto text = to_pcap_filter(spec);
        if (!text)
            return false;
        // Neither dense nor in order.
        const auto slot = static_cast<std::uint32_t>((criteria_.size() * 7919 + 13) % 1'000'003);
        criteria_.push_back(criterion::make(slot_id(slot), spec).value());
        texts_.push_back(*text);
        return true;
    }
    void add(const packet_key& key) { keys_.push_back(as_decoded(key)); }

    /// Packets at the borders of each filter.
    void add_border_packets(std::uint64_t seed, std::size_t each) {
        border_packets borders(seed);
        for (const criterion& one : criteria_) {
            for (std::size_t i = 0; i < each; ++i)
                add(borders.near(one.spec()));
        }
    }

    std::span<const criterion> criteria() const { return criteria_; }
    std::span<const packet_key> keys() const { return keys_; }
    const std::vector<slot_list>& expected() const { return expected_; }
    std::size_t selected() const { return selected_; }

    /// Has libpcap judge every packet by every text, and by all texts in one.
    void judge() {
        std::vector<std::vector<std::byte>> packets;
        for (const packet_key& key : keys_)
            packets.push_back(raw_packet(key));
        expected_.assign(keys_.size(), {});
        for (std::size_t number = 0; number < texts_.size(); ++number) {
            const pcap_program program(texts_[number]);
            INFO(texts_[number] << ": " << program.problem());
            REQUIRE(program.good());
            for (std::size_t i = 0; i < packets.size(); ++i) {
                if (program.selects(packets[i]))
                    expected_[i].push_back(criteria_[number].slot());
            }
        }
        for (slot_list& slots : expected_) {
            std::sort(slots.begin(), slots.end());
            selected_ += slots.size();
        }
        judge_together(packets);
    }

private:
    /// The texts with `or` between them, in as few programs as compile quickly: libpcap's time
    /// grows with the square of the size. Not optimized, as libpcap's optimizer (1.10.3) gets some
    /// programs of that size wrong for IPv6.
    std::vector<std::string> joined_texts() const {
        constexpr std::size_t much = 10'000;
        std::vector<std::string> joined;
        for (const std::string& text : texts_) {
            if (joined.empty() || joined.back().size() > much)
                joined.push_back(text);
            else
                joined.back().append(" or ").append(text);
        }
        return joined;
    }
    /// A text that looks at octets that are not there ends the program, and so whatever stands
    /// after it: packets without the transport header that they should have are left out.
    void judge_together(std::span<const std::vector<std::byte>> packets) const {
        std::vector<bool> selected(packets.size());
        for (const std::string& joined : joined_texts()) {
            const pcap_program program(joined, pcap_program::as_written);
            INFO(program.problem());
            REQUIRE(program.good());
            for (std::size_t i = 0; i < packets.size(); ++i) {
                if (!selected[i])
                    selected[i] = program.selects(packets[i]);
            }
        }
        std::size_t differences = 0;
        for (std::size_t i = 0; i < packets.size(); ++i)
            differences += has_whole_headers(keys_[i]) && selected[i] == expected_[i].empty();
        CHECK(differences == 0);
    }
    static bool has_whole_headers(const packet_key& key) {
        const bool is_transport = key.protocol == 6 || key.protocol == 17;
        const bool is_icmp = key.protocol == (key.of_family == family::inet ? 1 : 58);
        return key.has_ports == is_transport && key.has_icmp == is_icmp;
    }

    std::vector<criterion> criteria_;
    std::vector<std::string> texts_;
    std::vector<packet_key> keys_;
    std::vector<slot_list> expected_;
    std::size_t selected_ = 0;
};

void check_built(const pcap_verdicts& verdicts, match_buffer& found) {
    for (const code_path path : code_paths) {
        INFO("code path " << static_cast<int>(path));
        const auto built = classifier::build(verdicts.criteria(), {}, path).value();
        REQUIRE(first_difference(built, verdicts.keys(), verdicts.expected(), found) ==
                verdicts.keys().size());
    }
}

/// Many versions, so that none has so much that is new that it is compiled at once.
void insert(live_classifier& live, std::span<const criterion> criteria) {
    for (const criterion& one : criteria) {
        REQUIRE(live.insert(one).has_value());
        live.version();
    }
}

/// The first half merged, the second in overlays; then every third criterion erased.
void check_live(const pcap_verdicts& verdicts, code_path path, match_buffer& found) {
    INFO("live, code path " << static_cast<int>(path));
    live_classifier live({}, path);
    const auto criteria = verdicts.criteria();
    const std::size_t half = criteria.size() / 2;
    insert(live, criteria.first(half));
    auto job = live.begin_merge(merge_aim::whole);
    REQUIRE(job.has_value());
    job->run();
    REQUIRE(live.finish(*std::move(job)));
    insert(live, criteria.subspan(half));
    const classifier version = live.version();
    CHECK(version.cost().unmerged == criteria.size() - half);

    std::vector<slot_id> gone;
    for (std::size_t i = 0; i < criteria.size(); i += 3) {
        gone.push_back(criteria[i].slot());
        REQUIRE(live.erase(gone.back()));
    }
    auto left = verdicts.expected();
    for (slot_list& slots : left)
        std::erase_if(slots, [&](slot_id slot) { return std::ranges::count(gone, slot) != 0; });
    const std::size_t all = verdicts.keys().size();
    REQUIRE(first_difference(version, verdicts.keys(), verdicts.expected(), found) == all);
    REQUIRE(first_difference(live.version(), verdicts.keys(), left, found) == all);
}

void check(pcap_verdicts& verdicts) {
    verdicts.judge();
    match_buffer found(64, std::max<std::size_t>(1024, verdicts.criteria().size()));
    check_built(verdicts, found);
    for (const code_path path : code_paths)
        check_live(verdicts, path, found);
    CHECK(verdicts.selected() > verdicts.keys().size() / 4);
}

void add_set(pcap_verdicts& verdicts, const set_options& options, std::size_t packets) {
    filter_set set(options);
    for (const filter_spec& spec : set.filters())
        REQUIRE(verdicts.add(spec));
    for (const packet_key& key : set.trace({packets, 60, nearness::same_host}))
        verdicts.add(key);
}

void add_random(pcap_verdicts& verdicts, std::uint64_t seed, std::size_t filters,
                std::size_t packets) {
    random_filters random(seed);
    for (std::size_t added = 0; added < filters;) {
        const family of = random.chance(40) ? family::inet6 : family::inet;
        added += verdicts.add(random.filter(of, 0)) ? 1 : 0;
    }
    for (; packets != 0; --packets)
        verdicts.add(random.packet(random.chance(40) ? family::inet6 : family::inet));
}

} // namespace

TEST_CASE("sets of both shapes match as libpcap selects") {
    constexpr std::uint64_t seed = 1993;
    INFO("seed " << seed);
    for (const auto shape : {set_shape::intercept, set_shape::firewall}) {
        for (const auto of : {family::inet, family::inet6}) {
            for (const auto dress : {set_dress::plain, set_dress::elaborate}) {
                for (const std::size_t count : {std::size_t{50}, std::size_t{200}}) {
                    INFO("shape " << static_cast<int>(shape) << ", family " << static_cast<int>(of)
                                  << ", dress " << static_cast<int>(dress) << ", count " << count);
                    pcap_verdicts verdicts;
                    add_set(verdicts, {shape, of, count, seed, dress, locality::clustered}, 200);
                    verdicts.add_border_packets(seed, 2);
                    check(verdicts);
                }
            }
        }
    }
}

TEST_CASE("sets without addresses match as libpcap selects") {
    constexpr std::uint64_t seed = 1994;
    INFO("seed " << seed);
    for (const auto shape : {set_shape::ports, set_shape::icmp}) {
        for (const auto of : {family::inet, family::inet6}) {
            INFO("shape " << static_cast<int>(shape) << ", family " << static_cast<int>(of));
            pcap_verdicts verdicts;
            add_set(verdicts, {shape, of, 100, seed, set_dress::plain, locality::anywhere}, 200);
            verdicts.add_border_packets(seed, 2);
            check(verdicts);
        }
    }
}

TEST_CASE("random sets match as libpcap selects") {
    for (const std::uint64_t seed : {1995U, 1996U, 1997U}) {
        for (const std::size_t count : {std::size_t{50}, std::size_t{120}, std::size_t{200}}) {
            INFO("seed " << seed << ", count " << count);
            pcap_verdicts verdicts;
            add_random(verdicts, seed, count, 200);
            verdicts.add_border_packets(seed, 2);
            check(verdicts);
        }
    }
}

TEST_CASE("a set of everything matches as libpcap selects") {
    constexpr std::uint64_t seed = 1999;
    INFO("seed " << seed);
    pcap_verdicts verdicts;
    for (const auto of : {family::inet, family::inet6}) {
        for (const auto shape :
             {set_shape::intercept, set_shape::firewall, set_shape::ports, set_shape::icmp})
            add_set(verdicts, {shape, of, 20, seed, set_dress::plain, locality::anywhere}, 50);
    }
    add_random(verdicts, seed, 40, 200);
    verdicts.add_border_packets(seed, 4);
    check(verdicts);
}
