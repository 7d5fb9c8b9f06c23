"""Literals: of each type, for data and for expressions, and of the kinds that expressions.txt names (patterns, formats, fields, ...).

Data and ordinary literals are moderate, so that what is total on them cannot fail, and such that equal values look the same. Edge
literals (`edge`) are the ends of each type and what is next to them; they are used where a failure is the statement's only one.
"""

WORDS = ("a", "b", "ab", "abc", "bca", "hello", "World", "foo bar", "x,y,z", "", "Zoë", "日本", "a_b", "10%", "it''s", "  pad ", "aaa",
         "tab\tx", "Abc", "foobar", "1", "42", "-7", "0")

# SQL names of the types that expressions.txt names by a short word.
SQL_TYPES = {
    "bool": "boolean", "int2": "smallint", "int4": "integer", "int8": "bigint", "num": "numeric(10,2)", "f8": "double precision", "f4": "real",
    "text": "text", "varchar": "varchar(12)", "bpchar": "char(6)", "name": "name", "bytea": "bytea", "date": "date", "time": "time",
    "ts": "timestamp", "tstz": "timestamptz", "iv": "interval", "uuid": "uuid", "json": "json", "jsonb": "jsonb", "i4a": "integer[]",
    "ta": "text[]", "na": "numeric[]", "r4": "int4range", "nr": "numrange", "dr": "daterange", "mood": "mood", "posint": "posint",
    "short": "short", "pair": "pair",
}
ORDERED = frozenset(SQL_TYPES) - {"json"}
# Types whose equal values look the same, so that DISTINCT, GROUP BY, min() and LIMIT have one answer whatever is computed.
STABLE = frozenset({"bool", "int2", "int4", "int8", "text", "varchar", "date", "time", "ts", "tstz", "uuid", "bytea", "i4a", "ta", "name", "r4", "dr",
                    "mood", "posint", "short"})
COMMON = ("int4", "int4", "text", "text", "bool", "int8", "num", "date", "ts", "f8", "int2", "tstz", "iv", "i4a", "jsonb", "ta", "varchar", "time",
          "uuid", "bpchar", "bytea", "f4")

