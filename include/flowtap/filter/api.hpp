// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module filter exports.
#define FLOWTAP_FILTER_API FLOWTAP_EXPORT
