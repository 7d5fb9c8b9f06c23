/* libpq: parameters in text and binary, prepared and described statements, single-row mode, pipelines, COPY, notifications, cancel, reset, errors. */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE "client_libpq"

static jmp_buf failed_case;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  longjmp(failed_case, 1);
}

#define CHECK(condition, ...) \
  do {                        \
    if (!(condition)) {       \
      printf("%s: ", #condition); \
      fail(__VA_ARGS__);      \
    }                         \
  } while (0)

static PGresult *expect(PGconn *db, PGresult *result, ExecStatusType status) {
  CHECK(PQresultStatus(result) == status, "%s, %s", PQresStatus(PQresultStatus(result)), PQerrorMessage(db));
  return result;
}
static void run(PGconn *db, const char *sql) {
  PGresult *result = PQexec(db, sql);
  CHECK(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(db));
  PQclear(result);
}
static void expect_error(PGresult *result, const char *sqlstate) {
  const char *found = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  CHECK(found != NULL && strcmp(found, sqlstate) == 0, "%s came instead of %s", found ? found : "none", sqlstate);
  PQclear(result);
}
static long number(PGconn *db, const char *sql) {
  PGresult *result = expect(db, PQexec(db, sql), PGRES_TUPLES_OK);
  long value = atol(PQgetvalue(result, 0, 0));
  PQclear(result);
  return value;
}

static void connects(PGconn *db, const char *url) {
  (void)url;
  CHECK(PQserverVersion(db) / 10000 == 15, "%d", PQserverVersion(db));
  CHECK(strcmp(PQparameterStatus(db, "server_encoding"), "UTF8") == 0, "encoding");
  CHECK(PQbackendPID(db) > 0 && PQprotocolVersion(db) == 3, "backend");
  CHECK(PQtransactionStatus(db) == PQTRANS_IDLE, "not idle");
  CHECK(PQping(url) == PQPING_OK, "ping");
}

static void parameters(PGconn *db, const char *url) {
  (void)url;
  run(db, "DROP TABLE IF EXISTS " TABLE);
  run(db, "CREATE TABLE " TABLE " (id int PRIMARY KEY, name text NOT NULL, data bytea, price numeric(8,2) DEFAULT 1.00)");
  const unsigned char bytes[] = {0, 255, 16};
  for (int i = 0; i < 100; i++) {
    const uint32_t id = htonl((uint32_t)i);
    char name[32];
    snprintf(name, sizeof name, "item %d", i);
    const Oid types[] = {23, 25, 17};
    const char *values[] = {(const char *)&id, name, (const char *)bytes};
    const int lengths[] = {sizeof id, 0, sizeof bytes}, formats[] = {1, 0, 1};
    PGresult *result =
        expect(db, PQexecParams(db, "INSERT INTO " TABLE " (id, name, data) VALUES ($1, $2, $3)", 3, types, values, lengths, formats, 0), PGRES_COMMAND_OK);
    CHECK(strcmp(PQcmdTuples(result), "1") == 0, "%s", PQcmdStatus(result));
    PQclear(result);
  }
  const char *low[] = {"7"};
  PGresult *result = expect(db, PQexecParams(db, "SELECT id, data, price FROM " TABLE " WHERE id = $1", 1, NULL, low, NULL, NULL, 1), PGRES_TUPLES_OK);
  CHECK(PQnfields(result) == 3 && PQftype(result, 1) == 17 && PQfformat(result, 0) == 1, "columns");
  CHECK(PQgetlength(result, 0, 0) == 4 && ntohl(*(const uint32_t *)(const void *)PQgetvalue(result, 0, 0)) == 7, "id");
  CHECK(PQgetlength(result, 0, 1) == 3 && memcmp(PQgetvalue(result, 0, 1), bytes, 3) == 0, "data");
  CHECK(PQfmod(result, 2) == ((8 << 16) | 2) + 4 && strcmp(PQfname(result, 2), "price") == 0, "modifier");
  CHECK(PQftable(result, 0) != 0 && PQftablecol(result, 1) == 3, "origin");
  PQclear(result);
}

static void prepared(PGconn *db, const char *url) {
  (void)url;
  PQclear(expect(db, PQprepare(db, "by id", "SELECT name FROM " TABLE " WHERE id = $1", 0, NULL), PGRES_COMMAND_OK));
  PGresult *described = expect(db, PQdescribePrepared(db, "by id"), PGRES_COMMAND_OK);
  CHECK(PQnparams(described) == 1 && PQparamtype(described, 0) == 23 && PQftype(described, 0) == 25, "described");
  PQclear(described);
  for (int i = 0; i < 20; i++) {
    char id[16], name[32];
    snprintf(id, sizeof id, "%d", i);
    snprintf(name, sizeof name, "item %d", i);
    const char *values[] = {id};
    PGresult *result = expect(db, PQexecPrepared(db, "by id", 1, values, NULL, NULL, 0), PGRES_TUPLES_OK);
    CHECK(strcmp(PQgetvalue(result, 0, 0), name) == 0, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
  }
  run(db, "DEALLOCATE \"by id\"");
  run(db, "BEGIN; DECLARE c CURSOR FOR SELECT id FROM " TABLE);
  described = expect(db, PQdescribePortal(db, "c"), PGRES_COMMAND_OK);
  CHECK(PQnfields(described) == 1 && PQftype(described, 0) == 23, "portal");
  PQclear(described);
  run(db, "COMMIT");
}

static void several(PGconn *db, const char *url) {
  (void)url;
  CHECK(PQsendQuery(db, "SELECT 1; SELECT 2 AS b; SELECT 1/0; SELECT 3"), "send");
  PGresult *result;
  int tuples = 0, errors = 0;
  while ((result = PQgetResult(db)) != NULL) {
    if (PQresultStatus(result) == PGRES_TUPLES_OK) tuples++;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) errors++;
    PQclear(result);
  }
  CHECK(tuples == 2 && errors == 1, "%d, %d", tuples, errors);
  PGresult *empty = expect(db, PQexec(db, ""), PGRES_EMPTY_QUERY);
  PQclear(empty);
}

static void single_rows(PGconn *db, const char *url) {
  (void)url;
  CHECK(PQsendQuery(db, "SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i") && PQsetSingleRowMode(db), "send");
  PGresult *result;
  int seen = 0, last = 0;
  while ((result = PQgetResult(db)) != NULL) {
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
      seen++;
      CHECK(atoi(PQgetvalue(result, 0, 0)) == seen, "row %s", PQgetvalue(result, 0, 0));
    } else {
      expect(db, result, PGRES_TUPLES_OK);
      last = PQntuples(result) == 0;
    }
    PQclear(result);
  }
  CHECK(seen == 20000 && last, "%d rows", seen);
  CHECK(PQsendQuery(db, "SELECT 100 / (i - 5) FROM generate_series(1, 20) i") && PQsetSingleRowMode(db), "send");
  seen = 0;
  int failed = 0;
  while ((result = PQgetResult(db)) != NULL) {
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) seen++;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) failed = strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "22012") == 0;
    PQclear(result);
  }
  CHECK(seen == 4 && failed, "%d rows before the error", seen);
}

