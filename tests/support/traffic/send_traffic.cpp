// SPDX-License-Identifier: Apache-2.0
//
// Sends numbered packets (numbered_packets.hpp) out of a device, as fast as it takes them, at a
// rate, or as fast as their copies come to a receiver. Prints a JSON object at its end.
//
// usage: send_traffic --device NAME --to MAC [--flows N] [--run N] [--inet6-every N]
//                     [--sizes N,N,...] [--first N] [--count N] [--rate PACKETS-PER-SECOND]
//                     [--board FILE]
//                     [--window COPIES --clock PORT,... --copies N,N,... --event DESCRIPTOR
//                      [--patience SECONDS]]
//
// Without --count it sends until its standard input ends. With --window no more than so many copies
// are on their way: --copies says how many there are of a packet of each flow at the receiver's
// ports --clock, and the receiver writes to the eventfd --event whenever some have come.
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <iostream>
#include <poll.h>
#include <stdexcept>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "arguments.hpp"
#include "board.hpp"
#include "numbered_packets.hpp"

namespace {

constexpr std::size_t largest_batch = 64;
/// Seconds: waiting for copies longer than this is the end.
constexpr std::uint64_t default_patience = 60;
constexpr std::uint64_t second = 1'000'000'000;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

std::uint64_t now() {
    timespec read{};
    ::clock_gettime(CLOCK_MONOTONIC, &read);
    return static_cast<std::uint64_t>(read.tv_sec) * second +
           static_cast<std::uint64_t>(read.tv_nsec);
}

void sleep_until(std::uint64_t when) {
    const timespec until{static_cast<time_t>(when / second), static_cast<long>(when % second)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

traffic::mac_address parse_mac(const std::string& text) {
    traffic::mac_address made{};
    std::array<unsigned, 6> parts{};
    if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &parts[0], &parts[1], &parts[2], &parts[3],
                    &parts[4], &parts[5]) != 6)
        throw std::runtime_error("not a MAC address: " + text);
    for (std::size_t i = 0; i < made.size(); ++i)
        made[i] = static_cast<std::byte>(parts[i]);
    return made;
}

/// A packet socket that sends past the queueing discipline of a device.
class device_socket {
public:
    explicit device_socket(const std::string& device) {
        socket_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (socket_ < 0)
            fail("a packet socket");
        sockaddr_ll where{};
        where.sll_family = AF_PACKET;
        where.sll_ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
        if (where.sll_ifindex == 0)
            fail(device);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
            fail("bind to " + device);
        const int one = 1;
        if (::setsockopt(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) != 0)
            fail("PACKET_QDISC_BYPASS");
        const int room = 4 << 20;
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
        ifreq asked{};
        device.copy(asked.ifr_name, IFNAMSIZ - 1);
        if (::ioctl(socket_, SIOCGIFHWADDR, &asked) != 0)
            fail("the address of " + device);
        std::memcpy(address_.data(), asked.ifr_hwaddr.sa_data, address_.size());
    }
    device_socket(const device_socket&) = delete;
    device_socket& operator=(const device_socket&) = delete;
    ~device_socket() { ::close(socket_); }

    const traffic::mac_address& address() const { return address_; }

    /// Returns how many the kernel took; the device refused the next one when it is fewer.
    std::size_t send(std::span<mmsghdr> messages) {
        const int sent =
            ::sendmmsg(socket_, messages.data(), static_cast<unsigned>(messages.size()), 0);
        if (sent >= 0)
            return static_cast<std::size_t>(sent);
        if (errno != ENOBUFS && errno != ENETDOWN && errno != EINTR && errno != EAGAIN)
            fail("sendmmsg");
        return 0;
    }

private:
    int socket_ = -1;
    traffic::mac_address address_{};
};

/// How many copies there are of the packets of a stream, and how many may be on their way.
class copy_window {
public:
    copy_window(const traffic::arguments& given, traffic::board* board, std::uint64_t first)
        : board_(board), size_(given.number("window", 0)), clock_(given.numbers("clock")) {
        if (size_ == 0)
            return;
        if (board == nullptr)
            throw std::runtime_error("--window needs --board");
        event_ = static_cast<int>(given.number("event"));
        patience_ = static_cast<int>(1000 * given.number("patience", default_patience));
        run_ = given.number("run", 1);
        for (const std::uint64_t copies : given.numbers("copies"))
            before_.push_back(before_.back() + copies);
        if (before_.size() != given.number("flows", 1) + 1 || before_.back() == 0)
            throw std::runtime_error("--copies has a number for each flow, not all of them zero");
        base_ = received() - copies_before(first);
    }

    /// How many packets from `next` on may be sent, at most `most`.
    std::size_t room(std::uint64_t next, std::size_t most) const {
        if (size_ == 0)
            return most;
        const std::uint64_t allowed = received() - base_ + size_;
        std::size_t count = 0;
        while (count < most && copies_before(next + count + 1) <= allowed)
            ++count;
        return count;
    }

