// SPDX-License-Identifier: Apache-2.0
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/clock.hpp>
