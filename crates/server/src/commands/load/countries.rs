//! Countries as people write them, by their ISO 3166-1 codes.

const COUNTRIES: &[(&str, &str)] = &[
    ("argentina", "AR"),
    ("australia", "AU"),
    ("austria", "AT"),
    ("belgium", "BE"),
    ("brazil", "BR"),
    ("canada", "CA"),
    ("china", "CN"),
    ("denmark", "DK"),
    ("finland", "FI"),
    ("france", "FR"),
    ("germany", "DE"),
    ("india", "IN"),
    ("iran", "IR"),
    ("ireland", "IE"),
    ("italy", "IT"),
    ("japan", "JP"),
    ("malaysia", "MY"),
    ("mexico", "MX"),
    ("netherlands", "NL"),
    ("norway", "NO"),
    ("poland", "PL"),
    ("portugal", "PT"),
    ("singapore", "SG"),
    ("spain", "ES"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("thailand", "TH"),
    ("uk", "GB"),
    ("united kingdom", "GB"),
    ("united states", "US"),
    ("usa", "US"),
    ("venezuela", "VE"),
    ("vietnam", "VN"),
];

/// The code of a country, by its name or the code itself.
pub fn code(name: &str) -> Option<String> {
    let lower = name.trim().to_lowercase();
    if let Some((_, code)) = COUNTRIES.iter().find(|(n, _)| *n == lower) {
        return Some((*code).to_owned());
    }
    (lower.len() == 2 && lower.bytes().all(|b| b.is_ascii_alphabetic())).then(|| lower.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn names_and_codes_are_understood_and_nothing_is_guessed() {
        assert_eq!(code("UK").as_deref(), Some("GB"));
        assert_eq!(code("Germany ").as_deref(), Some("DE"));
        assert_eq!(code("de").as_deref(), Some("DE"));
        assert_eq!(code("Atlantis"), None);
    }
}
