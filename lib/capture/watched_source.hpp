// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/path/source.hpp>

namespace flowtap::capture::detail {

/// A source that hands on what another one has.
class watched_source : public path::source {
public:
    virtual const path::source& watched() const noexcept = 0;
};

} // namespace flowtap::capture::detail
