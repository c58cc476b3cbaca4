"""Long exploration: hours of random requests and lives, spread over cores, shards and nights."""
