-- Jobs that are handed out by age, however urgent.
CREATE INDEX jobs_oldest ON jobs (topic, "key") WHERE suspended = 0;
