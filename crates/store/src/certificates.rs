use async_trait::async_trait;
use contract::{
    CertificateFacts, CertificateKey, CertificateRecord, CertificateState, CertificateStore, InstanceId,
    IssuanceId, PortResult, StoredCertificate, Timestamp, VaultName,
};
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::{StoreError, unless_taken};
use crate::labels::Label;
use crate::schema::certificates;
use crate::store::Store;

#[async_trait]
impl CertificateStore for Store {
    async fn put(&self, record: &CertificateRecord) -> PortResult<()> {
        let row = CertificateRow::of(record);
        self.run("store a certificate record", move |db, _| {
            let row = row?;
            // A worker that has lost its lease may insert the same row in between.
            if !update(db, &row)? && !unless_taken(insert(db, &row))? {
                update(db, &row)?;
            }
            Ok(())
        })
        .await
    }

    async fn make_live(&self, record: &CertificateRecord) -> PortResult<()> {
        let row = CertificateRow::of(&CertificateRecord { state: CertificateState::Live, ..record.clone() });
        self.run("store that a certificate is live", move |db, _| {
            let row = row?;
            db.write(|db| {
                retire_live(db, &row)?;
                Ok(update(db, &row)? || insert(db, &row)?)
            })?;
            Ok(())
        })
        .await
    }

    async fn named(&self, name: &VaultName) -> PortResult<Option<CertificateRecord>> {
        let name = name.as_str().to_owned();
        self.run("look whose a certificate is", move |db, _| {
            let named = certificates::table.filter(certificates::vault_name.eq(name));
            let row = named.select(CertificateRow::as_select()).first(db).optional()?;
            row.map(CertificateRow::into_record).transpose()
        })
        .await
    }

    async fn expiring(&self, before: Timestamp, most: u32) -> PortResult<Vec<CertificateRecord>> {
        self.run("read which certificates expire first", move |db, _| {
            let rows: Vec<CertificateRow> = certificates::table
                .filter(certificates::state.eq(CertificateState::Live.label()))
                .filter(certificates::not_after.lt(before.as_millis()))
                .order((certificates::not_after, certificates::instance))
                .limit(most.into())
                .select(CertificateRow::as_select())
                .load(db)?;
            rows.into_iter().map(CertificateRow::into_record).collect()
        })
        .await
    }

    async fn list(&self, after: Option<CertificateKey>, most: u32) -> PortResult<Vec<CertificateRecord>> {
        self.run("list certificate records", move |db, _| list(db, after, most)).await
    }

    async fn of_instance(&self, id: &InstanceId, incarnation: i32) -> PortResult<Vec<CertificateRecord>> {
        let id = id.as_str().to_owned();
        self.run("read the certificate records of an instance", move |db, _| {
            of_instance(db, &id, incarnation)
        })
        .await
    }
}

fn list(db: &mut Db, after: Option<CertificateKey>, most: u32) -> Result<Vec<CertificateRecord>, StoreError> {
    // An id has at least one character, so that all of them come after the empty text.
    let (instance, incarnation, generation) = after
        .map_or_else(Default::default, |at| (at.instance.as_str().to_owned(), at.incarnation, at.generation));
    let of_same = certificates::instance.eq(instance.clone());
    let later_life = certificates::incarnation.gt(incarnation);
    let later = certificates::incarnation.eq(incarnation).and(certificates::generation.gt(generation));
    let behind = certificates::instance.gt(instance).or(of_same.and(later_life.or(later)));
    let rows: Vec<CertificateRow> = certificates::table
        .filter(behind)
        .order((certificates::instance, certificates::incarnation, certificates::generation))
        .limit(most.into())
        .select(CertificateRow::as_select())
        .load(db)?;
    rows.into_iter().map(CertificateRow::into_record).collect()
}

/// The certificates of one incarnation, oldest generation first.
fn of_instance(db: &mut Db, instance: &str, incarnation: i32) -> Result<Vec<CertificateRecord>, StoreError> {
    let rows: Vec<CertificateRow> = certificates::table
        .filter(certificates::instance.eq(instance))
        .filter(certificates::incarnation.eq(incarnation))
        .order(certificates::generation)
        .select(CertificateRow::as_select())
        .load(db)?;
    rows.into_iter().map(CertificateRow::into_record).collect()
}

