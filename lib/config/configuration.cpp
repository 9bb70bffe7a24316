// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include <flowtap/config/configuration.hpp>
#include <flowtap/config/load.hpp>

#include "model.hpp"

namespace flowtap::config {

namespace {

struct file_closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

template <class Named>
const Named* find_by_name(const std::vector<Named>& list, std::string_view name) noexcept {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const Named& n) { return n.name == name; });
    return found != list.end() ? &*found : nullptr;
}

void resolve(loaded& into, reporter& report) {
    const node top = bind(into.statements, report);
    read_logins(top, into.settings, report);
    read_access(top, into.settings, report);
    read_interfaces(top, into.settings, report);
    read_instances(top, into.settings, report);
    read_flow_tap(top, into.settings, report);
    read_flow_capture(top, into.settings, report);
    read_radius_flow_tap(top, into.settings, report);
    check_surroundings(top, into.settings, report);
    into.found = report.take();
}

} // namespace

std::string to_string(const diagnostic& shown) {
    std::string line = shown.file;
    if (shown.where.line != 0)
        line += ':' + std::to_string(shown.where.line) + ':' + std::to_string(shown.where.column);
    line += shown.level == severity::error ? ": error: " : ": warning: ";
    return line + shown.message;
}

configuration::configuration()
    : forwarding_classes{{"best-effort", std::uint8_t{0}},
                         {"assured-forwarding", std::uint8_t{10}},
                         {"expedited-forwarding", std::uint8_t{46}},
                         {"network-control", std::uint8_t{48}}} {}

const physical_interface* configuration::find_interface(std::string_view name) const noexcept {
    return find_by_name(interfaces, name);
}

const logical_interface* configuration::find_unit(std::string_view name) const noexcept {
    const std::size_t dot = name.find('.');
    const physical_interface* found = find_interface(name.substr(0, dot));
    if (found == nullptr)
        return nullptr;
    if (dot != std::string_view::npos)
        return find_by_name(found->units, name);
    const auto zero = std::find_if(found->units.begin(), found->units.end(),
                                   [](const auto& unit) { return unit.unit == 0; });
    return zero != found->units.end() ? &*zero : nullptr;
}

const routing_instance* configuration::find_instance(std::string_view name) const noexcept {
    return find_by_name(routing_instances, name);
}

control_source flow_tap_settings::settings_of(std::string_view login) const {
    const control_source* own = find_by_name(control_sources, login);
    control_source answer = own != nullptr ? *own : default_source.value_or(control_source{});
    answer.name = login;
    return answer;
}

std::string with_unit(std::string_view interface_name) {
    std::string name(interface_name);
    if (name.find('.') == std::string::npos)
        name += ".0";
    return name;
}

std::uint64_t number_of(const word& value) {
    return parse_number(value.text).value_or(0);
}

std::uint64_t number_or(const node& parent, std::string_view keyword, std::uint64_t otherwise) {
    const word* value = parent.value_of(keyword);
    return value != nullptr ? number_of(*value) : otherwise;
}

void report_missing_port(const node& written, reporter& report) {
    if (!written.flawed)
        report.error(written.where,
                     "the address needs a port after it: " + written.key().text + " port NUMBER");
}

std::vector<endpoint> read_targets(const node& source, reporter& report) {
    std::vector<endpoint> targets;
    const node* written = source.find("notification-targets");
    if (written == nullptr)
        return targets;
    for (const node& target : written->children) {
        if (const word* port = target.value_of("port"))
            targets.push_back({*parse_ip_address(target.key().text),
                               static_cast<std::uint16_t>(number_of(*port))});
        else
            report_missing_port(target, report);
    }
    return targets;
}

loaded load(std::string_view text, std::string_view filename) {
    parsed_tree parsed = parse_tree(text);
    reporter report(filename);
    for (const error& problem : parsed.errors) {
        std::string message = problem.code.message();
        if (!problem.subject.empty())
            message += ": \"" + escape_text(problem.subject) + '"';
        report.error(problem.where, message);
    }
    loaded done;
    done.statements = std::move(parsed.statements);
    resolve(done, report);
    return done;
}

loaded load(tree statements, std::string_view filename) {
    reporter report(filename);
    loaded done;
    done.statements = std::move(statements);
    resolve(done, report);
    return done;
}

loaded load_file(const std::string& path) {
    errno = 0;
    const std::unique_ptr<std::FILE, file_closer> file(std::fopen(path.c_str(), "rbe"));
    std::string text;
    // One octet more than is allowed tells that there are too many. Piece by piece, since memory
    // for the most there may be costs more time than all else here.
    std::array<char, 16384> piece{};
    std::size_t count = 0;
    while (file && text.size() <= syntax_limits{}.octets &&
           (count = std::fread(piece.data(), 1, piece.size(), file.get())) != 0)
        text.append(piece.data(), count);
    if (!file || std::ferror(file.get()) != 0) {
        loaded done;
        done.found.push_back({severity::error,
                              path,
                              {},
                              make_error_code(errc::unreadable_file).message() + ": " +
                                  std::generic_category().message(errno)});
        return done;
    }
    return load(text, path);
}

} // namespace flowtap::config
