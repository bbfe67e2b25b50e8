DROP TABLE ledger;
DROP TABLE accounts;
DROP TABLE authorizations;
DROP TABLE issuances;
DROP TABLE certificates;
DROP TABLE operation_log;
DROP TABLE operations;
DROP TABLE instances;
