// libpqxx: parameters, prepared statements, streams, pipelines, cursors, subtransactions, notifications, robust transactions, errors.
#include <poll.h>

#include <functional>
#include <iostream>
#include <pqxx/pqxx>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

const std::string kTable = "client_libpqxx";

template <class A, class B>
void same(const A& wanted, const B& found) {
  if (!(wanted == found)) throw std::logic_error("expected " + pqxx::to_string(wanted) + ", found " + pqxx::to_string(found));
}
void holds(bool condition, const std::string& what) {
  if (!condition) throw std::logic_error(what);
}
template <class Error>
void refused(const std::string& sqlstate, const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    same(sqlstate, error.sqlstate());
    return;
  }
  throw std::logic_error("SQLSTATE " + sqlstate + " expected, but it was accepted");
}

using Case = std::pair<const char*, void (*)(pqxx::connection&, const std::string&)>;

const Case kCases[] = {
    {"connects and knows the server", [](pqxx::connection& db, const std::string&) {
       same(15, db.server_version() / 10000);
       holds(db.backendpid() > 0 && db.is_open(), "open");
     }},
    {"rows are written and read", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       work.exec0("DROP TABLE IF EXISTS " + kTable);
       work.exec0("CREATE TABLE " + kTable + " (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1.00, data bytea)");
       for (int i = 0; i < 100; ++i) work.exec_params0("INSERT INTO " + kTable + " (id, name) VALUES ($1, $2)", i, "item " + std::to_string(i));
       const pqxx::result updated = work.exec_params("UPDATE " + kTable + " SET price = price * 2 WHERE id < $1 RETURNING id, price", 10);
       same(10u, updated.size());
       same(10u, updated.affected_rows());
       same("2.00", std::string(updated[0]["price"].c_str()));
       same(std::string("price"), std::string(updated.column_name(1)));
       work.commit();
       pqxx::read_transaction reading(db);
       int sum = 0;
       for (const pqxx::row& row : reading.exec("SELECT id, name FROM " + kTable)) sum += row[0].as<int>();
       same(4950, sum);
       holds(reading.exec1("SELECT data FROM " + kTable + " WHERE id = 1")[0].is_null(), "null");
       same(7, reading.exec1("SELECT 7")[0].as<int>());
     }},
    {"values are quoted and escaped", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       const std::string words = "it's \\ \"万店\"";
       const pqxx::row row = work.exec1("SELECT " + work.quote(words) + " AS " + work.quote_name(words) + ", " + work.quote_raw(std::string("\0\377", 2)));
       same(words, row[0].as<std::string>());
       same(std::string("\0\377", 2), pqxx::binarystring(row[1]).str());
       const pqxx::result arrays = work.exec("SELECT ARRAY['a', NULL, 'b \"c\"']");
       pqxx::array_parser items = arrays[0][0].as_array();
       std::vector<std::string> found;
       for (auto next = items.get_next(); next.first != pqxx::array_parser::juncture::done; next = items.get_next())
         if (next.first == pqxx::array_parser::juncture::string_value) found.push_back(next.second);
       same(2u, found.size());
       same(std::string("b \"c\""), found[1]);
     }},
    {"prepared statements are reused", [](pqxx::connection& db, const std::string&) {
       db.prepare("by_id", "SELECT name FROM " + kTable + " WHERE id = $1");
       pqxx::work work(db);
       for (int i = 0; i < 20; ++i) same("item " + std::to_string(i), work.exec_prepared1("by_id", i)[0].as<std::string>());
       work.commit();
       db.unprepare("by_id");
     }},
    {"a stream writes", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       work.exec0("TRUNCATE " + kTable);
       pqxx::stream_to into(work, kTable, std::vector<std::string>{"id", "name"});
       for (int i = 0; i < 3000; ++i) into << std::make_tuple(i, "tab\t" + std::to_string(i) + "\n\\");
       into.complete();
       int rows = 0;
       for (const pqxx::row& row : work.exec("SELECT id, name FROM " + kTable + " ORDER BY id")) {
         same(rows, row[0].as<int>());
         same("tab\t" + std::to_string(rows++) + "\n\\", row[1].as<std::string>());
       }
       same(3000, rows);
       work.commit();
     }},
    {"a pipeline answers each query", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       pqxx::pipeline pipe(work);
       pipe.retain(20);
       std::vector<pqxx::pipeline::query_id> ids;
       for (int i = 0; i < 100; ++i) ids.push_back(pipe.insert("SELECT " + std::to_string(i)));
       pipe.complete();
       for (int i = 0; i < 100; ++i) same(i, pipe.retrieve(ids[static_cast<std::size_t>(i)])[0][0].as<int>());
     }},
    {"cursors read in parts and backwards", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       pqxx::stateless_cursor<pqxx::cursor_base::read_only, pqxx::cursor_base::owned> cursor(work, "SELECT id FROM " + kTable + " ORDER BY id", "all of it", false);
       same(3000, static_cast<int>(cursor.size()));
       same(10u, cursor.retrieve(100, 110).size());
       same(109, cursor.retrieve(100, 110)[9][0].as<int>());
       same(5, cursor.retrieve(5, 4)[0][0].as<int>());
       pqxx::icursorstream stream(work, "SELECT id FROM " + kTable + " ORDER BY id", "stream", 250);
       pqxx::result part;
       int seen = 0;
       while (stream >> part)
         for (const pqxx::row& row : part) same(seen++, row[0].as<int>());
       same(3000, seen);
     }},
    {"transactions commit, roll back and nest", [](pqxx::connection& db, const std::string&) {
       {
         pqxx::work work(db);
         work.exec0("DELETE FROM " + kTable);
       }
       pqxx::transaction<pqxx::isolation_level::serializable> work(db);
       work.exec0("UPDATE " + kTable + " SET name = 'kept' WHERE id = 7");
       {
         pqxx::subtransaction inner(work, "inner");
         inner.exec0("DELETE FROM " + kTable);
         inner.abort();
       }
       work.commit();
       pqxx::perform([&db] {
         pqxx::robusttransaction<> robust(db);
         robust.exec0("UPDATE " + kTable + " SET price = 9 WHERE id = 8");
         robust.commit();
       });
       pqxx::nontransaction none(db);
       const pqxx::row row = none.exec1("SELECT count(*), max(name) FILTER (WHERE id = 7), max(price) FROM " + kTable);
       same(3000, row[0].as<int>());
       same(std::string("kept"), row[1].as<std::string>());
       same(9.0, row[2].as<double>());
     }},
    {"notifications arrive", [](pqxx::connection& db, const std::string& url) {
       struct Receiver : pqxx::notification_receiver {
         using notification_receiver::notification_receiver;
         void operator()(const std::string& payload, int) override { came = payload; }
         std::string came;
       } receiver(db, "client_libpqxx");
       pqxx::connection other(url);
       pqxx::work work(other);
       work.exec0("NOTIFY client_libpqxx, 'from another'");
       work.commit();
       for (int i = 0; i < 100 && receiver.came.empty(); ++i) db.await_notification(0, 100000);
       same(std::string("from another"), receiver.came);
     }},
    {"errors have their types", [](pqxx::connection& db, const std::string&) {
       const auto run = [&db](const std::string& sql) { return [&db, sql] { pqxx::work(db).exec(sql); }; };
       refused<pqxx::unique_violation>("23505", run("INSERT INTO " + kTable + " (id, name) VALUES (1, 'again')"));
       refused<pqxx::not_null_violation>("23502", run("INSERT INTO " + kTable + " (id) VALUES (-1)"));
       refused<pqxx::syntax_error>("42601", run("SELEC 1"));
       refused<pqxx::undefined_table>("42P01", run("SELECT * FROM no_such_table"));
       refused<pqxx::undefined_column>("42703", run("SELECT no_such_column FROM " + kTable));
       refused<pqxx::data_exception>("22012", run("SELECT 1/0"));
     }},
    {"the table goes", [](pqxx::connection& db, const std::string&) {
       pqxx::work work(db);
       work.exec0("DROP TABLE " + kTable);
       work.commit();
     }},
};

}  // namespace

int main(int, char** arguments) {
  const std::string url = arguments[2];
  pqxx::connection db(url);
  {
    pqxx::nontransaction quiet(db);
    quiet.exec0("SET client_min_messages = warning");
  }
  int failed = 0;
  for (const auto& [name, run] : kCases) {
    try {
      run(db, url);
    } catch (const std::exception& error) {
      ++failed;
      std::cout << "FAILED libpqxx: " << name << "\n" << error.what() << "\n";
    }
  }
  std::cout << "libpqxx: " << static_cast<int>(std::size(kCases)) - failed << " passed, " << failed << " failed\n";
  return failed != 0;
}
