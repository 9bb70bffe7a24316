// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/drop_policy.hpp>

#include <cstdint>
#include <utility>
#include <vector>

#include <flowtap/filter/criterion.hpp>

namespace flowtap::path {

drop_policy::drop_policy(filter::classifier terms) noexcept : terms_(std::move(terms)) {}

result<std::shared_ptr<const drop_policy>> drop_policy::make(std::span<const filter_spec> terms) {
    if (terms.size() > most_terms)
        return fail(filter::errc::too_many_criteria);
    std::vector<filter::criterion> criteria;
    for (filter_spec term : terms) {
        term.scope = global_scope{};
        auto made =
            filter::criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())), term);
        if (!made)
            return fail(made.error());
        criteria.push_back(std::move(*made));
    }
    auto compiled = filter::classifier::build(criteria);
    if (!compiled)
        return fail(compiled.error());
    return std::shared_ptr<const drop_policy>(new drop_policy(std::move(*compiled)));
}

bool drop_policy::withholds(const packet_key& key, filter::match_buffer& room) const noexcept {
    // A global scope looks at packets that enter.
    packet_key entering = key;
    entering.way = direction::ingress;
    terms_.match(std::span(&entering, 1), room);
    return !room.matches(0).empty();
}

filter::match_buffer drop_policy::make_room() {
    return {1, most_terms};
}

} // namespace flowtap::path
