// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module radius exports.
#define FLOWTAP_RADIUS_API FLOWTAP_EXPORT
