#include "wire/startup_packet.h"

#include <algorithm>
#include <cctype>

#include "wire/protocol_reader.h"

namespace wandian::wire {
namespace {

constexpr std::size_t kNameBytes = 63;   // NAMEDATALEN - 1: longer names are cut, as PostgreSQL does

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// What PostgreSQL takes for a boolean: any prefix of the words that is unambiguous.
enum class Truth : std::uint8_t { kFalse, kTrue, kNeither };
Truth parse_bool(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto prefix_of = [&lower](std::string_view word, std::size_t least) {
    return lower.size() >= least && lower.size() <= word.size() && word.substr(0, lower.size()) == lower;
  };
  if (lower == "1" || prefix_of("true", 1) || prefix_of("yes", 1) || lower == "on") return Truth::kTrue;
  if (lower == "0" || prefix_of("false", 1) || prefix_of("no", 1) || prefix_of("off", 2)) return Truth::kFalse;
  return Truth::kNeither;
}

Status set_replication(std::string_view value, StartupPacket& packet) {
  if (value == "database") {
    packet.replication = true;
    return {};
  }
  switch (parse_bool(value)) {
    case Truth::kTrue: packet.replication = true; return {};
    case Truth::kFalse: packet.replication = false; return {};
    case Truth::kNeither: break;
  }
  return Status{sqlstate::invalid_parameter_value,
                "invalid value for parameter \"replication\": \"" + std::string(value) + "\""}
      .with_hint("Valid values are: \"false\", 0, \"true\", 1, \"database\".");
}

}  // namespace

std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (true) {
    while (i < text.size() && is_space(text[i])) ++i;
    if (i == text.size()) return words;
    std::string word;
    for (bool escaped = false; i < text.size(); ++i) {
      const char c = text[i];
      if (is_space(c) && !escaped) break;
      if (!escaped && c == '\\') {
        escaped = true;
        continue;
      }
      escaped = false;
      word.push_back(c);
    }
    words.push_back(std::move(word));
  }
}

Status parse_options(std::string_view text, std::vector<std::pair<std::string, std::string>>& settings) {
  const std::vector<std::string> words = split_options(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    std::string_view assignment;
    bool dashes = false;
    if (word.substr(0, 2) == "--" && word.size() > 2) {
      dashes = true;
      assignment = word.substr(2);
    } else if (word.substr(0, 2) == "-c" && word.size() > 2) {
      assignment = word.substr(2);
    } else if (word == "-c" && i + 1 < words.size()) {
      assignment = words[++i];
    } else {
      return Status{sqlstate::syntax_error, "invalid command-line argument for server process: " + std::string(word)}.with_hint(
          "Try \"postgres --help\" for more information.");
    }
    const std::size_t equals = assignment.find('=');
    if (equals == std::string_view::npos)
      return Status{sqlstate::syntax_error, (dashes ? "--" : "-c ") + std::string(assignment) + " requires a value"};
    std::string name(assignment.substr(0, equals));
    std::replace(name.begin(), name.end(), '-', '_');
    settings.emplace_back(std::move(name), std::string(assignment.substr(equals + 1)));
  }
  return {};
}

Result<StartupPacket> parse_startup_packet(std::string_view body) {
  StartupPacket packet;
  std::vector<std::pair<std::string, std::string>> direct;
  MessageReader reader(body);
  std::string_view options;
  while (true) {
    const std::string_view name = reader.string();
    if (!reader.ok() || name.empty()) break;
    const std::string_view value = reader.string();
    if (!reader.ok()) break;
    if (name == "user") {
      packet.user = value;
    } else if (name == "database") {
      packet.database = value;
    } else if (name == "options") {
      options = value;
    } else if (name == "replication") {
      WANDIAN_TRY(set_replication(value, packet));
    } else if (name.substr(0, 5) == "_pq_.") {
      packet.unknown_protocol_options.emplace_back(name);
    } else {
      direct.emplace_back(std::string(name), std::string(value));
    }
  }
  if (!reader.finish())
    return Status{sqlstate::protocol_violation, "invalid startup packet layout: expected terminator as last byte"};
  if (packet.user.empty())
    return Status{sqlstate::invalid_authorization_specification, "no PostgreSQL user name specified in startup packet"};
  if (packet.database.empty()) packet.database = packet.user;
  packet.user.resize(std::min(packet.user.size(), kNameBytes));
  packet.database.resize(std::min(packet.database.size(), kNameBytes));
  packet.options_error = parse_options(options, packet.settings);
  for (auto& setting : direct) packet.settings.push_back(std::move(setting));
  return packet;
}

}  // namespace wandian::wire
