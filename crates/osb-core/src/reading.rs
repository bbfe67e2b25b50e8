use crate::body::{self, Body};
use crate::query::{Query, instance_id};
use crate::{Catalog, Deprovision, ErrorCode, Fetch, LastOperation, Provision, Request, Response, Update};

/// What the head of a request with a body says. It is checked before anybody waits for the body.
pub(crate) struct Head {
    instance_id: String,
    asynchronous: Option<String>,
}

impl Head {
    pub(crate) fn read(id: &str, request: &Request<'_>) -> Result<Self, Response> {
        let instance_id = instance_id(id)?;
        let asynchronous = Query::new(request.query).find("accepts_incomplete")?;
        body::expect_json(request.headers)?;
        Ok(Self { instance_id, asynchronous })
    }
}

/// Reads a provision: syntax, then required fields, then the catalog, then whether it may be asynchronous.
pub(crate) fn provision(catalog: &Catalog, id: &str, request: &Request<'_>) -> Result<Provision, Response> {
    let Head { instance_id, asynchronous } = Head::read(id, request)?;
    let mut body = Body::read(request.body)?;
    let provision = Provision {
        instance_id,
        parameters: body.object("parameters")?,
        context: body.object("context")?,
        maintenance_info_version: body.maintenance_version()?,
        service_id: body.required("service_id")?,
        plan_id: body.required("plan_id")?,
        organization_guid: body.required("organization_guid")?,
        space_guid: body.required("space_guid")?,
        body: body.text,
    };
    known_plan(catalog, &provision.service_id, &provision.plan_id)?;
    require_asynchronous(asynchronous.as_deref())?;
    Ok(provision)
}

/// Reads an update, in the same order.
pub(crate) fn update(catalog: &Catalog, id: &str, request: &Request<'_>) -> Result<Update, Response> {
    let Head { instance_id, asynchronous } = Head::read(id, request)?;
    let mut body = Body::read(request.body)?;
    let update = Update {
        instance_id,
        parameters: body.object("parameters")?,
        context: body.object("context")?,
        maintenance_info_version: body.maintenance_version()?,
        service_id: body.required("service_id")?,
        plan_id: body.optional("plan_id")?,
        body: body.text,
    };
    match &update.plan_id {
        Some(plan_id) => known_plan(catalog, &update.service_id, plan_id)?,
        None => known_service(catalog, &update.service_id)?,
    }
    require_asynchronous(asynchronous.as_deref())?;
    Ok(update)
}

/// Reads a deprovision, in the same order. A body, which some clients send, is not looked at.
pub(crate) fn deprovision(
    catalog: &Catalog,
    id: &str,
    request: &Request<'_>,
) -> Result<Deprovision, Response> {
    let instance_id = instance_id(id)?;
    let query = Query::new(request.query);
    let (service_id, plan_id) = (query.find("service_id")?, query.find("plan_id")?);
    let asynchronous = query.find("accepts_incomplete")?;
    let deprovision = Deprovision {
        instance_id,
        service_id: required(service_id, "service_id")?,
        plan_id: required(plan_id, "plan_id")?,
    };
    known_plan(catalog, &deprovision.service_id, &deprovision.plan_id)?;
    require_asynchronous(asynchronous.as_deref())?;
    Ok(deprovision)
}

/// Reads a poll. `service_id` and `plan_id` are hints that may be absent or out of date, so they are not read.
pub(crate) fn last_operation(id: &str, request: &Request<'_>) -> Result<LastOperation, Response> {
    Ok(LastOperation { instance_id: instance_id(id)?, operation: Query::new(request.query).any("operation") })
}

/// Reads a fetch; its hints are the same as those of a poll.
pub(crate) fn fetch(id: &str) -> Result<Fetch, Response> {
    Ok(Fetch { instance_id: instance_id(id)? })
}

fn required(value: Option<String>, name: &str) -> Result<String, Response> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        let sentence = format!("The query parameter {name} is missing or empty. Send it.");
        Response::error(ErrorCode::MissingField, &sentence)
    })
}

fn known_service(catalog: &Catalog, service_id: &str) -> Result<(), Response> {
    catalog.service(service_id).map(|_| ()).ok_or_else(|| unknown("service_id"))
}

fn known_plan(catalog: &Catalog, service_id: &str, plan_id: &str) -> Result<(), Response> {
    known_service(catalog, service_id)?;
    catalog.plan(service_id, plan_id).map(|_| ()).ok_or_else(|| unknown("plan_id"))
}

fn unknown(name: &str) -> Response {
    let sentence =
        format!("The catalog of this broker has no such {name}. Update the service broker in the platform.");
    Response::error(ErrorCode::UnknownServiceOrPlan, &sentence)
}

/// Only the literal `true` counts (OSB 2.17, "Asynchronous Operations").
fn require_asynchronous(accepts_incomplete: Option<&str>) -> Result<(), Response> {
    match accepts_incomplete {
        Some("true") => Ok(()),
        _ => Err(Response::error(
            ErrorCode::AsyncRequired,
            "This service takes its time. The platform must support asynchronous operations and send \
             accepts_incomplete=true.",
        )),
    }
}
