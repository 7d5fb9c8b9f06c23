#include "bench/day/connection_url.h"

#include <cstdlib>

namespace wandian::bench {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool decode(std::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return false;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

}  // namespace

std::optional<ConnectionUrl> parse_connection_url(std::string_view url, std::string& error) {
  std::string_view rest = url;
  if (rest.starts_with("postgresql://")) {
    rest.remove_prefix(13);
  } else if (rest.starts_with("postgres://")) {
    rest.remove_prefix(11);
  } else {
    error = "a URL begins with postgresql://";
    return std::nullopt;
  }
  ConnectionUrl result;
  std::string_view parameters;
  if (const auto mark = rest.find('?'); mark != rest.npos) {
    parameters = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  bool good = true;
  const auto put = [&](std::string& field, std::string_view value) {
    if (!value.empty()) good = decode(value, field) && good;
  };
  if (const auto slash = rest.find('/'); slash != rest.npos) {
    put(result.dbname, rest.substr(slash + 1));
    rest = rest.substr(0, slash);
  }
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    std::string_view login = rest.substr(0, at);
    rest = rest.substr(at + 1);
    if (const auto colon = login.find(':'); colon != login.npos) {
      put(result.password, login.substr(colon + 1));
      login = login.substr(0, colon);
    }
    put(result.user, login);
  }
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == rest.npos) {
      error = "the IPv6 address lacks its ']'";
      return std::nullopt;
    }
    put(result.host, rest.substr(1, close - 1));
    rest = rest.substr(close + 1);
    if (rest.starts_with(':')) put(result.port, rest.substr(1));
  } else {
    if (const auto colon = rest.rfind(':'); colon != rest.npos) {
      put(result.port, rest.substr(colon + 1));
      rest = rest.substr(0, colon);
    }
    put(result.host, rest);
  }
  while (!parameters.empty()) {
    const auto end = parameters.find('&');
    const std::string_view pair = parameters.substr(0, end);
    parameters = end == parameters.npos ? std::string_view() : parameters.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == pair.npos) {
      error = "a parameter of the URL lacks its '='";
      return std::nullopt;
    }
    const std::string_view name = pair.substr(0, equals), value = pair.substr(equals + 1);
    if (name == "host") put(result.host, value);
    if (name == "port") put(result.port, value);
    if (name == "user") put(result.user, value);
    if (name == "password") put(result.password, value);
    if (name == "dbname") put(result.dbname, value);
  }
  if (!good) {
    error = "the URL has a bad percent-escape";
    return std::nullopt;
  }
  if (result.dbname.empty()) result.dbname = result.user;
  if (result.password.empty())
    if (const char* password = std::getenv("PGPASSWORD")) result.password = password;
  return result;
}

}  // namespace wandian::bench