static void pipelines(PGconn *db, const char *url) {
  (void)url;
  CHECK(PQenterPipelineMode(db) == 1, "enter");
  for (int i = 0; i < 200; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    const char *values[] = {text};
    CHECK(PQsendQueryParams(db, "SELECT $1::int", 1, NULL, values, NULL, NULL, 0), "send");
    if (i == 100) CHECK(PQsendQueryParams(db, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0), "send");
    if (i % 50 == 49) CHECK(PQpipelineSync(db), "sync");
  }
  int answers = 0, errors = 0, aborted = 0, syncs = 0;
  while (syncs < 4) {
    PGresult *result = PQgetResult(db);
    if (result == NULL) continue;
    switch (PQresultStatus(result)) {
      case PGRES_TUPLES_OK: answers++; break;
      case PGRES_PIPELINE_SYNC: syncs++; break;
      case PGRES_PIPELINE_ABORTED: aborted++; break;
      default: errors++; break;
    }
    PQclear(result);
  }
  CHECK(answers == 151 && errors == 1 && aborted == 49 && PQpipelineStatus(db) == PQ_PIPELINE_ON, "%d, %d, %d", answers, errors, aborted);
  CHECK(PQexitPipelineMode(db) == 1, "%s", PQerrorMessage(db));
  /* Flush without a sync brings the answers, too. */
  CHECK(PQenterPipelineMode(db) && PQsendQueryParams(db, "SELECT 42", 0, NULL, NULL, NULL, NULL, 0) && PQsendFlushRequest(db) && PQflush(db) == 0, "flush");
  PGresult *result = expect(db, PQgetResult(db), PGRES_TUPLES_OK);
  PQclear(result);
  CHECK(PQgetResult(db) == NULL && PQpipelineSync(db), "sync");
  PQclear(expect(db, PQgetResult(db), PGRES_PIPELINE_SYNC));
  CHECK(PQexitPipelineMode(db), "exit");
}

