//! Which operation a method and an address mean.
//!
//! A tree over the segments of the path: the framework's own table tries one pattern after the other, which at some
//! hundred addresses cost more than everything else a request did.

use super::operation::Operation;
use actix_web::http::Method;
use std::{collections::BTreeSet, sync::Arc};

/// Every operation by its address.
#[derive(Debug, Default)]
pub struct Router {
    tree: matchit::Router<Vec<Arc<Operation>>>,
    /// The same, in no order: a tree cannot be walked.
    all: Vec<Arc<Operation>>,
}

/// What an address and a method mean.
#[derive(Debug)]
pub enum RouteMatch {
    /// This operation, with the parameters of its path in order, percent-decoded.
    Operation(Arc<Operation>, Vec<String>),
    /// An address, this one, that knows only these other methods.
    MethodNotAllowed(String, Vec<String>),
    /// No address.
    NotFound,
}

impl Router {
    /// Of operations; or the addresses that would be mistaken for one another.
    pub fn of(operations: Vec<Operation>) -> Result<Self, Vec<String>> {
        let (mut routes, mut faults) = (Self::default(), vec![]);
        for operation in operations.into_iter().map(Arc::new) {
            routes.all.push(Arc::clone(&operation));
            match routes.tree.at_mut(&operation.path) {
                // A template found by its own text is the same template; another's parameter may stand for it, too.
                Ok(found) if found.value.iter().any(|o| o.path == operation.path) => found.value.push(operation),
                _ => {
                    let path = operation.path.clone();
                    faults.extend(routes.tree.insert(path, vec![operation]).err().map(|e| e.to_string()));
                }
            }
        }
        if faults.is_empty() { Ok(routes) } else { Err(faults) }
    }

    /// Everything that is served.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// Every permission that an operation asks for.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<&str> {
        self.operations().flat_map(Operation::permissions).collect()
    }

    /// What a method and a path mean.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str) -> RouteMatch {
        let Ok(found) = self.tree.at(path) else { return RouteMatch::NotFound };
        let decoded = found.params.iter().map(|(_, part)| percent_encoding::percent_decode_str(part).decode_utf8());
        let Ok(parts) = decoded.map(|part| part.map(String::from)).collect::<Result<_, _>>() else { return RouteMatch::NotFound };
        match found.value.iter().find(|o| o.method == *method) {
            Some(operation) => RouteMatch::Operation(Arc::clone(operation), parts),
            None => {
                let path = found.value.first().map(|o| o.path.clone()).unwrap_or_default();
                RouteMatch::MethodNotAllowed(path, found.value.iter().map(|o| o.method.to_string()).collect())
            }
        }
    }
}
