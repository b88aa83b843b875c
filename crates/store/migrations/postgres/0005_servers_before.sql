-- Up to which number transactions were counted on the servers from which this database came by dump and restore; 0 if from none. This server's
-- own count from there on, so that what is written here comes after what was written there.
CREATE SEQUENCE servers_before MINVALUE 0;
SELECT setval('servers_before', 0);
