-- What tenants are called.
CREATE TABLE tenants (
    id text COLLATE "C" NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL
);
