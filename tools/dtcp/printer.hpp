// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>

#include <flowtap/dtcp/reader.hpp>

namespace dtcp_tool {

/// Prints what an access point answers as it comes, and keeps the score.
class printer : public flowtap::dtcp::response_handler {
public:
    explicit printer(std::ostream& out) : out_(&out) {}

    void on_response(flowtap::dtcp::response answer,
                     flowtap::dtcp::authenticity signature) override;
    void on_notification(flowtap::dtcp::notification told,
                         flowtap::dtcp::authenticity signature) override;

    /// In the place of an answer: the request of this number got none.
    virtual void on_silence(flowtap::sequence_number seq) = 0;

    /// Answers other than 200.
    std::size_t errors() const noexcept { return errors_; }
    /// Messages whose signature does not verify.
    std::size_t forgeries() const noexcept { return forgeries_; }

protected:
    std::ostream& out() const { return *out_; }

private:
    virtual void print(const flowtap::dtcp::response& answer) = 0;
    virtual void print(const flowtap::dtcp::notification& told) = 0;

    std::ostream* out_;
    std::size_t errors_ = 0;
    std::size_t forgeries_ = 0;
};

/// For people: a line for the result, and the entries of a list as the lines of the protocol.
class text_printer final : public printer {
public:
    using printer::printer;
    void on_entry(flowtap::dtcp::list_entry entry) override;
    void on_silence(flowtap::sequence_number seq) override;

private:
    void print(const flowtap::dtcp::response& answer) override;
    void print(const flowtap::dtcp::notification& told) override;
};

/// For programs: one JSON object a line, its "type" being "entry", "response", "notification" or
/// "silence".
class json_printer final : public printer {
public:
    using printer::printer;
    void on_entry(flowtap::dtcp::list_entry entry) override;
    void on_silence(flowtap::sequence_number seq) override;

private:
    void print(const flowtap::dtcp::response& answer) override;
    void print(const flowtap::dtcp::notification& told) override;
};

} // namespace dtcp_tool
