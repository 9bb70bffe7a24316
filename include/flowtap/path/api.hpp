// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module path exports.
#define FLOWTAP_PATH_API FLOWTAP_EXPORT
