// pgx: typed binary parameters, statement caching, batches, CopyFrom, cursors, LISTEN, transactions, a pool, cancel, reconnect, errors.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgtype"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const table = "client_pgx"

var ctx = context.Background()

type testCase struct {
	name string
	run  func(db *pgx.Conn, url string)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func same(wanted, found interface{}) {
	if !reflect.DeepEqual(wanted, found) {
		panic(fmt.Errorf("expected %#v, found %#v", wanted, found))
	}
}

// The error's SQLSTATE must be this one.
func refused(sqlstate string, err error) *pgconn.PgError {
	var found *pgconn.PgError
	if !errors.As(err, &found) || found.Code != sqlstate {
		panic(fmt.Errorf("SQLSTATE %s expected, %v came", sqlstate, err))
	}
	return found
}

func exec(db *pgx.Conn, sql string, args ...interface{}) pgconn.CommandTag {
	tag, err := db.Exec(ctx, sql, args...)
	must(err)
	return tag
}

func number(db *pgx.Conn, sql string, args ...interface{}) (n int64) {
	must(db.QueryRow(ctx, sql, args...).Scan(&n))
	return
}

var cases = []testCase{
	{"parameters of common types come back in binary", func(db *pgx.Conn, _ string) {
		var (
			b       bool
			i       int32
			big     int64
			f       float64
			text    string
			bytes   []byte
			ints    []int32
			texts   []string
			when    time.Time
			days    pgtype.Date
			amount  pgtype.Numeric
			length  pgtype.Interval
			id      pgtype.UUID
			object  map[string]interface{}
			nothing *string
			network pgtype.Inet
		)
		now := time.Date(2024, 2, 29, 12, 0, 0, 1000, time.UTC)
		must(db.QueryRow(ctx, `SELECT $1::bool, $2::int4, $3::int8, $4::float8, $5::text, $6::bytea, $7::int4[], $8::text[], $9::timestamptz,
			$10::date, $11::numeric, $12::interval, $13::uuid, $14::jsonb, $15::text, $16::inet`,
			true, 7, int64(1)<<40, 2.25, "万店 'q' \\", []byte{0, 255}, []int32{1, 2, 3}, []string{"a", `b "c"`}, now, now, "-12.340", "1 day 00:00:05",
			"12345678-1234-5678-1234-567812345678", map[string]int{"a": 1}, nil, "10.1.2.3/24").
			Scan(&b, &i, &big, &f, &text, &bytes, &ints, &texts, &when, &days, &amount, &length, &id, &object, &nothing, &network))
		same([]interface{}{true, int32(7), int64(1) << 40, 2.25, "万店 'q' \\", []byte{0, 255}, []int32{1, 2, 3}, []string{"a", `b "c"`}},
			[]interface{}{b, i, big, f, text, bytes, ints, texts})
		same(true, when.Equal(now))
		same("2024-02-29", days.Time.Format("2006-01-02"))
		same([]interface{}{int64(-12340), int32(-3)}, []interface{}{amount.Int.Int64(), amount.Exp})
		same([]interface{}{int32(1), int64(5000000)}, []interface{}{length.Days, length.Microseconds})
		same(map[string]interface{}{"a": 1.0}, object)
		same(true, nothing == nil)
		same("10.1.2.3/24", network.IPNet.String())
	}},
	{"rows are written and read", func(db *pgx.Conn, _ string) {
		exec(db, "DROP TABLE IF EXISTS "+table)
		exec(db, "CREATE TABLE "+table+" (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2) DEFAULT 1, at timestamptz DEFAULT now())")
		for i := 0; i < 100; i++ {
			same(int64(1), exec(db, "INSERT INTO "+table+" (id, name) VALUES ($1, $2)", i, fmt.Sprint("item ", i)).RowsAffected())
		}
		rows, err := db.Query(ctx, "UPDATE "+table+" SET price = price * 2 WHERE id < $1 RETURNING id, price::float8", 10)
		must(err)
		count := 0
		for rows.Next() {
			values, err := rows.Values()
			must(err)
			same(2.0, values[1])
			count++
		}
		must(rows.Err())
		same(10, count)
		same("UPDATE 10", rows.CommandTag().String())
		same(int64(110), number(db, "SELECT sum(price)::int8 FROM "+table))
		same(pgx.ErrNoRows, db.QueryRow(ctx, "SELECT 1 FROM "+table+" WHERE id = -1").Scan(new(int)))
	}},
	{"prepared statements describe themselves and are kept", func(db *pgx.Conn, _ string) {
		described, err := db.Prepare(ctx, "by id", "SELECT id, name FROM "+table+" WHERE id = $1")
		must(err)
		same([]uint32{pgtype.Int4OID}, described.ParamOIDs)
		same([]string{"id", "name"}, []string{string(described.Fields[0].Name), string(described.Fields[1].Name)})
		for i := 0; i < 20; i++ {
			var name string
			must(db.QueryRow(ctx, "by id", i).Scan(new(int), &name))
			same(fmt.Sprint("item ", i), name)
		}
		must(db.Deallocate(ctx, "by id"))
		same(int64(7), number(db, "SELECT $1::int8", pgx.QuerySimpleProtocol(true), 7))
	}},
	{"a batch answers in order", func(db *pgx.Conn, _ string) {
		batch := &pgx.Batch{}
		for i := 0; i < 50; i++ {
			batch.Queue("SELECT $1::int", i)
		}
		batch.Queue("INSERT INTO "+table+" VALUES (1, 'again')")
		results := db.SendBatch(ctx, batch)
		for i := 0; i < 50; i++ {
			var n int
			must(results.QueryRow().Scan(&n))
			same(i, n)
		}
		_, err := results.Exec()
		refused("23505", err)
		results.Close()
		same(int64(100), number(db, "SELECT count(*) FROM "+table))
	}},
	{"rows are copied in and out", func(db *pgx.Conn, _ string) {
		exec(db, "TRUNCATE "+table)
		count, err := db.CopyFrom(ctx, pgx.Identifier{table}, []string{"id", "name"}, pgx.CopyFromSlice(2000, func(i int) ([]interface{}, error) {
			return []interface{}{i, fmt.Sprint("tab\t", i)}, nil
		}))
		must(err)
		same(int64(2000), count)
		var out strings.Builder
		tag, err := db.PgConn().CopyTo(ctx, &out, "COPY (SELECT id, name FROM "+table+" ORDER BY id) TO STDOUT")
		must(err)
		same([]interface{}{int64(2000), 2000}, []interface{}{tag.RowsAffected(), strings.Count(out.String(), "\n")})
		_, err = db.PgConn().CopyFrom(ctx, strings.NewReader("x\ty\n"), "COPY "+table+" (id, name) FROM STDIN")
		refused("22P02", err)
		_, err = db.CopyFrom(ctx, pgx.Identifier{table}, []string{"id", "name"}, pgx.CopyFromRows([][]interface{}{{1, "again"}}))
		refused("23505", err)
	}},
	{"transactions commit, roll back and nest", func(db *pgx.Conn, _ string) {
		must(db.BeginTxFunc(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE "+table+" SET name = 'kept' WHERE id = 7")
			must(err)
			inner := tx.BeginFunc(ctx, func(point pgx.Tx) error {
				_, err := point.Exec(ctx, "DELETE FROM "+table)
				must(err)
				return errors.New("inner")
			})
			same("inner", inner.Error())
			return nil
		}))
		tx, err := db.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly, DeferrableMode: pgx.Deferrable, IsoLevel: pgx.RepeatableRead})
		must(err)
		_, err = tx.Exec(ctx, "DELETE FROM "+table)
		refused("25006", err)
		_, err = tx.Exec(ctx, "SELECT 1")
		refused("25P02", err)
		same(pgx.ErrTxCommitRollback, tx.Commit(ctx))
		same(int64(2000), number(db, "SELECT count(*) FROM "+table))
	}},
	{"rows stream while others wait", func(db *pgx.Conn, _ string) {
		tx, err := db.Begin(ctx)
		must(err)
		_, err = tx.Exec(ctx, "DECLARE all_of_it CURSOR FOR SELECT id FROM "+table+" ORDER BY id")
		must(err)
		seen := 0
		for {
			rows, err := tx.Query(ctx, "FETCH 300 FROM all_of_it")
			must(err)
			before := seen
			for rows.Next() {
				var id int
				must(rows.Scan(&id))
				same(seen, id)
				seen++
			}
			must(rows.Err())
			if seen == before {
				break
			}
		}
		same(2000, seen)
		must(tx.Commit(ctx))
	}},
	{"notifications arrive", func(db *pgx.Conn, url string) {
		other, err := pgx.Connect(ctx, url)
		must(err)
		exec(db, "LISTEN client_pgx")
		exec(other, "SELECT pg_notify('client_pgx', $1)", "from another")
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		came, err := db.WaitForNotification(short)
		must(err)
		same([]interface{}{"client_pgx", "from another", other.PgConn().PID()}, []interface{}{came.Channel, came.Payload, came.PID})
		exec(db, "UNLISTEN *")
		must(other.Close(ctx))
	}},
	{"a query is cancelled with its context", func(_ *pgx.Conn, url string) {
		other, err := pgx.Connect(ctx, url)
		must(err)
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		_, err = other.Exec(short, "SELECT pg_sleep(20)")
		same(true, err != nil && pgconn.Timeout(err))
		third, err := pgx.Connect(ctx, url)
		must(err)
		go func() {
			time.Sleep(200 * time.Millisecond)
			third.PgConn().CancelRequest(ctx)
		}()
		_, err = third.Exec(ctx, "SELECT pg_sleep(20)")
		refused("57014", err)
		same(int64(1), number(third, "SELECT 1"))
		must(third.Close(ctx))
	}},
	{"a pool serves many callers and replaces lost connections", func(db *pgx.Conn, url string) {
		config, err := pgxpool.ParseConfig(url)
		must(err)
		config.MaxConns = 8
		pool, err := pgxpool.ConnectConfig(ctx, config)
		must(err)
		defer pool.Close()
		var all sync.WaitGroup
		failures := make(chan error, 200)
		for i := 0; i < 200; i++ {
			all.Add(1)
			go func(i int) {
				defer all.Done()
				var id int
				if err := pool.QueryRow(ctx, "SELECT id FROM "+table+" WHERE id = $1", i).Scan(&id); err != nil || id != i {
					failures <- fmt.Errorf("%d, not %d: %v", id, i, err)
				}
			}(i)
		}
		all.Wait()
		close(failures)
		for err := range failures {
			panic(err)
		}
		held, err := pool.Acquire(ctx)
		must(err)
		exec(db, "SELECT pg_terminate_backend($1)", int64(held.Conn().PgConn().PID()))
		_, err = held.Exec(ctx, "SELECT 1")
		same(true, err != nil)
		held.Release()
		must(pool.QueryRow(ctx, "SELECT 1").Scan(new(int)))
	}},
	{"a cached statement survives a change of its table", func(db *pgx.Conn, _ string) {
		sql := "SELECT * FROM " + table + " WHERE id = $1"
		for i := 0; i < 3; i++ {
			must(db.QueryRow(ctx, sql, i).Scan(nil, nil, nil, nil))
		}
		exec(db, "ALTER TABLE "+table+" ADD COLUMN added int DEFAULT 5")
		err := db.QueryRow(ctx, sql, 1).Scan(nil, nil, nil, nil, nil)
		if err != nil {
			refused("0A000", err)
			must(db.QueryRow(ctx, sql, 1).Scan(nil, nil, nil, nil, nil))
		}
	}},
	{"errors carry their SQLSTATE and fields", func(db *pgx.Conn, _ string) {
		_, err := db.Exec(ctx, "INSERT INTO "+table+" (id, name) VALUES (7, 'again')")
		found := refused("23505", err)
		same([]string{table + "_pkey", table, "Key (id)=(7) already exists.", "ERROR"}, []string{found.ConstraintName, found.TableName, found.Detail, found.Severity})
		_, err = db.Exec(ctx, "SELEC 1")
		same(int32(1), refused("42601", err).Position)
		_, err = db.Exec(ctx, "SELECT * FROM no_such_table")
		refused("42P01", err)
		_, err = db.Exec(ctx, "SELECT 1 / $1::int", 0)
		refused("22012", err)
	}},
	{"types that users made are read", func(db *pgx.Conn, _ string) {
		exec(db, "DROP TYPE IF EXISTS client_pgx_pair, client_pgx_mood CASCADE")
		exec(db, "CREATE TYPE client_pgx_mood AS ENUM ('sad', 'ok')")
		exec(db, "CREATE TYPE client_pgx_pair AS (number int, word text)")
		var mood, pair string
		must(db.QueryRow(ctx, "SELECT 'ok'::client_pgx_mood::text, ROW(7, 'a, \"b\"')::client_pgx_pair::text").Scan(&mood, &pair))
		same([]string{"ok", `(7,"a, ""b""")`}, []string{mood, pair})
		var n pgtype.Int4
		var word pgtype.Text
		must(db.QueryRow(ctx, "SELECT ROW(7, 'seven')::client_pgx_pair").Scan(pgtype.CompositeFields{&n, &word}))
		same([]interface{}{int32(7), "seven"}, []interface{}{n.Int, word.String})
		exec(db, "DROP TYPE client_pgx_pair, client_pgx_mood")
	}},
	{"the table goes", func(db *pgx.Conn, _ string) {
		exec(db, "DROP TABLE "+table)
		_, err := db.Exec(ctx, "SELECT 1 FROM "+table)
		refused("42P01", err)
	}},
}

func run(test testCase, db *pgx.Conn, url string) (passed bool) {
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Printf("FAILED pgx: %s\n%v\n", test.name, problem)
		}
	}()
	test.run(db, url)
	return true
}

func main() {
	url := os.Args[2]
	db, err := pgx.Connect(ctx, url)
	must(err)
	defer db.Close(ctx)
	failed := 0
	for _, test := range cases {
		if !run(test, db, url) {
			failed++
		}
	}
	fmt.Printf("pgx: %d passed, %d failed\n", len(cases)-failed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
