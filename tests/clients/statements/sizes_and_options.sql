-- Sizes with units, vectors of types, options.
SELECT pg_size_bytes('1kB'), pg_size_bytes(' 1.5 MB '), pg_size_bytes('-2gb'), pg_size_bytes('3e3 bytes'), pg_size_bytes('10'), pg_size_bytes('1 pb'), pg_size_bytes('.5kb'), pg_size_bytes('1.'), pg_size_bytes('+7 BYTES');
SELECT pg_size_bytes('1 xx');
SELECT pg_size_bytes('abc');
SELECT pg_size_bytes('');
SELECT pg_size_bytes('1e');
SELECT pg_size_bytes('9999999999999 TB');
SELECT oidvectortypes('23 25'::oidvector), oidvectortypes(''::oidvector), oidvectortypes('1560 1266'::oidvector);
SELECT * FROM pg_options_to_table(ARRAY['a=1', 'b', 'c=', 'd=x=y']);
SELECT pg_options_to_table(ARRAY['a=1']);
SELECT timestamptz('2024-01-01'::date, '10:00'::time), timestamptz('infinity'::date, '10:00'::time);
SELECT array_to_json(ARRAY[[1, 2], [3, 4]], true), array_to_json(ARRAY['a', 'b'], false);
