// SPDX-License-Identifier: Apache-2.0
#include "hash_password.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include <termios.h>
#include <unistd.h>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/permission/password.hpp>

#include "log.hpp"

namespace dfcd {

namespace permission = flowtap::permission;

namespace {

constexpr int failure = 1;

/// A password in one place, wiped when it goes.
class password {
public:
    password() = default;
    password(const password&) = delete;
    password& operator=(const password&) = delete;
    ~password() { explicit_bzero(room_.data(), room_.size()); }

    /// Reads a line of standard input, octet by octet: nothing of it stays in a buffer. False when
    /// there is none, or it is too long.
    bool read() {
        size_ = 0;
        char octet = 0;
        while (::read(STDIN_FILENO, &octet, 1) == 1) {
            if (octet == '\n')
                return true;
            if (size_ == room_.size())
                return false;
            room_[size_++] = octet;
        }
        return size_ != 0;
    }

    std::string_view view() const noexcept { return {room_.data(), size_}; }

private:
    std::array<char, permission::max_password_length> room_{};
    std::size_t size_ = 0;
};

/// The terminal of standard input does not show what is typed, as long as this is there.
class silent_terminal {
public:
    silent_terminal() {
        is_set_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        is_set_ = is_set_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~silent_terminal() {
        if (is_set_)
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;

    bool is_set() const noexcept { return is_set_; }

private:
    termios before_{};
    bool is_set_ = false;
};

bool ask(const char* prompt, password& read) {
    std::fputs(prompt, stderr);
    const bool good = read.read();
    std::fputs("\n", stderr);
    return good;
}

/// Why there is no password; null when there is one.
const char* read_password(password& chosen) {
    if (::isatty(STDIN_FILENO) == 0)
        return chosen.read() ? nullptr : "no password of a usable length was read";
    const silent_terminal terminal;
    password again;
    if (!terminal.is_set())
        return "the terminal would show the password";
    if (!ask("New password: ", chosen) || !ask("Retype new password: ", again))
        return "no password of a usable length was read";
    return chosen.view() == again.view() ? nullptr : "the two passwords differ";
}

} // namespace

int hash_password(std::string_view scheme) {
    password chosen;
    const char* problem = read_password(chosen);
    if (problem == nullptr && chosen.view().empty())
        problem = "an empty password logs nobody in";
    if (problem != nullptr) {
        log("{}", problem);
        return failure;
    }
    std::array<std::byte, 16> random{};
    flowtap::crypto::fill_random(random);
    const auto hash = permission::hash_password(chosen.view(), scheme, random);
    if (!hash) {
        log("{}", hash.error().message());
        return failure;
    }
    std::printf("%s\n", hash->c_str());
    return 0;
}

} // namespace dfcd
