// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/error.hpp>

#include <doctest/doctest.h>
