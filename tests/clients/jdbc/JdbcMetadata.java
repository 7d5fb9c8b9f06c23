// The PostgreSQL JDBC driver's DatabaseMetaData, asked all that the tools above it ask. What it answered on PostgreSQL 15 is in
// metadata_expected.txt; JdbcMetadata --url URL --expected FILE [--record]

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public final class JdbcMetadata {
  private static final String SCHEMA = "client_jdbc_metadata";
  private static final String[] SETUP = {
    "DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE",
    "CREATE SCHEMA " + SCHEMA,
    "SET search_path = " + SCHEMA + ", public",
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE DOMAIN positive AS int DEFAULT 1 CHECK (VALUE > 0)",
    "CREATE TABLE stores (id serial PRIMARY KEY, name varchar(80) NOT NULL, mood mood DEFAULT 'ok', size positive, tags text[], bits bit(5), other pair, UNIQUE (name, mood))",
    "CREATE TABLE orders (store int NOT NULL, number bigint GENERATED ALWAYS AS IDENTITY, total numeric(10,2) DEFAULT 0, twice numeric GENERATED ALWAYS AS"
        + " (total * 2) STORED, at timestamptz(3), length interval day to second(2), data jsonb, PRIMARY KEY (store, number), CONSTRAINT orders_store"
        + " FOREIGN KEY (store) REFERENCES stores (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)",
    "CREATE INDEX orders_total ON orders (total DESC, at) WHERE total > 0",
    "CREATE INDEX stores_lower ON stores (lower(name))",
    "CREATE VIEW totals AS SELECT store, sum(total) AS total FROM orders GROUP BY store",
    "COMMENT ON TABLE stores IS 'where hot dogs are sold'",
    "COMMENT ON COLUMN stores.name IS 'over the door'",
    "CREATE FUNCTION doubled(amount int, OUT twice int, OUT words text) LANGUAGE sql AS $$ SELECT amount * 2, 'x' $$",
    "CREATE FUNCTION several(number int) RETURNS TABLE (n int, w text) LANGUAGE sql AS $$ SELECT 1, 'x' $$",
    "CREATE FUNCTION plain(text, int DEFAULT 1) RETURNS numeric LANGUAGE sql AS $$ SELECT 1 $$",
    "CREATE PROCEDURE nothing(INOUT value int) LANGUAGE plpgsql AS $$ BEGIN NULL; END $$",
    "INSERT INTO stores (name) SELECT 'store ' || i FROM generate_series(1, 100) i",
  };
  private static final Map<String, Call> CALLS = new LinkedHashMap<>();

  interface Call { Object answer(DatabaseMetaData meta) throws Exception; }

  static {
    CALLS.put("getDatabaseProductName", DatabaseMetaData::getDatabaseProductName);
    CALLS.put("getDatabaseMajorVersion", DatabaseMetaData::getDatabaseMajorVersion);
    CALLS.put("getMaxColumnNameLength", DatabaseMetaData::getMaxColumnNameLength);
    CALLS.put("getMaxColumnsInIndex", DatabaseMetaData::getMaxColumnsInIndex);
    CALLS.put("getDefaultTransactionIsolation", DatabaseMetaData::getDefaultTransactionIsolation);
    CALLS.put("getSQLKeywords", DatabaseMetaData::getSQLKeywords);
    CALLS.put("getTimeDateFunctions", DatabaseMetaData::getTimeDateFunctions);
    CALLS.put("getSchemas of this name", meta -> meta.getSchemas(null, SCHEMA));
    CALLS.put("getTables", meta -> meta.getTables(null, SCHEMA, "%", null));
    CALLS.put("getTables by type", meta -> meta.getTables(null, SCHEMA, "%o%", new String[] {"TABLE", "VIEW"}));
    CALLS.put("getTables of catalogs", meta -> meta.getTables(null, "pg_catalog", "pg_cl%", new String[] {"SYSTEM TABLE"}));
    CALLS.put("getTableTypes", DatabaseMetaData::getTableTypes);
    CALLS.put("getColumns", meta -> meta.getColumns(null, SCHEMA, "%", "%"));
    CALLS.put("getColumns by name", meta -> meta.getColumns(null, SCHEMA, "stores", "na%"));
    CALLS.put("getPrimaryKeys", meta -> meta.getPrimaryKeys(null, SCHEMA, "orders"));
    CALLS.put("getImportedKeys", meta -> meta.getImportedKeys(null, SCHEMA, "orders"));
    CALLS.put("getExportedKeys", meta -> meta.getExportedKeys(null, SCHEMA, "stores"));
    CALLS.put("getCrossReference", meta -> meta.getCrossReference(null, SCHEMA, "stores", null, SCHEMA, "orders"));
    CALLS.put("getIndexInfo", meta -> meta.getIndexInfo(null, SCHEMA, "orders", false, true));
    CALLS.put("getIndexInfo of stores", meta -> meta.getIndexInfo(null, SCHEMA, "stores", false, true));
    CALLS.put("getIndexInfo of unique ones", meta -> meta.getIndexInfo(null, SCHEMA, "stores", true, false));
    CALLS.put("getBestRowIdentifier", meta -> meta.getBestRowIdentifier(null, SCHEMA, "orders", DatabaseMetaData.bestRowSession, false));
    CALLS.put("getVersionColumns", meta -> meta.getVersionColumns(null, SCHEMA, "stores"));
    CALLS.put("getFunctions", meta -> meta.getFunctions(null, SCHEMA, "%"));
    CALLS.put("getProcedures", meta -> meta.getProcedures(null, SCHEMA, "%"));
    CALLS.put("getFunctionColumns", meta -> meta.getFunctionColumns(null, SCHEMA, "%", "%"));
    CALLS.put("getProcedureColumns", meta -> meta.getProcedureColumns(null, SCHEMA, "%", "%"));
    CALLS.put("getUDTs", meta -> meta.getUDTs(null, SCHEMA, "%", null));
    CALLS.put("getTablePrivileges", meta -> meta.getTablePrivileges(null, SCHEMA, "stores"));
    CALLS.put("getColumnPrivileges", meta -> meta.getColumnPrivileges(null, SCHEMA, "stores", "n%"));
    CALLS.put("getClientInfoProperties", DatabaseMetaData::getClientInfoProperties);
    CALLS.put("getSuperTables", meta -> meta.getMaxConnections() > 0);
    CALLS.put("getTypeInfo", meta -> typesByName(meta, List.of("bool", "int2", "int4", "int8", "numeric", "text", "varchar", "bytea", "uuid", "jsonb", "_int4", "timestamptz", "bit")));
    CALLS.put("results describe themselves", JdbcMetadata::describe);
    CALLS.put("results are updated", JdbcMetadata::update);
  }

  static List<String> typesByName(DatabaseMetaData meta, List<String> names) throws SQLException {
    List<String> out = new ArrayList<>();
    for (String line : lines(meta.getTypeInfo())) if (names.stream().anyMatch(name -> line.startsWith("TYPE_NAME=" + name + " "))) out.add(line);
    Collections.sort(out);
    return out;
  }

  static List<String> describe(DatabaseMetaData meta) throws SQLException {
    List<String> out = new ArrayList<>();
    try (Statement statement = meta.getConnection().createStatement();
         ResultSet found = statement.executeQuery("SELECT s.id, s.name AS shown, s.mood, s.tags, s.bits, o.*, 1 + 1 AS sum FROM stores s LEFT JOIN orders o ON true LIMIT 1")) {
      ResultSetMetaData columns = found.getMetaData();
      for (int i = 1; i <= columns.getColumnCount(); i++) {
        org.postgresql.PGResultSetMetaData base = (org.postgresql.PGResultSetMetaData) columns;
        out.add(String.join(" ", columns.getColumnLabel(i), columns.getColumnTypeName(i), columns.getColumnClassName(i), base.getBaseSchemaName(i), base.getBaseTableName(i),
            base.getBaseColumnName(i), "" + columns.getPrecision(i), "" + columns.getScale(i), "" + columns.isNullable(i), "" + columns.isAutoIncrement(i)));
      }
    }
    return out;
  }

  static List<String> update(DatabaseMetaData meta) throws SQLException {
    Connection db = meta.getConnection();
    try (Statement statement = db.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
         ResultSet found = statement.executeQuery("SELECT id, name FROM stores ORDER BY id")) {
      found.absolute(3);
      found.updateString("name", "changed");
      found.updateRow();
      found.moveToInsertRow();
      found.updateInt("id", 1000);
      found.updateString("name", "inserted");
      found.insertRow();
      found.absolute(4);
      found.deleteRow();
    }
    try (Statement statement = db.createStatement()) {
      return lines(statement.executeQuery("SELECT id, name FROM stores WHERE id IN (3, 4, 1000) ORDER BY id"));
    }
  }

  // A line a row. Names of the database and of the user, estimates and OIDs differ from one server to the next.
  static List<String> lines(ResultSet found) throws SQLException {
    List<String> out = new ArrayList<>();
    try (found) {
      ResultSetMetaData columns = found.getMetaData();
      while (found.next()) {
        StringBuilder line = new StringBuilder();
        for (int i = 1; i <= columns.getColumnCount(); i++) {
          String name = columns.getColumnLabel(i), value = found.getString(i);
          if (name.equals("CARDINALITY") || name.equals("PAGES") || name.toUpperCase().endsWith("_CAT") || name.equalsIgnoreCase("SPECIFIC_NAME") || name.equals("TABLE_CATALOG")) continue;
          line.append(line.length() > 0 ? " " : "").append(name).append("=").append(value);
        }
        out.add(line.toString());
      }
    }
    return out;
  }

  static List<String> answer(DatabaseMetaData meta, Call call) {
    try {
      Object answer = call.answer(meta);
      List<String> found = answer instanceof ResultSet ? lines((ResultSet) answer) : answer instanceof List ? (List<String>) answer : List.of(String.valueOf(answer));
      String user = meta.getUserName();
      List<String> out = new ArrayList<>();
      for (String line : found) out.add(line.replace("GRANTOR=" + user, "GRANTOR=user").replace("GRANTEE=" + user, "GRANTEE=user"));
      return out;
    } catch (Exception error) {
      return List.of("error: " + error);
    }
  }

  public static void main(String[] arguments) throws Exception {
    List<String> given = Arrays.asList(arguments);
    Path expected = Path.of(given.get(given.indexOf("--expected") + 1));
    Map<String, List<String>> found = new LinkedHashMap<>();
    try (Connection db = JdbcScript.connect(given)) {
      try (Statement statement = db.createStatement()) {
        for (String sql : SETUP) statement.execute(sql);
      }
      for (Map.Entry<String, Call> one : CALLS.entrySet()) found.put(one.getKey(), answer(db.getMetaData(), one.getValue()));
      try (Statement statement = db.createStatement()) {
        statement.execute("DROP SCHEMA " + SCHEMA + " CASCADE");
      }
    }
    if (given.contains("--record")) {
      List<String> text = new ArrayList<>();
      found.forEach((name, lines) -> {
        text.add("# " + name);
        text.addAll(lines);
      });
      Files.write(expected, text);
    }
    Map<String, List<String>> wanted = new LinkedHashMap<>();
    List<String> into = null;
    for (String line : Files.readAllLines(expected)) {
      if (line.startsWith("# ")) wanted.put(line.substring(2), into = new ArrayList<>());
      else into.add(line);
    }
    int failed = 0;
    for (Map.Entry<String, List<String>> one : found.entrySet()) {
      List<String> right = wanted.getOrDefault(one.getKey(), List.of());
      if (right.equals(one.getValue())) continue;
      failed++;
      System.out.println("FAILED JDBC metadata: " + one.getKey());
      for (String line : right) if (!one.getValue().contains(line)) System.out.println("- " + line);
      for (String line : one.getValue()) if (!right.contains(line)) System.out.println("+ " + line);
    }
    System.out.println("JDBC metadata: " + (found.size() - failed) + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }
}