static void copies(PGconn *db, const char *url) {
  (void)url;
  run(db, "TRUNCATE " TABLE);
  PQclear(expect(db, PQexec(db, "COPY " TABLE " (id, name) FROM STDIN"), PGRES_COPY_IN));
  for (int i = 0; i < 5000; i++) {
    char line[64];
    const int length = snprintf(line, sizeof line, "%d\tname\\t%d\n", i, i);
    CHECK(PQputCopyData(db, line, length) == 1, "put");
  }
  CHECK(PQputCopyEnd(db, NULL) == 1, "end");
  PGresult *result = expect(db, PQgetResult(db), PGRES_COMMAND_OK);
  CHECK(strcmp(PQcmdStatus(result), "COPY 5000") == 0, "%s", PQcmdStatus(result));
  PQclear(result);
  while ((result = PQgetResult(db)) != NULL) PQclear(result);
  result = expect(db, PQexec(db, "COPY (SELECT id, name FROM " TABLE " ORDER BY id) TO STDOUT (FORMAT binary)"), PGRES_COPY_OUT);
  CHECK(PQbinaryTuples(result) == 1 && PQnfields(result) == 2, "format");
  PQclear(result);
  char *data;
  int size;
  long bytes = 0;
  while ((size = PQgetCopyData(db, &data, 0)) > 0) {
    bytes += size;
    PQfreemem(data);
  }
  CHECK(size == -1 && bytes > 100000, "%ld bytes", bytes);
  while ((result = PQgetResult(db)) != NULL) PQclear(expect(db, result, PGRES_COMMAND_OK));
  PQclear(expect(db, PQexec(db, "COPY " TABLE " (id, name) FROM STDIN"), PGRES_COPY_IN));
  CHECK(PQputCopyData(db, "9999\tx\n", 7) == 1 && PQputCopyEnd(db, "changed my mind") == 1, "abort");
  expect_error(PQgetResult(db), "57014");
  while ((result = PQgetResult(db)) != NULL) PQclear(result);
  CHECK(number(db, "SELECT count(*) FROM " TABLE) == 5000, "rows");
}

static int notices;
static void count_notice(void *unused, const PGresult *result) {
  (void)unused;
  notices += strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "01000") == 0;
}

static void notifications(PGconn *db, const char *url) {
  PGconn *other = PQconnectdb(url);
  run(db, "LISTEN client_libpq");
  run(other, "SELECT pg_notify('client_libpq', 'from another')");
  PGnotify *came = NULL;
  for (int i = 0; i < 100 && came == NULL; i++) {
    struct pollfd waiting = {PQsocket(db), POLLIN, 0};
    poll(&waiting, 1, 100);
    PQconsumeInput(db);
    came = PQnotifies(db);
  }
  CHECK(came != NULL && strcmp(came->relname, "client_libpq") == 0 && strcmp(came->extra, "from another") == 0 && came->be_pid == PQbackendPID(other), "notified");
  PQfreemem(came);
  PQfinish(other);
  run(db, "UNLISTEN *");
  PQnoticeReceiver before = PQsetNoticeReceiver(db, count_notice, NULL);
  run(db, "DO $$ BEGIN RAISE WARNING 'careful'; END $$");
  PQsetNoticeReceiver(db, before, NULL);
  CHECK(notices == 1, "%d notices", notices);
}

static void *cancel_soon(void *argument) {
  char error[256];
  usleep(200000);
  return (void *)(long)PQcancel((PGcancel *)argument, error, sizeof error);
}

static void cancels(PGconn *db, const char *url) {
  (void)url;
  PGcancel *cancel = PQgetCancel(db);
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_soon, cancel);
  PGresult *result = PQexec(db, "SELECT pg_sleep(20)");
  void *sent;
  pthread_join(thread, &sent);
  PQfreeCancel(cancel);
  CHECK(sent != NULL, "not sent");
  expect_error(result, "57014");
  CHECK(number(db, "SELECT 1") == 1, "answers again");
}

