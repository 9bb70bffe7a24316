// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module permission exports.
#define FLOWTAP_PERMISSION_API FLOWTAP_EXPORT