_EDGE = {
    "bool": ("true", "false", "NULL::bool"),
    "int2": ("32767::int2", "(-32768)::int2", "0::int2", "'-32768'::int2", "1::int2"),
    "int4": ("2147483647", "(-2147483648)", "0", "-1", "2147483646", "NULL::int4", "65536"),
    "int8": ("9223372036854775807", "(-9223372036854775808)", "0::int8", "4294967296", "-1::int8"),
    "num": ("'NaN'::numeric", "0.0", "1e30", "-1e-20", "99999999999999999999.999", "'Infinity'::numeric", "'-Infinity'::numeric", "0.5", "-0.5", "1.50", "1e131"),
    "f8": ("'NaN'::float8", "'Infinity'::float8", "'-Infinity'::float8", "'-0'::float8", "1e308::float8", "5e-324::float8", "0.1::float8", "2147483647.5::float8",
           "-2147483648.5::float8", "9.3e18::float8", "1e15::float8", "1e16::float8", "123456789012345680::float8"),
    "f4": ("'NaN'::float4", "'Infinity'::float4", "3.4e38::float4", "1e-45::float4", "0.1::float4", "16777217::float4", "-1::float4"),
    "text": ("''", "' '", "'%'", "'\\'", "'é'", "repeat('ab', 40)", "E'\\n'", "'NULL'", "'2147483648'", "'12abc'", "' 7 '", "'1e3'", "'{1,2}'", "'[1, 2]'", "'true'", "'2024-02-30'",
             "'{\"a\": 1}'", "'nan'", "'inf'", "'0x1F'", "'2024-02-29 12:00:00+01'", "'1 day'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "varchar": ("''::varchar", "'x   '::varchar(4)", "'日本語'::varchar(2)"),
    "bpchar": ("''::char(3)", "'x'::char(3)", "'é'::char(2)"),
    "name": ("''::name", "'a'::name", "repeat('n', 70)::name"),
    "bytea": ("''::bytea", "'\\x00'::bytea", "'\\xdeadbeef'::bytea", "'\\xff41'::bytea"),
    "date": ("'infinity'::date", "'-infinity'::date", "'4713-01-01 BC'::date", "'5874897-12-31'::date", "'2000-02-29'::date", "'0001-01-01'::date", "'0001-12-31 BC'::date", "'1900-02-28'::date"),
    "time": ("'00:00'::time", "'24:00:00'::time", "'23:59:59.999999'::time", "'12:00'::time"),
    "ts": ("'infinity'::timestamp", "'-infinity'::timestamp", "'294276-12-31 23:59:59.999999'::timestamp", "'4713-01-01 00:00 BC'::timestamp", "'2024-02-29 23:59:59.5'::timestamp",
           "'1999-12-31 23:59:59.9999995'::timestamp", "'0001-01-01'::timestamp"),
    "tstz": ("'infinity'::timestamptz", "'-infinity'::timestamptz", "'294276-12-31 00:00:00+00'::timestamptz", "'4713-01-02 00:00+00 BC'::timestamptz", "'2024-03-10 02:30 America/New_York'::timestamptz",
             "'2024-10-27 01:30+00'::timestamptz", "'1900-01-01 00:00 Europe/Paris'::timestamptz"),
    "iv": ("'0'::interval", "'178000000 years'::interval", "'-178000000 years'::interval", "'1 mon -1 day'::interval", "'1 day -00:00:01'::interval", "'2147483647 days'::interval", "'0.000001 s'::interval",
           "'1 mon'::interval", "'-1 mon -30 days'::interval", "'30 days 24:00:00'::interval", "'2562047788:00:54.775807'::interval"),
    "uuid": ("'00000000-0000-0000-0000-000000000000'::uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid"),
    "json": ("'null'::json", "'{}'::json", "'[]'::json", "'\"x\"'::json", "'{\"a\": 1, \"a\": 2}'::json", "' {\"a\" : [1 ] } '::json"),
    "jsonb": ("'null'::jsonb", "'{}'::jsonb", "'[]'::jsonb", "'\"x\"'::jsonb", "'1.10'::jsonb", "'{\"a\": {\"b\": [1, null]}, \"\": 0}'::jsonb", "'[1, \"a\", {\"k\": 2.50}, null, true]'::jsonb",
              "'12345678901234567890.5'::jsonb", "'true'::jsonb", "'{\"b\": 1, \"aa\": 2, \"a\": 3}'::jsonb"),
    "i4a": ("'{}'::int4[]", "'{NULL}'::int4[]", "'{{1,2},{3,4}}'::int4[]", "'[2:3]={7,8}'::int4[]", "ARRAY[2147483647]", "'{{1},{NULL}}'::int4[]"),
    "ta": ("'{}'::text[]", "'{NULL,\"NULL\",\"\"}'::text[]", "ARRAY['a,b','{x}','\"q\"']", "'{{a,b},{c,d}}'::text[]", "ARRAY['k','v']", "ARRAY['a','1','b',NULL]", "ARRAY['a']"),
    "na": ("'{}'::numeric[]", "'{NaN,1.0,1.00}'::numeric[]"),
    "r4": ("'empty'::int4range", "'(,)'::int4range", "'[1,1]'::int4range", "'[1,1)'::int4range", "'(2147483646,2147483647]'::int4range", "'[-5,)'::int4range"),
    "nr": ("'empty'::numrange", "'(,)'::numrange", "'[1.0,2.50]'::numrange", "'(1,1]'::numrange"),
    "dr": ("'empty'::daterange", "'[2020-01-01,infinity)'::daterange", "'(,2020-01-01]'::daterange"),
}

_PATTERNS = {
    "n": "0 1 2 3 4 6".split(), "i": "-4 -3 -2 -1 0 1 2 3 5 9".split(), "nz": "-7 -2 1 2 3 5 10".split(), "p": "1 2 3 4".split(), "b01": ["0", "1"], "pct": "0 0.1 0.25 0.5 0.75 0.9 1".split(),
    "s1": ["','", "'a'", "' '", "'o'", "'ab'", "''"],
    "s2": ["'{a,b,abc}'", "'{hello,NULL}'", "'{}'"],
    "like": ["'a%'", "'%a'", "'%b%'", "'_b_'", "'%'", "''", "'a#%%'", "'%o_b%'", "'%\\_%'", "'10\\%'", "'A%'", "'日%'", "'__'", "'%é%'"],
    "similar": ["'(a|b)%'", "'%[a-c]'", "'a+b?c*'", "'_{3}'", "'%(foo|bar)%'", "'[^a]%'", "'abc'"],
    "re": ["'^a'", "'b$'", "'[a-c]+'", "'o{1,2}'", "'(a)(b)?'", "'\\d+'", "'\\w+'", "'\\s'", "'[[:alpha:]]+'", "'.'", "'a|b'", "'^$'", "'(?i)ABC'", "'\\mfoo'", "'(.)\\1'", "'x*'", "'[^[:space:]]+'",
           "'(?:fo)+'", "'l+?'", "'a(?=b)'", "'^.{2,3}$'", "'[a-z]\\M'", "'(o)(.)'", "'(foo)?(bar)?'", "'b(?!c)'", "'(?<=a)b'", "'\\yfoo\\y'", "'\\u65e5'"],
    "badre": ["'('", "'['", "'a{2,1}'", "'*a'", "'a**'", "'\\'", "')'", "'[z-a]'", "'[[:nosuch:]]'", "'a{999}'", "'(?<a'", "'\\1'"],
    "rerep": ["'X'", "'<\\1>'", "'\\2\\1'", "'[\\&]'", "''", "'\\\\'", "'a\\3'"],
    "reflag": ["'g'", "'i'", "'gi'", "''", "'n'", "'x'", "'c'", "'s'", "'w'", "'m'"],
    "enc": ["'hex'", "'base64'", "'escape'"],
    "tz": ["'UTC'", "'Europe/Paris'", "'America/New_York'", "'Asia/Tokyo'", "'Asia/Kolkata'", "'+03'", "'EST'", "'PST8PDT'", "'Australia/Sydney'", "'-05:30'", "'cet'", "'Asia/Kathmandu'", "'America/Sao_Paulo'", "'<+04>-04'", "'EDT'"],
    "tzword": ["'nosuch'", "'Europe/'", "''", "'25'", "'Z'", "'utc'", "'+14:59'", "'+16'", "'X5Y4'", "'europe/berlin'", "'msk'", "'GMT+3'", "'+05:30:15'"],
    "dfield": "year month day dow doy isodow isoyear week quarter century decade millennium epoch julian".split(),
    "tsfield": "year month day hour minute second milliseconds microseconds epoch dow isodow doy week isoyear quarter century decade millennium julian".split(),
    "tfield": "hour minute second milliseconds microseconds epoch".split(),
    "ivfield": "year month day hour minute second milliseconds microseconds epoch quarter century decade millennium".split(),
    "anyfield": "year timezone timezone_minute hour julian epoch week nosuch dow second millennium quarter microseconds isoyear".split(),
    "trunc": ["'second'", "'minute'", "'hour'", "'day'", "'month'", "'quarter'", "'year'", "'decade'", "'century'", "'milliseconds'", "'millennium'"],
    "binstride": ["'15 minutes'", "'1 day'", "'2 hours 30 minutes'", "'7 days'"],
    "dfmt": ["'YYYY-MM-DD HH24:MI:SS'", "'Dy DD Mon YY'", "'FMDay, FMDD FMMonth YYYY'", "'HH12:MI:SS.US AM'", "'J'", "'IYYY-IW-ID'", "'Q WW CC'", "'DDD D W'", "'SSSS MS FF3'", "'Y,YYY'", "'\"literal\" YYYY'", "'MON month Month'",
             "'DDth Month'", "'YYYYBC'", "'RM rm'", "'FMHH FMMI'", "'a.m. P.M.'", "'I IY IYY IDDD'", "'SSSSS'", "'yyyy-mm-dd'", "'FF1 FF6'", "'TMMonth'", "'DAY day Dy dy'", "'YYYTH'", "'FMRM'", "'HH24-MI-\\\"SS'"],
    "dfmt2": ["'YYYY-MM-DD'", "'Day'", "'FMDay'", "'Mon DD'", "'IW'", "'J'", "'Q'", "'DDDth'", "'CC'", "'AD'", "'RM'", "'YY'"],
    "ivfmt": ["'HH24:MI:SS'", "'DD HH24'", "'YYYY MM DD'", "'SSSS'", "'HH12:MI:SS'", "'MS US'"],
    "nfmt": ["'999'", "'9999.99'", "'FM9999.00'", "'0000'", "'S999'", "'999S'", "'9,999.9'", "'L999'", "'MI9999'", "'999PR'", "'999MI'", "'RN'", "'FMRN'", "'99999V99'", "'9.99EEEE'", "'SG999'", "'PL999'", "'999th'", "'FM999TH'", "'B999'", "'99G999D9'",
             "'0999.9990'", "'FM0.999'", "'\"x\"999'", "'.99'", "'9'", "''", "'999.'", "'FM99999.99999'", "'9999.0'"],
    "datepair": ["'2024-02-29', 'YYYY-MM-DD'", "'29 Feb 2024', 'DD Mon YYYY'", "'20240305', 'YYYYMMDD'", "'2024-127', 'YYYY-DDD'", "'5 january 99', 'DD month YY'", "'2024-10-5', 'IYYY-IW-ID'", "'2460000', 'J'", "'1,999-03-02', 'Y,YYY-MM-DD'", "'24/3/7', 'YY/MM/DD'",
                 "'  2024 - 03', 'YYYY-MM'", "'44-03-15 BC', 'YYYY-MM-DD BC'", "'XII 2020', 'RM YYYY'", "'21 20', 'CC YY'", "'2024 Q2', 'YYYY \"Q\"Q'", "'Monday 2024-03-04', 'Day YYYY-MM-DD'", "'2024.06.07x', 'YYYY.MM.DD'", "'3rd Mar 2021', 'DDth Mon YYYY'"],
    "tspair": ["'2024-02-29 13:14:15', 'YYYY-MM-DD HH24:MI:SS'", "'2024-02-29 01:14 PM', 'YYYY-MM-DD HH12:MI AM'", "'2024-02-29 13:14:15.123456', 'YYYY-MM-DD HH24:MI:SS.US'", "'12 5', 'HH24 MI'", "'2020-01-01 3600', 'YYYY-MM-DD SSSS'", "'2024-07-01 10:00 +02', 'YYYY-MM-DD HH24:MI TZH'",
               "'2024-07-01 10:00 +02:30', 'YYYY-MM-DD HH24:MI TZH:TZM'", "'20240701T101112', 'YYYYMMDD\"T\"HH24MISS'", "'2000 12.5', 'YYYY SS.MS'", "'1999 123', 'YYYY FF3'"],
    "numpair": ["'1,234.5', '9,999.9'", "'-12', 'S99'", "'12-', '99S'", "'<5>', '9PR'", "'$12', 'L99'", "'0012.30', '9999.99'", "'1 2', '99'", "'12.3', '99D9'", "'XIV', '9'", "'12th', '99th'"],
    "key": ["'a'", "'b'", "'c'", "'k'", "'x'", "'zz'", "''"],
    "keyarr": ["ARRAY['a', 'b']", "ARRAY['x']", "'{a,zz}'::text[]", "'{}'::text[]"],
    "jpath": ["'{a}'", "'{a,b}'", "'{b,0}'", "'{c,1}'", "'{}'", "'{b,-1}'", "'{x,y,z}'", "'{1}'", "'{0,a}'"],
    "jpath1": ["'{a}'", "'{b,0}'", "'{b,-1}'", "'{c,d}'", "'{new}'", "'{b,9}'"],
    "jsonobj": ["'{\"a\": 1, \"b\": [1, 2, null], \"c\": {\"d\": \"x\"}}'", "'{\"b\": [], \"c\": {}}'"],
    "jsonlit": ["'{\"a\": 1}'", "'[1]'", "'{\"b\": [1]}'", "'\"x\"'", "'{}'", "'[]'", "'{\"c\": {\"d\": \"x\"}}'"],
    "jsonpath": ["'$.a'", "'$.b[*]'", "'$.b[0]'", "'$.**'", "'$.b[*] ? (@ > 1)'", "'$.c.d'", "'$.*'", "'$ ? (@.a == 1)'", "'$.b.size()'", "'$.a + 1'", "'$.b[last]'", "'$.c.keyvalue()'", "'lax $.x.y'", "'$.type()'", "'$.b[*] ? (exists (@))'",
                 "'$[*] ? (@.type() == \"number\")'", "'$.b[0 to 1]'", "'$.c ? (@.d starts with \"x\")'", "'$.c ? (@.d like_regex \"^X\" flag \"i\")'", "'-$.a'", "'$.a.double()'", "'$.b[*].abs()'"],
    "jsonpathp": ["'$.a == 1'", "'$.a > 0'", "'exists($.b)'", "'$.c.d == \"x\"'", "'$.b[*] > 1 && $.a < 5'", "'!($.a == 2)'", "'($.a == 1) is unknown'", "'$.a == null'"],
    "jsonpath2": ["'strict $.x'", "'strict $[0]'", "'$.a.'", "'$.b[*] / 0'", "'$.a.double()'", "'$[\"a\"'", "'$.a == 1'", "'$.b ? (@ > )'", "'$.c.floor()'", "'strict $.b[9]'", "'$x'"],
    "boolword": ["'true'", "'f'", "'yes'", "'off'", "'1'", "' t '"],
    "boolword2": ["'maybe'", "''", "'2'", "'tr'", "'o'", "'TRUE '", "'n'"],
    "digits": ["'12'", "'-3'", "' 42 '", "'0'", "'+7'", "'000123'"],
    "datelit": ["'2024-02-29'", "'Jan 8, 1999'", "'1999-01-08'", "'20200131'", "'January 8, 1999'", "'1999.008'", "'J2451187'", "'08-Jan-1999'", "'epoch'"],
    "ivlit": ["'1 day'", "'1 year 2 mons'", "'-3 hours'", "'1:02:03.5'", "'P1Y2M3DT4H5M6S'", "'1-2'", "'3 4:05'", "'2 weeks'", "'@ 1 minute ago'", "'1.5 days'"],
    "i4lit": ["'{1,2,3}'", "'{}'", "'{NULL,5}'", "'{ 7 , 8 }'"],
    "numword": ["'12'", "'1e5'", "'abc'", "''", "'99999999999'", "'9223372036854775808'", "'12.5'", "' 1'", "'1 2'", "'--1'", "'1e400'", "'NaN'", "'0x10'", "'1_000'", "'.5'", "'5.'", "'-32769'", "'Infinity'", "'+inf'", "'1e-400'", "'123456.789'"],
    "dateword": ["'2024-02-30'", "'today'", "'2024-13-01'", "'01/13/2024'", "'13/01/2024'", "'2024-02-29 25:00'", "'infinity'", "''", "'abc'", "'2024-1-1'", "'99-1-1'", "'2024-02-29 12:34:56.789'", "'Feb 29 2023'", "'294277-01-01'", "'4714-01-01 BC'", "'2024-06-31'", "'2024-01-01 10:00 PM'",
                 "'2024-01-01 13:00 PM'", "'1 2 3'", "'2024-01-01 00:00:60'", "'Mon Jan 01 2024'", "'2024001'", "'10:00'", "'2024-01-01 10:00 nosuch'", "'now x'", "'2024-01-01T10:00:00Z'", "'2024-01-01 10:00:00+25'", "'5874898-01-01'", "'0000-01-01'"],
    "timeword": ["'25:00'", "'12:60'", "'12:34:56.7891234'", "'1 PM'", "'13 PM'", "''", "'abc'", "'24:00:01'", "'123456'", "'0405 AM'", "'12:00+05'", "'allballs'", "'04:05:06.789-8'"],
    "ivword": ["'1 day 2'", "'abc'", "''", "'1 fortnight'", "'1 year 1 year'", "'1e10 years'", "'P1'", "'PT1H1M'", "'P0001-02-03T04:05:06'", "'1.1 months'", "'-1-2 +3 -4:05:06'", "'1 day ago ago'", "'999999999999 days'", "'1 mon 1.5 week'", "'5'", "'1 h 2 m 3 s'", "'0.5 century'", "'1:2:3:4'", "'- 1 day'"],
    "uuidword": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'{a0eebc999c0b4ef8bb6d6bb9bd380a11}'", "'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11'", "'xyz'", "''", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1'"],
    "jsonword": ["'{\"a\": 1}'", "'{a: 1}'", "'[1, 2'", "'\"x'", "''", "'nul'", "'[1,]'", "'{\"a\": 1, \"a\": 2}'", "'1e5'", "'01'", "'\"\\u00e9\"'", "'\"\\ud800\"'", "'\"\\u0000\"'", "'{\"a\"}'", "'[1] x'", "'\"\\x\"'", "' 7 '", "'-'", "'\"a\nb\"'", "'1e1000'"],
    "arrayword": ["'{1,2}'", "'{1,2'", "'1,2'", "'{1,,2}'", "'{{1},{2,3}}'", "'{}'", "'{a}'", "'[1:2]={1,2}'", "'[1:3]={1,2}'", "'{\"1\",2}'", "'{1}x'", "'{NULL}'", "'{{}}'", "'{ 1 , null }'", "'{\"a}'", "''", "'[2:1]={}'", "'{1,{2}}'"],
    "byteaword": ["'\\x4'", "'\\x41'", "'abc'", "'\\000'", "'\\8'", "'\\xzz'", "''", "'a\\\\b'", "'\\x 41 42'"],
    "tszword": ["'2024-01-01 00:00 Europe/Paris'", "'2024-01-01 00:00+1'", "'2024-01-01 00:00 EST'", "'2024-03-31 02:30 Europe/Paris'", "'2024-01-01 00:00+15:59'", "'2024-01-01 00:00+16'", "'2024-01-01 nosuch/zone'", "'2024-11-03 01:30 America/New_York'", "'2024-01-01 00:00 utc'", "'1880-01-01 America/New_York'"],
    "sizes": "0 1 1023 1024 10239 10240 10241 20479 1048576 10485760 10736344499 -10240 -1073741824 1099511627776 112589990684262400 9223372036854775807 512.5 10239.5 -0.4".split(),
    "sizelit": ["'1'", "'1 kB'", "'10MB'", "' 2 GB '", "'0.5 kb'", "'-3 MB'", "'1.5 GB'", "'100 bytes'", "'1e2 kB'", "'7 TB'", "'.25 MB'", "'1 PB'", "'0'", "'12 Kb'"],
    "sizeword": ["'1 XB'", "''", "'kB'", "'1 k B'", "'1e10 GB'", "'1e400'", "'--1'", "'1..2 MB'", "'9223372036854775807'", "'9223372036854775808 bytes'", "'8192 PB'", "'1 bytes x'", "'1e'", "'1e MB'", "'+5 mb'", "'5 B'", "'- 1 kB'", "'1EB'", "'0x10'", "NULL"],
    "sizeedge": ["9223372036854775807", "(-9223372036854775808)", "1e30", "-1e25", "'NaN'::numeric", "10240 * 1024 - 1", "(10240 * 1024 - 512)::numeric", "NULL::bigint", "'Infinity'::numeric", "0.4", "5", "'5'", "10485247.5"],
    "fixedlit": ["1", "1::smallint", "1::bigint", "true", "1.5::float8", "1::real", "'2024-01-01'::date", "'2024-01-01'::timestamp", "'12:00'::time", "'1 day'::interval", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "NULL::int", "'a'::\"char\"", "'x'::name", "1::oid"],
    "digest": ["'md5'", "'sha1'", "'sha224'", "'sha256'", "'sha384'", "'sha512'", "'SHA256'"],
    "digestword": ["'nosuch'", "''", "'sha3'", "'Md5'", "'sha-1'", "NULL"],
    "cipher": ["'aes'", "'aes-cbc'", "'aes-ecb'", "'aes-cbc/pad:pkcs'", "'aes-ecb/pad:pkcs'", "'AES'", "'3des'", "'3des-cbc'"],
    "cipherkey": ["'0123456789abcdef'::bytea", "'short'::bytea", "'0123456789abcdef01234567'::bytea", "'\\x00ff'::bytea", "'a key'::bytea", "'0123456789abcdef0123456789abcdef'::bytea"],
    "cipheriv": ["'0123456789abcdef'::bytea", "'iv'::bytea", "''::bytea", "'a longer vector than is needed'::bytea"],
    "cipherword": ["'nosuch'", "'aes/pad:nosuch'", "'aes-nosuch'", "'aes-cbc/pad:none'", "''", "'aes-cbc/nosuch:x'", "'aes-ecb/pad:none'", "'aes'", "'aes/pad:pkcs'", "'aes-cbc/'", "NULL"],
    "salt": ["'$1$abcdefgh'", "'$1$x$'", "'ab'", "'zz'", "'_J9..rasm'", "'$2a$04$abcdefghijklmnopqrstuu'", "'$1$'", "'./'"],
    "saltbad": ["''", "'a'", "'$'", "'$2a$99$abcdefghijklmnopqrstuu'", "'$2a$04$short'", "'_'", "'_J9..'", "'$2a$'", "NULL", "'$2x$04$abcdefghijklmnopqrstuu'"],
    "saltkind": ["'md5'", "'des'", "'xdes'", "'bf'"],
    "saltkind2": ["'md5'", "'bf'"], "saltletters": ["3", "2", "1"],
    "saltword": ["'nosuch'", "''", "'BF'", "'md5'", "NULL"],
    "rounds": "0 1 4 5 31 32 725 726 1000 -1 99999999".split(),
    "randomcount": "0 1 16 1024 1025 -1".split(),
    "armorword": ["armor('abc')", "''", "'nothing'", "E'-----BEGIN PGP MESSAGE-----\\n\\nYWJj\\n=+0Ny\\n-----END PGP MESSAGE-----\\n'", "E'-----BEGIN PGP MESSAGE-----\\nVersion: 1\\nComment: x\\n\\nYWJj\\n=+0Ny\\n-----END PGP MESSAGE-----\\n'", "armor('abc', ARRAY['a', 'b'], ARRAY['1', ''])", "E'-----BEGIN PGP MESSAGE-----\\n\\nYWJj\\n=AAAA\\n-----END PGP MESSAGE-----\\n'", "replace(armor('abc'), 'YWJj', '!!!!')"],
    "r4lit": ["'[1,5)'", "'(1,5]'", "'empty'", "'[,3]'", "'[10,)'", "'[3,3]'"],
    "rangeword": ["'[5,1)'", "'[1'", "'[1,2'", "'x'", "'[1,2,3)'", "'[a,b]'", "'(1,1)'", "' [ 1 , 2 ) '", "''", "'empty '"],
    "ta2": ["ARRAY['a', '1', 'b', 'x']", "'{{a,1},{b,NULL}}'::text[]", "'{}'::text[]"],
}
for _name in ("tsfield", "tfield", "ivfield", "anyfield"):
    _PATTERNS[_name + "q"] = [f"'{field}'" for field in _PATTERNS[_name]]
