-- 0008
;
CREATE TABLE millpond_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT millpond_version_pkc PRIMARY KEY (version_num)
)
;
CREATE TABLE document (
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	revision INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_document PRIMARY KEY (id)
)
;
CREATE INDEX ix_document_workspace_kind ON document (workspace, kind)
;
CREATE TABLE document_revision (
	document VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	title TEXT NOT NULL, 
	saved_at DATETIME NOT NULL, 
	saved_by TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_document_revision PRIMARY KEY (document, number), 
	CONSTRAINT fk_document_revision_document FOREIGN KEY(document) REFERENCES document (id) ON DELETE CASCADE
)
;
CREATE TABLE query_log (
	number INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	actor TEXT NOT NULL, 
	connection TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	owner TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	elapsed DOUBLE NOT NULL, 
	rows BIGINT, 
	error TEXT NOT NULL, 
	sql TEXT NOT NULL, 
	CONSTRAINT pk_query_log PRIMARY KEY (number), 
	CONSTRAINT uq_query_log_id UNIQUE (id)
)
;
CREATE INDEX ix_query_log_workspace_number ON query_log (workspace, number)
;
CREATE INDEX ix_query_log_running ON query_log (workspace) WHERE state = 'running'
;
CREATE TABLE folder_grant (
	workspace VARCHAR(64) NOT NULL, 
	path TEXT NOT NULL, 
	mode VARCHAR(8) NOT NULL, 
	CONSTRAINT pk_folder_grant PRIMARY KEY (workspace, path)
)
;
CREATE TABLE workspace_fact (
	workspace VARCHAR(64) NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	value JSON NOT NULL, 
	CONSTRAINT pk_workspace_fact PRIMARY KEY (workspace, "key")
)
;
CREATE TABLE sealed_secret (
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	owner VARCHAR(128) NOT NULL, 
	label TEXT NOT NULL, 
	keys TEXT NOT NULL, 
	sealed BLOB NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_sealed_secret PRIMARY KEY (id)
)
;
CREATE INDEX ix_sealed_secret_workspace_owner ON sealed_secret (workspace, owner)
;
CREATE INDEX ix_sealed_secret_keys ON sealed_secret (keys)
;
CREATE TABLE master_key (
	id VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_master_key PRIMARY KEY (id)
)
;
CREATE TABLE job (
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	options TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	zone VARCHAR(64) NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	next_at DATETIME, 
	reckoned_at DATETIME, 
	timeout DOUBLE NOT NULL, 
	retries INTEGER NOT NULL, 
	back_off DOUBLE NOT NULL, 
	"key" TEXT NOT NULL, 
	key_limit INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	updated_by TEXT NOT NULL, 
	CONSTRAINT pk_job PRIMARY KEY (id)
)
;
CREATE INDEX ix_job_workspace ON job (workspace)
;
CREATE INDEX ix_job_next_at ON job (next_at)
;
CREATE INDEX ix_job_reckoned_at ON job (reckoned_at)
;
CREATE TABLE job_run (
	number INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	job VARCHAR(64), 
	kind VARCHAR(64) NOT NULL, 
	title TEXT NOT NULL, 
	options TEXT NOT NULL, 
	due DATETIME NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempt INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	retries INTEGER NOT NULL, 
	timeout DOUBLE NOT NULL, 
	back_off DOUBLE NOT NULL, 
	"key" TEXT NOT NULL, 
	key_limit INTEGER NOT NULL, 
	not_before DATETIME NOT NULL, 
	owner TEXT NOT NULL, 
	beat INTEGER NOT NULL, 
	created_by TEXT NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	cancel_requested BOOLEAN NOT NULL, 
	phase TEXT NOT NULL, 
	done DOUBLE NOT NULL, 
	total DOUBLE, 
	rate DOUBLE, 
	outcome TEXT, 
	error TEXT NOT NULL, 
	hint TEXT NOT NULL, 
	log TEXT NOT NULL, 
	CONSTRAINT pk_job_run PRIMARY KEY (number), 
	CONSTRAINT uq_job_run_id UNIQUE (id), 
	CONSTRAINT uq_job_run_job_due UNIQUE (job, due)
)
;
CREATE INDEX ix_job_run_workspace_number ON job_run (workspace, number)
;
CREATE INDEX ix_job_run_running ON job_run (workspace) WHERE state = 'running'
;
CREATE INDEX ix_job_run_waiting ON job_run (not_before) WHERE state = 'waiting'
;
CREATE TABLE channel (
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	options JSON NOT NULL, 
	sealed JSON NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	rate INTEGER NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	failures INTEGER NOT NULL, 
	paused_until DATETIME, 
	problem TEXT NOT NULL, 
	hint TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	updated_by TEXT NOT NULL, 
	CONSTRAINT pk_channel PRIMARY KEY (id), 
	CONSTRAINT uq_channel_workspace_name UNIQUE (workspace, name)
)
;
CREATE TABLE channel_left (
	channel VARCHAR(64) NOT NULL, 
	recipient TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_channel_left PRIMARY KEY (channel, recipient)
)
;
CREATE TABLE notification (
	id VARCHAR(64) NOT NULL, 
	message TEXT NOT NULL, 
	incident TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by TEXT NOT NULL, 
	CONSTRAINT pk_notification PRIMARY KEY (id)
)
;
CREATE TABLE notification_image (
	notification VARCHAR(64) NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	png BLOB NOT NULL, 
	CONSTRAINT pk_notification_image PRIMARY KEY (notification, position)
)
;
CREATE TABLE delivery (
	number INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	notification VARCHAR(64) NOT NULL, 
	channel VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	digest BOOLEAN NOT NULL, 
	attempts INTEGER NOT NULL, 
	first_tried_at DATETIME, 
	not_before DATETIME NOT NULL, 
	ended_at DATETIME, 
	error TEXT NOT NULL, 
	hint TEXT NOT NULL, 
	CONSTRAINT pk_delivery PRIMARY KEY (number), 
	CONSTRAINT uq_delivery_id UNIQUE (id)
)
;
CREATE INDEX ix_delivery_workspace_number ON delivery (workspace, number)
;
CREATE INDEX ix_delivery_channel_ended_at ON delivery (channel, ended_at)
;
CREATE INDEX ix_delivery_notification ON delivery (notification)
;
CREATE INDEX ix_delivery_waiting ON delivery (channel, not_before) WHERE state = 'waiting'
;
CREATE TABLE delivery_recipient (
	delivery VARCHAR(64) NOT NULL, 
	recipient TEXT NOT NULL, 
	refusal TEXT NOT NULL, 
	CONSTRAINT pk_delivery_recipient PRIMARY KEY (delivery, recipient)
)
;
CREATE TABLE incident (
	workspace VARCHAR(64) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	title TEXT NOT NULL, 
	channels JSON NOT NULL, 
	count INTEGER NOT NULL, 
	opened_at DATETIME NOT NULL, 
	last_at DATETIME NOT NULL, 
	over_at DATETIME, 
	CONSTRAINT pk_incident PRIMARY KEY (workspace, "key")
)
;
CREATE TABLE "connection" (
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	alias TEXT NOT NULL, 
	alias_key TEXT NOT NULL, 
	connector TEXT NOT NULL, 
	options JSON NOT NULL, 
	sample BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	created_by TEXT NOT NULL, 
	sealed JSON NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	health JSON, 
	updated_at DATETIME NOT NULL, 
	updated_by TEXT NOT NULL, 
	CONSTRAINT pk_connection PRIMARY KEY (id), 
	CONSTRAINT uq_connection_workspace_alias_key UNIQUE (workspace, alias_key)
)
;
CREATE TABLE table_profile (
	number INTEGER NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	address TEXT NOT NULL, 
	taken_at DATETIME NOT NULL, 
	taken_by TEXT NOT NULL, 
	rows BIGINT, 
	profile TEXT NOT NULL, 
	CONSTRAINT pk_table_profile PRIMARY KEY (number)
)
;
CREATE INDEX ix_table_profile_workspace_number ON table_profile (workspace, number)
;
CREATE TABLE catalog_note (
	workspace VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	catalog TEXT NOT NULL, 
	schema TEXT NOT NULL, 
	name TEXT NOT NULL, 
	"column" TEXT NOT NULL, 
	comment TEXT NOT NULL, 
	tags JSON NOT NULL, 
	owner TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	updated_by TEXT NOT NULL, 
	CONSTRAINT pk_catalog_note PRIMARY KEY (workspace, digest)
)
;
CREATE INDEX ix_catalog_note_workspace_updated_at ON catalog_note (workspace, updated_at)
;
CREATE TABLE schema_snapshot (
	number INTEGER NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	workspace VARCHAR(64) NOT NULL, 
	catalog TEXT NOT NULL, 
	schema TEXT NOT NULL, 
	connector TEXT NOT NULL, 
	name TEXT NOT NULL, 
	tables INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	body BLOB NOT NULL, 
	taken_at DATETIME NOT NULL, 
	taken_by TEXT NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_schema_snapshot PRIMARY KEY (number), 
	CONSTRAINT uq_schema_snapshot_id UNIQUE (id)
)
;
CREATE INDEX ix_schema_snapshot_workspace_number ON schema_snapshot (workspace, number)
;
INSERT INTO millpond_version VALUES ('0008')