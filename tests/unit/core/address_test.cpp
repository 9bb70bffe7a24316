// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/address.hpp>

#include <doctest/doctest.h>
