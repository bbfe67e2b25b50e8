"""The Open Service Broker API 2.17 as an OpenAPI document, written from the tables of its specification.

What the specification leaves to the service is filled in from the catalog that the broker serves: which ids there are, and the
schemas of the parameters. So a request that is valid by the document is one that the broker has promised to take.
"""

# Ids are opaque; platforms make them of printable characters.
ID = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
TEXT = {"type": "string", "minLength": 1}
FLAG = {"type": "boolean"}
ANY = {"type": "object"}


def record(required=(), **properties):
    shape = {"type": "object", "properties": properties}
    return shape | ({"required": list(required)} if required else {})


# "Service Broker Errors": both fields are meant for people or programs, so neither may be empty.
ERROR = record(
    ["error", "description"],
    error={"type": "string", "pattern": "^[A-Z][A-Za-z]+$"},
    description=TEXT,
    instance_usable=FLAG,
    update_repeatable=FLAG,
)
METADATA = record(labels=ANY, attributes=ANY)
BEGUN = record(["operation"], operation=TEXT | {"maxLength": 10_000}, dashboard_url=TEXT, metadata=METADATA)
DONE = record(dashboard_url=TEXT, metadata=METADATA)
LAST_OPERATION = record(
    ["state", "description"],
    state={"enum": ["in progress", "succeeded", "failed"]},
    description=TEXT,
    instance_usable=FLAG,
    update_repeatable=FLAG,
)
INSTANCE = record(
    ["service_id", "plan_id"],
    service_id=ID,
    plan_id=ID,
    dashboard_url=TEXT,
    parameters=ANY,
    maintenance_info=ANY,
    metadata=METADATA,
)
SCHEMA = record(["parameters"], parameters=record(["$schema"], **{"$schema": TEXT}))
PLAN = record(
    ["id", "name", "description"],
    id=ID,
    name=TEXT,
    description=TEXT,
    free=FLAG,
    bindable=FLAG,
    plan_updateable=FLAG,
    metadata=ANY,
    maximum_polling_duration={"type": "integer", "minimum": 1},
    schemas=record(service_instance=record(create=SCHEMA, update=SCHEMA)),
)
SERVICE = record(
    ["name", "id", "description", "bindable", "plans"],
    name=TEXT,
    id=ID,
    description=TEXT,
    bindable=FLAG,
    tags={"type": "array", "items": TEXT},
    instances_retrievable=FLAG,
    bindings_retrievable=FLAG,
    allow_context_updates=FLAG,
    plan_updateable=FLAG,
    metadata=ANY,
    plans={"type": "array", "minItems": 1, "items": PLAN},
)
CATALOG = record(["services"], services={"type": "array", "minItems": 1, "items": SERVICE})

# What may meet every request: no credentials, no version; an id or a body that cannot be read.
EVERYWHERE = {400: ERROR, 401: ERROR, 412: ERROR}


def parameter(name, where, schema, required=True):
    return {"name": name, "in": where, "required": required, "schema": schema}


def operation(name, parameters, answers, body=None):
    content = lambda schema: {"content": {"application/json": {"schema": schema}}}
    described = {
        "operationId": name,
        "parameters": [parameter("X-Broker-API-Version", "header", {"enum": ["2.17"]}), *parameters],
        "responses": {str(code): {"description": str(code)} | content(schema) for code, schema in answers.items()},
    }
    return described | ({"requestBody": {"required": True} | content(body)} if body else {})


def follow(described, code, *others):
    """What can be asked for next, with the same id."""
    same = {"instance_id": "$request.path.instance_id"}
    described["responses"][str(code)]["links"] = {
        other: {"operationId": other, "parameters": same} for other in others
    }
    return described


def askable(schema):
    """The schema of parameters, narrowed to names that somebody could own: what draft 4 can say of a name is only that it is text."""
    name = {"type": "string", "pattern": "^[a-z]{1,20}\\.example\\.(gov|org|net)$"}
    some = {"type": "array", "items": name, "minItems": 1, "maxItems": 5, "uniqueItems": True}
    narrowed = {"domain": name, "domains": some, "origin": {"enum": ["shop.example.net"]}}
    narrowed = {name: {"anyOf": [shape, {"type": "null"}]} for name, shape in narrowed.items()}
    properties = schema["properties"] | narrowed
    return {key: value for key, value in schema.items() if key != "$schema"} | {"properties": properties}


