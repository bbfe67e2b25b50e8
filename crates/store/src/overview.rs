use async_trait::async_trait;
use contract::{
    CertificateState, InstanceState, OperationState, Overview, OverviewStore, PortResult, RunningOperations,
    Timestamp,
};
use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::StoreError;
use crate::labels::Label;
use crate::schema::{certificates, instances, operations};
use crate::store::Store;

#[async_trait]
impl OverviewStore for Store {
    async fn overview(&self) -> PortResult<Overview> {
        self.run("count what there is", |db, _| {
            Ok(Overview { instances: by_state(db)?, running: running(db)?, ends: ends(db)? })
        })
        .await
    }
}

fn by_state(db: &mut Db) -> Result<Vec<(InstanceState, i64)>, StoreError> {
    let rows: Vec<(String, i64)> =
        instances::table.group_by(instances::state).select((instances::state, count_star())).load(db)?;
    let state = |text: &str| Cell { table: "instances", column: "state", row: "" }.label(text);
    rows.into_iter().map(|(text, count)| Ok((state(&text)?, count))).collect()
}

fn running(db: &mut Db) -> Result<Vec<RunningOperations>, StoreError> {
    let rows: Vec<(String, String, Option<String>, i64)> = operations::table
        .filter(operations::state.eq(OperationState::Running.label()))
        .group_by((operations::kind, operations::step, operations::waits_for))
        .select((operations::kind, operations::step, operations::waits_for, count_star()))
        .load(db)?;
    let kind = |text: &str| Cell { table: "operations", column: "kind", row: "" }.label(text);
    let group = |(text, step, waits_for, count): (String, String, Option<String>, i64)| {
        Ok(RunningOperations { kind: kind(&text)?, step, waits_for, count })
    };
    rows.into_iter().map(group).collect()
}

fn ends(db: &mut Db) -> Result<Vec<Timestamp>, StoreError> {
    let ends: Vec<Option<i64>> = certificates::table
        .filter(certificates::state.eq(CertificateState::Live.label()))
        .filter(certificates::not_after.is_not_null())
        .order(certificates::not_after)
        .select(certificates::not_after)
        .load(db)?;
    Ok(ends.into_iter().flatten().map(Timestamp::from_millis).collect())
}
