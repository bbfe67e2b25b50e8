use async_trait::async_trait;
use contract::{
    Adopted, Adoption, CertificateRecord, DomainName, ImportRecord, ImportStore, InstanceId, OperationId,
    PortResult, RenewalPlan, Timestamp,
};
use diesel::dsl::exists;
use diesel::prelude::*;

use crate::certificates::CertificateRow;
use crate::db::Db;
use crate::domains::Claim;
use crate::error::{StoreError, unless_taken};
use crate::instances::InstanceRow;
use crate::issuances::IssuanceRow;
use crate::operations::{LogRow, OperationRow};
use crate::renewals::RenewalRow;
use crate::schema::{
    certificates, imports, instance_domains, instances, issuances, operation_log, operations, pages, renewals,
};
use crate::store::Store;

#[async_trait]
impl ImportStore for Store {
    async fn adopt(&self, adoption: &Adoption) -> PortResult<Adopted> {
        let rows = Rows::of(adoption);
        let issuance = adoption.issuance.clone();
        self.run("adopt an instance", move |db, inner| {
            let sealed = issuance.map(|record| IssuanceRow::of(&record, 0, &inner.sealer)).transpose()?;
            rows?.store(db, sealed.as_ref())
        })
        .await
    }

    async fn imported(&self, id: &InstanceId) -> PortResult<Option<ImportRecord>> {
        let id = id.as_str().to_owned();
        self.run("read the record of an import", move |db, _| {
            let row = imports::table.find(id).select(ImportRow::as_select()).first(db).optional()?;
            row.map(|row| row.into_record(db)).transpose()
        })
        .await
    }

    async fn imports(&self, after: Option<InstanceId>, limit: u32) -> PortResult<Vec<ImportRecord>> {
        let after = after.map_or_else(String::new, |id| id.as_str().to_owned());
        self.run("list what was imported", move |db, _| {
            let rows: Vec<ImportRow> = imports::table
                .filter(imports::instance.gt(after))
                .order(imports::instance)
                .limit(limit.into())
                .select(ImportRow::as_select())
                .load(db)?;
            rows.into_iter().map(|row| row.into_record(db)).collect()
        })
        .await
    }

    async fn forget_import(&self, id: &InstanceId) -> PortResult<bool> {
        let id = id.as_str().to_owned();
        self.run("forget an import", move |db, _| {
            // Whoever begins an operation meanwhile refers to the instance, which then cannot go.
            match db.write(|db| forget(db, &id)) {
                Err(error) if error.is_referred_to() => Ok(false),
                done => done,
            }
        })
        .await
    }
}

/// Everything that an adoption writes.
struct Rows {
    instance: InstanceRow,
    operation: OperationRow,
    log: LogRow,
    certificate: CertificateRow,
    renewal: RenewalRow,
    import: ImportRow,
    claim: Claim,
    names: Vec<DomainName>,
    inherited: Vec<String>,
    at: i64,
}

impl Rows {
    fn of(adoption: &Adoption) -> Result<Self, StoreError> {
        let Adoption { instance, operation, log, certificate, renewal, source, at, .. } = adoption;
        let certificate: &CertificateRecord = certificate;
        let renewal: &RenewalPlan = renewal;
        Ok(Self {
            instance: InstanceRow::of(instance)?,
            operation: OperationRow::of(operation)?,
            log: LogRow::of(log),
            certificate: CertificateRow::of(certificate)?,
            renewal: RenewalRow::of(renewal),
            import: ImportRow {
                instance: instance.id.as_str().to_owned(),
                source: source.clone(),
                operation: operation.id.as_str().to_owned(),
                imported_at: at.as_millis(),
            },
            claim: Claim::new(&instance.id, instance.incarnation, &instance.settings.domains),
            names: instance.settings.domains.clone(),
            inherited: adoption.inherited.iter().map(|name| name.as_str().to_owned()).collect(),
            at: at.as_millis(),
        })
    }

