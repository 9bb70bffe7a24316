// SPDX-License-Identifier: Apache-2.0
#include "planner.hpp"

#include <bit>
#include <unordered_map>

namespace flowtap::filter {

namespace {

/// Estimates, in nanoseconds; only their proportions matter.
namespace price {
constexpr double probe = 1.0;   ///< for each packet
constexpr double pass = 12;     ///< to look up the handle of a packet that passed
constexpr double rule = 0.8;    ///< to hold a packet against a rule
constexpr double groups = 45;   ///< to look a packet up in the groups
constexpr double handle = 1e-6; ///< what one more handle in the caches costs each packet
constexpr double memory = 0.05; ///< the same of one more for each rule, so that memory is spared
constexpr double without = 5;   ///< for each packet, of a rule without a handle
constexpr double impossible = 1e12;
} // namespace price

/// How traffic is distributed, for want of knowing: some lives anywhere, most in the networks that
/// criteria name, near to the addresses that they name.
namespace share {
/// Of the packets: those with an address in the same block of each length as a criterion's.
constexpr std::array<double, handle_length_count> near = {0.15, 0.20, 0.10, 0.10, 0.10};
/// Those with both addresses, and all else, as a criterion asks.
constexpr double same_criterion = 0.1;
constexpr double same_port = 0.3;
constexpr double other_port = 1.0 / 4096;
constexpr double other_block = 1.0 / 100;
constexpr double same_interface = 0.5;
} // namespace share

constexpr double share_of_protocol(std::uint32_t protocol) noexcept {
    switch (protocol) {
    case 6:
        return 0.6;
    case 17:
        return 0.35;
    case 1:
    case 58:
        return 0.03;
    default:
        return 0.01;
    }
}

/// All shapes that are thought of.
template <class Address>
std::vector<handle_shape> candidate_shapes() {
    std::vector<handle_shape> shapes;
    const auto side = [](std::uint8_t first, std::size_t length) {
        return static_cast<std::uint8_t>(first + hash_layout<Address>::lengths[length].part);
    };
    for (std::size_t i = 0; i < handle_length_count; ++i) {
        const std::uint8_t source = side(part_source, i);
        const std::uint8_t destination = side(part_destination, i);
        for (const std::uint8_t other : {part_nothing, part_destination_port, part_source_port,
                                         part_vrf, part_destination_port_block}) {
            shapes.push_back({source, part_nothing, other});
            shapes.push_back({part_nothing, destination, other});
        }
        shapes.push_back({source, destination, part_destination_port});
        for (std::size_t j = 0; j < handle_length_count; ++j)
            shapes.push_back({source, side(part_destination, j), part_nothing});
    }
    for (const std::uint8_t other :
         {part_destination_port, part_source_port, part_destination_service, part_source_service,
          part_protocol, part_interface, part_vrf, part_destination_port_block,
          part_source_port_block})
        shapes.push_back({part_nothing, part_nothing, other});
    return shapes;
}

/// How much of the traffic has an address in which of the blocks of one side, judged by where the
/// criteria are.
template <class Address>
class side_traffic {
public:
    /// Of a set of so many rules, some of which are then added.
    explicit side_traffic(std::size_t rules) : all_(static_cast<double>(rules)) {}

    void add(const value_range<Address>& range) {
        if (!is_wildcard(range))
            points_.push_back(range.first);
    }
    void sort() { std::sort(points_.begin(), points_.end()); }

