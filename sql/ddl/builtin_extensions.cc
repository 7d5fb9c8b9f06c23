#include "sql/ddl/builtin_extensions.h"

#include <algorithm>

namespace wandian::sql {

namespace {

// As the scripts of PostgreSQL 15's pgcrypto 1.3 and uuid-ossp 1.1 declare them; sql/functions/extension_functions.h has the code.
constexpr char kPgcrypto[] = R"(
CREATE FUNCTION digest(text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_digest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION digest(bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_digest' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION hmac(text, text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_hmac' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_hmac' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION crypt(text, text) RETURNS text AS '$libdir/pgcrypto', 'pg_crypt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION gen_salt(text) RETURNS text AS '$libdir/pgcrypto', 'pg_gen_salt' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION gen_salt(text, int4) RETURNS text AS '$libdir/pgcrypto', 'pg_gen_salt_rounds' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION encrypt(bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_encrypt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION decrypt(bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_decrypt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION encrypt_iv(bytea, bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_encrypt_iv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION decrypt_iv(bytea, bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_decrypt_iv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION gen_random_bytes(int4) RETURNS bytea AS '$libdir/pgcrypto', 'pg_random_bytes' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION gen_random_uuid() RETURNS uuid AS '$libdir/pgcrypto', 'pg_random_uuid' LANGUAGE C VOLATILE PARALLEL SAFE;
CREATE FUNCTION pgp_sym_encrypt(text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_encrypt_text' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_encrypt(text, text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_encrypt_text' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_encrypt_bytea' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_encrypt_bytea(bytea, text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_encrypt_bytea' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_decrypt(bytea, text) RETURNS text AS '$libdir/pgcrypto', 'pgp_sym_decrypt_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_decrypt(bytea, text, text) RETURNS text AS '$libdir/pgcrypto', 'pgp_sym_decrypt_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_decrypt_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_sym_decrypt_bytea(bytea, text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_sym_decrypt_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_encrypt(text, bytea) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_encrypt_text' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_encrypt(text, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_encrypt_text' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_encrypt_bytea' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_encrypt_bytea(bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_encrypt_bytea' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea) RETURNS text AS '$libdir/pgcrypto', 'pgp_pub_decrypt_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text) RETURNS text AS '$libdir/pgcrypto', 'pgp_pub_decrypt_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt(bytea, bytea, text, text) RETURNS text AS '$libdir/pgcrypto', 'pgp_pub_decrypt_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_decrypt_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_decrypt_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_pub_decrypt_bytea(bytea, bytea, text, text) RETURNS bytea AS '$libdir/pgcrypto', 'pgp_pub_decrypt_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION pgp_key_id(bytea) RETURNS text AS '$libdir/pgcrypto', 'pgp_key_id_w' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION armor(bytea) RETURNS text AS '$libdir/pgcrypto', 'pg_armor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION armor(bytea, text[], text[]) RETURNS text AS '$libdir/pgcrypto', 'pg_armor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION dearmor(text) RETURNS bytea AS '$libdir/pgcrypto', 'pg_dearmor' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
)";

constexpr char kUuidOssp[] = R"(
CREATE FUNCTION uuid_nil() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_nil' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_ns_dns() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_ns_dns' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_ns_url() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_ns_url' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_ns_oid() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_ns_oid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_ns_x500() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_ns_x500' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_generate_v1() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_generate_v1' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_generate_v1mc' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_generate_v3' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_generate_v4() RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_generate_v4' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid AS '$libdir/uuid-ossp', 'uuid_generate_v5' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
)";

std::vector<ExtensionInfo> make_extensions() {
  std::vector<ExtensionInfo> out(2);
  out[0].name = "pgcrypto";
  out[0].version = "1.3";
  out[0].comment = "cryptographic functions";
  out[0].schema_sql = kPgcrypto;
  out[1].name = "uuid-ossp";
  out[1].version = "1.1";
  out[1].comment = "generate universally unique identifiers (UUIDs)";
  out[1].schema_sql = kUuidOssp;
  return out;
}

}  // namespace

std::span<const ExtensionInfo> builtin_extensions() {
  static const std::vector<ExtensionInfo>& all = *new std::vector<ExtensionInfo>(make_extensions());
  return all;
}

const ExtensionInfo* builtin_extension(std::string_view name) {
  const auto all = builtin_extensions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const ExtensionInfo& info) { return info.name == name; });
  return found != all.end() ? &*found : nullptr;
}

}  // namespace wandian::sql
