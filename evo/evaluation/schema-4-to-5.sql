-- What a call was for could only be told from its seed, so from its request: a report of a large run unpacked them all.
-- Calls made before have NULL here.
ALTER TABLE calls ADD COLUMN purpose TEXT;
