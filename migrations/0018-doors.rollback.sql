DROP TABLE door_connections;
DROP TABLE doors;
