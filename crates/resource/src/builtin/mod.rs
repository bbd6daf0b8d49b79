//! The records that the kernel itself keeps, whatever the resources are: what happened, what other systems call a record, and what the
//! organisation adds to the model.

pub mod audit_event;
pub mod change;
pub mod custom_field;
pub mod external_reference;
pub mod job;
pub mod operation;
pub mod organisation_settings;
pub mod picklist;
