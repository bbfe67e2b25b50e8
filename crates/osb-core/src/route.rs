use crate::{ErrorCode, Response};

/// A path of the API. Ids are still as they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Catalog,
    Instance(&'a str),
    LastOperation(&'a str),
    Binding,
    BindingLastOperation,
}

impl<'a> Route<'a> {
    /// The route of a path, or its `404`. A slash at the end makes another path, which there is none.
    pub(crate) fn find(base_path: &str, path: &'a str) -> Result<Self, Response> {
        Self::of(base_path, path).ok_or_else(|| {
            let sentence = "There is nothing at this path. The paths of a service broker begin with /v2/catalog and \
                            /v2/service_instances.";
            Response::error(ErrorCode::NotFound, sentence)
        })
    }

    /// The methods of this path, as the header `Allow` lists them.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Catalog | Self::LastOperation(_) | Self::BindingLastOperation => "GET",
            Self::Instance(_) => "GET, PUT, PATCH, DELETE",
            Self::Binding => "GET, PUT, DELETE",
        }
    }

    fn of(base_path: &str, path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix(base_path)?.strip_prefix("/v2/")?.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        match *segments.as_slice() {
            ["catalog"] => Some(Self::Catalog),
            ["service_instances", id] => Some(Self::Instance(id)),
            ["service_instances", id, "last_operation"] => Some(Self::LastOperation(id)),
            ["service_instances", _, "service_bindings", _] => Some(Self::Binding),
            ["service_instances", _, "service_bindings", _, "last_operation"] => {
                Some(Self::BindingLastOperation)
            }
            _ => None,
        }
    }
}
