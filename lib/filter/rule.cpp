// SPDX-License-Identifier: Apache-2.0
#include "rule.hpp"

#include <bit>
#include <optional>
#include <variant>

#include "admitted_ranges.hpp"

namespace flowtap::filter {

namespace {

constexpr std::uint32_t no_bound = 0xFFFF'FFFF;

/// Of rules that name ranges on both sides there are at most so many.
constexpr std::size_t max_products = 16;

template <class T>
using ranges_of = std::vector<value_range<T>>;

/// What encloses all of `ranges`.
template <class T>
value_range<T> enclosing(const ranges_of<T>& ranges) {
    return {ranges.front().first, ranges.back().last};
}

/// The smallest prefix that encloses `range`, as a mask.
address_bits prefix_mask(const value_range<address_bits>& range) {
    const std::uint64_t high = range.first.high ^ range.last.high;
    const std::uint64_t low = range.first.low ^ range.last.low;
    const auto keep = [](std::uint64_t differing) {
        const int zeros = std::countl_zero(differing);
        return zeros == 0 ? 0 : ~std::uint64_t{0} << (64 - zeros);
    };
    return {keep(high), high != 0 ? 0 : keep(low)};
}

bool is_prefix(const value_range<address_bits>& range) {
    const address_bits mask = prefix_mask(range);
    return (range.first.high & ~mask.high) == 0 && (range.first.low & ~mask.low) == 0 &&
           (range.last.high | mask.high) == ~0ULL && (range.last.low | mask.low) == ~0ULL;
}

/// The ranges that rules are made for. IPv4 rules take any range; of an IPv6 range that is no
/// prefix, the halves below and above the middle of the prefix around it have near bounds.
ranges_of<std::uint32_t> pieces_of(ranges_of<std::uint32_t> ranges) {
    return ranges;
}
ranges_of<address_bits> pieces_of(const ranges_of<address_bits>& ranges) {
    ranges_of<address_bits> pieces;
    for (const auto& range : ranges) {
        if (is_prefix(range)) {
            pieces.push_back(range);
            continue;
        }
        const address_bits mask = prefix_mask(range);
        // The mask and one bit more: where the upper half begins.
        const std::uint64_t high = (mask.high >> 1) | (1ULL << 63);
        const std::uint64_t low = mask.high == ~0ULL ? (mask.low >> 1) | (1ULL << 63) : 0;
        const address_bits middle = {range.last.high & high, range.last.low & low};
        const address_bits below = {middle.high - (middle.low == 0 ? 1 : 0), middle.low - 1};
        pieces.push_back({range.first, below});
        pieces.push_back({middle, range.last});
    }
    return pieces;
}

/// One side's addresses: the ranges that are admitted, and those that rules are made for.
template <class Address>
struct side_ranges {
    explicit side_ranges(const range_list<address_bits>& list)
        : admitted(admitted_ranges<Address>(list)), pieces(pieces_of(admitted)) {
        if (pieces.size() > 1 && is_wide())
            bound_only();
    }

    /// One rule for all.
    void bound_only() {
        if (pieces.size() <= 1)
            return;
        pieces = {enclosing(admitted)};
        bounded_only = true;
    }
    double widest() const {
        double most = 0;
        for (const auto& range : pieces)
            most = std::max(most, value_traits<Address>::as_double(range.last) -
                                      value_traits<Address>::as_double(range.first));
        return most;
    }

    ranges_of<Address> admitted;
    ranges_of<Address> pieces;
    /// The only piece encloses more than what is admitted.
    bool bounded_only = false;

private:
    /// What admits most addresses, such as a negation, is no better off in pieces.
    bool is_wide() const {
        double covered = 0;
        for (const auto& range : admitted)
            covered += value_traits<Address>::as_double(range.last) -
                       value_traits<Address>::as_double(range.first);
        return covered > value_traits<Address>::as_double(value_traits<Address>::highest) / 2;
    }
};

/// Whether rules cannot be told by this side.
template <class Address>
bool is_full(const ranges_of<Address>& pieces) {
    return pieces.size() == 1 && pieces.front().first == Address{} &&
           pieces.front().last == value_traits<Address>::highest;
}

/// Leaves so many pieces that there are not too many rules.
template <class Address>
void limit_rules(side_ranges<Address>& source, side_ranges<Address>& destination) {
    if (source.pieces.size() > max_rules)
        source.bound_only();
    if (destination.pieces.size() > max_rules)
        destination.bound_only();
    if (source.pieces.size() == 1 || destination.pieces.size() == 1 ||
        source.pieces.size() * destination.pieces.size() <= max_products)
        return;
    // The side that tells packets apart better keeps its pieces.
    if (source.widest() < destination.widest())
        destination.bound_only();
    else
        source.bound_only();
}

/// Sets the bounds of the fields beside the addresses, and keeps what they do not say.
class field_bounds {
public:
    field_bounds(const filter_spec& spec, residual_store& residuals) : residuals_(residuals) {
        box_.high.fill(no_bound);
        add_protocols(spec);
        add_ports(spec);
        add_icmp(spec);
        add_scope(spec.scope);
    }

