use contract::{CertificateState, Standing, Track};
use diesel::prelude::*;

use crate::certificates::CertificateRow;
use crate::db::{Db, on_its_own};
use crate::error::StoreError;
use crate::instances::InstanceRow;
use crate::issuances::{AuthorizationRow, ShownRow};
use crate::labels::Label;
use crate::operations::OperationRow;
use crate::schema::{authorizations, certificates, instances, issuances, operations};

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
    let is_pending = certificates::state.eq(CertificateState::Pending.label());
    let is_underway = is_pending.or(certificates::state.eq(CertificateState::Stored.label()));
    let all = instances::table
        .left_join(operations::table.on(operations::seq.nullable().eq(latest)))
        .left_join(certificates::table.on(of_incarnation))
        .left_join(issuances::table.on(issuances::id.eq(certificates::issuance).and(is_underway)))
        .left_join(authorizations::table.on(authorizations::issuance.eq(issuances::id)))
        .filter(instances::id.eq(id))
        .order((certificates::generation, authorizations::position));
    let rows = on_its_own!(db, |connection| all
        .select((
            InstanceRow::as_select(),
            Option::<OperationRow>::as_select(),
            Option::<CertificateRow>::as_select(),
            Option::<ShownRow>::as_select(),
            Option::<AuthorizationRow>::as_select(),
        ))
        .load(connection));
    standing(rows?)
}

/// A row of the join: it holds a certificate or, of one that is on its way, one of its authorizations, and repeats the rest.
type Row =
    (InstanceRow, Option<OperationRow>, Option<CertificateRow>, Option<ShownRow>, Option<AuthorizationRow>);

/// A certificate, and what was read of its issuance.
type WithIssuance = (CertificateRow, Option<ShownRow>, Vec<AuthorizationRow>);

fn standing(rows: Vec<Row>) -> Result<Option<Standing>, StoreError> {
    let mut found = None;
    let mut each: Vec<WithIssuance> = Vec::new();
    for (instance, latest, certificate, issuance, authorization) in rows {
        if let Some(certificate) = certificate.filter(|one| each.last().is_none_or(|(last, ..)| last != one))
        {
            each.push((certificate, issuance, Vec::new()));
        }
        if let Some((_, _, authorizations)) = each.last_mut() {
            authorizations.extend(authorization);
        }
        found.get_or_insert((instance, latest));
    }
    let Some((instance, latest)) = found else { return Ok(None) };
    let (mut certificates, mut issuances) = (Vec::new(), Vec::new());
    for (certificate, issuance, authorizations) in each {
        certificates.push(certificate.into_record()?);
        issuances.extend(issuance.map(|row| row.into_record(authorizations)).transpose()?);
    }
    let latest = latest.map(OperationRow::into_operation).transpose()?;
    Ok(Some(Standing { instance: instance.into_instance()?, latest, certificates, issuances }))
}
