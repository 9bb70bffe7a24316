// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/subscriber/api.hpp>
#include <flowtap/subscriber/error.hpp>
#include <flowtap/subscriber/session.hpp>
#include <flowtap/tap/subscribers.hpp>

namespace flowtap::subscriber {

/// The subscriber sessions there are, found by each of their attributes.
///
/// Every call takes the same time however many sessions there are, and however many of them share
/// an attribute; `find` also takes what it returns. A session of usual attributes takes about a
/// kilobyte, the longest one about 10: see lib/subscriber/README.md. For one thread at a time.
class FLOWTAP_SUBSCRIBER_API directory {
public:
    /// Sessions at a time, at most.
    explicit directory(std::size_t limit = default_limit);
    ~directory();
    directory(directory&&) noexcept;
    directory& operator=(directory&&) noexcept;

    static constexpr std::size_t default_limit = 100'000;

    /// Takes a session in, or gives the one of the same identity new attributes. Errors:
    /// `errc::too_many_sessions`, `errc::invalid_session`; nothing changes then.
    result<session_ref> put(session_record what);
    void erase(session_ref which);
    /// Sessions that are there already stay, even if they are more.
    void limit(std::size_t sessions) noexcept;

    std::optional<session_ref> find(const session_identity& identity) const;
    /// Those that have the attribute, in no order. An address is looked for in all prefixes. None
    /// if `value` is empty.
    std::vector<session_ref> find(tap::session_trait by, std::string_view value) const;
    /// All sessions of a network element.
    std::vector<session_ref> find_element(std::string_view element) const;

    /// Of a session that is there. Valid until it changes.
    const session_record& at(session_ref which) const noexcept;
    std::size_t size() const noexcept;
    /// No reference to a session is this high.
    std::size_t bound() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Whether a session has an attribute, as `directory::find` sees it.
FLOWTAP_SUBSCRIBER_API bool has_trait(const session_record& session, tap::session_trait by,
                                      std::string_view value);

} // namespace flowtap::subscriber
