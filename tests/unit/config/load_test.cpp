// SPDX-License-Identifier: Apache-2.0
#include <flowtap/config/load.hpp>
#include <doctest/doctest.h>
