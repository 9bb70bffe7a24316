// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module deliver exports.
#define FLOWTAP_DELIVER_API FLOWTAP_EXPORT
