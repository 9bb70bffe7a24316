// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/version.hpp>

#include <doctest/doctest.h>
