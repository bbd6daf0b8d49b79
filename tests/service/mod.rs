//! The service as a whole: its log, its edges, its settings.

mod logs;
