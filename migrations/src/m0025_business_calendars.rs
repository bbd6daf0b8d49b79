//! Business calendars: hours, and the days on which they are different.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0025_business_calendars", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE business_calendars (
    {record}, name :text NOT NULL, name_key :bytes NOT NULL, time_zone :text NOT NULL, weekly :json NOT NULL, is_default :bool NOT NULL, {tail});
CREATE TABLE calendar_exceptions (
    {record}, business_calendar_id :id NOT NULL REFERENCES business_calendars (id), date :date NOT NULL, name :text NOT NULL,
    hours :json NOT NULL, source :text);
";

const INDEXES: &str = "
    business_calendars: created_at | updated_at | name_key | time_zone | is_default
    unique business_calendars: name
    calendar_exceptions: created_at | updated_at | date
    calendar_exceptions: business_calendar_id
    calendar_exceptions: business_calendar_id, date
    unique calendar_exceptions: business_calendar_id, date
";
