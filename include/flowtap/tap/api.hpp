// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module tap exports.
#define FLOWTAP_TAP_API FLOWTAP_EXPORT
