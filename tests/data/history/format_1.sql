-- A history as the first format held it: one run without shapes, one with a cause.
CREATE TABLE runs (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, vendor TEXT NOT NULL, axis TEXT NOT NULL,
    target TEXT NOT NULL, night TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL, verdict TEXT NOT NULL,
    is_conclusive INTEGER NOT NULL, reason TEXT NOT NULL, requests INTEGER NOT NULL, causes TEXT NOT NULL,
    not_exercised TEXT NOT NULL, details TEXT NOT NULL);
CREATE INDEX streams ON runs (vendor, axis, target, started);
INSERT INTO runs VALUES(1,'a1','anchor','live','','2026-11-26','2026-11-26T02:17:00Z',3.5,'none',1,'',180,'[]','[]','{}');
INSERT INTO runs VALUES(2,'a2','anchor','live','','2026-11-27','2026-11-27T02:17:00Z',4.5,'breaking',1,'',190,'[{"id":"x/200/body/a/missing","severity":"breaking","title":"a is missing","kind":"steady","findings":["x/200/body/a/missing"],"clauses":["x/200/body/a"]}]','[]','{}');
PRAGMA user_version = 1;
