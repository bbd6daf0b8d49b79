//! Rules of consent for persons: when one is erased, what reached the person is suppressed, so that nothing is sent to an address that is
//! entered again.

use super::suppression::{Suppress, normal_form, suppress};
use samphan_domain::{
    consents::suppression::SuppressionReason,
    customers::{
        account::{Account, Channel},
        contact::Contact,
        contact_point::{ContactPoint, ContactPointKind},
    },
};
use samphan_persistence::{
    guard::{Check, Guards},
    store::Work,
    stored,
};
use samphan_resource::{error::Result, resource::Resource, scalar::Scalar};
use uuid::Uuid;

/// Registers the rules.
#[must_use]
pub fn register(guards: Guards) -> Guards {
    guards.before_erasure(Account::PLURAL, suppress_account).before_erasure(Contact::PLURAL, suppress_contact)
}

fn suppress_account(work: &Work, id: Uuid) -> Check<'_> {
    Box::pin(suppress_points_of(work, "account_id", id))
}

fn suppress_contact(work: &Work, id: Uuid) -> Check<'_> {
    Box::pin(suppress_points_of(work, "contact_id", id))
}

async fn suppress_points_of(work: &Work, field: &'static str, id: Uuid) -> Result<()> {
    for point in stored::find_by::<ContactPoint>(work, field, Scalar::Id(id)).await? {
        // What has no normal form is no address.
        let channels = channels_of(point.data.kind).iter().filter(|channel| normal_form(**channel, &point.data.normalized).is_some());
        for channel in channels {
            let entry = Suppress {
                channel: *channel,
                address: point.data.normalized.clone(),
                reason: SuppressionReason::Erased,
                until: None,
                note: None,
            };
            suppress(work, entry).await?;
        }
    }
    Ok(())
}

/// The channels by which a kind of contact point is written to.
const fn channels_of(kind: ContactPointKind) -> &'static [Channel] {
    match kind {
        ContactPointKind::Email => &[Channel::Email],
        ContactPointKind::Phone | ContactPointKind::Mobile => &[Channel::Phone, Channel::Sms, Channel::Whatsapp],
        ContactPointKind::Whatsapp => &[Channel::Whatsapp],
        ContactPointKind::Fax => &[Channel::Fax],
        ContactPointKind::Line => &[Channel::Line],
        ContactPointKind::Facebook => &[Channel::Facebook],
        ContactPointKind::Website | ContactPointKind::Other => &[],
    }
}
