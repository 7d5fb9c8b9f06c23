#include "sql/ddl/builtin_extensions.h"
#include "sql/functions/citext.h"
#include "sql/types/user_type.h"

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
CREATE FUNCTION pgp_armor_headers(text, key OUT text, value OUT text) RETURNS SETOF record
  AS '$libdir/pgcrypto', 'pgp_armor_headers' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
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

// The functions of citext 1.6 that are in SQL; the others, the type and its operators are known to every database (sql/functions/citext.h). CITEXT
// stands for the type, which no name leads to before the extension is there.
constexpr char kCitext[] = R"(
CREATE FUNCTION regexp_match(CITEXT, CITEXT) RETURNS text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_match($1::pg_catalog.text, $2::pg_catalog.text, 'i') $$;
CREATE FUNCTION regexp_match(CITEXT, CITEXT, text) RETURNS text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_match($1::pg_catalog.text, $2::pg_catalog.text, CASE WHEN pg_catalog.strpos($3, 'c') = 0 THEN $3 || 'i' ELSE $3 END) $$;
CREATE FUNCTION regexp_matches(CITEXT, CITEXT) RETURNS SETOF text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE ROWS 1
  AS $$ SELECT pg_catalog.regexp_matches($1::pg_catalog.text, $2::pg_catalog.text, 'i') $$;
CREATE FUNCTION regexp_matches(CITEXT, CITEXT, text) RETURNS SETOF text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE ROWS 10
  AS $$ SELECT pg_catalog.regexp_matches($1::pg_catalog.text, $2::pg_catalog.text, CASE WHEN pg_catalog.strpos($3, 'c') = 0 THEN $3 || 'i' ELSE $3 END) $$;
CREATE FUNCTION regexp_replace(CITEXT, CITEXT, text) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_replace($1::pg_catalog.text, $2::pg_catalog.text, $3, 'i') $$;
CREATE FUNCTION regexp_replace(CITEXT, CITEXT, text, text) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_replace($1::pg_catalog.text, $2::pg_catalog.text, $3, CASE WHEN pg_catalog.strpos($4, 'c') = 0 THEN $4 || 'i' ELSE $4 END) $$;
CREATE FUNCTION regexp_split_to_array(CITEXT, CITEXT) RETURNS text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_split_to_array($1::pg_catalog.text, $2::pg_catalog.text, 'i') $$;
CREATE FUNCTION regexp_split_to_array(CITEXT, CITEXT, text) RETURNS text[] LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_split_to_array($1::pg_catalog.text, $2::pg_catalog.text, CASE WHEN pg_catalog.strpos($3, 'c') = 0 THEN $3 || 'i' ELSE $3 END) $$;
CREATE FUNCTION regexp_split_to_table(CITEXT, CITEXT) RETURNS SETOF text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_split_to_table($1::pg_catalog.text, $2::pg_catalog.text, 'i') $$;
CREATE FUNCTION regexp_split_to_table(CITEXT, CITEXT, text) RETURNS SETOF text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_split_to_table($1::pg_catalog.text, $2::pg_catalog.text, CASE WHEN pg_catalog.strpos($3, 'c') = 0 THEN $3 || 'i' ELSE $3 END) $$;
CREATE FUNCTION strpos(CITEXT, CITEXT) RETURNS int LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.strpos(pg_catalog.lower($1::pg_catalog.text), pg_catalog.lower($2::pg_catalog.text)) $$;
CREATE FUNCTION replace(CITEXT, CITEXT, CITEXT) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.regexp_replace($1::pg_catalog.text, pg_catalog.regexp_replace($2::pg_catalog.text, '([^a-zA-Z_0-9])', E'\\\\\\1', 'g'), $3::pg_catalog.text, 'gi') $$;
CREATE FUNCTION split_part(CITEXT, CITEXT, int) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT (pg_catalog.regexp_split_to_array($1::pg_catalog.text, pg_catalog.regexp_replace($2::pg_catalog.text, '([^a-zA-Z_0-9])', E'\\\\\\1', 'g'), 'i'))[$3] $$;
CREATE FUNCTION translate(CITEXT, CITEXT, text) RETURNS text LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT pg_catalog.translate(pg_catalog.translate($1::pg_catalog.text, pg_catalog.lower($2::pg_catalog.text), $3), pg_catalog.upper($2::pg_catalog.text), $3) $$;
)";

