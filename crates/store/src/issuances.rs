use async_trait::async_trait;
use contract::{
    AuthorizationRecord, DomainName, HttpAnswer, IssuanceId, IssuanceRecord, IssuanceStore, LastLook,
    PortResult, ProofPlace, Timestamp,
};
use diesel::prelude::*;

use crate::answers;
use crate::cell::Cell;
use crate::credits;
use crate::db::{Db, on_its_own};
use crate::error::{StoreError, unless_taken};
use crate::labels::Label;
use crate::looks;
use crate::schema::{authorizations, issuances};
use crate::sealing::Sealer;
use crate::store::Store;

#[async_trait]
impl IssuanceStore for Store {
    async fn insert(&self, record: &IssuanceRecord) -> PortResult<()> {
        let record = record.clone();
        self.run("store a new issuance", move |db, inner| {
            let row = IssuanceRow::of(&record, 0, &inner.sealer)?;
            unless_taken(db.write(|db| {
                diesel::insert_into(issuances::table).values(&row).execute(db)?;
                insert_authorizations(db, &record)?;
                Ok(true)
            }))?;
            Ok(())
        })
        .await
    }

    async fn load(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>> {
        let id = id.as_str().to_owned();
        self.run("read an issuance", move |db, inner| {
            // One statement, so that the authorizations belong to this version of the issuance.
            let rows: Vec<(IssuanceRow, Option<AuthorizationRow>)> = issuances::table
                .find(id)
                .left_join(authorizations::table)
                .order(authorizations::position)
                .select((IssuanceRow::as_select(), Option::<AuthorizationRow>::as_select()))
                .load(db)?;
            let one = together(rows);
            one.map(|(row, authorizations)| row.into_record(authorizations, &inner.sealer)).transpose()
        })
        .await
    }

    async fn show(&self, id: &IssuanceId) -> PortResult<Option<IssuanceRecord>> {
        let id = id.as_str().to_owned();
        self.run("read an issuance to show it", move |db, _| {
            let all =
                issuances::table.find(id).left_join(authorizations::table).order(authorizations::position);
            let rows: Vec<(ShownRow, Option<AuthorizationRow>)> = on_its_own!(db, |connection| all
                .select((ShownRow::as_select(), Option::<AuthorizationRow>::as_select()))
                .load(connection))?;
            let one = together(rows);
            one.map(|(row, authorizations)| row.into_record(authorizations)).transpose()
        })
        .await
    }

    async fn save(&self, record: &IssuanceRecord) -> PortResult<bool> {
        let record = record.clone();
        self.run("save an issuance", move |db, inner| {
            let row = IssuanceRow::of(&record, record.version.saturating_add(1), &inner.sealer)?;
            db.write(|db| Ok(replace(db, &row, record.version)? && replace_authorizations(db, &record)?))
        })
        .await
    }

    async fn note_look(&self, id: &IssuanceId, authorization: &str, look: &LastLook) -> PortResult<()> {
        looks::note(self, id, authorization, look).await
    }

    async fn wanted_elsewhere(&self, id: &IssuanceId, place: &ProofPlace) -> PortResult<bool> {
        answers::wanted_elsewhere(self, id, place).await
    }

    async fn credit(&self, authorization: &str, tenant: &str) -> PortResult<String> {
        credits::credit(self, authorization, tenant).await
    }

    async fn credited(&self, authorization: &str) -> PortResult<Option<String>> {
        credits::credited(self, authorization).await
    }

    async fn relies_on(&self, tenant: &str, authorization: &str) -> PortResult<bool> {
        credits::relies_on(self, tenant, authorization).await
    }
}

fn replace(db: &mut Db, row: &IssuanceRow, version: i32) -> Result<bool, StoreError> {
    let unchanged = issuances::table.find(&row.id).filter(issuances::version.eq(version));
    Ok(diesel::update(unchanged).set(row).execute(db)? == 1)
}

fn replace_authorizations(db: &mut Db, record: &IssuanceRecord) -> Result<bool, StoreError> {
    let earlier = authorizations::table.filter(authorizations::issuance.eq(record.id.as_str()));
    diesel::delete(earlier).execute(db)?;
    insert_authorizations(db, record)?;
    Ok(true)
}

fn insert_authorizations(db: &mut Db, record: &IssuanceRecord) -> Result<(), StoreError> {
    for (position, authorization) in (0..).zip(&record.authorizations) {
        let row = AuthorizationRow::of(&record.id, position, authorization);
        diesel::insert_into(authorizations::table).values(row).execute(db)?;
    }
    Ok(())
}

/// An issuance and its authorizations, from the rows of their join, each of which repeats the issuance.
fn together<R>(rows: Vec<(R, Option<AuthorizationRow>)>) -> Option<(R, Vec<AuthorizationRow>)> {
    let (issuances, authorizations): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    Some((issuances.into_iter().next()?, authorizations.into_iter().flatten().collect()))
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = issuances, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct IssuanceRow {
    id: String,
    version: i32,
    request: String,
    directory: String,
    private_key: Option<String>,
    csr: Option<Vec<u8>>,
    order_url: Option<String>,
    order_expires: Option<i64>,
    orders_placed: i32,
    thumbprint: Option<String>,
    presented: String,
    failure: Option<String>,
    chain: Option<String>,
    opened_at: i64,
    abandoned: bool,
}

impl IssuanceRow {
    pub(crate) fn of(record: &IssuanceRecord, version: i32, sealer: &Sealer) -> Result<Self, StoreError> {
        let cell = |column| Cell { table: "issuances", column, row: record.id.as_str() };
        let private_key = record.private_key.as_ref().map(|key| sealer.seal(cell("private_key"), key));
        Ok(Self {
            id: record.id.as_str().to_owned(),
            version,
            request: cell("request").write_json(&record.request)?,
            directory: record.directory.clone(),
            private_key: private_key.transpose()?,
            csr: record.csr.clone(),
            order_url: record.order_url.clone(),
            order_expires: record.order_expires.map(Timestamp::as_millis),
            orders_placed: record.orders_placed,
            thumbprint: record.thumbprint.clone(),
            presented: cell("presented").write_json(&record.presented)?,
            failure: record.failure.clone(),
            chain: record.chain.clone(),
            opened_at: record.opened_at.as_millis(),
            abandoned: record.abandoned,
        })
    }

    fn into_record(
        self,
        authorizations: Vec<AuthorizationRow>,
        sealer: &Sealer,
    ) -> Result<IssuanceRecord, StoreError> {
        let cell = Cell { table: "issuances", column: "private_key", row: &self.id };
        let private_key = self.private_key.map(|sealed| sealer.open(cell, &sealed)).transpose()?;
        let shown = ShownRow {
            id: self.id,
            request: self.request,
            directory: self.directory,
            order_url: self.order_url,
            order_expires: self.order_expires,
            orders_placed: self.orders_placed,
            thumbprint: self.thumbprint,
            presented: self.presented,
            failure: self.failure,
            opened_at: self.opened_at,
            abandoned: self.abandoned,
        };
        let (version, csr, chain) = (self.version, self.csr, self.chain);
        Ok(IssuanceRecord { version, private_key, csr, chain, ..shown.into_record(authorizations)? })
    }
}

/// What is shown of an issuance.
#[derive(Queryable, Selectable)]
#[diesel(table_name = issuances)]
pub(crate) struct ShownRow {
    id: String,
    request: String,
    directory: String,
    order_url: Option<String>,
    order_expires: Option<i64>,
    orders_placed: i32,
    thumbprint: Option<String>,
    presented: String,
    failure: Option<String>,
    opened_at: i64,
    abandoned: bool,
}

impl ShownRow {
    pub(crate) fn into_record(
        self,
        authorizations: Vec<AuthorizationRow>,
    ) -> Result<IssuanceRecord, StoreError> {
        let cell = |column| Cell { table: "issuances", column, row: &self.id };
        let authorizations = authorizations.into_iter().map(AuthorizationRow::into_record);
        Ok(IssuanceRecord {
            request: cell("request").read_json(&self.request)?,
            version: IssuanceRecord::FOR_SHOW,
            directory: self.directory,
            private_key: None,
            csr: None,
            order_url: self.order_url,
            order_expires: self.order_expires.map(Timestamp::from_millis),
            orders_placed: self.orders_placed,
            thumbprint: self.thumbprint,
            presented: cell("presented").read_json(&self.presented)?,
            failure: self.failure,
            authorizations: authorizations.collect::<Result<_, _>>()?,
            chain: None,
            opened_at: Timestamp::from_millis(self.opened_at),
            abandoned: self.abandoned,
            id: IssuanceId::new(self.id),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = authorizations, treat_none_as_default_value = false)]
pub(crate) struct AuthorizationRow {
    issuance: String,
    position: i32,
    name: String,
    url: String,
    http_token: Option<String>,
    http_answer: Option<String>,
    dns_value: Option<String>,
    method: Option<String>,
    state: String,
    last_look_at: Option<i64>,
    last_look_saw: Option<String>,
    next_look: Option<i64>,
}

impl AuthorizationRow {
    fn of(issuance: &IssuanceId, position: i32, record: &AuthorizationRecord) -> Self {
        Self {
            issuance: issuance.as_str().to_owned(),
            position,
            name: record.name.as_str().to_owned(),
            url: record.url.clone(),
            http_token: record.http.as_ref().map(|http| http.token.clone()),
            http_answer: record.http.as_ref().map(|http| http.answer.clone()),
            dns_value: record.dns.clone(),
            method: record.method.map(|method| method.label().to_owned()),
            state: record.state.label().to_owned(),
            last_look_at: record.last_look.as_ref().map(|look| look.at.as_millis()),
            last_look_saw: record.last_look.as_ref().map(|look| look.saw.clone()),
            next_look: record.next_look.map(Timestamp::as_millis),
        }
    }

    fn into_record(self) -> Result<AuthorizationRecord, StoreError> {
        let key = format!("{} {}", self.issuance, self.position);
        let cell = |column| Cell { table: "authorizations", column, row: &key };
        let last_look = self.last_look_at.zip(self.last_look_saw);
        let http = self.http_token.zip(self.http_answer);
        Ok(AuthorizationRecord {
            name: cell("name").parsed(DomainName::parse(&self.name))?,
            url: self.url,
            http: http.map(|(token, answer)| HttpAnswer { token, answer }),
            dns: self.dns_value,
            method: self.method.map(|method| cell("method").label(&method)).transpose()?,
            state: cell("state").label(&self.state)?,
            last_look: last_look.map(|(at, saw)| LastLook { at: Timestamp::from_millis(at), saw }),
            next_look: self.next_look.map(Timestamp::from_millis),
        })
    }
}