    const lane_box& box() const noexcept { return box_; }
    /// Calls `take` with the bounds for rules that are not told apart by addresses: one for each
    /// range of the first field with several of them, so that each has a handle.
    template <class Take>
    void for_each_piece(Take&& take) const {
        lane_box piece = box_;
        for (const field_ranges* field : {&destination_ports_, &source_ports_, &interfaces_}) {
            if (field->ranges.size() < 2 || field->ranges.size() > max_pieces)
                continue;
            for (const auto& range : field->ranges) {
                piece.low[field->where] = field->mark | range.first;
                piece.high[field->where] = field->mark | range.last;
                take(piece);
            }
            return;
        }
        take(piece);
    }
    /// Whether some field admits nothing at all.
    bool impossible() const noexcept { return impossible_; }

private:
    static constexpr std::size_t max_pieces = 64;

    /// The ranges of a field that pieces can be made of.
    struct field_ranges {
        lane where;
        std::uint32_t mark;
        ranges_of<std::uint32_t> ranges;
    };

    /// Bounds `where` by `ranges`, whose values are marked with `mark`.
    template <class T>
    void bound(lane where, residual_field field, const ranges_of<T>& ranges, std::uint32_t mark) {
        impossible_ |= ranges.empty();
        if (ranges.empty())
            return;
        box_.low[where] = mark | enclosing(ranges).first;
        box_.high[where] = mark | enclosing(ranges).last;
        if (ranges.size() > 1)
            residuals_.require(field, ranges);
    }

    void add_protocols(const filter_spec& spec) {
        const bool leaves = std::holds_alternative<output_scope>(spec.scope);
        bound(lane_protocol, residual_field::protocol,
              admitted_ranges<std::uint8_t>(spec.protocols), leaves ? lane_egress : 0);
    }

    void add_ports(const filter_spec& spec) {
        const bool pairs = spec.port_lists == port_list_mode::pairs &&
                           spec.source_ports.entries.size() > 1 &&
                           spec.destination_ports.entries.size() > 1;
        add_ports(spec.source_ports, source_ports_);
        add_ports(spec.destination_ports, destination_ports_);
        if (pairs) {
            residuals_.require_pairs(spec);
            return;
        }
        require_ports(residual_field::source_port, spec.source_ports);
        require_ports(residual_field::destination_port, spec.destination_ports);
    }

    void add_ports(const range_list<std::uint16_t>& list, field_ranges& into) {
        if (list.is_wildcard())
            return;
        const auto ranges = admitted_ranges<std::uint16_t>(list);
        impossible_ |= ranges.empty();
        if (ranges.empty())
            return;
        box_.low[into.where] = lane_present | enclosing(ranges).first;
        box_.high[into.where] = lane_present | enclosing(ranges).last;
        if (ranges.size() > 1) {
            for (const auto& range : ranges)
                into.ranges.push_back({range.first, range.last});
        }
    }
    void require_ports(residual_field field, const range_list<std::uint16_t>& list) {
        if (list.is_wildcard())
            return;
        if (const auto ranges = admitted_ranges<std::uint16_t>(list); ranges.size() > 1)
            residuals_.require(field, ranges);
    }

    void add_icmp(const filter_spec& spec) {
        add_icmp(residual_field::icmp_type, spec.icmp_types);
        add_icmp(residual_field::icmp_code, spec.icmp_codes);
    }
    void add_icmp(residual_field field, const range_list<std::uint8_t>& list) {
        if (list.is_wildcard())
            return;
        const auto ranges = admitted_ranges<std::uint8_t>(list);
        impossible_ |= ranges.empty();
        residuals_.require(field, ranges);
    }

