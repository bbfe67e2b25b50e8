use contract::{Standing, Track};
use diesel::prelude::*;

use crate::certificates::CertificateRow;
use crate::db::{Db, on_its_own};
use crate::error::StoreError;
use crate::instances::InstanceRow;
use crate::labels::Label;
use crate::operations::OperationRow;
use crate::schema::{certificates, instances, operations};

/// How an instance stands, in one statement: all of it belongs together, and each poll of the platform asks for it.
pub(crate) fn read(db: &mut Db, id: &str) -> Result<Option<Standing>, StoreError> {
    let of_user = diesel::alias!(operations as of_user);
    let latest = of_user
        .filter(of_user.field(operations::instance).eq(instances::id))
        .filter(of_user.field(operations::track).eq(Track::User.label()))
        .order(of_user.field(operations::seq).desc())
        .select(of_user.field(operations::seq))
        .limit(1)
        .single_value();
    let of_incarnation =
        certificates::instance.eq(instances::id).and(certificates::incarnation.eq(instances::incarnation));
    let all = instances::table
        .left_join(operations::table.on(operations::seq.nullable().eq(latest)))
        .left_join(certificates::table.on(of_incarnation))
        .filter(instances::id.eq(id))
        .order(certificates::generation);
    let rows = on_its_own!(db, |connection| all
        .select((
            InstanceRow::as_select(),
            Option::<OperationRow>::as_select(),
            Option::<CertificateRow>::as_select(),
        ))
        .load(connection));
    standing(rows?)
}

/// Puts it together from the rows of the join, each of which holds one certificate and repeats the rest.
fn standing(
    rows: Vec<(InstanceRow, Option<OperationRow>, Option<CertificateRow>)>,
) -> Result<Option<Standing>, StoreError> {
    let mut found = None;
    let mut certificates = Vec::new();
    for (instance, latest, certificate) in rows {
        certificates.extend(certificate.map(CertificateRow::into_record).transpose()?);
        found.get_or_insert((instance, latest));
    }
    let Some((instance, latest)) = found else { return Ok(None) };
    Ok(Some(Standing {
        instance: instance.into_instance()?,
        latest: latest.map(OperationRow::into_operation).transpose()?,
        certificates,
    }))
}
