// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module subscriber exports.
#define FLOWTAP_SUBSCRIBER_API FLOWTAP_EXPORT