def openapi(catalog):
    """The document for a broker with this catalog, whose service is asynchronous and cannot be bound."""
    service = catalog["services"][0]
    plan = service["plans"][0]
    schemas = plan["schemas"]["service_instance"]
    service_id, plan_id = ({"enum": [one["id"]]} for one in (service, plan))
    # RFC 3986, 2.3: the characters that an id in a URL should be made of.
    at_instance = parameter("instance_id", "path", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})
    at_binding = parameter("binding_id", "path", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"})
    identity = parameter("X-Broker-API-Originating-Identity", "header", {"type": "string"}, required=False)
    asynchronous = parameter("accepts_incomplete", "query", {"enum": ["true"]})
    ids = [parameter("service_id", "query", service_id), parameter("plan_id", "query", plan_id)]
    hints = [parameter(one["name"], "query", one["schema"], required=False) for one in ids]
    polled = [*hints, parameter("operation", "query", {"type": "string"}, required=False)]
    create, update = (askable(schemas[name]["parameters"]) for name in ("create", "update"))
    place = {"service_id": service_id, "organization_guid": ID, "space_guid": ID}

    instance = {
        "put": follow(
            operation(
                "provision",
                [at_instance, asynchronous, identity],
                EVERYWHERE | {200: DONE, 202: BEGUN, 409: ERROR, 422: ERROR},
                record([*place, "plan_id", "parameters"], **place, plan_id=plan_id, context=ANY, parameters=create),
            ),
            202, "poll", "fetch", "update", "deprovision",
        ),
        "patch": operation(
            "update",
            [at_instance, asynchronous, identity],
            EVERYWHERE | {200: ANY, 202: BEGUN, 404: ERROR, 422: ERROR},
            record(["service_id"], service_id=service_id, plan_id=plan_id, context=ANY, parameters=update),
        ),
        "delete": follow(
            operation(
                "deprovision",
                [at_instance, asynchronous, identity, *ids],
                EVERYWHERE | {200: ANY, 202: BEGUN, 410: ANY, 422: ERROR},
            ),
            202, "poll", "deprovision",
        ),
        "get": operation(
            "fetch", [at_instance, identity, *hints], EVERYWHERE | {200: INSTANCE, 404: ERROR, 422: ERROR}
        ),
    }
    polls = {"get": operation("poll", [at_instance, *polled], EVERYWHERE | {200: LAST_OPERATION, 404: ERROR, 410: ANY})}
    # `bindable` is false: platforms must not ask, and are told so in the codes of the specification.
    bindings = {
        "put": operation(
            "bind",
            [at_instance, at_binding, identity],
            EVERYWHERE,
            record(["service_id", "plan_id"], service_id=service_id, plan_id=plan_id),
        ),
        "get": operation("fetch_binding", [at_instance, at_binding, identity], EVERYWHERE | {404: ERROR}),
        "delete": operation("unbind", [at_instance, at_binding, identity, *ids], EVERYWHERE | {410: ANY}),
    }
    binding_polls = {"get": operation("poll_binding", [at_instance, at_binding, *polled], EVERYWHERE | {404: ERROR})}
    path = "/v2/service_instances/{instance_id}"
    return {
        "openapi": "3.1.0",
        "info": {"title": "Open Service Broker API", "version": "2.17"},
        "security": [{"basic": []}],
        "components": {"securitySchemes": {"basic": {"type": "http", "scheme": "basic"}}},
        "paths": {
            "/v2/catalog": {"get": operation("catalog", [], EVERYWHERE | {200: CATALOG})},
            path: instance,
            f"{path}/last_operation": polls,
            f"{path}/service_bindings/{{binding_id}}": bindings,
            f"{path}/service_bindings/{{binding_id}}/last_operation": binding_polls,
        },
    }
