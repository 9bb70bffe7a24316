// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/result.hpp>

#include <doctest/doctest.h>