    fn store(&self, db: &mut Db, issuance: Option<&IssuanceRow>) -> Result<Adopted, StoreError> {
        let mut taken = Vec::new();
        let stored = db.write(|db| {
            diesel::insert_into(instances::table).values(&self.instance).execute(db)?;
            taken = self.claim.take_all(db, self.at)?;
            if !taken.is_empty() {
                return Ok(false);
            }
            let inherited = instance_domains::table
                .filter(instance_domains::instance.eq(&self.import.instance))
                .filter(instance_domains::name.eq_any(&self.inherited));
            diesel::update(inherited).set(instance_domains::inherited.eq(true)).execute(db)?;
            self.operation.insert(db)?;
            diesel::insert_into(operation_log::table).values(&self.log).execute(db)?;
            diesel::insert_into(certificates::table).values(&self.certificate).execute(db)?;
            if let Some(issuance) = issuance {
                diesel::insert_into(issuances::table).values(issuance).execute(db)?;
            }
            diesel::insert_into(renewals::table).values(&self.renewal).execute(db)?;
            diesel::insert_into(imports::table).values(&self.import).execute(db)?;
            Ok(true)
        });
        match unless_taken(stored)? {
            true => Ok(Adopted::Done),
            false if taken.is_empty() => self.what_was_taken(db),
            false => Ok(Adopted::NamesTaken(self.named(&taken))),
        }
    }

    /// A unique index has refused: the id is there, or somebody has claimed a name at the same moment.
    fn what_was_taken(&self, db: &mut Db) -> Result<Adopted, StoreError> {
        let taken = self.claim.taken(db)?;
        if taken.is_empty() { Ok(Adopted::IdTaken) } else { Ok(Adopted::NamesTaken(self.named(&taken))) }
    }

    fn named(&self, taken: &[String]) -> Vec<DomainName> {
        self.names.iter().filter(|name| taken.iter().any(|it| it == name.as_str())).cloned().collect()
    }
}

/// Removes an import that nothing was begun on since, and all that came with it.
fn forget(db: &mut Db, id: &str) -> Result<bool, StoreError> {
    let operation: Option<String> =
        imports::table.find(id).select(imports::operation).first(db).optional()?;
    let Some(operation) = operation else { return Ok(false) };
    let others = operations::table
        .filter(operations::instance.eq(id.to_owned()))
        .filter(operations::id.ne(operation.clone()));
    let untouched = imports::table.find(id.to_owned()).filter(diesel::dsl::not(exists(others)));
    if diesel::delete(untouched).execute(db)? == 0 {
        return Ok(false);
    }
    diesel::delete(renewals::table.find(id)).execute(db)?;
    // What was seen at a look is no change. Links that were revoked stay so, and the instance with them.
    diesel::delete(pages::table.filter(pages::instance.eq(id)).filter(pages::generation.eq(0)))
        .execute(db)?;
    diesel::delete(instance_domains::table.filter(instance_domains::instance.eq(id))).execute(db)?;
    let certificates = certificates::table.filter(certificates::instance.eq(id));
    let known: Vec<String> = certificates.select(certificates::issuance).load(db)?;
    diesel::delete(issuances::table.filter(issuances::id.eq_any(known))).execute(db)?;
    diesel::delete(certificates).execute(db)?;
    diesel::delete(operation_log::table.filter(operation_log::operation.eq(&operation))).execute(db)?;
    diesel::delete(operations::table.find(&operation)).execute(db)?;
    Ok(diesel::delete(instances::table.find(id)).execute(db)? == 1)
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = imports)]
struct ImportRow {
    instance: String,
    source: String,
    operation: String,
    imported_at: i64,
}

impl ImportRow {
    fn into_record(self, db: &mut Db) -> Result<ImportRecord, StoreError> {
        let others = operations::table
            .filter(operations::instance.eq(&self.instance))
            .filter(operations::id.ne(&self.operation));
        let changed = others.count().get_result::<i64>(db)? > 0;
        Ok(ImportRecord {
            instance: InstanceId::new(self.instance),
            source: self.source,
            operation: OperationId::new(self.operation),
            at: Timestamp::from_millis(self.imported_at),
            changed,
        })
    }
}
