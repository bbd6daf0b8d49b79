//! What counts of all that a person said: the newest, and of two of one moment the stricter.

use super::consent::{Consent, ConsentStatus};
use crate::customers::account::Channel;
use samphan_resource::timestamp::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// What counts for a purpose and channel now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EffectiveConsent {
    /// The key of the purpose.
    #[schema(max_length = 50, example = "newsletter")]
    pub purpose: String,
    /// The channel; null for every channel that has no entry of its own.
    #[schema(required = true)]
    pub channel: Option<Channel>,
    /// What counts.
    pub status: EffectiveStatus,
    /// Whether the purpose allows a message by this channel: it was granted, or the purpose requires no consent and it was not refused.
    /// Addresses that are suppressed, and a contact's `do_not_call`, are asked besides.
    pub is_permitted: bool,
    /// The consent that decides; null where there is none.
    #[schema(required = true)]
    pub consent_id: Option<Uuid>,
    /// When the deciding consent was given.
    #[schema(required = true)]
    pub captured_at: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(required = true)]
    pub expires_at: Option<Timestamp>,
}

/// Whether a person allows a purpose now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveStatus {
    /// The newest consent grants it.
    Granted,
    /// The newest refuses it.
    Denied,
    /// The newest withdraws it.
    Withdrawn,
    /// The last grant has ended, and nothing was said since.
    Expired,
    /// The person said nothing about it.
    None,
}

impl EffectiveStatus {
    /// Whether a message may be sent for a purpose.
    #[must_use]
    pub const fn permits(self, requires_consent: bool) -> bool {
        match self {
            Self::Granted => true,
            Self::Denied | Self::Withdrawn => false,
            // A grant that ended is as if nothing was said.
            Self::Expired | Self::None => !requires_consent,
        }
    }
}

/// A consent and its id.
pub type Given<'a> = (Uuid, &'a Consent);

/// How strict a consent is: of two of one moment the stricter counts.
const fn strictness(status: ConsentStatus) -> u8 {
    match status {
        ConsentStatus::Granted => 0,
        ConsentStatus::Denied => 1,
        ConsentStatus::Withdrawn => 2,
    }
}

/// The consent that decides about a purpose and channel at a moment, among all of one person, and what it says. A consent for every channel
/// counts for each. The order in which consents were entered plays no part.
#[must_use]
pub fn deciding<'a>(all: &[Given<'a>], purpose: &str, channel: Option<Channel>, now: Timestamp) -> (EffectiveStatus, Option<Given<'a>>) {
    let applies = |consent: &Consent| consent.purpose == purpose && (consent.channel.is_none() || consent.channel == channel);
    let said = || all.iter().copied().filter(|(_, consent)| applies(consent));
    let newest = |given: &Given<'_>| (given.1.captured_at, strictness(given.1.status), given.0);
    let is_over = |consent: &Consent| consent.expires_at.is_some_and(|ends| ends <= now);
    match said().filter(|(_, consent)| !is_over(consent)).max_by_key(newest) {
        Some(given) => {
            let status = match given.1.status {
                ConsentStatus::Granted => EffectiveStatus::Granted,
                ConsentStatus::Denied => EffectiveStatus::Denied,
                ConsentStatus::Withdrawn => EffectiveStatus::Withdrawn,
            };
            (status, Some(given))
        }
        None => match said().max_by_key(newest) {
            Some(given) => (EffectiveStatus::Expired, Some(given)),
            None => (EffectiveStatus::None, None),
        },
    }
}