    /// The share in the blocks around `range`, for each length.
    std::array<double, handle_length_count> shares(const value_range<Address>& range) const {
        std::array<double, handle_length_count> known{};
        std::array<double, handle_length_count> sizes{};
        for (std::size_t i = 0; i < handle_length_count; ++i) {
            const auto span = blocks<Address>(range, hash_layout<Address>::lengths[i].bits).span();
            const auto from = std::lower_bound(points_.begin(), points_.end(), span.first);
            const auto to = std::upper_bound(from, points_.end(), span.last);
            // A sampled criterion is not counted as a sample of others, only as one of all.
            const double others = std::max(0.0, static_cast<double>(to - from) - 1);
            known[i] = others / std::max(1.0, static_cast<double>(points_.size())) + 1 / all_;
            sizes[i] = static_cast<double>(to_number(span.last) - to_number(span.first)) + 1;
        }
        std::array<double, handle_length_count> sums{};
        for (std::size_t i = 0; i < handle_length_count; ++i) {
            for (std::size_t j = 0; j < handle_length_count; ++j)
                sums[i] += share::near[j] *
                           (i <= j ? known[i] : known[j] * std::min(1.0, sizes[i] / sizes[j]));
        }
        return sums;
    }

private:
    double all_;
    /// Where criteria are.
    std::vector<Address> points_;
};

/// Rules that are alike in what they restrict: they are planned together.
using rule_class = std::uint64_t;

template <class Address>
std::uint64_t class_of_side(const value_range<Address>& range) {
    const wide_number differing = to_number(range.first) ^ to_number(range.last);
    std::uint64_t bits = 0;
    for (wide_number rest = differing; rest != 0; rest >>= 1)
        ++bits;
    const bool uneven = to_number(range.last) - to_number(range.first) != differing;
    return bits * 2 + (uneven ? 1 : 0);
}

std::uint64_t class_of_values(const lane_box& box, std::uint8_t part) {
    const std::uint64_t count = values_of(box, part, max_handles + 1).count;
    return count == 1 ? 0 : count <= 16 ? 1 : count <= max_handles ? 2 : 3;
}

template <class Address>
rule_class class_of(const rule<Address>& of) {
    rule_class made = class_of_side(of.source());
    made = (made << 9) | class_of_side(of.destination());
    for (const std::uint8_t part :
         {part_source_port, part_destination_port, part_protocol, part_interface, part_vrf})
        made = (made << 2) | class_of_values(of.box, part);
    return made;
}

/// How often a value is named for each part that is no address.
class value_traffic {
public:
    void add(const lane_box& box) {
        for (std::uint8_t part = part_source_port; part < part_source_service; ++part) {
            const part_range range = values_of(box, part, 2);
            if (range.count == 1) {
                ++named_[key(part, range.first)];
                ++all_[part];
            }
        }
    }

    /// The share of traffic with one of the values that a rule admits.
    double share_of(const lane_box& box, std::uint8_t part) const {
        const part_range range = values_of(box, part, max_handles + 1);
        if (part == part_nothing)
            return 1;
        if (part == part_protocol) {
            double sum = 0;
            for (std::uint64_t i = 0; i < range.count; ++i)
                sum += share_of_protocol(range.first + static_cast<std::uint32_t>(i));
            return std::min(1.0, sum);
        }
        if (part == part_source_service || part == part_destination_service) {
            const bool is_source = part == part_source_service;
            return share_of(box, part_protocol) *
                   share_of(box, is_source ? part_source_port : part_destination_port);
        }
        if (part == part_source_port_block || part == part_destination_port_block)
            return share_of_block(box, part, range);
        const auto found = named_.find(key(part, range.first));
        const double named = found == named_.end() ? 0 : found->second / all_[part];
        if (part == part_interface || part == part_vrf)
            return std::max(named, 1.0 / 16) * share::same_interface;
        return named * share::same_port + static_cast<double>(range.count) * share::other_port;
    }

private:
    /// Of those ports that are named, and some of the others: most are low or high.
    double share_of_block(const lane_box& box, std::uint8_t block, const part_range& range) const {
        const std::uint8_t part =
            block == part_source_port_block ? part_source_port : part_destination_port;
        const part_range ports = values_of(box, part, 2);
        const auto found = named_.find(key(part, ports.first));
        const double named = found == named_.end() ? 0 : found->second / all_[part];
        const double low = range.first < 4 ? share::same_port : 0;
        return std::min(1.0, named * share::same_port + low +
                                 static_cast<double>(range.count) * share::other_block);
    }