    /// Until copies have come; false when none do.
    bool wait() const {
        pollfd waiting{event_, POLLIN, 0};
        if (::poll(&waiting, 1, patience_) <= 0)
            return false;
        std::uint64_t count = 0;
        return ::read(event_, &count, sizeof count) == sizeof count;
    }

private:
    std::uint64_t copies_before(std::uint64_t number) const {
        const std::uint64_t round = run_ * (before_.size() - 1);
        const std::uint64_t flow = number % round / run_;
        return number / round * run_ * before_.back() + before_[flow] * run_ +
               (before_[flow + 1] - before_[flow]) * (number % run_);
    }

    std::uint64_t received() const {
        std::uint64_t sum = 0;
        for (const std::uint64_t port : clock_)
            sum += board_->received.at(port).load(std::memory_order_acquire);
        return sum;
    }

    traffic::board* board_;
    std::uint64_t size_;
    std::vector<std::uint64_t> clock_;
    std::uint64_t run_ = 1;
    std::vector<std::uint64_t> before_{0}; ///< copies of one packet of each flow, summed up
    std::uint64_t base_ = 0; ///< copies that had come before, less those before the first number
    int event_ = -1;
    int patience_ = 0; ///< milliseconds
};

class sender {
public:
    sender(const traffic::arguments& given, device_socket& out, traffic::board* board)
        : out_(out), board_(board), packets_(shape_of(given, out)), next_(given.number("first", 0)),
          end_(given.has("count") ? next_ + given.number("count") : 0),
          rate_(given.number("rate", 0)), window_(given, board, next_), first_(next_) {
        if (rate_ != 0)
            batch_ = std::min<std::size_t>(largest_batch, std::max<std::size_t>(1, rate_ / 1000));
        for (std::size_t i = 0; i < largest_batch; ++i) {
            frames_[i] = packets_.filler();
            parts_[i].iov_base = frames_[i].data();
            messages_[i].msg_hdr.msg_iov = &parts_[i];
            messages_[i].msg_hdr.msg_iovlen = 1;
        }
    }

    void run() {
        begin_ = due_from_ = now();
        while (!is_done()) {
            const std::size_t wanted =
                end_ == 0 ? batch_ : std::min<std::uint64_t>(batch_, end_ - next_);
            const std::size_t count = window_.room(next_, wanted);
            if (count == 0) {
                if (!window_.wait()) {
                    stalled_ = true;
                    return;
                }
                continue;
            }
            keep_to_the_rate();
            send(count);
        }
    }

    void report() const {
        std::cout << "{\"first\":" << first_ << ",\"sent\":" << next_ - first_
                  << ",\"refused\":" << refused_ << ",\"nanoseconds\":" << now() - begin_
                  << ",\"stalled\":" << (stalled_ ? "true" : "false") << "}" << std::endl;
    }

private:
    static traffic::stream_shape shape_of(const traffic::arguments& given,
                                          const device_socket& out) {
        traffic::stream_shape shape = traffic::shape_from(given);
        shape.from = out.address();
        shape.to = parse_mac(given.text("to"));
        return shape;
    }

    bool is_done() const {
        if (end_ != 0)
            return next_ == end_;
        pollfd input{STDIN_FILENO, POLLIN, 0};
        return ::poll(&input, 1, 0) > 0;
    }

    void keep_to_the_rate() {
        if (rate_ == 0)
            return;
        const std::uint64_t due = due_from_ + (next_ - due_number_) * second / rate_;
        const std::uint64_t time = now();
        if (time < due) {
            sleep_until(due);
        } else if (time - due > second / 100) {
            // What was not sent in time is not made up for by a burst.
            due_from_ = time;
            due_number_ = next_;
        }
    }

    void send(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            parts_[i].iov_len = packets_.write(next_ + i, frames_[i]);
        if (board_ != nullptr)
            board_->prepared.store(next_ + count);
        for (std::size_t sent = 0; sent < count;) {
            const std::size_t taken = out_.send(std::span(messages_).subspan(sent, count - sent));
            sent += taken;
            next_ += taken;
            if (sent < count) {
                // It is down or full; the same packet is offered again, so no number is left out.
                ++refused_;
                sleep_until(now() + second / 50'000);
            }
        }
        if (board_ != nullptr)
            board_->sent.store(next_);
    }

    device_socket& out_;
    traffic::board* board_;
    traffic::numbered_packets packets_;
    std::uint64_t next_;
    std::uint64_t end_; ///< 0: until the standard input ends
    std::uint64_t rate_;
    copy_window window_;
    std::uint64_t first_;
    std::size_t batch_ = largest_batch;
    std::array<traffic::numbered_packets::frame_buffer, largest_batch> frames_{};
    std::array<iovec, largest_batch> parts_{};
    std::array<mmsghdr, largest_batch> messages_{};
    std::uint64_t begin_ = 0;
    std::uint64_t due_from_ = 0;
    std::uint64_t due_number_ = next_;
    std::uint64_t refused_ = 0;
    bool stalled_ = false;
};

int run(const traffic::arguments& given) {
    device_socket out(given.text("device"));
    const traffic::mapped_board board =
        given.has("board") ? traffic::map_board(given.text("board")) : nullptr;
    sender made(given, out, board.get());
    made.run();
    made.report();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(traffic::arguments(argc, argv));
    } catch (const std::exception& problem) {
        std::cerr << "send_traffic: " << problem.what() << '\n';
        return 2;
    }
}
