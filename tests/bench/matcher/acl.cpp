// SPDX-License-Identifier: Apache-2.0
// DPDK's rte_acl: of the filters that match, it finds the one of the highest priority.
#include <array>
#include <bit>
#include <cstring>
#include <optional>

#include <sched.h>

#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_version.h>

#include <flowtap/core/bytes.hpp>

#include "clock.hpp"
#include "side.hpp"

namespace flowtap::bench {

namespace {

/// What rte_acl looks at: in network order, as long as its fields are aligned.
struct acl_key {
    std::uint8_t protocol = 0;
    std::array<std::uint8_t, 3> unused{};
    std::array<std::byte, 4> source{};
    std::array<std::byte, 4> destination{};
    std::array<std::byte, 2> source_port{};
    std::array<std::byte, 2> destination_port{};
};
static_assert(sizeof(acl_key) == 16);

/// The function of the same name hides the enumeration.
using algorithm = enum rte_acl_classify_alg;

constexpr std::size_t fields = 5;
RTE_ACL_RULE_DEF(acl_rule, fields);

constexpr std::array<rte_acl_field_def, fields> layout = {{
    {RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, offsetof(acl_key, protocol)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, offsetof(acl_key, source)},
    {RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, offsetof(acl_key, destination)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, offsetof(acl_key, source_port)},
    {RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, offsetof(acl_key, destination_port)},
}};

/// Once in a process: without huge pages, devices and what else a forwarder would need, on the core
/// that the thread is on.
void start_dpdk() {
    static bool started = false;
    if (std::exchange(started, true))
        return;
    std::vector<std::string> words = {"measure",
                                      "--no-huge",
                                      "--no-pci",
                                      "--no-telemetry",
                                      "--no-shconf",
                                      "--log-level",
                                      "3",
                                      "-m",
                                      "8192",
                                      "--lcores",
                                      "0@" + std::to_string(sched_getcpu())};
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0)
        refuse("DPDK does not start");
}

std::size_t memory_in_use() {
    rte_malloc_socket_stats stats{};
    return rte_malloc_get_socket_stats(0, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

/// The one range of a list, or all values. rte_acl's rules have no lists.
template <class T>
value_range<T> only_range(const range_list<T>& list, T highest) {
    if (list.is_wildcard())
        return {T{}, highest};
    if (list.entries.size() > 1 || list.entries.front().negated)
        refuse("rte_acl takes only plain filters");
    return list.entries.front();
}

void put_prefix(rte_acl_field& into, const range_list<address_bits>& list) {
    const auto range = only_range(list, {0, 0xFFFF'FFFFU});
    const auto differing = static_cast<std::uint32_t>(range.first.low ^ range.last.low);
    if (!std::has_single_bit(std::uint64_t{differing} + 1))
        refuse("rte_acl takes only prefixes");
    into.value.u32 = static_cast<std::uint32_t>(range.first.low);
    into.mask_range.u32 = 32U - static_cast<std::uint32_t>(std::popcount(differing));
}

void put_range(rte_acl_field& into, const range_list<std::uint16_t>& list) {
    const auto range = only_range<std::uint16_t>(list, 65535);
    into.value.u16 = range.first;
    into.mask_range.u16 = range.last;
}

acl_rule rule_of(const filter_spec& spec, std::size_t number, std::size_t count) {
    if (!(spec.families == family_set(family::inet)) ||
        !std::holds_alternative<global_scope>(spec.scope) || !spec.icmp_types.is_wildcard())
        refuse("rte_acl takes only plain filters for IPv4");
    acl_rule rule{};
    rule.data.category_mask = 1;
    rule.data.priority = static_cast<std::int32_t>(count - number);
    rule.data.userdata = static_cast<std::uint32_t>(number + 1);
    if (!spec.protocols.is_wildcard()) {
        rule.field[0].value.u8 = only_range<std::uint8_t>(spec.protocols, 255).first;
        rule.field[0].mask_range.u8 = 0xFF;
    }
    put_prefix(rule.field[1], spec.source_addresses);
    put_prefix(rule.field[2], spec.destination_addresses);
    put_range(rule.field[3], spec.source_ports);
    put_range(rule.field[4], spec.destination_ports);
    return rule;
}

/// The rules of one set of filters.
class acl_rules {
public:
    explicit acl_rules(const std::vector<filter_spec>& filters) : filters_(filters) {
        start_dpdk();
        rte_acl_param parameters{};
        const std::string name = "rules of " + std::to_string(next_name_++);
        parameters.name = name.c_str();
        parameters.socket_id = SOCKET_ID_ANY;
        parameters.rule_size = RTE_ACL_RULE_SZ(fields);
        parameters.max_rule_num = static_cast<std::uint32_t>(filters.size() + 1);
        context_ = rte_acl_create(&parameters);
        if (context_ == nullptr)
            refuse("rte_acl cannot be made");
        for (std::size_t i = 0; i < filters.size(); ++i) {
            const acl_rule rule = rule_of(filters[i], i, filters.size());
            const void* const opaque = &rule;
            if (rte_acl_add_rules(context_, static_cast<const rte_acl_rule*>(opaque), 1) != 0)
                refuse("rte_acl refuses a rule");
        }
        rte_acl_config config{};
        config.num_categories = 1;
        config.num_fields = fields;
        std::copy(layout.begin(), layout.end(), config.defs);
        const std::size_t before = memory_in_use();
        const auto begin = thread_time();
        if (rte_acl_build(context_, &config) != 0)
            refuse("rte_acl cannot build the rules");
        build_time_ = thread_time() - begin;
        memory_ = memory_in_use() - before;
    }
    ~acl_rules() { rte_acl_free(context_); }
    acl_rules(const acl_rules&) = delete;
    acl_rules& operator=(const acl_rules&) = delete;

    const rte_acl_ctx* context() const { return context_; }
    const std::vector<filter_spec>& filters() const { return filters_; }
    std::chrono::nanoseconds build_time() const { return build_time_; }
    /// Octets that the compiled rules take, without the rules as they were given.
    std::size_t memory() const { return memory_; }
    /// What rte_acl chooses: the first that it accepts, in its own order.
    const char* algorithm_name() const {
        using choice = std::pair<algorithm, const char*>;
        for (const auto& [one, name] :
             {choice{RTE_ACL_CLASSIFY_AVX512X32, "AVX512X32"},
              choice{RTE_ACL_CLASSIFY_AVX512X16, "AVX512X16"},
              choice{RTE_ACL_CLASSIFY_AVX2, "AVX2"}, choice{RTE_ACL_CLASSIFY_SSE, "SSE"}}) {
            if (rte_acl_set_ctx_classify(context_, one) == 0)
                return name;
        }
        return "scalar";
    }

private:
    static inline int next_name_ = 0;
    std::vector<filter_spec> filters_;
    rte_acl_ctx* context_ = nullptr;
    std::chrono::nanoseconds build_time_{0};
    std::size_t memory_ = 0;
};

/// A trace as rte_acl takes it.
class acl_trace {
public:
    explicit acl_trace(std::span<const packet_key> keys) {
        for (const packet_key& key : keys)
            add(key);
        for (const acl_key& key : keys_) {
            const void* const opaque = &key;
            data_.push_back(static_cast<const std::uint8_t*>(opaque));
        }
    }
    const std::uint8_t** from(std::size_t first) { return &data_[first]; }

private:
    void add(const packet_key& key) {
        acl_key made;
        made.protocol = key.protocol;
        store_big_endian(std::span(made.source), static_cast<std::uint32_t>(key.source.low));
        store_big_endian(std::span(made.destination),
                         static_cast<std::uint32_t>(key.destination.low));
        store_big_endian(std::span(made.source_port), key.source_port);
        store_big_endian(std::span(made.destination_port), key.destination_port);
        keys_.push_back(made);
    }

    std::vector<acl_key> keys_;
    std::vector<const std::uint8_t*> data_;
};

/// The rules of a set. Building takes up to half a minute, so it is done once for all sides and
/// traces.
std::shared_ptr<const acl_rules> rules_of(const std::vector<filter_spec>& filters) {
    static std::vector<std::weak_ptr<const acl_rules>> known;
    for (const auto& each : known) {
        const auto rules = each.lock();
        if (rules != nullptr && rules->filters() == filters)
            return rules;
    }
    const auto rules = std::make_shared<const acl_rules>(filters);
    known.push_back(rules);
    return rules;
}

class acl_side : public side {
public:
    acl_side(const workload& load, algorithm with)
        : rules_(rules_of(load.filters)), trace_(load.keys), with_(with) {}

    answer tells() const override { return answer::first; }
    void match(std::size_t first, std::size_t count) override {
        if (with_ == RTE_ACL_CLASSIFY_DEFAULT)
            rte_acl_classify(rules_->context(), trace_.from(first), results_.data(),
                             static_cast<std::uint32_t>(count), 1);
        else
            rte_acl_classify_alg(rules_->context(), trace_.from(first), results_.data(),
                                 static_cast<std::uint32_t>(count), 1, with_);
    }
    void found(std::size_t index, std::vector<std::uint32_t>& numbers) const override {
        numbers.clear();
        if (results_[index] != 0)
            numbers.push_back(results_[index] - 1);
    }
    std::string figures() const override {
        const std::chrono::duration<double, std::milli> build_time = rules_->build_time();
        return ", \"build_ms\": " + std::to_string(build_time.count()) +
               ", \"memory\": " + std::to_string(rules_->memory()) + ", \"algorithm\": \"" +
               (with_ == RTE_ACL_CLASSIFY_DEFAULT ? rules_->algorithm_name() : "as asked") + '"';
    }

protected:
    std::array<std::uint32_t, batch> results_{};

private:
    std::shared_ptr<const acl_rules> rules_;
    acl_trace trace_;
    algorithm with_;
};

/// All matches: those behind the first are looked for with the definitions.
class acl_each_side final : public acl_side {
public:
    explicit acl_each_side(const workload& load)
        : acl_side(load, RTE_ACL_CLASSIFY_DEFAULT), load_(load) {}

    answer tells() const override { return answer::all; }
    void match(std::size_t first, std::size_t count) override {
        acl_side::match(first, count);
        for (std::size_t i = 0; i < count; ++i) {
            numbers_[i].clear();
            if (results_[i] == 0)
                continue;
            numbers_[i].push_back(results_[i] - 1);
            for (std::size_t j = results_[i]; j < load_.filters.size(); ++j) {
                if (filter::matches(load_.filters[j], load_.keys[first + i]))
                    numbers_[i].push_back(static_cast<std::uint32_t>(j));
            }
        }
    }
    void found(std::size_t index, std::vector<std::uint32_t>& numbers) const override {
        numbers = numbers_[index];
    }

private:
    const workload& load_;
    std::array<std::vector<std::uint32_t>, batch> numbers_;
};

bool has_512_bits() {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512cd") != 0;
}

} // namespace

std::unique_ptr<side> make_acl(const workload& load, std::string_view name) {
    if (name == "acl")
        return std::make_unique<acl_side>(load, RTE_ACL_CLASSIFY_DEFAULT);
    if (name == "acl-512" && has_512_bits())
        return std::make_unique<acl_side>(load, RTE_ACL_CLASSIFY_AVX512X32);
    if (name == "acl-avx2" && __builtin_cpu_supports("avx2") != 0)
        return std::make_unique<acl_side>(load, RTE_ACL_CLASSIFY_AVX2);
    if (name == "acl-each")
        return std::make_unique<acl_each_side>(load);
    return nullptr;
}

std::string acl_version() {
    return ", \"rte_acl\": \"" + std::string(rte_version()) + '"';
}

} // namespace flowtap::bench
