// SPDX-License-Identifier: Apache-2.0
#pragma once

// The only place where Asio is included. Asio 1.74 uses std::exchange without including <utility>,
// which gcc 12 notices in C++20.
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