static void transactions(PGconn *db, const char *url) {
  (void)url;
  run(db, "BEGIN");
  CHECK(PQtransactionStatus(db) == PQTRANS_INTRANS, "status");
  run(db, "DELETE FROM " TABLE " WHERE id < 10; SAVEPOINT a; DELETE FROM " TABLE);
  expect_error(PQexec(db, "SELECT no_such_column"), "42703");
  CHECK(PQtransactionStatus(db) == PQTRANS_INERROR, "status");
  expect_error(PQexec(db, "SELECT 1"), "25P02");
  run(db, "ROLLBACK TO a");
  run(db, "COMMIT");
  CHECK(number(db, "SELECT count(*) FROM " TABLE) == 4990, "rows");
}

static void errors(PGconn *db, const char *url) {
  (void)url;
  PGresult *result = PQexec(db, "INSERT INTO " TABLE " (id, name) VALUES (10, 'again')");
  CHECK(strcmp(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME), TABLE "_pkey") == 0, "constraint");
  CHECK(strcmp(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL), "Key (id)=(10) already exists.") == 0, "detail");
  CHECK(strcmp(PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR") == 0, "severity");
  expect_error(result, "23505");
  result = PQexec(db, "SELECT 1 + nothing");
  CHECK(strcmp(PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION), "12") == 0, "position");
  CHECK(strstr(PQresultErrorMessage(result), "SELECT 1 + nothing\n") != NULL, "%s", PQresultErrorMessage(result));
  expect_error(result, "42703");
}

static void escapes(PGconn *db, const char *url) {
  (void)url;
  const char *words = "it's \\ \"万店\"";
  char *literal = PQescapeLiteral(db, words, strlen(words)), *name = PQescapeIdentifier(db, words, strlen(words)), sql[256];
  snprintf(sql, sizeof sql, "SELECT %s AS %s", literal, name);
  PGresult *result = expect(db, PQexec(db, sql), PGRES_TUPLES_OK);
  CHECK(strcmp(PQgetvalue(result, 0, 0), words) == 0 && strcmp(PQfname(result, 0), words) == 0, "%s", sql);
  PQclear(result);
  PQfreemem(literal);
  PQfreemem(name);
}

static void resets(PGconn *db, const char *url) {
  PGconn *other = PQconnectdb(url);
  char sql[64];
  snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", PQbackendPID(db));
  run(other, sql);
  PQfinish(other);
  PGresult *result = PQexec(db, "SELECT 1");
  CHECK(PQresultStatus(result) == PGRES_FATAL_ERROR && PQstatus(db) == CONNECTION_BAD, "still there");
  PQclear(result);
  PQreset(db);
  CHECK(PQstatus(db) == CONNECTION_OK && number(db, "SELECT 1") == 1, "%s", PQerrorMessage(db));
}

static void the_end(PGconn *db, const char *url) {
  (void)url;
  run(db, "DROP TABLE " TABLE);
  expect_error(PQexec(db, "SELECT 1 FROM " TABLE), "42P01");
}

static const struct {
  const char *name;
  void (*run)(PGconn *, const char *);
} kCases[] = {
    {"connects and knows the server", connects},
    {"parameters go and come in text and binary", parameters},
    {"prepared statements and portals describe themselves", prepared},
    {"many statements in one query", several},
    {"pipelines answer in order", pipelines},
    {"rows come one by one", single_rows},
    {"COPY goes in and out", copies},
    {"notifications and notices arrive", notifications},
    {"a query is cancelled", cancels},
    {"transactions tell their state", transactions},
    {"errors carry their fields", errors},
    {"values are escaped", escapes},
    {"a lost connection is reset", resets},
    {"the table goes", the_end},
};

int main(int count, char **arguments) {
  if (count != 3) return 2;
  PGconn *db = PQconnectdb(arguments[2]);
  if (PQstatus(db) != CONNECTION_OK) {
    printf("%s", PQerrorMessage(db));
    return 1;
  }
  int failures = 0;
  const int total = sizeof kCases / sizeof *kCases;
  run(db, "SET client_min_messages = warning");
  for (volatile int i = 0; i < total; i++) {
    if (setjmp(failed_case) == 0) {
      kCases[i].run(db, arguments[2]);
    } else {
      printf("FAILED libpq: %s\n", kCases[i].name);
      failures++;
      PQreset(db);
    }
  }
  PQfinish(db);
  printf("libpq: %d passed, %d failed\n", total - failures, failures);
  return failures != 0;
}