fn retire_live(db: &mut Db, row: &CertificateRow) -> Result<(), StoreError> {
    let live = certificates::table
        .filter(certificates::instance.eq(&row.instance))
        .filter(certificates::incarnation.eq(row.incarnation))
        .filter(certificates::state.eq(CertificateState::Live.label()));
    diesel::update(live).set(certificates::state.eq(CertificateState::Retired.label())).execute(db)?;
    Ok(())
}

fn update(db: &mut Db, row: &CertificateRow) -> Result<bool, StoreError> {
    let earlier = certificates::table.find((row.instance.as_str(), row.incarnation, row.generation));
    Ok(diesel::update(earlier).set(row).execute(db)? == 1)
}

fn insert(db: &mut Db, row: &CertificateRow) -> Result<bool, StoreError> {
    Ok(diesel::insert_into(certificates::table).values(row).execute(db)? == 1)
}

#[derive(PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = certificates, treat_none_as_null = true, treat_none_as_default_value = false)]
#[diesel(primary_key(instance, incarnation, generation))]
pub(crate) struct CertificateRow {
    instance: String,
    incarnation: i32,
    generation: i32,
    requested: String,
    issuance: String,
    vault_name: String,
    stored: Option<String>,
    state: String,
    serial: Option<String>,
    fingerprint: Option<String>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    names: Option<String>,
    renewal_id: Option<String>,
    issuer: Option<String>,
    keyless: bool,
}

impl CertificateRow {
    pub(crate) fn of(record: &CertificateRecord) -> Result<Self, StoreError> {
        let key = format!("{} {} {}", record.instance, record.incarnation, record.generation);
        let cell = |column| Cell { table: "certificates", column, row: &key };
        let facts = record.facts.as_ref();
        Ok(Self {
            instance: record.instance.as_str().to_owned(),
            incarnation: record.incarnation,
            generation: record.generation,
            requested: cell("requested").write_json(&record.names)?,
            issuance: record.issuance.as_str().to_owned(),
            vault_name: record.vault_name.as_str().to_owned(),
            stored: record.stored.as_ref().map(|stored| stored.as_str().to_owned()),
            state: record.state.label().to_owned(),
            serial: facts.map(|facts| facts.serial.clone()),
            fingerprint: facts.map(|facts| facts.fingerprint.clone()),
            not_before: facts.map(|facts| facts.not_before.as_millis()),
            not_after: facts.map(|facts| facts.not_after.as_millis()),
            names: facts.map(|facts| cell("names").write_json(&facts.names)).transpose()?,
            renewal_id: facts.and_then(|facts| facts.renewal_id.clone()),
            issuer: facts.and_then(|facts| facts.issuer.clone()),
            keyless: record.keyless,
        })
    }

    pub(crate) fn into_record(self) -> Result<CertificateRecord, StoreError> {
        let key = format!("{} {} {}", self.instance, self.incarnation, self.generation);
        let cell = |column| Cell { table: "certificates", column, row: &key };
        let facts = match (self.serial, self.fingerprint, self.not_before, self.not_after, self.names) {
            (Some(serial), Some(fingerprint), Some(not_before), Some(not_after), Some(names)) => {
                Some(CertificateFacts {
                    serial,
                    fingerprint,
                    not_before: Timestamp::from_millis(not_before),
                    not_after: Timestamp::from_millis(not_after),
                    names: cell("names").read_json(&names)?,
                    issuer: self.issuer,
                    renewal_id: self.renewal_id,
                })
            }
            // The table's CHECK allows all or nothing.
            _ => None,
        };
        Ok(CertificateRecord {
            state: cell("state").label(&self.state)?,
            names: cell("requested").read_json(&self.requested)?,
            instance: InstanceId::new(self.instance),
            incarnation: self.incarnation,
            generation: self.generation,
            issuance: IssuanceId::new(self.issuance),
            vault_name: VaultName::new(self.vault_name),
            stored: self.stored.map(StoredCertificate::new),
            facts,
            keyless: self.keyless,
        })
    }
}
