// The PostgreSQL JDBC driver: parameters in text and, after some runs, in binary; batches, generated keys, transactions,
// fetch sizes, COPY, metadata, errors.

import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

public final class JdbcScript {
  private static final String TABLE = "client_jdbc";
  private static final Map<String, Case> CASES = new LinkedHashMap<>();

  interface Case { void run(Connection db) throws Exception; }
  interface Call { void run() throws Exception; }
  interface Connecting { Connection get() throws SQLException; }
  private static Connecting another;

  static void same(Object expected, Object found) {
    if (!Objects.deepEquals(expected, found)) throw new AssertionError("expected " + expected + ", found " + found);
  }

  static void refused(String sqlstate, Call call) throws Exception {
    try {
      call.run();
    } catch (SQLException error) {
      if (!sqlstate.equals(error.getSQLState())) throw new AssertionError("expected SQLSTATE " + sqlstate, error);
      return;
    }
    throw new AssertionError("expected SQLSTATE " + sqlstate + ", but it was accepted");
  }

  static void run(Connection db, String sql) throws SQLException {
    try (Statement statement = db.createStatement()) { statement.execute(sql); }
  }

  static Object one(Connection db, String sql, Object... arguments) throws SQLException {
    try (PreparedStatement statement = db.prepareStatement(sql)) {
      for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, arguments[i]);
      try (ResultSet rows = statement.executeQuery()) {
        if (!rows.next()) throw new AssertionError("no row: " + sql);
        return rows.getObject(1);
      }
    }
  }

  static {
    CASES.put("connects and knows the server", db -> {
      same(15, db.getMetaData().getDatabaseMajorVersion());
      same("PostgreSQL", db.getMetaData().getDatabaseProductName());
      same(true, db.isValid(5));
      same(1, one(db, "SELECT 1"));
    });

    CASES.put("parameters of common types come back, in text and in binary", db -> {
      OffsetDateTime when = OffsetDateTime.of(2024, 2, 29, 12, 0, 0, 1000, ZoneOffset.UTC);
      UUID id = UUID.fromString("12345678-1234-5678-1234-567812345678");
      try (PreparedStatement statement = db.prepareStatement(
          "SELECT ?::int4, ?::int8, ?::numeric, ?::text, ?::bool, ?::bytea, ?::date, ?::timestamptz, ?::uuid, ?::float8, ?::int4[]")) {
        for (int round = 0; round < 10; round++) { // from the fifth run on the driver asks for binary results
          statement.setInt(1, 7 + round);
          statement.setLong(2, 1L << 40);
          statement.setBigDecimal(3, new BigDecimal("12.340"));
          statement.setString(4, "万店 'q' \\");
          statement.setBoolean(5, true);
          statement.setBytes(6, new byte[] {0, (byte) 255});
          statement.setObject(7, LocalDate.of(2024, 2, 29));
          statement.setObject(8, when);
          statement.setObject(9, id);
          statement.setDouble(10, 2.25);
          statement.setArray(11, db.createArrayOf("int4", new Integer[] {1, null, 3}));
          try (ResultSet row = statement.executeQuery()) {
            row.next();
            same(7 + round, row.getInt(1));
            same(1L << 40, row.getLong(2));
            same(new BigDecimal("12.340"), row.getBigDecimal(3));
            same("万店 'q' \\", row.getString(4));
            same(true, row.getBoolean(5));
            same(new byte[] {0, (byte) 255}, row.getBytes(6));
            same(LocalDate.of(2024, 2, 29), row.getObject(7, LocalDate.class));
            same(when, row.getObject(8, OffsetDateTime.class));
            same(id, row.getObject(9));
            same(2.25, row.getDouble(10));
            same(new Integer[] {1, null, 3}, row.getArray(11).getArray());
          }
        }
      }
    });

    CASES.put("batches are inserted", db -> {
      run(db, "DROP TABLE IF EXISTS " + TABLE);
      run(db, "CREATE TABLE " + TABLE + " (id int PRIMARY KEY, name varchar(40) NOT NULL, price numeric(8,2) DEFAULT 1.00,"
          + " serial_no bigint GENERATED ALWAYS AS IDENTITY)");
      try (PreparedStatement insert = db.prepareStatement("INSERT INTO " + TABLE + " (id, name) VALUES (?, ?)")) {
        for (int i = 0; i < 500; i++) {
          insert.setInt(1, i);
          insert.setString(2, "item " + i);
          insert.addBatch();
        }
        same(500, Arrays.stream(insert.executeBatch()).sum());
      }
      same(500L, one(db, "SELECT count(*) FROM " + TABLE));
      try (Statement batch = db.createStatement()) {
        batch.addBatch("UPDATE " + TABLE + " SET price = 2 WHERE id < 10");
        batch.addBatch("DELETE FROM " + TABLE + " WHERE id >= 400");
        same(new int[] {10, 100}, batch.executeBatch());
      }
    });

    CASES.put("generated keys come back", db -> {
      try (PreparedStatement insert = db.prepareStatement(
          "INSERT INTO " + TABLE + " (id, name) VALUES (900, 'keyed')", new String[] {"serial_no"})) {
        insert.executeUpdate();
        try (ResultSet keys = insert.getGeneratedKeys()) {
          same(true, keys.next());
          same(501L, keys.getLong(1));
        }
      }
    });

    CASES.put("transactions commit, roll back and keep savepoints", db -> {
      db.setAutoCommit(false);
      try {
        db.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        run(db, "DELETE FROM " + TABLE + " WHERE id = 900");
        Savepoint savepoint = db.setSavepoint("here");
        run(db, "DELETE FROM " + TABLE);
        db.rollback(savepoint);
        db.commit();
        run(db, "DELETE FROM " + TABLE);
        db.rollback();
        refused("42P01", () -> run(db, "SELECT * FROM no_such_table"));
        refused("25P02", () -> run(db, "SELECT 1"));
        db.rollback();
      } finally {
        db.rollback();
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        db.setAutoCommit(true);
      }
      same(400L, one(db, "SELECT count(*) FROM " + TABLE));
    });

    CASES.put("a fetch size reads in parts", db -> {
      db.setAutoCommit(false);
      try (Statement statement = db.createStatement()) {
        statement.setFetchSize(37);
        int seen = 0;
        try (ResultSet rows = statement.executeQuery("SELECT id FROM " + TABLE + " ORDER BY id")) {
          while (rows.next()) same(seen++, rows.getInt(1));
        }
        same(400, seen);
      } finally {
        db.commit();
        db.setAutoCommit(true);
      }
    });

    CASES.put("errors carry their SQLSTATE and fields", db -> {
      refused("23505", () -> run(db, "INSERT INTO " + TABLE + " (id, name) VALUES (1, 'again')"));
      refused("22001", () -> run(db, "INSERT INTO " + TABLE + " (id, name) VALUES (901, repeat('x', 41))"));
      refused("22012", () -> one(db, "SELECT 1 / ?::int", 0));
      refused("42703", () -> run(db, "SELECT nothing FROM " + TABLE));
      try {
        run(db, "INSERT INTO " + TABLE + " (id, name) VALUES (1, 'again')");
      } catch (PSQLException error) {
        same(TABLE + "_pkey", error.getServerErrorMessage().getConstraint());
        same("Key (id)=(1) already exists.", error.getServerErrorMessage().getDetail());
      }
    });

    CASES.put("a timeout cancels the statement", db -> {
      try (Statement statement = db.createStatement()) {
        statement.setQueryTimeout(1);
        refused("57014", () -> statement.execute("SELECT pg_sleep(20)"));
      }
      same(1, one(db, "SELECT 1"));
    });

    CASES.put("COPY goes in and out", db -> {
      run(db, "TRUNCATE " + TABLE);
      var copy = db.unwrap(PGConnection.class).getCopyAPI();
      same(2L, copy.copyIn("COPY " + TABLE + " (id, name) FROM STDIN (FORMAT csv)", new StringReader("1,one\n2,\"two, 2\"\n")));
      StringWriter out = new StringWriter();
      copy.copyOut("COPY (SELECT id, name FROM " + TABLE + " ORDER BY id) TO STDOUT", out);
      same("1\tone\n2\ttwo, 2\n", out.toString());
    });

    CASES.put("metadata describes the table", db -> {
      DatabaseMetaData meta = db.getMetaData();
      try (ResultSet tables = meta.getTables(null, "public", TABLE, new String[] {"TABLE"})) {
        same(true, tables.next());
        same(TABLE, tables.getString("TABLE_NAME"));
      }
      try (ResultSet columns = meta.getColumns(null, "public", TABLE, "%")) {
        same(true, columns.next());
        same("id", columns.getString("COLUMN_NAME"));
        same("int4", columns.getString("TYPE_NAME"));
        same(1, columns.getInt("ORDINAL_POSITION"));
        same("NO", columns.getString("IS_NULLABLE"));
        same(true, columns.next());
        same("name", columns.getString("COLUMN_NAME"));
        same(40, columns.getInt("COLUMN_SIZE"));
        same(2, columns.getInt("ORDINAL_POSITION"));
      }
      try (ResultSet keys = meta.getPrimaryKeys(null, "public", TABLE)) {
        same(true, keys.next());
        same("id", keys.getString("COLUMN_NAME"));
      }
    });

    CASES.put("notifications arrive", db -> {
      PGConnection listener = db.unwrap(PGConnection.class);
      run(db, "LISTEN client_jdbc");
      try (Connection sender = another.get()) {
        one(sender, "SELECT pg_notify('client_jdbc', ?)::text", "from another");
        var came = listener.getNotifications(10000);
        same(1, came.length);
        same("from another", came[0].getParameter());
        same("client_jdbc", came[0].getName());
        same(sender.unwrap(PGConnection.class).getBackendPID(), came[0].getPID());
      }
      run(db, "NOTIFY client_jdbc, 'own'");
      same("own", listener.getNotifications()[0].getParameter());
      run(db, "UNLISTEN *");
    });

    CASES.put("the table goes", db -> run(db, "DROP TABLE " + TABLE));
  }

  // To the server of --url.
  static Connection connect(List<String> arguments) throws SQLException {
    URI url = URI.create(arguments.get(arguments.indexOf("--url") + 1));
    String[] user = url.getUserInfo().split(":", 2);
    String jdbc = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath()
        + (url.getQuery() != null ? "?" + url.getQuery() : "");
    return DriverManager.getConnection(jdbc, user[0], user.length > 1 ? user[1] : System.getenv("PGPASSWORD"));
  }

  public static void main(String[] arguments) throws Exception {
    int failed = 0;
    another = () -> connect(Arrays.asList(arguments));
    try (Connection db = another.get()) {
      for (Map.Entry<String, Case> entry : CASES.entrySet()) {
        try {
          entry.getValue().run(db);
        } catch (Exception | AssertionError error) {
          failed++;
          System.out.println("FAILED jdbc: " + entry.getKey());
          error.printStackTrace(System.out);
        }
      }
    }
    System.out.println("jdbc: " + (CASES.size() - failed) + " passed, " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }
}
