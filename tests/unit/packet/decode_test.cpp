// SPDX-License-Identifier: Apache-2.0
#include <flowtap/packet/view.hpp>

#include <doctest/doctest.h>
