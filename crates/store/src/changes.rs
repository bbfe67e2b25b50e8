use contract::Change;
use diesel::prelude::*;

use crate::cell::Cell;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{instances, operations};

/// What an update changes, in the row of its operation; all empty for operations of another kind.
#[derive(Default, Queryable, Selectable, Insertable)]
#[diesel(table_name = operations, treat_none_as_default_value = false)]
pub(crate) struct ChangeRow {
    new_settings: Option<String>,
    new_plan_id: Option<String>,
    new_parameters: Option<String>,
    new_context: Option<String>,
    sent_parameters: Option<String>,
    identity: Option<String>,
    needs_certificate: Option<bool>,
    invalidate: Option<String>,
}

impl ChangeRow {
    pub(crate) fn of(operation: &str, change: Option<&Change>) -> Result<Self, StoreError> {
        let Some(change) = change else { return Ok(Self::default()) };
        let cell = |column| Cell { table: "operations", column, row: operation };
        Ok(Self {
            new_settings: Some(cell("new_settings").write_json(&change.settings)?),
            new_plan_id: Some(change.plan_id.clone()),
            new_parameters: Some(change.parameters.clone()),
            new_context: Some(change.context.clone()),
            sent_parameters: Some(change.sent.clone()),
            identity: change.identity.clone(),
            needs_certificate: Some(change.needs_certificate),
            invalidate: Some(cell("invalidate").write_json(&change.invalidate)?),
        })
    }

    /// The database sees to it that there are all columns or none.
    pub(crate) fn into_change(self, operation: &str) -> Result<Option<Change>, StoreError> {
        let cell = |column| Cell { table: "operations", column, row: operation };
        let Some(settings) = self.new_settings else { return Ok(None) };
        Ok(Some(Change {
            settings: cell("new_settings").read_json(&settings)?,
            plan_id: self.new_plan_id.unwrap_or_default(),
            parameters: self.new_parameters.unwrap_or_default(),
            context: self.new_context.unwrap_or_default(),
            sent: self.sent_parameters.unwrap_or_default(),
            identity: self.identity,
            needs_certificate: self.needs_certificate.unwrap_or_default(),
            invalidate: cell("invalidate").read_json(self.invalidate.as_deref().unwrap_or("[]"))?,
        }))
    }
}

/// Makes the instance what the change of its operation says, in the transaction that ends the operation.
pub(crate) fn adopt(db: &mut Db, operation: &str, instance: &str) -> Result<(), StoreError> {
    let change: ChangeRow =
        operations::table.filter(operations::id.eq(operation)).select(ChangeRow::as_select()).first(db)?;
    let (Some(settings), Some(plan_id), Some(parameters)) =
        (change.new_settings, change.new_plan_id, change.new_parameters)
    else {
        return Ok(());
    };
    let context = change.new_context.filter(|context| context != "{}");
    diesel::update(instances::table.find(instance))
        .set((
            instances::settings.eq(settings),
            instances::plan_id.eq(plan_id),
            instances::parameters.eq(parameters),
            context.map(|context| instances::context.eq(context)),
        ))
        .execute(db)?;
    Ok(())
}
