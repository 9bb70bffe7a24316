// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver {

/// A pcap file of copies (link type raw IP, times in nanoseconds), to which the sinks of any number
/// of workers write. Thread-safe; one writes at a time.
class FLOWTAP_DELIVER_API pcap_file {
public:
    /// Makes the file, or empties it, readable for its owner only; `-` is standard output.
    /// Errors: those of `opener` and of the first write.
    static result<std::shared_ptr<pcap_file>> create(const std::string& path,
                                                     opener& with = direct_opener());
    ~pcap_file();

    /// Why copies could not be written, the last time that happened; no code if it never did.
    error failure() const;

private:
    friend class pcap_file_sink;
    struct state;
    explicit pcap_file(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

/// Writes copies, outer headers included, to a pcap file. Copies for a file are collected, up to
/// 256 KiB, until `flush`; what is for a pipe is written at once. What cannot be written (a full
/// disk) is counted as `drop_cause::send_error`, and the file ends after the last whole copy, so
/// that it stays valid. A file is never full; a pipe is while its reader takes nothing, and it may
/// keep the end of one copy until the reader goes on. A pipe without a reader raises SIGPIPE, which
/// a program that wants to go on ignores.
class FLOWTAP_DELIVER_API pcap_file_sink final : public path::sink {
public:
    explicit pcap_file_sink(std::shared_ptr<pcap_file> file);
    ~pcap_file_sink() override;

    std::size_t consume(std::span<const path::copy> copies) noexcept override;
    bool has_collected() const noexcept override;
    void flush() noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::deliver