    void add_scope(const filter_scope& scope) {
        if (const auto* vrf = std::get_if<vrf_scope>(&scope))
            box_.low[lane_vrf] = box_.high[lane_vrf] = vrf->vrf.value();
        if (const auto* input = std::get_if<input_scope>(&scope))
            add_interfaces(input->interfaces);
        if (const auto* output = std::get_if<output_scope>(&scope))
            add_interfaces(output->interfaces);
    }
    void add_interfaces(const std::vector<interface_id>& interfaces) {
        ranges_of<std::uint32_t> ranges;
        for (const interface_id one : interfaces)
            ranges.push_back({one.value(), one.value()});
        join_ranges(ranges);
        bound(lane_interface, residual_field::interface, ranges, 0);
        interfaces_.ranges = std::move(ranges);
    }

    residual_store& residuals_;
    lane_box box_;
    field_ranges source_ports_{lane_source_port, lane_present, {}};
    field_ranges destination_ports_{lane_destination_port, lane_present, {}};
    field_ranges interfaces_{lane_interface, 0, {}};
    bool impossible_ = false;
};

void set_addresses(rule<std::uint32_t>& made, const value_range<std::uint32_t>& source,
                   const value_range<std::uint32_t>& destination) {
    made.box.low[lane_source] = source.first;
    made.box.high[lane_source] = source.last;
    made.box.low[lane_destination] = destination.first;
    made.box.high[lane_destination] = destination.last;
}
void set_addresses(rule<address_bits>& made, const value_range<address_bits>& source,
                   const value_range<address_bits>& destination) {
    made.source_mask = prefix_mask(source);
    made.source_value = {source.first.high & made.source_mask.high,
                         source.first.low & made.source_mask.low};
    made.destination_mask = prefix_mask(destination);
    made.destination_value = {destination.first.high & made.destination_mask.high,
                              destination.first.low & made.destination_mask.low};
}

/// Whether a bound admits more than `piece`.
bool needs_check(const value_range<std::uint32_t>&) {
    return false;
}
bool needs_check(const value_range<address_bits>& piece) {
    return !is_prefix(piece);
}

/// The rest of the checks of one criterion's rules.
class residual_maker {
public:
    /// For rules that share what was added to `residuals` since its last `begin`.
    explicit residual_maker(residual_store& residuals)
        : residuals_(residuals), common_(residuals.finish()), size_(residuals.last_size()) {}

    /// Of the rule for these two ranges. Rules that have the same residual share it.
    template <class Address>
    std::uint32_t make(const value_range<Address>& from, const value_range<Address>& to) {
        if (!needs_check(from) && !needs_check(to))
            return common_;
        residuals_.begin_like(common_, size_);
        if (needs_check(from))
            residuals_.require(residual_field::source_address, std::vector{from});
        if (needs_check(to))
            residuals_.require(residual_field::destination_address, std::vector{to});
        return residuals_.finish();
    }

private:
    residual_store& residuals_;
    std::uint32_t common_;
    std::size_t size_;
};

} // namespace

template <class Address>
void append_rules(const filter_spec& spec, std::uint32_t entry, std::vector<rule<Address>>& rules,
                  residual_store& residuals) {
    side_ranges<Address> source(spec.source_addresses);
    side_ranges<Address> destination(spec.destination_addresses);
    limit_rules(source, destination);
    residuals.begin();
    const field_bounds bounds(spec, residuals);
    if (source.bounded_only)
        residuals.require(residual_field::source_address, source.admitted);
    if (destination.bounded_only)
        residuals.require(residual_field::destination_address, destination.admitted);
    residual_maker checks(residuals);
    if (bounds.impossible())
        return;
    const auto add = [&](const lane_box& box, const auto& from, const auto& to) {
        rule<Address> made{};
        made.box = box;
        made.box.low[lane_unused] = entry;
        made.box.high[lane_unused] = checks.make(from, to);
        set_addresses(made, from, to);
        rules.push_back(made);
    };
    if (is_full(source.pieces) && is_full(destination.pieces)) {
        bounds.for_each_piece([&](const lane_box& box) {
            add(box, source.pieces.front(), destination.pieces.front());
        });
        return;
    }
    for (const auto& from : source.pieces) {
        for (const auto& to : destination.pieces)
            add(bounds.box(), from, to);
    }
}

template void append_rules(const filter_spec&, std::uint32_t, std::vector<rule<std::uint32_t>>&,
                           residual_store&);
template void append_rules(const filter_spec&, std::uint32_t, std::vector<rule<address_bits>>&,
                           residual_store&);

} // namespace flowtap::filter
