// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/range_list.hpp>

#include <doctest/doctest.h>