    static std::uint64_t key(std::uint8_t part, std::uint32_t value) {
        return (std::uint64_t{part} << 32) | value;
    }

    std::unordered_map<std::uint64_t, double> named_;
    std::array<double, hash_part_count> all_{};
};

/// How many of the rules share a handle of each shape.
template <class Address>
class handle_mates {
public:
    handle_mates(std::span<const rule<Address>> rules, const std::vector<handle_shape>& shapes)
        : shapes_(shapes) {
        const std::size_t step = std::max<std::size_t>(1, rules.size() / 4096);
        scale_ = static_cast<double>(step);
        bucket_bits_ = static_cast<unsigned>(
            std::bit_width(std::clamp<std::size_t>(rules.size() / step * 4, 512, 32768) - 1));
        counts_.resize(shapes.size() << bucket_bits_);
        for (std::size_t i = 0; i < rules.size(); i += step) {
            const auto parts = parts_of(rules[i]);
            const std::uint32_t kind = kind_of(rules[i]);
            for (std::size_t shape = 0; shape < shapes.size(); ++shape)
                ++counts_[bucket(parts, kind, shape)];
        }
    }

    using part_values = std::array<std::uint32_t, hash_part_count>;

    /// The parts of a rule's first handle.
    static part_values parts_of(const rule<Address>& of) {
        hash_fields fields{};
        set_address(fields, field_source_words, of.source().first);
        set_address(fields, field_destination_words, of.destination().first);
        part_values parts{};
        for (std::uint8_t part = part_source_port; part < part_source_port_block; ++part)
            fields[hash_layout<Address>::step(part).field] = values_of(of.box, part, 2).first;
        for (std::uint8_t part = 0; part < part_nothing; ++part) {
            const hash_step step = hash_layout<Address>::step(part);
            parts[part] = (fields[step.field] >> step.shift) * step.factor +
                          (step.base == part_nothing ? 0 : parts[step.base]);
        }
        return parts;
    }

    /// Hosts, prefixes and wildcards hardly share handles: they are better off with others.
    static std::uint32_t kind_of(const rule<Address>& of) {
        const auto kind = [](const value_range<Address>& range) -> std::uint32_t {
            return is_wildcard(range) ? 0 : range.first == range.last ? 1 : 2;
        };
        return (kind(of.source()) * 3 + kind(of.destination())) * 0x85EB'CA6B;
    }

    /// How many rules of a kind have the same handle as one with these parts, itself included.
    double count(const part_values& parts, std::uint32_t kind, std::size_t shape) const {
        const double counted = counts_[bucket(parts, kind, shape)];
        return counted <= 1 ? 1 : 1 + (counted - 1) * scale_;
    }

private:
    std::size_t bucket(const part_values& parts, std::uint32_t kind, std::size_t shape) const {
        const handle_shape& of = shapes_[shape];
        const std::uint32_t sum = parts[of.source] + parts[of.destination] + parts[of.other] + kind;
        return (shape << bucket_bits_) + (mix_parts(sum) >> (32 - bucket_bits_));
    }

    const std::vector<handle_shape>& shapes_;
    std::vector<std::uint16_t> counts_;
    unsigned bucket_bits_ = 0;
    double scale_ = 1;
};

/// What it would cost to find the rules of one class by handles of each shape.
struct class_costs {
    double rules = 0;
    double samples = 0;
    std::vector<double> of_shape;
    std::size_t chosen = 0;
};

/// Estimates the costs from a sample of the rules.
template <class Address>
class estimator {
public:
    estimator(std::span<const rule<Address>> rules, const std::vector<handle_shape>& shapes)
        : shapes_(shapes), rules_(static_cast<double>(rules.size())), mates_(rules, shapes),
          source_(rules.size()), destination_(rules.size()) {
        const std::size_t step = std::max<std::size_t>(1, rules.size() / 1024);
        for (std::size_t i = 0; i < rules.size(); i += step) {
            source_.add(rules[i].source());
            destination_.add(rules[i].destination());
            values_.add(rules[i].box);
        }
        source_.sort();
        destination_.sort();
    }

