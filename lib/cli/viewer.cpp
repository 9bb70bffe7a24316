// SPDX-License-Identifier: Apache-2.0
#include "viewer.hpp"

#include <algorithm>

#include <flowtap/config/load.hpp>
#include <flowtap/config/visible.hpp>

namespace flowtap::cli {

using config::schema_row;
using permission::operation;
using permission::target;

version make_version(const config::tree& written) {
    version made{normalized(written), {}};
    made.logins = config::load(made.written, "").settings.logins;
    return made;
}

bool viewer::may_configure() const noexcept {
    const auto rows = config::schema();
    return std::any_of(rows.begin(), rows.end(), [&](const schema_row& row) {
        return may(operation::change, row.belongs_to);
    });
}

bool viewer::reaches(const schema_row& row, operation what) const {
    const auto below = children_of(&row);
    return may(what, row.belongs_to) ||
           std::any_of(below.begin(), below.end(),
                       [&](const schema_row* child) { return reaches(*child, what); });
}

bool viewer::covers(const schema_row& row, operation what) const {
    const auto below = children_of(&row);
    return may(what, row.belongs_to) &&
           std::all_of(below.begin(), below.end(),
                       [&](const schema_row* child) { return covers(*child, what); });
}

config::tree viewer::visible(const version& of) const {
    return visible_to(who_, of.written, of.logins);
}

bool viewer::may_change(const std::vector<config::word>& words,
                        const permission::login_directory& before,
                        const permission::login_directory& after) const {
    return may(operation::change, target_of(words, before)) &&
           may(operation::change, target_of(words, after));
}

} // namespace flowtap::cli
