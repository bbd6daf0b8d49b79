//! Sales before the order: pipelines, opportunities and their history.

pub mod opportunity;
pub mod pipeline;
pub mod stage_history;