    void add_costs(const rule<Address>& of, class_costs& to) const {
        const auto sources = source_.shares(of.source());
        const auto destinations = destination_.shares(of.destination());
        const auto parts = mates_.parts_of(of);
        const std::uint32_t kind = mates_.kind_of(of);
        std::array<double, hash_part_count> shares{};
        shares.fill(1);
        for (std::size_t i = 0; i < handle_length_count; ++i) {
            shares[part_source + hash_layout<Address>::lengths[i].part] = sources[i];
            shares[part_destination + hash_layout<Address>::lengths[i].part] = destinations[i];
        }
        for (std::uint8_t part = part_source_port; part < part_nothing; ++part)
            shares[part] = values_.share_of(of.box, part);
        to.samples += 1;
        for (std::size_t i = 0; i < shapes_.size(); ++i)
            to.of_shape[i] += cost(of, shapes_[i], shares, mates_.count(parts, kind, i));
    }

private:
    double cost(const rule<Address>& of, const handle_shape& shape,
                const std::array<double, hash_part_count>& shares, double mates) const {
        const std::uint64_t handles = count_handles(of, shape, max_handles + 1);
        if (handles > max_handles)
            return price::impossible;
        const double passing =
            shares[shape.source] * shares[shape.destination] * shares[shape.other] +
            share::same_criterion * mates / rules_;
        // Those who share a protocol mostly have better handles than that.
        if (shape == handle_shape{part_nothing, part_nothing, part_protocol})
            mates = 1;
        // Those with the same handle share the work until there are too many of them.
        const double work = mates > 28 ? price::groups / mates : price::pass / mates + price::rule;
        return passing * work +
               static_cast<double>(handles) * (price::handle + price::memory / rules_);
    }

    const std::vector<handle_shape>& shapes_;
    double rules_;
    handle_mates<Address> mates_;
    side_traffic<Address> source_;
    side_traffic<Address> destination_;
    value_traffic values_;
};

/// Chooses shapes one after the other, always the one that makes the whole cheapest, and then looks
/// which of them can be spared again.
class shape_choice {
public:
    shape_choice(std::vector<class_costs>& classes, std::size_t shapes)
        : classes_(classes), used_(shapes, 0) {
        for (class_costs& one : classes_)
            one.chosen = shapes;
        while (count_ < max_probes && add_one()) {
        }
        while (remove_one()) {
        }
    }

private:
    double cost(const class_costs& one, std::size_t shape) const {
        return shape == used_.size() ? price::without : one.of_shape[shape];
    }

    bool add_one() {
        std::vector<double> gain(used_.size(), 0);
        for (const class_costs& one : classes_) {
            const double now = cost(one, one.chosen);
            for (std::size_t i = 0; i < gain.size(); ++i)
                gain[i] += one.rules * std::max(0.0, now - one.of_shape[i]);
        }
        const auto most =
            static_cast<std::size_t>(std::max_element(gain.begin(), gain.end()) - gain.begin());
        if (gain[most] <= price::probe)
            return false;
        used_[most] = 1;
        ++count_;
        for (class_costs& one : classes_) {
            if (one.of_shape[most] < cost(one, one.chosen))
                one.chosen = most;
        }
        return true;
    }

