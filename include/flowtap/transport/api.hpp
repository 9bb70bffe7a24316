// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module transport exports.
#define FLOWTAP_TRANSPORT_API FLOWTAP_EXPORT
