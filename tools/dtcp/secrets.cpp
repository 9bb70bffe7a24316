// SPDX-License-Identifier: Apache-2.0
#include "secrets.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <system_error>

#include <termios.h>
#include <unistd.h>

namespace dtcp_tool {

namespace {

struct close_file {
    void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
};
using terminal = std::unique_ptr<std::FILE, close_file>;

terminal open_terminal() {
    return terminal(std::fopen("/dev/tty", "r+e"));
}

/// Switches the echo of a terminal off while it lives.
class silence {
public:
    explicit silence(int descriptor) : descriptor_(descriptor) {
        known_ = ::tcgetattr(descriptor_, &before_) == 0;
        termios quiet = before_;
        quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (known_)
            ::tcsetattr(descriptor_, TCSAFLUSH, &quiet);
    }
    ~silence() {
        if (known_)
            ::tcsetattr(descriptor_, TCSADRAIN, &before_);
    }
    silence(const silence&) = delete;
    silence& operator=(const silence&) = delete;

private:
    int descriptor_;
    termios before_ = {};
    bool known_ = false;
};

std::optional<std::string> read_line(std::FILE* from) {
    std::string line;
    for (;;) {
        const int letter = std::fgetc(from);
        if (letter == EOF && line.empty())
            return std::nullopt;
        if (letter == EOF || letter == '\n')
            return line;
        line += static_cast<char>(letter);
    }
}

} // namespace

flowtap::result<std::string> first_line(const std::filesystem::path& file) {
    std::ifstream from(file);
    std::string line;
    if (!std::getline(from, line) && !from.eof())
        return flowtap::fail(
            flowtap::error(std::error_code(errno, std::generic_category()), file.string()));
    if (line.ends_with('\r'))
        line.pop_back();
    if (line.empty())
        return flowtap::fail(
            flowtap::error(make_error_code(std::errc::no_message_available), file.string()));
    return line;
}

std::optional<std::string> ask_secret(const std::string& prompt) {
    const terminal to = open_terminal();
    if (!to)
        return std::nullopt;
    std::optional<std::string> secret;
    {
        // Before the prompt: who answers it at once must not be shown, nor be flushed away.
        const silence quiet(::fileno(to.get()));
        std::fputs(prompt.c_str(), to.get());
        std::fflush(to.get());
        secret = read_line(to.get());
    }
    std::fseek(to.get(), 0, SEEK_CUR); // from reading to writing
    std::fputs("\n", to.get());
    return secret;
}

bool ask_host_key(const std::string& host, std::string_view fingerprint) {
    const terminal to = open_terminal();
    if (!to)
        return false;
    std::fprintf(to.get(),
                 "The host key of %s is not known. Its fingerprint is\n  %.*s\n"
                 "Trust it and remember it (yes/no)? ",
                 host.c_str(), static_cast<int>(fingerprint.size()), fingerprint.data());
    std::fflush(to.get());
    return read_line(to.get()) == "yes";
}

} // namespace dtcp_tool
