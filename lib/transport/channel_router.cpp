// SPDX-License-Identifier: Apache-2.0
#include <flowtap/transport/channel_router.hpp>

namespace flowtap::transport {

channel::~channel() = default;

channel_handler::~channel_handler() = default;

void channel_handler::on_resize(std::uint32_t /*columns*/, std::uint32_t /*rows*/) {}

void channel_router::serve(request_kind kind, std::string name, factory make) {
    named_[{kind, std::move(name)}] = std::move(make);
}

void channel_router::serve_all(request_kind kind, factory make) {
    rest_[kind] = std::move(make);
}

void channel_router::allow_terminal(std::function<bool(const permission::principal&)> decide) {
    terminal_ = std::move(decide);
}

std::unique_ptr<channel_handler> channel_router::open(const channel_request& asked) const {
    if (const auto found = named_.find({asked.kind, std::string(asked.name)});
        found != named_.end())
        return found->second(asked);
    if (const auto found = rest_.find(asked.kind); found != rest_.end())
        return found->second(asked);
    return nullptr;
}

bool channel_router::allows_terminal(const permission::principal& who) const {
    return terminal_ && terminal_(who);
}

} // namespace flowtap::transport