/// What counts now: for each purpose every channel that was named, and all others together. `purposes` are the keys, with whether each
/// requires a consent.
#[must_use]
pub fn effective(all: &[Given<'_>], purposes: &[(String, bool)], now: Timestamp) -> Vec<EffectiveConsent> {
    let mut answer = vec![];
    for (purpose, requires_consent) in purposes {
        let of_purpose = all.iter().filter(|(_, consent)| consent.purpose == *purpose);
        let named: BTreeSet<Channel> = of_purpose.filter_map(|(_, consent)| consent.channel).collect();
        for channel in std::iter::once(None).chain(named.into_iter().map(Some)) {
            let (status, given) = deciding(all, purpose, channel, now);
            answer.push(EffectiveConsent {
                purpose: purpose.clone(),
                channel,
                status,
                is_permitted: status.permits(*requires_consent),
                consent_id: given.map(|(id, _)| id),
                captured_at: given.and_then(|(_, consent)| consent.captured_at),
                expires_at: given.and_then(|(_, consent)| consent.expires_at),
            });
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consents::consent::{ConsentSource, LawfulBasis};
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000_000_000;

    fn consent(status: ConsentStatus, channel: Option<Channel>, day: i64, ends: Option<i64>) -> Consent {
        let at = |day: i64| Timestamp::from_micros(NOW + day * 86_400_000_000).unwrap();
        Consent {
            account_id: None,
            contact_id: None,
            purpose: "news".to_owned(),
            channel,
            status,
            lawful_basis: LawfulBasis::Consent,
            captured_at: Some(at(day)),
            expires_at: ends.map(at),
            source: ConsentSource::Form,
            text_version: None,
            wording: None,
            ip_address: None,
            user_agent: None,
        }
    }

    fn any_consent() -> impl Strategy<Value = Consent> {
        let status = prop_oneof![Just(ConsentStatus::Granted), Just(ConsentStatus::Denied), Just(ConsentStatus::Withdrawn)];
        let channel = prop_oneof![Just(None), Just(Some(Channel::Email)), Just(Some(Channel::Sms))];
        (status, channel, -5_i64..=0, proptest::option::of(-4_i64..5)).prop_map(|(status, channel, day, ends)| {
            consent(status, channel, day, ends.filter(|ends| status == ConsentStatus::Granted && *ends > day))
        })
    }

    proptest! {
        #[test]
        fn the_order_of_entry_plays_no_part(all in proptest::collection::vec(any_consent(), 0..8), seed: u64) {
            let given: Vec<(Uuid, &Consent)> = (1..).map(Uuid::from_u128).zip(&all).collect();
            let mut turned = given.clone();
            turned.rotate_left(usize::try_from(seed % 7).unwrap().min(given.len()));
            let (now, purposes) = (Timestamp::from_micros(NOW).unwrap(), [("news".to_owned(), true)]);
            prop_assert_eq!(effective(&given, &purposes, now), effective(&turned, &purposes, now));
        }

        #[test]
        fn nothing_is_permitted_after_a_refusal_until_it_is_granted_again(all in proptest::collection::vec(any_consent(), 0..8)) {
            let now = Timestamp::from_micros(NOW).unwrap();
            let refused = consent(ConsentStatus::Withdrawn, None, 0, None);
            let given: Vec<(Uuid, &Consent)> = (1..).map(Uuid::from_u128).zip(all.iter().chain([&refused])).collect();
            for one in effective(&given, &[("news".to_owned(), false)], now) {
                prop_assert!(!one.is_permitted);
            }
        }

        #[test]
        fn a_grant_without_end_is_the_newest_or_plays_no_part(all in proptest::collection::vec(any_consent(), 1..8)) {
            let now = Timestamp::from_micros(NOW).unwrap();
            let given: Vec<(Uuid, &Consent)> = (1..).map(Uuid::from_u128).zip(&all).collect();
            let (status, deciding) = deciding(&given, "news", Some(Channel::Email), now);
            let Some((_, decided)) = deciding else {
                prop_assert_eq!(status, EffectiveStatus::None);
                return Ok(());
            };
            let ended = decided.expires_at.is_some_and(|ends| ends <= now);
            prop_assert_eq!(ended, status == EffectiveStatus::Expired);
            for (_, other) in given.iter().filter(|(_, other)| other.channel != Some(Channel::Sms)) {
                let counts = other.expires_at.is_none_or(|ends| ends > now);
                prop_assert!(!counts || (!ended && other.captured_at <= decided.captured_at));
            }
        }
    }
}