    bool remove_one() {
        std::vector<double> loss(used_.size(), 0);
        for (const class_costs& one : classes_)
            loss[one.chosen == used_.size() ? 0 : one.chosen] +=
                one.rules * (cost(one, best(one, one.chosen)) - cost(one, one.chosen));
        std::size_t least = used_.size();
        for (std::size_t i = 0; i < used_.size(); ++i) {
            if (used_[i] != 0 && (least == used_.size() || loss[i] < loss[least]))
                least = i;
        }
        if (least == used_.size() || loss[least] >= price::probe)
            return false;
        used_[least] = 0;
        for (class_costs& one : classes_) {
            if (one.chosen == least)
                one.chosen = best(one, least);
        }
        return true;
    }

    /// The cheapest shape in use but `without`.
    std::size_t best(const class_costs& one, std::size_t without) const {
        std::size_t found = used_.size();
        for (std::size_t i = 0; i < used_.size(); ++i) {
            if (used_[i] != 0 && i != without && one.of_shape[i] < cost(one, found))
                found = i;
        }
        return found;
    }

    std::vector<class_costs>& classes_;
    std::vector<std::uint8_t> used_;
    std::size_t count_ = 0;
};

/// Gives each rule the shape of its class, as long as not too many handles come of it.
template <class Address>
void assign_shapes(std::span<const rule<Address>> rules, const std::vector<handle_shape>& shapes,
                   const std::vector<class_costs>& classes,
                   const std::vector<std::uint32_t>& class_numbers, probe_plan& plan) {
    std::vector<std::uint8_t> numbers(shapes.size(), probe_plan::none);
    std::uint64_t left = rules.size() * handles_for_each + handles_for_set;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::size_t chosen = classes[class_numbers[i]].chosen;
        if (chosen == shapes.size())
            continue;
        const std::uint64_t most = std::min(left, max_handles);
        const std::uint64_t handles = count_handles(rules[i], shapes[chosen], most + 1);
        if (handles > most)
            continue;
        left -= handles;
        std::uint8_t& number = numbers[chosen];
        if (number == probe_plan::none) {
            number = static_cast<std::uint8_t>(plan.shapes.size());
            plan.shapes.push_back(shapes[chosen]);
        }
        plan.shape_of[i] = number;
    }
}

} // namespace

template <class Address>
probe_plan plan_probes(std::span<const rule<Address>> rules) {
    probe_plan plan;
    plan.shape_of.assign(rules.size(), probe_plan::none);
    if (rules.empty())
        return plan;
    const auto shapes = candidate_shapes<Address>();
    const estimator<Address> estimates(rules, shapes);

    std::vector<class_costs> classes;
    std::unordered_map<rule_class, std::uint32_t> known;
    std::vector<std::uint32_t> class_numbers;
    class_numbers.reserve(rules.size());
    const std::size_t step = std::max<std::size_t>(1, rules.size() / 512);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto number = static_cast<std::uint32_t>(classes.size());
        const auto [found, is_new] = known.try_emplace(class_of(rules[i]), number);
        if (is_new)
            classes.push_back({0, 0, std::vector<double>(shapes.size(), 0), 0});
        class_costs& mine = classes[found->second];
        mine.rules += 1;
        class_numbers.push_back(found->second);
        if (is_new || i % step == 0)
            estimates.add_costs(rules[i], mine);
    }
    for (class_costs& one : classes) {
        for (double& cost : one.of_shape)
            cost /= one.samples;
    }
    shape_choice(classes, shapes.size());

    assign_shapes(rules, shapes, classes, class_numbers, plan);
    return plan;
}

template <class Address>
void spare_handles(std::span<const rule<Address>> rules, probe_plan& plan) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        std::uint8_t& number = plan.shape_of[i];
        if (number != probe_plan::none && count_handles(rules[i], plan.shapes[number], 2) > 1)
            number = probe_plan::none;
    }
}

template void spare_handles(std::span<const rule<std::uint32_t>>, probe_plan&);
template void spare_handles(std::span<const rule<address_bits>>, probe_plan&);
template probe_plan plan_probes(std::span<const rule<std::uint32_t>>);
template probe_plan plan_probes(std::span<const rule<address_bits>>);

} // namespace flowtap::filter
