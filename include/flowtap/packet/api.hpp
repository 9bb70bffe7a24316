// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module packet exports.
#define FLOWTAP_PACKET_API FLOWTAP_EXPORT
