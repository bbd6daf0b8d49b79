//! Sales before the order: leads, pipelines, opportunities and their history.

pub mod lead;
pub mod matching;
pub mod opportunity;
pub mod pipeline;
pub mod stage_history;
