// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module capture exports.
#define FLOWTAP_CAPTURE_API FLOWTAP_EXPORT
