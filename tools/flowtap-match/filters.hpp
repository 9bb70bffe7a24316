// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/result.hpp>

#include "options.hpp"

namespace flowtap::tools {

/// The filters that the options ask for: one of the fields, if there are any, and one for each ADD;
/// one that every IP packet matches if there is nothing of that. Where a filter names no family,
/// both are meant; interfaces and VRFs that it names are taken for the capture's own.
/// Errors: those of reading the files and of module dtcp; the subject names the file.
result<std::vector<filter_spec>> make_filters(const match_options& options);

} // namespace flowtap::tools
