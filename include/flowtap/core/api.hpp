// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Marks a symbol as public. The libraries are built with hidden visibility, and each module
/// marks what it exports with a macro of its own, `FLOWTAP_<MODULE>_API`, defined by this one.
#define FLOWTAP_EXPORT __attribute__((visibility("default")))

#define FLOWTAP_CORE_API FLOWTAP_EXPORT
