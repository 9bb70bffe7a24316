// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/event_loop.hpp>

#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "asio.hpp"

using namespace flowtap;
using namespace flowtap::transport;
using namespace std::chrono_literals;

TEST_CASE("what is posted runs in order, from run or from poll") {
    event_loop loop;
    std::string order;
    loop.post([&] { order += 'a'; });
    loop.post([&] {
        order += 'b';
        loop.post([&] { order += 'd'; });
    });
    loop.post([&] { order += 'c'; });
    CHECK(loop.poll() == 4);
    CHECK(order == "abcd");
    loop.post([&] { order += 'e'; });
    loop.stop();
    loop.post([&] { order += 'f'; });
    loop.run();
    CHECK(order.substr(0, 5) == "abcde");
}

TEST_CASE("another thread can post and stop") {
    event_loop loop;
    int called = 0;
    std::thread other([&] {
        loop.post([&] { ++called; });
        loop.stop();
    });
    loop.run();
    other.join();
    CHECK(called == 1);
}

TEST_CASE("timers run in the order of their times, once") {
    event_loop loop;
    std::string order;
    loop_timer early(loop);
    loop_timer late(loop);
    const steady_time now = loop.now().steady;
    late.call_at(now + 20ms, [&] {
        order += "late";
        loop.stop();
    });
    early.call_at(now + 10ms, [&] { order += "early "; });
    loop.run();
    CHECK(order == "early late");
}

TEST_CASE("a timer that is planned anew, cancelled or destroyed does not call what it had") {
    event_loop loop;
    std::string order;
    loop_timer anew(loop);
    loop_timer cancelled(loop);
    std::optional<loop_timer> destroyed(std::in_place, loop);
    const steady_time now = loop.now().steady;
    anew.call_at(now, [&] { order += "first"; });
    cancelled.call_at(now, [&] { order += "cancelled"; });
    destroyed->call_at(now, [&] { order += "destroyed"; });
    anew.call_at(now + 5ms, [&] {
        order += "second";
        anew.call_at(loop.now().steady, [&] {
            order += " third";
            loop.stop();
        });
    });
    cancelled.cancel();
    destroyed.reset();
    loop.run();
    CHECK(order == "second third");
}

TEST_CASE("a signal calls what was asked for, every time") {
    event_loop loop;
    int called = 0;
    loop.on_signal(SIGUSR1, [&] {
        if (++called == 2)
            loop.stop();
        else
            std::raise(SIGUSR1);
    });
    std::raise(SIGUSR1);
    loop.run();
    CHECK(called == 2);
}

TEST_CASE("a program's own io_context serves as well") {
    boost::asio::io_context context;
    event_loop loop(context);
    CHECK(&loop.context() == &context);
    int called = 0;
    loop.post([&] { ++called; });
    context.run();
    CHECK(called == 1);
}
