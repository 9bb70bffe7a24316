// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/core/api.hpp>

/// Marks what module crypto exports.
#define FLOWTAP_CRYPTO_API FLOWTAP_EXPORT
