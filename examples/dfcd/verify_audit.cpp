// SPDX-License-Identifier: Apache-2.0
#include "verify_audit.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <fmt/format.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/error.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/crypto/audit_line_reader.hpp>
#include <flowtap/crypto/audit_verifier.hpp>
#include <flowtap/crypto/digest.hpp>

#include "audit_file.hpp"
#include "error.hpp"
#include "log.hpp"

namespace dfcd {

namespace crypto = flowtap::crypto;

namespace {

constexpr int something_found = 1;
constexpr int not_readable = 3;
constexpr std::size_t piece_size = std::size_t{1} << 18U;

/// A file of the log and the number of the first line in it that says it has one.
struct part {
    std::string path;
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
};

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), subject));
}

/// Gives a file to `take` piece by piece, until that wants no more.
template <class Take>
flowtap::result<void> read_file(const std::string& path, Take&& take) {
    const flowtap::descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
        return system_failure(path);
    std::vector<char> room(piece_size);
    for (;;) {
        const ssize_t count = ::read(file.number(), room.data(), room.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return system_failure(path);
        if (count == 0 || !take(std::string_view(room.data(), static_cast<std::size_t>(count))))
            return {};
    }
}

flowtap::result<part> look_at(const std::string& path) {
    part known{path};
    std::optional<std::uint64_t> first;
    crypto::audit_line_reader reader;
    const auto take = [&](const crypto::raw_audit_line& raw) {
        const auto line = first ? std::nullopt : crypto::read_audit_line(raw.text);
        if (line)
            first = line->number;
    };
    const auto read = read_file(path, [&](std::string_view octets) {
        reader.put(octets, take);
        return !first;
    });
    if (!read)
        return flowtap::fail(read.error());
    reader.end(take);
    known.first = first.value_or(known.first);
    return known;
}

/// The files in the order in which they were written.
flowtap::result<std::vector<part>> parts_of(const options& chosen) {
    std::vector<part> parts;
    for (std::size_t i = 1; i < chosen.verify_audit.size(); ++i) {
        auto known = look_at(chosen.verify_audit[i]);
        if (!known)
            return flowtap::fail(known.error());
        parts.push_back(std::move(*known));
    }
    std::ranges::stable_sort(parts, {}, &part::first);
    return parts;
}

flowtap::result<crypto::audit_key> read_key(const std::string& path) {
    std::string text;
    const auto read = read_file(path, [&](std::string_view octets) {
        text.append(octets.substr(0, 2 * crypto::audit_key::size + 2));
        return text.size() <= 2 * crypto::audit_key::size + 1;
    });
    if (!read)
        return flowtap::fail(read.error());
    const auto key = crypto::audit_key::from_text(text);
    crypto::wipe(std::as_writable_bytes(std::span(text)));
    if (!key)
        return flowtap::fail(errc::no_audit_key, path);
    return *key;
}

/// A dfcd may write while this reads: then it is read again.
flowtap::result<crypto::audit_chain> read_stored(const std::string& path) {
    constexpr int most_tries = 100;
    for (int i = 0; i < most_tries; ++i) {
        std::string text;
        const auto read = read_file(path, [&](std::string_view octets) {
            text.append(octets);
            return text.size() <= crypto::audit_chain::text_size;
        });
        if (!read)
            return flowtap::fail(read.error());
        const auto chain = crypto::audit_chain::from_text(text);
        crypto::wipe(std::as_writable_bytes(std::span(text)));
        if (chain)
            return *chain;
    }
    return flowtap::fail(errc::damaged_audit_state, path);
}

/// Where the state is; nothing if there is none.
std::optional<std::string> state_of(const options& chosen) {
    if (!chosen.audit_state.empty())
        return chosen.audit_state;
    for (std::size_t i = 1; i < chosen.verify_audit.size(); ++i) {
        const std::string path = audit_state_path(chosen.verify_audit[i]);
        struct stat there {};
        if (::stat(path.c_str(), &there) == 0)
            return path;
    }
    return {};
}

/// `line 7`, `lines 7 to 9`: of the chain.
std::string numbers_of(const crypto::audit_finding& found) {
    if (found.first == found.last)
        return fmt::format("line {} of the chain", found.first);
    const std::string numbers = fmt::format("lines {} to {} of the chain", found.first, found.last);
    if (found.count == found.last - found.first + 1)
        return numbers;
    return fmt::format("{} of the {}", found.count, numbers);
}

std::string sentence_of(const crypto::audit_finding& found) {
    using crypto::audit_fault;
    switch (found.fault) {
    case audit_fault::changed:
        return found.count == 1 ? "this is not the line that was written"
                                : fmt::format("{} lines from here on were changed", found.count);
    case audit_fault::inserted:
        return found.count == 1
                   ? "this line does not belong to the chain"
                   : fmt::format("{} lines from here on do not belong to the chain", found.count);
    case audit_fault::removed:
        return fmt::format("before this, {} {} missing", numbers_of(found),
                           found.count == 1 ? "is" : "are");
    case audit_fault::repeated:
        return fmt::format("{} stands here a second time", numbers_of(found));
    case audit_fault::moved:
        return fmt::format("{} stands here, out of its place", numbers_of(found));
    case audit_fault::cut:
        return "the file ends within this line";
    case audit_fault::truncated:
        return fmt::format("after this, {} {} missing: the end of the log", numbers_of(found),
                           found.count == 1 ? "is" : "are");
    case audit_fault::wrong_state:
        return "the stored state is not that of this chain";
    }
    return {};
}

/// Prints what is found while files are read, as lines or as one JSON object.
class printer {
public:
    printer(const std::vector<part>& parts, bool json) : parts_(parts), json_(json) {
        if (json_)
            fmt::print("{{\"findings\":[");
    }

    void print(const crypto::audit_finding& found) {
        const std::string file = found.file == 0 ? "" : parts_[found.file - 1].path;
        if (!json_) {
            fmt::print("{}:{}: {}: {}\n", flowtap::escape_text(file), found.line,
                       to_string(found.fault), sentence_of(found));
            return;
        }
        nlohmann::ordered_json object;
        object["file"] = flowtap::escape_text(file);
        object["line"] = found.line;
        object["fault"] = to_string(found.fault);
        object["first"] = found.first;
        object["last"] = found.last;
        object["count"] = found.count;
        fmt::print("{}\n{}", is_first_ ? "" : ",", object.dump());
        is_first_ = false;
    }

    void end(const crypto::audit_totals& all, bool knows_end) const {
        if (json_) {
            fmt::print("],\"whole\":{},\"end_known\":{},\"lines\":{},\"good\":{},\"last\":{},"
                       "\"before\":{}}}\n",
                       all.findings == 0, knows_end, all.lines, all.good, all.last, all.before);
            return;
        }
        if (all.before != 0)
            fmt::print("{} lines stand there from before the chain, unprotected\n", all.before);
        if (!knows_end)
            fmt::print("there is no stored state: whether lines are missing at the end is not "
                       "known\n");
        fmt::print(
            "{} of {} lines are authentic and in their place, up to number {}; {} findings\n",
            all.good, all.lines - all.before, all.last, all.findings);
    }

private:
    const std::vector<part>& parts_;
    const bool json_;
    bool is_first_ = true;
};

flowtap::result<bool> is_whole(const options& chosen) {
    const auto key = read_key(chosen.verify_audit.front());
    if (!key)
        return flowtap::fail(key.error());
    // Before the files: the log may grow meanwhile, and must not seem to lack what comes.
    std::optional<crypto::audit_chain> stored;
    if (const auto path = state_of(chosen)) {
        const auto read = read_stored(*path);
        if (!read)
            return flowtap::fail(read.error());
        stored = *read;
    }
    const auto parts = parts_of(chosen);
    if (!parts)
        return flowtap::fail(parts.error());
    printer out(*parts, chosen.json);
    crypto::audit_verifier verifier(*key, [&](const auto& found) { out.print(found); });
    for (const part& each : *parts) {
        const auto read = read_file(each.path, [&](std::string_view octets) {
            verifier.put(octets);
            return true;
        });
        if (!read)
            return flowtap::fail(read.error());
        verifier.end_file();
    }
    const crypto::audit_totals all = verifier.finish(stored);
    out.end(all, stored.has_value());
    return all.findings == 0;
}

} // namespace

int verify_audit(const options& chosen) {
    const auto whole = is_whole(chosen);
    if (!whole) {
        log("{}", whole.error().message());
        return not_readable;
    }
    return *whole ? 0 : something_found;
}

} // namespace dfcd
