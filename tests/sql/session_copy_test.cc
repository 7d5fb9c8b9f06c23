// COPY in both directions, all formats.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sql/session_fixture.h"
#include "tests/storage/temp_directory.h"

namespace wandian::sql {
namespace {

struct CopyTest : testing::Test {
  World world{1};
  TestClient client{world};
  void SetUp() override {
    ASSERT_EQ(client.query("CREATE TABLE t (a int PRIMARY KEY, b text, c numeric DEFAULT 7)"), "C(CREATE TABLE)");
  }
  std::string copy_in(const std::string& statement, const std::string& data, std::size_t piece = 5) {
    std::string out = client.query(statement);
    for (std::size_t at = 0; at < data.size() && client.session->copying_in(); at += piece) {
      const std::string part = data.substr(at, piece);
      const std::string answer = client.run([&](Session& s) { return s.copy_data(part); });
      if (!answer.empty()) out += " " + answer;
    }
    if (client.session->copying_in()) out += " " + client.run([](Session& s) { return s.copy_done(); });
    return out;
  }
};

TEST_F(CopyTest, TextGoesInAndOut) {
  EXPECT_EQ(copy_in("COPY t (a, b) FROM STDIN", "1\tone\n2\t\\N\n3\ta\\tb\\\\c\n\\.\n"), "G(0,2) C(COPY 3)");
  EXPECT_EQ(client.query("COPY (SELECT * FROM t ORDER BY a) TO STDOUT"), "H(0,3) d(1\tone\t7\n) d(2\t\\N\t7\n) d(3\ta\\tb\\\\c\t7\n) c C(COPY 3)");
  EXPECT_EQ(client.query("COPY (SELECT a FROM t WHERE a > 1 ORDER BY a DESC) TO STDOUT"), "H(0,1) d(3\n) d(2\n) c C(COPY 2)");
}

TEST_F(CopyTest, ATableIsCopiedByItsOwnColumns) {
  copy_in("COPY t (c, a) FROM STDIN", "1.5\t1\n");
  EXPECT_EQ(client.query("COPY t TO STDOUT"), "H(0,3) d(1\t\\N\t1.5\n) c C(COPY 1)");
  EXPECT_EQ(client.query("COPY t (b, a) TO STDOUT"), "H(0,2) d(\\N\t1\n) c C(COPY 1)");
  EXPECT_EQ(client.query("COPY t (x) TO STDOUT"), "E(42703: column \"x\" of relation \"t\" does not exist)");
}

TEST_F(CopyTest, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(copy_in("COPY t FROM STDIN (FORMAT csv, HEADER match)", "a,b,c\n1,\"x,\"\"y\"\"\nz\",1.50\n2,,\n3,\"\",0\n"), "G(0,3) C(COPY 3)");
  EXPECT_EQ(client.query("COPY (SELECT * FROM t ORDER BY a) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (a))"),
            "H(0,3) d(a,b,c\n) d(\"1\",\"x,\"\"y\"\"\nz\",1.50\n) d(\"2\",,\n) d(\"3\",\"\",0\n) c C(COPY 3)");
  EXPECT_EQ(copy_in("COPY t FROM STDIN (FORMAT csv, HEADER match)", "a,x,c\n"),
            "G(0,3) E(22P04: column name mismatch in header line field 2: got \"x\", expected \"b\")");
}

TEST_F(CopyTest, BinaryGoesAround) {
  copy_in("COPY t FROM STDIN", "1\tone\t2.5\n2\t\\N\t\\N\n");
  client.start([](Session& s) { return s.query("COPY t TO STDOUT (FORMAT binary)"); });
  ASSERT_TRUE(client.finish());
  std::string data;
  const std::string all = client.sink.take();
  for (std::size_t at = all.find(" d("); at != std::string::npos; at = all.find(" d(", at + 1)) {
    const std::size_t end = std::min(all.find(") d(", at), all.find(") c ", at));
    data += all.substr(at + 3, end - at - 3);
  }
  client.query("DELETE FROM t");
  EXPECT_EQ(copy_in("COPY t FROM STDIN (FORMAT binary)", data), "G(1,3) C(COPY 2)");
  EXPECT_EQ(client.query("SELECT * FROM t ORDER BY a"), "T(a,b,c) D(1,one,2.5) D(2,null,null) C(SELECT 2)");
}

TEST_F(CopyTest, ErrorsNameLineColumnAndValue) {
  EXPECT_EQ(copy_in("COPY t FROM STDIN", "1\tx\t1\nabc\ty\t2\n"), "G(0,3) E(22P02: invalid input syntax for type integer: \"abc\")");
  EXPECT_EQ(client.sink.last_error.error().context, "COPY t, line 2, column a: \"abc\"");
  EXPECT_EQ(copy_in("COPY t FROM STDIN", "1\n"), "G(0,3) E(22P04: missing data for column \"b\")");
  EXPECT_EQ(client.sink.last_error.error().context, "COPY t, line 1: \"1\"");
  EXPECT_EQ(copy_in("COPY t FROM STDIN", "1\t2\t3\t4\n"), "G(0,3) E(22P04: extra data after last expected column)");
  EXPECT_EQ(copy_in("COPY t (a) FROM STDIN", "1\n2\n1\n"),
            "G(0,1) E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(client.sink.last_error.error().context, "COPY t, line 3");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(0) C(SELECT 1)");
  EXPECT_EQ(client.query("COPY t FROM STDIN"), "G(0,3)");
  EXPECT_EQ(client.run([](Session& s) { return s.copy_fail("no more"); }), "E(57014: COPY from stdin failed: no more)");
  EXPECT_EQ(client.query("COPY t FROM STDIN (FORMAT x)"), "E(22023: COPY format \"x\" not recognized)");
}

TEST_F(CopyTest, WhereFiltersAndManyRowsStream) {
  std::string data;
  for (int i = 1; i <= 2000; ++i) data += std::to_string(i) + "\trow " + std::to_string(i) + "\n";
  EXPECT_EQ(copy_in("COPY t (a, b) FROM STDIN WHERE a % 2 = 0", data, 997), "G(0,2) C(COPY 1000)");
  EXPECT_EQ(client.query("SELECT count(*), min(a), max(b) FROM t WHERE c = 7"), "T(count,min,max) D(1000,2,row 998) C(SELECT 1)");
}

TEST_F(CopyTest, ACopyWhoseClientGoesLeavesNothing) {
  {
    TestClient other(world);
    other.query("COPY t FROM STDIN");
    other.run([](Session& s) { return s.copy_data("1\tx\t1\n2\t"); });
  }
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(0) C(SELECT 1)");
  EXPECT_EQ(world.server->activity().size(), 1u);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST_F(CopyTest, FilesOfTheServerAreWrittenAndRead) {
  const TempDirectory directory;
  const std::string path = directory.path() + "/t.csv", binary = directory.path() + "/t.bin";
  client.query("INSERT INTO t SELECT g, repeat('x', g % 50), g FROM generate_series(1, 5000) g");
  EXPECT_EQ(client.query("COPY (SELECT * FROM t WHERE a < 3 ORDER BY a) TO '" + path + "' (FORMAT csv, HEADER)"), "C(COPY 2)");
  EXPECT_EQ(contents(path), "a,b,c\n1,x,1\n2,xx,2\n");
  EXPECT_EQ(client.query("COPY t TO '" + path + "'"), "C(COPY 5000)");
  EXPECT_EQ(client.query("COPY t TO '" + binary + "' (FORMAT binary)"), "C(COPY 5000)");
  client.query("CREATE TABLE u (LIKE t)");
  EXPECT_EQ(client.query("COPY u FROM '" + path + "'"), "C(COPY 5000)");
  EXPECT_EQ(client.query("COPY u FROM '" + binary + "' (FORMAT binary) WHERE a <= 10"), "C(COPY 10)");
  EXPECT_EQ(client.query("SELECT count(*), count(DISTINCT a), sum(length(b)) FROM u"), "T(count,count,sum) D(5010,5000,122555) C(SELECT 1)");
  EXPECT_EQ(client.query("SELECT count(*) FROM (SELECT * FROM u EXCEPT SELECT * FROM t) d"), "T(count) D(0) C(SELECT 1)");
}

TEST_F(CopyTest, FilesThatCannotBeOpenedAreErrors) {
  const TempDirectory directory;
  const std::string& path = directory.path();
  EXPECT_EQ(client.query("COPY t FROM '" + path + "/nosuch'"), "E(58P01: could not open file \"" + path + "/nosuch\" for reading: No such file or directory)");
  EXPECT_EQ(client.query("COPY t FROM '" + path + "'"), "E(42809: \"" + path + "\" is a directory)");
  EXPECT_EQ(client.query("COPY t TO '" + path + "'"), "E(42809: \"" + path + "\" is a directory)");
  EXPECT_EQ(client.query("COPY t TO 'relative'"), "E(42602: relative path not allowed for COPY to file)");
  EXPECT_EQ(client.query("COPY t TO '" + path + "/no/such'"), "E(58P01: could not open file \"" + path + "/no/such\" for writing: No such file or directory)");
  EXPECT_EQ(client.query("COPY t FROM '/dev/zero'"), "E(0A000: \"/dev/zero\" is not a regular file)");
  std::ofstream(path + "/bad") << "1\tx\t1\n2\ty\n";
  EXPECT_EQ(client.query("COPY t FROM '" + path + "/bad'"), "E(22P04: missing data for column \"c\")");
  EXPECT_EQ(client.query("SELECT count(*) FROM t"), "T(count) D(0) C(SELECT 1)");
}

}  // namespace
}  // namespace wandian::sql
