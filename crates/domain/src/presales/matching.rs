//! How sure it is that a lead and a record are the same: points for what they have in common.

use samphan_resource::text::fold;
use std::collections::BTreeSet;

/// From so many points on a match is certain.
pub const CERTAIN: i32 = 90;
/// From so many points on a match is likely.
pub const LIKELY: i32 = 60;
/// From such a similarity on two names are similar.
const SIMILAR: f64 = 0.85;

/// What a lead and a record have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKey {
    /// The tax id.
    TaxId,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// The company's name, without legal forms.
    Company,
    /// A similar name of the company.
    SimilarCompany,
    /// The mail domain, which is the company's own.
    Domain,
    /// The person's name.
    Name,
}

impl MatchKey {
    /// As it is answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaxId => "tax_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Company => "company",
            Self::SimilarCompany => "similar_company",
            Self::Domain => "domain",
            Self::Name => "name",
        }
    }

    /// Its points.
    #[must_use]
    pub const fn points(self) -> i32 {
        match self {
            Self::TaxId => 100,
            Self::Email => 60,
            Self::Phone => 50,
            Self::Company => 30,
            Self::SimilarCompany | Self::Domain => 20,
            Self::Name => 10,
        }
    }
}

/// The sum of points, 100 at most.
#[must_use]
pub fn score(keys: &BTreeSet<MatchKey>) -> i32 {
    keys.iter().map(|key| key.points()).sum::<i32>().min(100)
}

/// Legal forms as they stand before and after names, folded.
const FORMS: &[&str] = &[
    "บริษัทมหาชนจำกัด",
    "บริษัท",
    "บจก",
    "บมจ",
    "ห้างหุ้นส่วนสามัญ",
    "ห้างหุ้นส่วนจำกัด",
    "ห้างหุ้นส่วน",
    "หจก",
    "จำกัด",
    "มหาชน",
    "มูลนิธิ",
    "สมาคม",
    "co",
    "ltd",
    "limited",
    "company",
    "public",
    "pcl",
    "plc",
    "inc",
    "corp",
    "corporation",
    "gmbh",
    "ag",
    "llc",
    "pte",
    "partnership",
    "lp",
    "شرکت",
    "موسسه",
];

/// A company's name without its legal forms, as it is compared.
#[must_use]
pub fn core_name(name: &str) -> String {
    let forms: Vec<String> = FORMS.iter().map(|form| fold(form)).collect();
    let mut core = fold(name);
    // Thai writes forms and names without a space between.
    for form in forms.iter().filter(|form| !form.is_ascii()) {
        core = core.replace(form.as_str(), " ");
    }
    let words: Vec<&str> = core.split_whitespace().filter(|word| !forms.iter().any(|form| form == word)).collect();
    words.join(" ")
}

/// How two companies' names compare, if at all.
#[must_use]
pub fn compare_companies(one: &str, other: &str) -> Option<MatchKey> {
    let (one, other) = (core_name(one), core_name(other));
    match () {
        () if one.is_empty() || other.is_empty() => None,
        () if one == other => Some(MatchKey::Company),
        () if strsim::normalized_damerau_levenshtein(&one, &other) >= SIMILAR => Some(MatchKey::SimilarCompany),
        () => None,
    }
}

/// Mail providers whose domains are nobody's own.
const PROVIDERS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "hotmail.co.th",
    "outlook.com",
    "outlook.co.th",
    "live.com",
    "msn.com",
    "yahoo.com",
    "yahoo.co.th",
    "ymail.com",
    "icloud.com",
    "me.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "gmx.com",
    "gmx.net",
    "mail.com",
];

/// The domain of an address, where it is the company's own.
#[must_use]
pub fn own_domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !PROVIDERS.contains(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_their_legal_forms() {
        for (one, other, key) in [
            ("บริษัท ริมน้ำโฮเทล จำกัด", "ริมน้ำโฮเทล", Some(MatchKey::Company)),
            ("บริษัทริมน้ำโฮเทลจำกัด", "หจก. ริมน้ำโฮเทล", Some(MatchKey::Company)),
            ("Siam Trading Co., Ltd.", "SIAM TRADING", Some(MatchKey::Company)),
            ("Siam Trading", "Siam Tradings", Some(MatchKey::SimilarCompany)),
            ("Siam Trading", "Chiang Mai Coffee", None),
            ("บริษัท จำกัด", "บริษัท จำกัด", None),
        ] {
            assert_eq!(compare_companies(one, other), key, "{one} and {other}");
        }
    }

    #[test]
    fn points_are_added_up_to_a_hundred() {
        let of = |keys: &[MatchKey]| score(&keys.iter().copied().collect());
        assert_eq!(of(&[MatchKey::Email, MatchKey::Company]), 90);
        assert_eq!(of(&[MatchKey::TaxId, MatchKey::Phone]), 100);
        assert_eq!(of(&[MatchKey::Phone, MatchKey::Name]), 60);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn a_providers_domain_is_nobodys_own() {
        assert_eq!(own_domain("a@rimnam.example"), Some("rimnam.example"));
        assert_eq!(own_domain("a@gmail.com"), None);
    }

    proptest::proptest! {
        #[test]
        fn comparing_is_the_same_both_ways(one in "\\PC{0,20}", other in "\\PC{0,20}") {
            proptest::prop_assert_eq!(compare_companies(&one, &other), compare_companies(&other, &one));
            let core = core_name(&one);
            proptest::prop_assert_eq!(compare_companies(&one, &one), (!core.is_empty()).then_some(MatchKey::Company));
        }
    }
}