// pg_stat_statements 1.10: what the shards have counted is a relation of the system (sql/catalog/pg_stat_statements.cc).
constexpr char kStatements[] = R"(
CREATE FUNCTION pg_stat_statements_reset(IN userid oid DEFAULT 0, IN dbid oid DEFAULT 0, IN queryid bigint DEFAULT 0) RETURNS void
  AS '$libdir/pg_stat_statements', 'pg_stat_statements_reset_1_7' LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
CREATE FUNCTION pg_stat_statements_info(OUT dealloc bigint, OUT stats_reset timestamptz) RETURNS record LANGUAGE SQL VOLATILE STRICT PARALLEL SAFE
  AS $$ SELECT dealloc, stats_reset FROM pg_catalog.wandian_statements_info $$;
CREATE VIEW pg_stat_statements_info AS SELECT dealloc, stats_reset FROM pg_stat_statements_info();
CREATE FUNCTION pg_stat_statements(IN showtext boolean,
  OUT userid oid, OUT dbid oid, OUT toplevel bool, OUT queryid bigint, OUT query text, OUT plans bigint, OUT total_plan_time float8,
  OUT min_plan_time float8, OUT max_plan_time float8, OUT mean_plan_time float8, OUT stddev_plan_time float8, OUT calls bigint,
  OUT total_exec_time float8, OUT min_exec_time float8, OUT max_exec_time float8, OUT mean_exec_time float8,
  OUT stddev_exec_time float8, OUT rows bigint, OUT shared_blks_hit bigint, OUT shared_blks_read bigint,
  OUT shared_blks_dirtied bigint, OUT shared_blks_written bigint, OUT local_blks_hit bigint, OUT local_blks_read bigint,
  OUT local_blks_dirtied bigint, OUT local_blks_written bigint, OUT temp_blks_read bigint, OUT temp_blks_written bigint,
  OUT blk_read_time float8, OUT blk_write_time float8, OUT temp_blk_read_time float8, OUT temp_blk_write_time float8,
  OUT wal_records bigint, OUT wal_fpi bigint, OUT wal_bytes numeric, OUT jit_functions bigint, OUT jit_generation_time float8,
  OUT jit_inlining_count bigint, OUT jit_inlining_time float8, OUT jit_optimization_count bigint, OUT jit_optimization_time float8,
  OUT jit_emission_count bigint, OUT jit_emission_time float8)
  RETURNS SETOF record LANGUAGE SQL VOLATILE STRICT PARALLEL SAFE AS $$ SELECT
  userid, dbid, toplevel, queryid, CASE WHEN showtext THEN query END, plans, total_plan_time, min_plan_time, max_plan_time,
  mean_plan_time, stddev_plan_time, calls, total_exec_time, min_exec_time, max_exec_time, mean_exec_time, stddev_exec_time, rows,
  shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written, local_blks_hit, local_blks_read, local_blks_dirtied,
  local_blks_written, temp_blks_read, temp_blks_written, blk_read_time, blk_write_time, temp_blk_read_time, temp_blk_write_time,
  wal_records, wal_fpi, wal_bytes, jit_functions, jit_generation_time, jit_inlining_count, jit_inlining_time,
  jit_optimization_count, jit_optimization_time, jit_emission_count, jit_emission_time
  FROM pg_catalog.wandian_statements $$;
CREATE VIEW pg_stat_statements AS SELECT * FROM pg_stat_statements(true);
GRANT SELECT ON pg_stat_statements_info TO PUBLIC;
GRANT SELECT ON pg_stat_statements TO PUBLIC;
REVOKE ALL ON FUNCTION pg_stat_statements_reset(oid, oid, bigint) FROM PUBLIC;
)";

std::string with_citext(std::string script) {
  const std::string type = stored_type_name(type_oid::kCitext);
  for (std::size_t at = script.find("CITEXT"); at != std::string::npos; at = script.find("CITEXT", at + type.size())) script.replace(at, 6, type);
  return script;
}

std::vector<ExtensionInfo> make_extensions() {
  std::vector<ExtensionInfo> out(4);
  out[3].name = "pg_stat_statements";
  out[3].version = "1.10";
  out[3].comment = "track planning and execution statistics of all SQL statements executed";
  out[3].schema_sql = kStatements;
  out[2].name = kCitextName;
  out[2].version = "1.6";
  out[2].comment = "data type for case-insensitive character strings";
  out[2].schema_sql = with_citext(kCitext);
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
