// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module dtcp exports.
#define FLOWTAP_DTCP_API FLOWTAP_EXPORT
