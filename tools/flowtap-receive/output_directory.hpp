// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>

#include "../common/capture_writer.hpp"

namespace flowtap::tools {

/// What becomes of files that are there already.
enum class existing_files : std::uint8_t { keep, overwrite };

/// A capture in an output directory, open or closed for now. It must not move while it is open.
struct intercept_file {
    std::string name;
    /// Packets that were not written.
    std::uint64_t unwritten = 0;

private:
    friend class output_directory;
    bool begun_ = false;
    bool broken_ = false; ///< it could not be opened
    std::optional<capture_writer> writer_;
    std::list<intercept_file*>::iterator place_;
};

/// A directory with one capture an intercept, of which a bounded number is open at a time: the ones
/// written to last.
class output_directory {
public:
    /// Makes the directory, for its owner only, unless it is there.
    /// Errors: those of the system; `std::errc::file_exists` when it holds captures and they are to
    /// be kept.
    static result<output_directory> open(const std::string& path, packet::link_type link,
                                         existing_files found);

    void write(intercept_file& to, byte_view packet, wall_time time);
    /// Hands what is buffered to the system.
    void flush();
    /// Closes all files.
    void close();

    /// Why a packet could not be written, the last time that happened.
    const error& failure() const noexcept { return failure_; }

private:
    bool ready(intercept_file& file);
    result<capture_writer> open_writer(const intercept_file& file) const;
    void close_oldest();
    void settle(intercept_file& file);

    std::string path_;
    descriptor directory_;
    packet::link_type link_ = packet::link_type::raw;
    existing_files found_ = existing_files::keep;
    std::list<intercept_file*> open_; ///< the one written to last comes first
    error failure_;
};

} // namespace flowtap::tools