KINDS = {name: tuple(options) for name, options in _PATTERNS.items()}


def pick(rng, options):
    return options[int(rng.random() * len(options))]


def string(rng):
    word = pick(rng, WORDS)
    return f"'{word}'"


def value(rng, kind):
    """A moderate value of a type as an untyped or plain literal, for data."""
    r = rng.random
    if kind in ("int4", "posint"):
        small = int(r() * 12)
        return str(small if kind == "posint" or r() < 0.7 else int(r() * 2001) - 1000)
    if kind == "text":
        return string(rng)
    if kind == "bool":
        return "true" if r() < 0.5 else "false"
    if kind == "int2":
        return str(int(r() * 60) - 20)
    if kind == "int8":
        return str(int(r() * 20) if r() < 0.6 else int(r() * 2_000_001) - 1_000_000)
    if kind == "num":
        return f"{int(r() * 40_001) / 100 - 200:.2f}" if r() < 0.6 else f"{int(r() * 9)}.50"
    if kind in ("f8", "f4"):
        return str(int(r() * 400 - 200) / 4 + 0.25)
    if kind == "varchar":
        return pick(rng, ("'abc'", "'x'", "''", "'foo bar'", "'Zoë'", "'hello w'", "'B'"))
    if kind == "bpchar":
        return pick(rng, ("'abc'", "'x'", "'ab'", "'foobar'", "'Zoë'"))
    if kind == "name":
        return pick(rng, ("'abc'", "'tbl'", "'X'"))
    if kind == "bytea":
        return pick(rng, ("'\\x00'", "'\\x616263'", "'\\xff00'", "'abc'"))
    if kind == "date":
        return f"'{1995 + int(r() * 30)}-{1 + int(r() * 12):02}-{1 + int(r() * 28):02}'"
    if kind == "time":
        return f"'{int(r() * 24):02}:{int(r() * 60):02}:{pick(rng, ('00', '30', '15.5', '59.999'))}'"
    if kind == "ts":
        return f"'{1995 + int(r() * 30)}-{1 + int(r() * 12):02}-{1 + int(r() * 28):02} {int(r() * 24):02}:{int(r() * 60):02}:{pick(rng, ('00', '07.25', '59'))}'"
    if kind == "tstz":
        return f"'{1995 + int(r() * 30)}-{1 + int(r() * 12):02}-{1 + int(r() * 28):02} {int(r() * 24):02}:{int(r() * 60):02}:00+{int(r() * 10):02}'"
    if kind == "iv":  # below a day, a month, a year each, so that equal intervals look the same
        return pick(rng, (f"'{int(r() * 28)} days'", f"'{int(r() * 23)}:{int(r() * 60):02}:00'", f"'{1 + int(r() * 11)} mons {int(r() * 20)} days'", f"'{int(r() * 9)} years {int(r() * 20)} hours'"))
    if kind == "uuid":
        return f"'00000000-0000-4000-8000-0000000000{int(r() * 40):02}'"
    if kind in ("json", "jsonb"):
        return pick(rng, ("'{\"a\": 1, \"b\": [1, 2, 3]}'", "'{\"a\": \"x\", \"c\": {\"d\": \"x\"}}'", "'[1, 2, {\"a\": 5}]'", "'\"text\"'", "'7'", "'null'", "'{\"k\": null, \"x\": true}'", f"'{{\"a\": {int(r() * 5)}, \"x\": \"{int(r() * 9)}\"}}'", "'[]'", "'{}'"))
    if kind == "i4a":
        return pick(rng, ("'{1,2,3}'", "'{}'", f"'{{{int(r() * 9)}}}'", f"'{{{int(r() * 9)},{int(r() * 9)}}}'", "'{NULL,2}'"))
    if kind == "ta":
        return pick(rng, ("'{a,b}'", "'{}'", "'{abc,NULL}'", "'{hello,World,\"x y\"}'", "'{a}'"))
    if kind == "na":
        return pick(rng, ("'{1.5,2.25}'", "'{}'", "'{0.1}'"))
    if kind == "r4":
        low = int(r() * 20)
        return f"'[{low},{low + int(r() * 10)})'"
    if kind == "nr":
        low = int(r() * 20)
        return f"'[{low}.5,{low + int(r() * 10)}.75]'"
    if kind == "dr":
        return f"'[2020-01-{1 + int(r() * 20):02},2020-02-{1 + int(r() * 20):02})'"
    if kind == "mood":
        return pick(rng, ("'sad'", "'ok'", "'happy'"))
    if kind == "short":
        return pick(rng, ("'ab'", "'x'", "'hello'"))
    if kind == "pair":
        return f"ROW({int(r() * 5)}, {string(rng)})"
    raise AssertionError(kind)


def literal(rng, kind, edge=False):
    """A typed literal, for expressions."""
    if edge and kind in _EDGE and rng.random() < 0.6:
        return pick(rng, _EDGE[kind])
    plain = value(rng, kind)
    if kind in ("int4", "text", "bool"):
        return f"({plain})" if plain.startswith("-") else plain
    if kind == "num":
        return f"({plain})" if plain.startswith("-") else plain
    if kind == "date":
        return f"date {plain}"
    name = SQL_TYPES[kind].replace("(10,2)", "").replace("(12)", "").replace("char(6)", "bpchar")
    return f"({plain})::{name}" if plain.startswith(("-", "ROW")) else f"{plain}::{name}"
