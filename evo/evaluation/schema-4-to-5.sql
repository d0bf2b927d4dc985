-- What a call was for could only be told from its seed, so from its request: a report of a large run unpacked them all.
-- Calls made before have NULL here.
ALTER TABLE calls ADD COLUMN purpose TEXT;

-- A search goes on from its last generation without going through all of them, so it has to know what it knew then.
ALTER TABLE generations ADD COLUMN evidence BLOB;
