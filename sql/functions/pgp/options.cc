#include <cstdlib>

#include "sql/functions/pgp/algorithms.h"
#include "sql/functions/pgp/compression.h"
#include "sql/functions/pgp/message.h"
#include "sql/functions/pgp/s2k.h"

namespace wandian::sql::pgp {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

void skip_blanks(std::string_view* text) {
  while (!text->empty() && is_blank(text->front())) text->remove_prefix(1);
}

// A word, or one of the signs between words, and the blanks around it.
std::string next_word(std::string_view* text) {
  skip_blanks(text);
  std::size_t size = 0;
  while (size < text->size() && !is_blank((*text)[size]) && (*text)[size] != '=' && (*text)[size] != ',') ++size;
  if (size == 0 && !text->empty()) size = 1;
  std::string out(text->substr(0, size));
  text->remove_prefix(size);
  skip_blanks(text);
  return out;
}

bool take(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

Fault set_cipher(const std::string& name, int* out) {
  const int number = cipher_number(name);
  if (number < 0) return Fault::kUnsupportedCipher;
  *out = number;
  return Fault::kNone;
}

Fault set_digest(const std::string& name, int* out) {
  const int number = digest_number(name);
  if (number < 0) return Fault::kUnsupportedDigest;
  *out = number;
  return Fault::kNone;
}

Fault set_within(int value, int least, int most, int* out) {
  if (value < least || value > most) return Fault::kArgument;
  *out = value;
  return Fault::kNone;
}

bool set_flag(const std::string& name, bool value, Form* form) {
  bool* flag = name == "disable-mdc" ? &form->disable_mdc
               : name == "sess-key"  ? &form->session_key
               : name == "convert-crlf" ? &form->convert_crlf
               : name == "unicode-mode" ? &form->unicode
                                        : nullptr;
  if (flag != nullptr) *flag = value;
  return flag != nullptr;
}

bool set_expected(const std::string& name, const std::string& value, Expected* expected) {
  const int number = std::atoi(value.c_str());
  const std::pair<const char*, int*> numbers[] = {
      {"expect-disable-mdc", &expected->disable_mdc}, {"expect-sess-key", &expected->session_key}, {"expect-s2k-mode", &expected->s2k_mode},
      {"expect-s2k-count", &expected->s2k_count}, {"expect-compress-algo", &expected->compression}, {"expect-unicode-mode", &expected->unicode},
  };
  for (const auto& [known, out] : numbers) {
    if (name != known) continue;
    *out = number;
    return true;
  }
  // A name that nobody has expects nothing.
  if (name == "expect-cipher-algo") expected->cipher = cipher_number(value);
  else if (name == "expect-s2k-cipher-algo") expected->s2k_cipher = cipher_number(value);
  else if (name == "expect-s2k-digest-algo") expected->s2k_digest = digest_number(value);
  else return false;
  return true;
}

Fault set_option(const std::string& name, const std::string& value, Options* out) {
  Form& form = out->form;
  const int number = std::atoi(value.c_str());
  if (name == "cipher-algo") return set_cipher(value, &form.cipher);
  if (name == "s2k-cipher-algo") return set_cipher(value, &form.s2k_cipher);
  if (name == "s2k-digest-algo") return set_digest(value, &form.s2k_digest);
  if (name == "s2k-mode") return number == 2 ? Fault::kArgument : set_within(number, 0, 3, &form.s2k_mode);
  if (name == "s2k-count") return form.s2k_mode != S2k::kIterated ? Fault::kArgument : set_within(number, S2k::kLeastCount, S2k::kMostCount, &form.s2k_count);
  if (name == "compress-algo") return set_within(number, kUncompressed, kBzip2, &form.compression);
  if (name == "compress-level") return set_within(number, 0, 9, &form.compression_level);
  if (set_flag(name, number != 0, &form)) return Fault::kNone;
  if (name == "debug") {
    out->debug = number != 0;
    return Fault::kNone;
  }
  return set_expected(name, value, &out->expected) ? Fault::kNone : Fault::kArgument;
}

}  // namespace

Fault read_options(std::string_view text, Options* out) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  std::string_view rest = lower;
  while (!rest.empty()) {
    const std::string name = next_word(&rest);
    if (!take(&rest, '=')) return Fault::kArgument;
    const std::string value = next_word(&rest);
    if (!rest.empty() && !take(&rest, ',')) return Fault::kArgument;
    if (name.empty() || value.empty()) return Fault::kArgument;
    WANDIAN_PGP_TRY(set_option(name, value, out));
  }
  return Fault::kNone;
}

std::vector<std::string> unexpected(const Expected& expected, const Form& form) {
  std::vector<std::string> out;
  const auto check = [&](const char* name, int wanted, int got) {
    if (wanted < 0 || wanted == got) return;
    out.push_back("pgp_decrypt: unexpected " + std::string(name) + ": expected " + std::to_string(wanted) + " got " + std::to_string(got));
  };
  check("cipher_algo", expected.cipher, form.cipher);
  check("s2k_mode", expected.s2k_mode, form.s2k_mode);
  check("s2k_count", expected.s2k_count, form.s2k_count);
  check("s2k_digest_algo", expected.s2k_digest, form.s2k_digest);
  check("use_sess_key", expected.session_key, form.session_key ? 1 : 0);
  if (form.session_key) check("s2k_cipher_algo", expected.s2k_cipher, form.s2k_cipher);
  check("disable_mdc", expected.disable_mdc, form.disable_mdc ? 1 : 0);
  check("compress_algo", expected.compression, form.compression);
  check("unicode_mode", expected.unicode, form.unicode ? 1 : 0);
  return out;
}

}  // namespace wandian::sql::pgp
