// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/bytes.hpp>

#include <doctest/doctest.h>
