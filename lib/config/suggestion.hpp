// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace flowtap::config {

/// The candidate that somebody who wrote `word` most likely meant; empty when none is near. Near is
/// one slip (a letter wrong, missing, too many, or two swapped), for words of six letters two.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

} // namespace flowtap::config
